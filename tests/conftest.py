"""What all tests share: they compute as the stages do, and may read the repository's own params.yaml."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regen.common.determinism import make_deterministic
from regen.params.resolve import read_params, resolve
from regen.params.schema import Params, PresetFile


@pytest.fixture(autouse=True, scope="session")
def _deterministic() -> None:
    """Compute with one thread and deterministic algorithms."""
    make_deterministic()


@pytest.fixture(scope="session")
def params() -> Params:
    return read_params(Path(__file__).parents[1] / "params.yaml")


@pytest.fixture(scope="session")
def resolved(params: Params) -> Callable[[str], dict[str, Any]]:
    """Return a resolver of a preset: configurations by file name, one seed for every data set."""

    def call(preset: str) -> dict[str, Any]:
        seeds = {dataset: [0] for dataset in params.variants}
        return dict(resolve(params, PresetFile(preset=preset, root=".", file="preset.yaml", seeds=seeds)))

    return call
