"""A stage in this process."""

import runpy
import sys
from pathlib import Path

import pytest

__all__ = ["call_stage"]

STAGES = Path(__file__).parents[2] / "stages/__main__.py"


def call_stage(*arguments: str) -> None:
    """Do what `python stages NAME ARGUMENT ...` does, in the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["stages", *arguments])
        runpy.run_path(str(STAGES), run_name="__main__")
