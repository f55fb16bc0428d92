"""Peak resident memory of a training and an evaluation stage on the full MNIST."""

import json
import os
import subprocess
import sys
from pathlib import Path

from machine import describe, judged, one_line_errors
from workspace import VARIANT, mnist_workspace, stage_command

from regen.errors import UserError

__all__ = ["main"]

TARGET_MEGABYTES = 1000.0
UNIT = 1e6 if sys.platform == "darwin" else 1e6 / 1024
"""Units of ru_maxrss (bytes on macOS, KiB elsewhere) in a megabyte."""


def peak(folder: Path, name: str) -> float:
    """Return the peak resident memory of one stage in MB.

    Raises
    ------
    UserError
        If the stage fails: its last line.
    """
    with (folder / "stderr.txt").open("w") as stderr:
        process = subprocess.Popen(stage_command(name, "paper", VARIANT, "0"), cwd=folder, stderr=stderr)
        # Of this child alone; RUSAGE_CHILDREN would be the largest of all so far.
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        lines = (folder / "stderr.txt").read_text().strip() or "nothing"
        raise UserError(f"{name}: expected exit status 0, got {process.returncode}: {lines.splitlines()[-1]}")
    return usage.ru_maxrss / UNIT


def main() -> None:
    print(describe("torch", "numpy"))
    with mnist_workspace() as folder:
        path = folder / f"configs/paper/{VARIANT}.evaluate.json"
        config = json.loads(path.read_text())
        # As many samples an image as the paper preset takes, on fewer images: they are decoded in blocks of equal size.
        protocol = [{**row, "n_images": 20} for row in config["likelihood"]]
        path.write_text(json.dumps({**config, "likelihood": protocol}))
        training = peak(folder, "train")
        evaluation = peak(folder, "evaluate")
    print(f"training, 55,000 images, one epoch: {training:,.0f} MB  {judged(training, TARGET_MEGABYTES)}")
    print(f"evaluation, K as in the paper preset: {evaluation:,.0f} MB")


if __name__ == "__main__":
    with one_line_errors():
        main()
