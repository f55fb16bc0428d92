"""Which files a verification compares, and that it finds another weight file."""

from pathlib import Path

import yaml

from regen.verification.compare import Difference
from regen.verification.outputs import compared, locked, locks_apart

FILES = (
    "results/quick/v/0/metrics.json",
    "results/quick/w/0/metrics.json",
    "results/quick/data/mnist.json",
    "results/quick/platform.json",
    "results/quick/provenance.json",
    "reports/quick/report.md",
    "reports/quick/made.html",
    "reports/quick/figures/v/means.png",
    "results/paper/v/0/metrics.json",
)


def lock(path: Path, **outs: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stages = {name: {"outs": [{"path": out, "md5": md5}]} for name, (out, md5) in enumerate(outs.items())}
    path.write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


def test_everything_of_a_preset_is_compared_but_what_varies(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert set(compared(tmp_path, "quick")) == {*FILES[:3], FILES[5], FILES[7]}
    assert set(compared(tmp_path, "quick", ["v"])) == {FILES[0], FILES[7]}
    assert compared(tmp_path, "quick", ["u"]) == {}


def test_locks_of_all_parts_of_one_preset_are_read(tmp_path: Path) -> None:
    lock(tmp_path / "dvc.lock", **{"data/quick/mnist": "1", "mlflow/quick/synced.txt": "2"})
    lock(tmp_path / "pipeline/train/dvc.lock", **{"models/quick/v/0": "3", "models/quick/w/0": "4", "results/quick/v/0/history.csv": "6"})
    lock(tmp_path / "paper/dvc.lock", **{"data/paper/mnist": "5"})
    assert locked(tmp_path, Path("dvc.yaml")) == {"data/quick/mnist": "1", "models/quick/v/0": "3", "models/quick/w/0": "4"}
    assert locked(tmp_path, Path("dvc.yaml"), ["w"]) == {"models/quick/w/0": "4"}
    assert locked(tmp_path, Path("paper/dvc.yaml")) == {"data/paper/mnist": "5"}


def test_another_weight_file_is_found() -> None:
    committed = {"models/quick/v/0": "3", "models/quick/w/0": "4"}
    assert locks_apart(committed, dict(committed)) == []
    assert locks_apart(committed, {"models/quick/v/0": "9"}) == [
        Difference("models/quick/v/0 (DVC)", "3", "9", "equal bit for bit"),
        Difference("models/quick/w/0 (DVC)", "4", "nothing", "equal bit for bit"),
    ]
