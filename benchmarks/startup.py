"""Start-up of a training stage on the full MNIST: from the start of the interpreter to the end of the first optimiser step."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from machine import describe, judged, one_line_errors, spread
from workspace import VARIANT, real_workspace, stage_command

from regen.common.errors import UserError

__all__ = ["main"]

TARGET_SECONDS = 3.5


def first_step(folder: Path) -> dict[str, float]:
    """Return the seconds of each part of one start-up, in order."""
    _, *command = stage_command("train", "paper", VARIANT, "0")
    script = Path(__file__).with_name("first_step.py")
    start = time.monotonic()
    result = subprocess.run([sys.executable, str(script), *command], cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode or not result.stdout:
        raise UserError(f"{script.name}: expected a first step, got '{(result.stderr.strip() or 'nothing').splitlines()[-1]}'")
    marks = json.loads(result.stdout)
    # Both processes read the same monotonic clock.
    return {name: after - before for name, (before, after) in zip(marks, pairwise([start, *marks.values()]), strict=True)}


def main(rounds: int) -> None:
    print(describe("torch", "pydantic", "numpy"))
    with real_workspace("mnist") as folder:
        first_step(folder)  # reads everything into the system's cache
        runs = [first_step(folder) for _ in range(rounds)]
    totals = [sum(parts.values()) for parts in runs]
    print(f"start to first step, s, median of {rounds} (range): {spread(totals, '.2f')}", end="  ")
    print(judged(statistics.median(totals), TARGET_SECONDS))
    for name in runs[0]:
        print(f"  {name:<46}{spread([parts[name] for parts in runs], '.2f')}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    with one_line_errors():
        main(parser.parse_args().rounds)
