"""Side files: how a stage ran, and the account that is made of them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regen.common.errors import UserError
from regen.provenance import collect, collect_platforms, commit, describes, made_here, platform_facts, recorded


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


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("gcc") is None, reason="preloading needs Linux, and scripts/zen.c a compiler")
def test_a_result_says_that_mkl_took_the_processor_for_a_zen(tmp_path: Path) -> None:
    root, library = Path(__file__).parents[1], tmp_path / "zen.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(root / "scripts/zen.c")], check=True)
    asked = "from regen.provenance import platform_facts; print(platform_facts()['processor'])"

    def processor(**environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", asked],
            env={**os.environ, "PYTHONPATH": str(root / "src"), **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    plain = processor(LD_PRELOAD="")
    assert plain and "Zen" not in plain and processor(LD_PRELOAD=str(library)) == f"{plain}, MKL as on AMD Zen"


def log_of(root: Path, run: str, **facts: object) -> Path:
    """Write a run's result and the side file that describes it; return the latter."""
    (root / f"results/{run}.json").parent.mkdir(parents=True, exist_ok=True)
    (root / f"results/{run}.json").write_text(run)
    log = root / f"logs/quick/{run}.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(json.dumps({**facts, "outputs": {f"results/{run}.json": hashlib.md5(run.encode()).hexdigest()}}))
    return log


def test_a_side_file_is_tied_to_the_outputs_that_it_describes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    curves, weights = Path("history.csv"), Path("final.safetensors")
    with recorded(Path("train.json"), [curves, weights]):
        curves.write_text("epoch\n0\n")
        weights.write_text("w")
    facts = json.loads(Path("train.json").read_text())

    assert describes(facts, Path())
    # A clone has the results without the weights.
    weights.unlink()
    assert describes(facts, Path())
    # `git checkout .` brings back another result; the weights may be those of either.
    curves.write_text("epoch\n1\n")
    weights.write_text("w")
    assert not describes(facts, Path())
    curves.unlink()
    weights.unlink()
    assert not describes(facts, Path()) and not describes({"seconds": 1.0}, Path())


def test_the_account_keeps_what_has_no_log_here_and_drops_what_is_of_another_result(tmp_path: Path) -> None:
    account, runs = (
        tmp_path / "provenance.json",
        ("old-mnist/0/train", "new-mnist/1/train", "replaced-mnist/0/train", "mixed-mnist/0/train"),
    )
    logs = {run: log_of(tmp_path, run, seconds=1.0) for run in runs}
    account.write_text(json.dumps({run: json.loads(log.read_text()) for run, log in logs.items()}))
    logs[runs[0]].unlink()
    log_of(tmp_path, runs[1], seconds=9.0)
    for run in runs[2:]:
        (tmp_path / f"results/{run}.json").write_text("of another run")
    logs[runs[2]].unlink()
    collect(tmp_path / "logs/quick", account)

    assert {run: facts["seconds"] for run, facts in json.loads(account.read_text()).items()} == {runs[0]: 1.0, runs[1]: 9.0}


def test_the_account_has_feature_spaces_too(tmp_path: Path) -> None:
    log_of(tmp_path, "features/mnist/features", seconds=4.5)
    collect(tmp_path / "logs/quick", tmp_path / "provenance.json")
    assert json.loads((tmp_path / "provenance.json").read_text())["features/mnist/features"]["seconds"] == 4.5


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Return a platform.json of two variants and a feature network that were made here."""
    for run in ("a/0/train", "a/0/evaluate", "b/1/train", "features/mnist/features"):
        log_of(tmp_path, run, **platform_facts(), device="cpu", threads=1, seconds=2.5)
    collect_platforms(tmp_path / "logs/quick", tmp_path / "results/platform.json")
    return tmp_path / "results/platform.json"


def test_what_was_made_here_is_known_as_that(made: Path) -> None:
    assert made_here(made) and made_here(made, ["a"]) and made_here(made, ["a", "b"])
    assert "seconds" not in made.read_text()


@pytest.mark.parametrize(
    ("key", "value"), [("processor", "another"), ("instruction_set", "AVX512"), ("device", "cuda"), ("versions", {"torch": "1"})]
)
def test_another_platform_is_known_as_that(made: Path, key: str, value: object) -> None:
    log = made.parents[1] / "logs/quick/b/1/train.json"
    log.write_text(json.dumps({**json.loads(log.read_text()), key: value}))
    collect_platforms(made.parents[1] / "logs/quick", made)
    assert made_here(made, ["a"]) and not made_here(made, ["b"]) and not made_here(made)


@pytest.mark.parametrize(("python", "same"), [("{}.{}.99", True), ("{}.99.0", False)])
def test_the_patch_level_of_python_is_no_other_platform(made: Path, python: str, same: bool) -> None:
    log = made.parents[1] / "logs/quick/b/1/train.json"
    facts = json.loads(log.read_text())
    facts["versions"]["python"] = python.format(*sys.version_info)
    log.write_text(json.dumps(facts))
    collect_platforms(made.parents[1] / "logs/quick", made)
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
