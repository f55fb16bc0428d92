"""Killed at random moments, a VAE, a GAN and a flow end with the bits of a run that nobody disturbed."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from repository import Copy

VARIANTS = ("uva3-vae-z2-mnist", "uva3-gan-mnist", "uva3-realnvp-mnist")
KINDS = ("train", "evaluate", "train", "quality", "draw", "train", "figures@uva3", "claims", "report", "track")
KILLS = 30
LONGEST = 60.0
"""Seconds after which a stage that does not start or end is a failure of the test."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("git") is None, reason="DVC keeps its files in git")]


def long_enough(root: Path) -> Copy:
    """Return a repository whose trainings last seconds, with a checkpoint an epoch."""
    copy = Copy(root, VARIANTS)
    params = copy.params
    params["presets"]["quick"]["max_steps"]["mnist"] = 400
    params["compute"]["checkpoint_minutes"] = 0
    copy.set_params(params)
    return copy


def stages(copy: Copy, kind: str) -> list[str]:
    """Return the stages of a kind."""
    part = f"pipeline/{kind}/dvc.yaml"
    return copy.call("dvc", "stage", "list", "--name-only", part).split() if (copy.root / part).exists() else [kind]


def killed(copy: Copy, stage: str, after: float, checkpoint: Path | None) -> bool:
    """Run a stage by force and kill DVC and the stage `after` seconds from its start; return whether it was still running.

    With a checkpoint's path, the seconds count from when there is one.
    """
    process = subprocess.Popen(
        ["dvc", "repro", "--force", "--single-item", stage],
        **{"cwd": copy.root, "env": {**copy.environment, "PYTHONUNBUFFERED": "1"}, "start_new_session": True, "text": True},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    # DVC prints the command when it starts it.
    while (line := process.stdout.readline()) and not line.startswith("> "):
        pass
    while checkpoint is not None and not checkpoint.exists() and process.poll() is None:
        time.sleep(0.01)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    finally:
        process.stdout.close()
    assert process.returncode == 0, f"{stage}: status {process.returncode}"
    return False


def forget(copy: Copy, outs: list[dict[str, Any]]) -> None:
    """Take from DVC's cache what a stage made: to have it again, the stage itself has to run."""
    cache = copy.root / ".dvc/cache"
    shutil.rmtree(cache / "runs", ignore_errors=True)
    for out in outs:
        for digest in (out["md5"], *entries(cache / "files/md5" / out["md5"][:2] / out["md5"][2:])):
            (cache / "files/md5" / digest[:2] / digest[2:]).unlink(missing_ok=True)


def entries(path: Path) -> list[str]:
    """Return the digests of the files in a folder of DVC's cache."""
    return [entry["md5"] for entry in json.loads(path.read_text())] if path.suffix == ".dir" and path.exists() else []


def present(copy: Copy, names: Iterable[str]) -> dict[str, bytes]:
    return {name: (copy.root / name).read_bytes() for name in names if (copy.root / name).is_file()}


def test_thirty_kills_change_no_bit(tmp_path: Path) -> None:
    copy = long_enough(tmp_path)
    copy.repro()
    expected, locked, chance = copy.outputs(), copy.lock(), random.Random(7)
    longest: dict[str, float] = {}
    kills, continued = 0, dict.fromkeys(VARIANTS, 0)
    while kills < KILLS:
        kind = KINDS[kills % len(KINDS)]
        variant = VARIANTS[kills % len(VARIANTS)]
        checkpoint = copy.root / f"checkpoints/quick/{variant}/0/state.safetensors" if kind == "train" else None
        stage = next(name for name in stages(copy, kind) if kind == name or variant in name)
        after = chance.uniform(0, longest.get(stage, 1.5 if checkpoint else 4.0))
        if not killed(copy, stage, after, checkpoint):
            # It ended first: earlier moments for this stage from now on.
            longest[stage] = after
            continue
        kills += 1
        continued[variant] += checkpoint is not None and checkpoint.exists()
        # What is there is whole: no file that a killed stage left is another than the finished one.
        assert {name for name, content in present(copy, expected).items() if content != expected[name]} == set(), stage
        # Nothing to restore: the stage itself has to come to its end, from its checkpoint if it left one.
        forget(copy, locked[stage.rpartition(":")[2]]["outs"])
        copy.call("python", "-m", "regen.runner", "dvc.yaml")
        assert copy.outputs() == expected, stage
        assert copy.files("checkpoints") == {}, stage
    assert min(continued.values()) >= 1, continued


def test_an_interrupt_leaves_a_line_and_a_state_that_goes_on(tmp_path: Path) -> None:
    copy = long_enough(tmp_path / "interrupted")
    stage = "pipeline/train/dvc.yaml:train-mnist@uva3-realnvp-mnist-0"
    copy.repro("dvc.yaml:split@mnist")
    command = ["python", "stages", "train", "quick", "uva3-realnvp-mnist", "0"]
    # A job in the background starts with the signal ignored.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, cwd=copy.root, env=copy.environment, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    checkpoint = copy.root / "checkpoints/quick/uva3-realnvp-mnist/0/state.safetensors"
    until = time.monotonic() + LONGEST
    while not checkpoint.exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=LONGEST)[1]
    assert process.returncode == 130
    assert said.splitlines()[-1] == "interrupted: stages train quick uva3-realnvp-mnist 0; run the same command to continue"
    kept = copy.files("checkpoints")
    assert kept and not (copy.root / "models/quick/uva3-realnvp-mnist").exists()
    copy.repro(stage)
    other = long_enough(tmp_path / "whole")
    other.repro(stage)
    assert copy.files("models", "results") == other.files("models", "results")
