"""Exit statuses and what a stage says when it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.stages import call_stage

FOLDER = Path(__file__).parents[1] / "stages"
STAGES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__main__")

SCRIPT = """
import os, signal, sys
from regen.common.errors import UserError
from regen.stage import run

# A job in the background starts with it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def main(how: str) -> None:
    match how:
        case "good": print("done")
        case "user": raise UserError("params.yaml: seed = -1: allowed: 0 or more")
        case "file": open("missing/file.bin")
        case "stop": os.kill(os.getpid(), signal.SIGINT)
        case "memory": raise MemoryError()
        case "array": import numpy; numpy.empty(10**14)
        case "tensor": import torch; torch.empty(10**14)
        case "gpu": import torch; raise torch.OutOfMemoryError("CUDA out of memory.\\nTried to allocate 2 GiB")
        case "other": raise RuntimeError("shapes differ")
        case "bug": raise ZeroDivisionError("ours")

if __name__ == "__main__":
    run(main, "script.py", sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["good"], 0, ""),
        (["user"], 1, "error: params.yaml: seed = -1: allowed: 0 or more\n"),
        (["file"], 1, "error: missing/file.bin: expected a usable file, got 'No such file or directory'; mend that and run again\n"),
        ([], 2, "error: usage: python script.py HOW\n"),
        (["user", "good"], 2, "error: usage: python script.py HOW\n"),
        (["stop"], 130, "interrupted: script.py stop; run the same command to continue\n"),
    ],
)
def test_exit_status_and_one_line(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py", *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, said)
    assert done.stdout == ("done\n" if status == 0 else "")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("memory", "out of memory"),
        ("array", "Unable to allocate 728. TiB"),
        ("tensor", "can't allocate memory"),
        ("gpu", "memory. Tried to"),
    ],
)
def test_memory_that_is_refused_is_one_line(tmp_path: Path, how: str, said: str) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py", how], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"error: script.py {how}: expected memory, got '") and said in done.stderr and "memory_mb" in done.stderr


def test_a_fault_of_ours_keeps_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    for how, error in (("bug", "ZeroDivisionError: ours"), ("other", "RuntimeError: shapes differ")):
        done = subprocess.run([sys.executable, "script.py", how], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1 and "Traceback" in done.stderr and error in done.stderr


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_explains_its_arguments(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        call_stage(stage)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: usage: python stages {stage} PRESET") and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_without_its_inputs_is_one_line(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {name: ["mnist"] for name in ("fetch", "split", "features")} | {"draw": ["some-vae"], "probe": ["linear_probe"]}
    more |= {"figures": ["uva3"]} | {name: ["some-vae", "0"] for name in ("train", "evaluate", "quality")}
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        call_stage(stage, "quick", *more.get(stage, []))
    assert caught.value.code == 1
    output = capsys.readouterr()
    assert output.err.startswith("error: ") and output.err.count("\n") == 1 and "expected" in output.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


OTHER = """
import runpy, sys
import regen
sys.argv = ["stages", "train", "quick", "some-vae", "0"]
runpy.run_path({script!r}, run_name="__main__")
"""


def test_a_stage_runs_its_own_trees_code_or_refuses(tmp_path: Path) -> None:
    package = tmp_path / "other/regen"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the code of another tree')")
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    # Another tree's package stands first on the path: the stage's own is run, and misses its inputs.
    command = [sys.executable, str(FOLDER), "train", "quick", "some-vae", "0"]
    own = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert own.returncode == 1 and own.stderr.startswith("error: configs/quick/some-vae.train.json: expected")
    # It was imported already, as a warm interpreter of another tree has it: refused.
    (package / "__init__.py").write_text("")
    command = [sys.executable, "-c", OTHER.format(script=str(FOLDER / "__main__.py"))]
    late = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert late.returncode == 1 and late.stderr.startswith(f"error: {FOLDER}: expected to run this work tree's own code, got {package}")
