"""Which files a verification compares, and that it finds another weight file."""

from pathlib import Path

import pytest
import yaml

from regen.verification.compare import Difference
from regen.verification.outputs import compared, locked, locks_apart, stages_of

FILES = (
    "results/quick/v/0/metrics.json",
    "results/quick/w/0/metrics.json",
    "results/quick/data/mnist.json",
    "results/quick/platform.json",
    "results/quick/provenance.json",
    "reports/quick/report.md",
    "reports/quick/more.html",
    "reports/quick/figures/v/means.png",
    "results/paper/v/0/metrics.json",
)


def lock(path: Path, **outs: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stages = {name: {"outs": [{"path": out, "md5": md5}]} for name, (out, md5) in enumerate(outs.items())}
    path.write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


def test_every_file_of_an_output_is_compared_but_what_varies(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert set(compared(tmp_path, ["results/quick", "reports/quick/report.md"])) == {*FILES[:3], FILES[5]}
    outs = ["models/quick/v/0", "results/quick/v/0/metrics.json", "reports/quick/figures/v"]
    assert set(compared(tmp_path, outs)) == {FILES[0], FILES[7]}
    assert compared(tmp_path, ["results/quick/u/0/metrics.json"]) == {}


def test_locks_of_all_parts_of_one_preset_are_read(tmp_path: Path) -> None:
    lock(tmp_path / "dvc.lock", **{"data/quick/mnist": "1", "mlflow/quick/synced.txt": "2"})
    lock(tmp_path / "pipeline/train/dvc.lock", **{"models/quick/v/0": "3", "models/quick/w/0": "4", "results/quick/v/0/history.csv": "6"})
    lock(tmp_path / "paper/dvc.lock", **{"data/paper/mnist": "5"})
    assert locked(tmp_path, Path("dvc.yaml")) == {
        "data/quick/mnist": "1",
        "models/quick/v/0": "3",
        "models/quick/w/0": "4",
        "results/quick/v/0/history.csv": "6",
    }
    assert locked(tmp_path, Path("paper/dvc.yaml")) == {"data/paper/mnist": "5"}


def test_the_stages_of_a_variant_are_those_whose_results_are_committed(tmp_path: Path) -> None:
    outs = {
        "train-mnist@v-0": ["models/paper/v/0", "results/paper/v/0/history.csv"],
        # Run, but not all of its results are there.
        "train-mnist@v-1": ["models/paper/v/1", "results/paper/v/1/history.csv"],
        "train-mnist@v-long-0": ["models/paper/v-long/0", "results/paper/v/0/history.csv"],
    }
    stages = {name: {"outs": [{"path": out, "md5": "1"} for out in paths]} for name, paths in outs.items()}
    path = tmp_path / "paper/pipeline/train/dvc.lock"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    (tmp_path / "results/paper/v/0").mkdir(parents=True)
    (tmp_path / "results/paper/v/0/history.csv").touch()
    found = stages_of(tmp_path, Path("paper/dvc.yaml"), ["v"])
    assert found == {"paper/pipeline/train/dvc.yaml:train-mnist@v-0": outs["train-mnist@v-0"]}
    assert stages_of(tmp_path, Path("paper/dvc.yaml"), ["data", "train-mnist"]) == {}
    assert stages_of(tmp_path, Path("dvc.yaml"), ["v"]) == {}


COMMITTED = {"configs/quick": "1", "data/quick/mnist": "2", "models/quick/v/0": "3", "models/quick/w/0": "4"}


@pytest.mark.parametrize(
    ("exact", "outs", "found"),
    [
        (True, None, ["configs/quick", "models/quick/v/0", "models/quick/w/0"]),
        # Weights differ between platforms; what they are made from does not.
        (False, None, ["configs/quick"]),
        (True, ["models/quick/v/0"], ["configs/quick", "models/quick/v/0"]),
        (False, ["models/quick/v/0"], ["configs/quick"]),
    ],
)
def test_another_weight_file_or_configuration_is_found(exact: bool, outs: list[str] | None, found: list[str]) -> None:
    got = {"configs/quick": "9", "data/quick/mnist": "2", "models/quick/v/0": "8"}
    assert locks_apart(COMMITTED, dict(COMMITTED), exact, outs) == []
    rows = [Difference(f"{path} (DVC)", COMMITTED[path], got.get(path, "nothing"), "equal bit for bit") for path in found]
    assert locks_apart(COMMITTED, got, exact, outs) == rows
