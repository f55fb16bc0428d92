"""What the tests of the configuration share: the repository's own params.yaml, read and resolved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regen.params.resolve import read_params, resolve
from regen.params.schema import Params, PresetFile


@pytest.fixture(scope="session")
def params() -> Params:
    return read_params(Path(__file__).parents[2] / "params.yaml")


@pytest.fixture(scope="session")
def resolved(params: Params) -> Callable[[str], dict[str, Any]]:
    """Return a resolver of a preset: configurations by file name, one seed for every data set."""

    def call(preset: str) -> dict[str, Any]:
        seeds = {dataset: [0] for dataset in params.variants}
        return dict(resolve(params, PresetFile(preset=preset, root=".", file="preset.yaml", seeds=seeds)))

    return call
