"""What CI says; the archive of weights; the addresses of a variant's stages; MLflow's port; verified variants; training elsewhere."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from repository import ROOT, reduced

from regen.common.errors import UserError
from regen.common.files import checksum
from regen.verification.compare import Difference, table

VAE = "uva3-vae-z2-mnist"


def script(name: str) -> ModuleType:
    """Return a script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_summary_has_the_outcome_the_differences_and_the_verdicts() -> None:
    differences = table([Difference("a.json: x", "1", "2", "0.1")])
    log = f"12 passed in 3s\nverify quick: 3 files came out again\n{differences}\nerror: verify quick: got 1\n"
    claims = {preset: json.loads((ROOT / f"reports/{preset}/claims.json").read_text()) for preset in ("paper", "quick")}
    said = script("summary").summary(log, claims).splitlines()
    for line in ("12 passed in 3s", "verify quick: 3 files came out again", *differences.splitlines(), "error: verify quick: got 1"):
        assert line in said
    counted = {preset: Counter(row["outcome"] for row in found["claims"] if row["kind"] != "question") for preset, found in claims.items()}
    outcomes = ["not reproduced", "partly", "reproduced", "undecided"]
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in said[-4:]] == [
        ["preset", *outcomes],
        ["---"] * 5,
        *([preset, *(str(counted[preset][outcome]) for outcome in outcomes)] for preset in claims),
    ]
    assert "nothing: it ended before anything was checked" in script("summary").summary("", claims)


def test_changed_metrics_come_with_the_largest_relative_change_first() -> None:
    before = {"results/a/metrics.json": {"x": 100.0, "y": 1.0, "same": 3.0}, "results/gone/metrics.json": {"x": 1.0}}
    after = {"results/a/metrics.json": {"x": 101.0, "y": 2.0, "same": 3.0}, "results/new/metrics.json": {"x": 1.0}}
    lines = script("metrics_diff").comment(before, after).splitlines()
    assert "2 numbers changed in 1 files, 1 files new, 1 removed." in lines
    assert [line for line in lines if line.startswith("| a/")] == [
        "| a/metrics.json | y | 1 | 2 | +1 |",
        "| a/metrics.json | x | 100 | 101 | +1 |",
    ]
    assert lines[-1] == "Removed: gone/metrics.json"


def test_a_variants_stages_are_addressed_as_dvc_does() -> None:
    found = list(script("stages_of").addresses(ROOT, "paper", [VAE]))
    seeds = yaml.safe_load((ROOT / "paper/preset.yaml").read_text())["seeds"]["default"]
    for kind in ("train", "evaluate", "quality"):
        assert [one for one in found if f"/{kind}/" in one] == [
            f"paper/pipeline/{kind}/dvc.yaml:{kind}-mnist@{VAE}-{seed}" for seed in seeds
        ]
    assert [one for one in found if "/draw/" in one] == [f"paper/pipeline/draw/dvc.yaml:draw-mnist@{VAE}-{seeds[0]}"]
    with pytest.raises(UserError, match="unknown variant"):
        list(script("stages_of").addresses(ROOT, "quick", ["no-such"]))


def test_the_archive_has_the_weights_and_a_card_and_the_same_bytes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reduced(tmp_path)
    shutil.copyfile(ROOT / "preset.yaml", tmp_path / "preset.yaml")
    monkeypatch.chdir(tmp_path)
    make = script("models").main
    with pytest.raises(UserError, match="got none; make them with 'make report'"):
        make("quick")
    weights = Path(f"models/quick/{VAE}/0/final.safetensors")
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    results = Path(f"results/quick/{VAE}/0/metrics.json")
    results.parent.mkdir(parents=True)
    results.write_text(json.dumps({"nll_nats": 98.5, "nll_kind": "unnormalised"}))
    make("quick")
    first = Path("regen-models-quick.tar").read_bytes()
    make("quick")
    assert Path("regen-models-quick.tar").read_bytes() == first

    with tarfile.open("regen-models-quick.tar") as tar:
        assert tar.getnames() == ["MODELS-quick.md", weights.as_posix()]
        card = tar.extractfile("MODELS-quick.md").read().decode()  # type: ignore[union-attr]
    assert checksum(weights, "sha256") in card and "98.50 | unnormalised" in card and "stand-in" in card


def test_a_variant_without_committed_results_is_named_beside_one_whose_name_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = tmp_path / "results/paper/v-long/0/history.csv"
    lock = tmp_path / "paper/pipeline/train/dvc.lock"
    for path in (history, lock):
        path.parent.mkdir(parents=True)
        path.touch()
    stage = {"outs": [{"path": "results/paper/v-long/0/history.csv", "md5": "1"}]}
    lock.write_text(yaml.safe_dump({"stages": {"train-mnist@v-long-0": stage}}))
    verify = script("verify")
    monkeypatch.setattr(verify, "_clone", lambda folder: tmp_path)
    with pytest.raises(UserError, match="expected committed results of v, got none"):
        verify.main("paper", ["v", "v-long"], False, {})


VERIFIED = """
import subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_scripts import script
verify = script("verify")
verify._clone = lambda folder: folder.mkdir() or folder
verify.locked = lambda *_: {}
verify.made_here = lambda *_: True
verify._start = lambda copy, *_: subprocess.Popen([sys.executable, "-c", sys.argv[2], copy, Path(copy.name).absolute()])
verify.main("quick", [], True, {"jobs": None, "cluster": None})
"""
RUN = """
import signal, sys, time
from pathlib import Path
def end(*_):
    time.sleep(0.5)
    Path(sys.argv[1], "late").touch()
    Path(sys.argv[2]).write_text("ended")
    sys.exit()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, end)
Path(sys.argv[2]).write_text(sys.argv[1])
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_verification_that_is_told_to_end_ends_its_runs_and_leaves_no_copy(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", VERIFIED, str(ROOT / "tests"), RUN]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stderr=subprocess.PIPE)
    started = [tmp_path / "committed", tmp_path / "copy"]
    while not all(file.exists() and file.read_text() for file in started):
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.05)
    copies = [Path(file.read_text()) for file in started]
    assert all(copy.exists() for copy in copies)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1].decode()
    assert [file.read_text() for file in started] == ["ended", "ended"]
    assert said.splitlines()[-1] == "KeyboardInterrupt" and "During handling" not in said
    assert not any(copy.parent.exists() for copy in copies)


@pytest.mark.parametrize(
    ("twice", "cluster", "jobs"), [(False, None, ["5"]), (True, None, ["3", "3"]), (True, "tcp://127.0.0.1:1", ["5", "5"])]
)
def test_two_runs_on_one_machine_share_its_cores(
    twice: bool, cluster: str | None, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = script("verify")
    started: list[dict[str, str | None]] = []
    for name, value in {"_clone": lambda folder: folder, "locked": lambda *_: {}, "made_here": lambda *_: True}.items():
        monkeypatch.setattr(verify, name, value)
    ended = SimpleNamespace(wait=lambda: 0, terminate=lambda: None)
    monkeypatch.setattr(verify, "_start", lambda copy, preset, pipeline, settings, stages: started.append(settings) or ended)
    verify.main("quick", [], twice, {"jobs": "5", "cluster": cluster})
    assert [settings["jobs"] for settings in started] == jobs
    assert [settings["cluster"] for settings in started] == [None, cluster][-len(jobs) :]
    assert verify._half("1") == "1" and verify._half("two") == "two" and verify._half("0") == "0" and int(verify._half(None)) >= 1


@pytest.mark.parametrize("before", ["nothing", "a link to where the repository was", "a folder"])
def test_training_elsewhere_finds_its_data_wherever_the_repository_is_now(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    train, data = script("train"), tmp_path / "trained/quick/data"
    data.parent.mkdir(parents=True)
    if before.startswith("a link"):
        data.symlink_to(tmp_path / "gone/data")
    elif before == "a folder":
        data.mkdir()
    (tmp_path / "data").mkdir()
    patched: dict[str, Any] = {
        "ROOT": tmp_path,
        "addresses": lambda *_: [],
        "fresh": lambda *_: SimpleNamespace(variants={}),
        "code_of": lambda *_: "",
        "make_deterministic": lambda: None,
        "runpy": SimpleNamespace(run_path=lambda _: {"main": None}),
        "subprocess": SimpleNamespace(run=lambda *_, **__: SimpleNamespace(returncode=0)),
    }
    for name, value in patched.items():
        monkeypatch.setattr(train, name, value)
    monkeypatch.chdir(tmp_path)
    train.main("cpu", "quick", "")
    assert data.resolve() == (data if before == "a folder" else tmp_path / "data")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("OSError(28, 'No space left on device', 'models/x')", "error: models/x: expected a usable file, got 'No space left on device'"),
        (
            "RuntimeError('CUDA out of memory.')",
            "error: scripts/train.py --device cpu quick a b: expected memory, got 'CUDA out of memory.'",
        ),
        ("KeyboardInterrupt", "interrupted: scripts/train.py --device cpu quick a b; run the same command to continue"),
    ],
)
def test_a_training_elsewhere_that_fails_is_one_line(how: str, said: str, tmp_path: Path) -> None:
    # The first thing that the script calls fails.
    (tmp_path / "stages_of.py").write_text(f"def addresses(*_):\n    raise {how}\n")
    shutil.copyfile(ROOT / "scripts/train.py", tmp_path / "train.py")
    command = [sys.executable, str(tmp_path / "train.py"), "--device", "cpu", "quick", "a", "b"]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True)
    assert done.returncode == (130 if said.startswith("interrupted") else 1) and done.stdout == ""
    assert done.stderr.startswith(said) and done.stderr.count("\n") == 1


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(UserError, match="allowed: a number from 1 to 65535"):
        script("ui").check_port(port)


def test_a_busy_port_is_one_line_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, str(ROOT / "scripts/ui.py"), "quick", str(port)]
        done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(f"error: port {port}: expected a free one") and done.stderr.count("\n") == 1
    assert not (tmp_path / "mlflow").exists()
