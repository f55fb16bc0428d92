"""Peak resident memory of training and evaluation stages on real images: the usual one and the largest of each kind."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from machine import describe, judged, one_line_errors
from workspace import VARIANT, real_workspace, stage_command

from regen.common.errors import UserError

__all__ = ["main"]

TARGETS = {
    VARIANT: 1000.0,
    "vu4a-flowvae-mnist": 3000.0,
    "uva3-realnvp-mnist": 3000.0,
    "davari-iwae5-deconv-celeba": 3000.0,
    "davari-vae-bilinear-celeba": 3000.0,
}
"""Variant -> megabytes."""

UNIT = 1e6 if sys.platform == "darwin" else 1e6 / 1024
"""Units of ru_maxrss (bytes on macOS, KiB elsewhere) in a megabyte."""


def peak(folder: Path, name: str, variant: str) -> float:
    """Return the peak resident memory of one stage of a variant in MB.

    Raises
    ------
    UserError
        If the stage fails: its last line.
    """
    with (folder / "stderr.txt").open("w") as stderr:
        process = subprocess.Popen(stage_command(name, "paper", variant, "0"), cwd=folder, stderr=stderr)
        # Of this child alone; RUSAGE_CHILDREN would be the largest of all so far.
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        lines = (folder / "stderr.txt").read_text().strip() or "nothing"
        raise UserError(f"{name}: expected exit status 0, got {process.returncode}: {lines.splitlines()[-1]}")
    return usage.ru_maxrss / UNIT


def main(variants: list[str]) -> None:
    print(describe("torch", "numpy"))
    print("peak memory in MB: training, one epoch; evaluation, K as in the paper preset")
    datasets = {"celeba" if name.endswith("celeba") else "mnist" for name in variants}
    with real_workspace(*sorted(datasets)) as folder:
        for name in variants:
            path = folder / f"configs/paper/{name}.evaluate.json"
            config = json.loads(path.read_text())
            # As many samples an image as the paper preset takes, on fewer images: they are decoded in blocks of equal size.
            protocol = [{**row, "n_images": 20} for row in config["likelihood"]]
            path.write_text(json.dumps({**config, "likelihood": protocol}))
            training, evaluation = peak(folder, "train", name), peak(folder, "evaluate", name)
            print(f"  {name:<28} {training:>6,.0f} {evaluation:>6,.0f}  {judged(max(training, evaluation), TARGETS[name])}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", choices=[*TARGETS, []], help="all of them if none is named")
    with one_line_errors():
        main(parser.parse_args().variants or list(TARGETS))
