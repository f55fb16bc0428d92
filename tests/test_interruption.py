"""Killed at random moments, a VAE, a GAN and a flow end with the bits of a run that nobody disturbed."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from repository import Copy

VARIANTS = ("uva3-vae-z2-mnist", "uva3-gan-mnist", "uva3-realnvp-mnist")
KILLS = 30

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("git") is None, reason="DVC keeps its files in git")]


def long_enough(root: Path) -> Copy:
    """Return a repository whose trainings last seconds, with a checkpoint an epoch."""
    copy = Copy(root, VARIANTS)
    params = copy.params
    params["presets"]["quick"]["max_steps"]["mnist"] = 300
    params["compute"]["checkpoint_every"] = 1
    copy.set_params(params)
    return copy


def stages(copy: Copy) -> list[str]:
    """Return what is killed: every stage of the three variants, and those that report."""
    listed = copy.call("dvc", "stage", "list", "--name-only", "dvc.yaml", *map(str, sorted(copy.root.glob("pipeline/*/dvc.yaml")))).split()
    reporting = {"figures", "claims", "report", "track"}
    return [name for name in listed if name in reporting or any(f"@{variant}" in name for variant in VARIANTS)]


def started(copy: Copy, stage: str) -> subprocess.Popen[bytes]:
    command = ["dvc", "repro", "--force", "-s", stage]
    return subprocess.Popen(
        command, cwd=copy.root, env=copy.environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def test_thirty_kills_change_no_bit(tmp_path: Path) -> None:
    copy = long_enough(tmp_path / "killed")
    copy.repro()
    expected, chance = copy.outputs(), random.Random(7)
    again = 0
    for kill in range(KILLS):
        stage = chance.choice(stages(copy))
        begin = time.monotonic()
        process = started(copy, stage)
        # DVC itself needs about a second before the stage runs.
        with_luck = chance.uniform(0.5, 8)
        try:
            process.wait(with_luck)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            again += 1
        assert time.monotonic() - begin < 60
        if kill % 6 == 5:
            copy.repro()
            assert copy.outputs() == expected
    assert again >= KILLS // 2, "most stages ended before they were killed"
    assert copy.files("checkpoints") == {} and not list(copy.root.rglob(".*.tmp"))


def test_an_interrupt_leaves_a_line_and_a_state_that_goes_on(tmp_path: Path) -> None:
    copy = long_enough(tmp_path / "interrupted")
    stage = "pipeline/train/dvc.yaml:train-mnist@uva3-realnvp-mnist-0"
    copy.repro("dvc.yaml:split@mnist")
    command = ["python", "stages/train.py", "quick", "uva3-realnvp-mnist", "0"]
    process = subprocess.Popen(command, cwd=copy.root, env=copy.environment, stderr=subprocess.PIPE, text=True)
    checkpoints = copy.root / "checkpoints/quick/uva3-realnvp-mnist/0"
    until = time.monotonic() + 60
    while not list(checkpoints.glob("*checkpoint*")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.splitlines()[-1] == "interrupted: stages/train.py quick uva3-realnvp-mnist 0; run 'dvc repro' to continue"
    kept = copy.files("checkpoints")
    assert kept and not (copy.root / "models/quick/uva3-realnvp-mnist").exists()
    copy.repro(stage)
    other = long_enough(tmp_path / "whole")
    other.repro(stage)
    assert copy.files("models", "results") == other.files("models", "results")
