"""The environment of repositories that tests make: it knows neither the user's and the system's settings nor this repository's git."""

import os
import sys
from pathlib import Path

import pytest

__all__ = ["clean_environment", "enter"]

SOURCE = Path(__file__).parents[2] / "src"


def clean_environment(folder: Path, source: Path = SOURCE) -> dict[str, str]:
    """Return the environment; what DVC keeps outside a repository is in `folder`."""
    # A git hook sets GIT_DIR: without this a commit there could be one to the repository itself.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **inherited,
        "PATH": f"{Path(sys.executable).parent}:{inherited['PATH']}",
        # For `python -m regen.runner`; a stage finds its own tree's code.
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DVC_NO_ANALYTICS": "true",
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "config"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "tests@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


def enter(patch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Make it this process's."""
    for name in os.environ.keys() - environment.keys():
        patch.delenv(name)
    for name, value in environment.items():
        patch.setenv(name, value)
