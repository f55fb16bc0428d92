"""Side files: how a stage ran, and the account that is made of them."""

import json
import re
import sys
import time
from pathlib import Path

import pytest

from regen.common.errors import UserError
from regen.provenance import collect, collect_platforms, commit, made_here, platform_facts, recorded


def test_a_stage_is_timed_and_its_memory_noted(tmp_path: Path) -> None:
    with recorded(tmp_path / "train.json", device="cpu", threads=1) as facts:
        time.sleep(0.05)
        facts["epochs"] = 3
    noted = json.loads((tmp_path / "train.json").read_text())

    # Asleep, it takes time but no processor.
    assert 0.05 <= noted["seconds"] < 5 and 0 <= noted["cpu_seconds"] < 0.04
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


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Return a platform.json of two variants and a feature network that were made here."""
    for run in ("a/0/train", "a/0/evaluate", "b/1/train", "features/mnist/features"):
        log = tmp_path / "logs" / f"{run}.json"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps({**platform_facts(), "device": "cpu", "threads": 1, "seconds": 2.5}))
        (tmp_path / "results" / run.split("/")[0]).mkdir(parents=True, exist_ok=True)
    collect_platforms(tmp_path / "logs", tmp_path / "results/platform.json")
    return tmp_path / "results/platform.json"


def test_what_was_made_here_is_known_as_that(made: Path) -> None:
    assert made_here(made) and made_here(made, ["a"]) and made_here(made, ["a", "b"])
    assert "seconds" not in made.read_text()


@pytest.mark.parametrize(
    ("key", "value"), [("processor", "another"), ("instruction_set", "AVX512"), ("device", "cuda"), ("versions", {"torch": "1"})]
)
def test_another_platform_is_known_as_that(made: Path, key: str, value: object) -> None:
    log = made.parents[1] / "logs/b/1/train.json"
    log.write_text(json.dumps({**json.loads(log.read_text()), key: value}))
    collect_platforms(made.parents[1] / "logs", made)
    assert made_here(made, ["a"]) and not made_here(made, ["b"]) and not made_here(made)


@pytest.mark.parametrize(("python", "same"), [("{}.{}.99", True), ("{}.99.0", False)])
def test_the_patch_level_of_python_is_no_other_platform(made: Path, python: str, same: bool) -> None:
    log = made.parents[1] / "logs/b/1/train.json"
    facts = json.loads(log.read_text())
    facts["versions"]["python"] = python.format(*sys.version_info)
    log.write_text(json.dumps(facts))
    collect_platforms(made.parents[1] / "logs", made)
    assert made_here(made) == same and facts["versions"]["python"] in made.read_text()


@pytest.mark.parametrize(("text", "variants"), [(None, []), ("{}", []), ("[]", ["a"]), ("{", ["a"]), ("", [])])
def test_without_an_account_of_platforms_nothing_is_judged(made: Path, text: str | None, variants: list[str]) -> None:
    made.unlink()
    if text is not None:
        made.write_text(text)
    with pytest.raises(UserError, match=r"platform\.json"):
        made_here(made, variants)


def test_a_variant_without_a_run_is_not_judged(made: Path) -> None:
    with pytest.raises(UserError, match="expected a run of c, got none"):
        made_here(made, ["a", "c"])


@pytest.mark.parametrize(("told", "known"), [("1234+changes", "1234+changes"), ("", None)])
def test_a_worker_notes_the_commit_of_the_run(told: str, known: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_COMMIT", told)
    assert commit() == known
