"""What the tests of the data layer share: configurations of any data set, and the real files where they are at hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regen.data.fetch import mirrors
from regen.params.schema import DataConfig

MakeConfig = Callable[..., DataConfig]

DATASETS: dict[str, dict[str, Any]] = {
    "mnist": {"classes": 10, "shape": [1, 28, 28], "values": "grey", "split": {"train": 55000, "validation": 5000, "test": 10000}},
    "binarized_mnist": {
        "classes": None,
        "shape": [1, 28, 28],
        "values": "binary",
        "split": {"train": 50000, "validation": 10000, "test": 10000},
    },
    "svhn": {"classes": 10, "shape": [3, 32, 32], "values": "grey", "split": {"train": 65000, "validation": 8257, "test": 26032}},
    "celeba": {"classes": None, "shape": [3, 64, 64], "values": "grey", "split": {"train": 10000, "validation": 1000, "test": 2000}},
}


@pytest.fixture
def make_config() -> MakeConfig:
    """Return a maker of configurations: data set, status, and whatever else differs from params.yaml."""

    def make(dataset: str, status: str = "official", **changes: Any) -> DataConfig:
        values: dict[str, Any] = {"dataset": dataset, "source": status, "status": status, "files": {}, "max_images": None, "seed": 0}
        values |= {"preparations": [{}], "kind": dataset, "fit": "exact"}
        return DataConfig.model_validate({**values, **DATASETS.get(dataset, {}), **changes})

    return make


def _roots() -> list[Path]:
    shared = Path(__file__).parents[2].parent / "shared"
    return [root for root in (*mirrors(), shared / "data", shared / "data-svhn-grey") if root.is_dir()]


@pytest.fixture
def real() -> Callable[[str, str], Path]:
    """Return a finder of real files: the folder of a data set that holds a file, or the test is skipped."""

    def find(dataset: str, name: str) -> Path:
        for root in _roots():
            if (root / dataset / name).is_file():
                return root / dataset
        pytest.skip(f"no mirror holds {dataset}/{name}")

    return find


@pytest.fixture
def real_mirror() -> str:
    """Return the mirrors that are at hand in the form of REGEN_DATA_MIRROR, or skip the test."""
    if not _roots():
        pytest.skip("no mirror at hand")
    return ":".join(map(str, _roots()))
