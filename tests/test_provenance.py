"""Side files: how a stage ran, and the account that is made of them."""

import json
import re
import time
from pathlib import Path

import pytest

from regen.provenance import collect, recorded


def test_a_stage_is_timed_and_its_memory_noted(tmp_path: Path) -> None:
    with recorded(tmp_path / "train.json", device="cpu", threads=1) as facts:
        time.sleep(0.05)
        facts["epochs"] = 3
    noted = json.loads((tmp_path / "train.json").read_text())

    assert 0.05 <= noted["seconds"] < 5
    assert (noted["device"], noted["threads"], noted["epochs"]) == ("cpu", 1, 3)
    assert {"started", "commit", "versions", "processor", "system"} <= set(noted)
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("no /proc to compare the peak memory with")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert peak is not None and noted["peak_memory_mb"] == pytest.approx(int(peak[1]) * 1024 / 1e6, rel=0.02)


def test_a_stage_that_fails_leaves_no_side_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError), recorded(tmp_path / "train.json"):
        raise KeyError
    assert not (tmp_path / "train.json").exists()


def test_the_account_keeps_what_has_no_log_here(tmp_path: Path) -> None:
    account = tmp_path / "provenance.json"
    account.write_text(json.dumps({"old-mnist/0/train": {"seconds": 1.0}, "new-mnist/1/train": {"seconds": 2.0}}))
    log = tmp_path / "logs/new-mnist/1/train.json"
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"seconds": 9.0}))
    collect(tmp_path / "logs", account)

    assert json.loads(account.read_text()) == {"old-mnist/0/train": {"seconds": 1.0}, "new-mnist/1/train": {"seconds": 9.0}}


def test_the_account_has_feature_spaces_too(tmp_path: Path) -> None:
    log = tmp_path / "logs/features/mnist/features.json"
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"seconds": 4.5}))
    collect(tmp_path / "logs", tmp_path / "provenance.json")
    assert json.loads((tmp_path / "provenance.json").read_text()) == {"features/mnist/features": {"seconds": 4.5}}
