"""Training throughput of the MLP VAE 784-500-20 on MNIST, one thread: regen, pythae's trainer, a DataLoader loop, the hardware."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from machine import describe, judged, one_line_errors, spread
from workspace import real_workspace

from regen.common.errors import UserError

__all__ = ["main"]

TARGET = 1.4
LOOPS = ("regen", "pythae", "dataloader", "products")
PINS = ("ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA")

Key = tuple[str, str]


def run(key: Key, folder: Path) -> dict[str, float]:
    """Run one loop over the 55,000 training images once, in a process of its own."""
    loop, pins = key
    # Importing regen has set the pins in this process.
    environment = {name: value for name, value in os.environ.items() if pins == "pinned" or name not in PINS}
    script = Path(__file__).with_name("loops.py")
    command = [sys.executable, str(script), loop, str(folder)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"{script.name} {' '.join(key)}: expected a figure, got '{(result.stderr.strip() or 'nothing').splitlines()[-1]}'")
    figures: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return figures


def ratio(figures: dict[Key, list[dict[str, float]]], one: Key, other: Key) -> list[float]:
    """Return one's rate over the other's, round by round: both ran within the same minute."""
    return [a["rate"] / b["rate"] for a, b in zip(figures[one], figures[other], strict=True)]


def main(rounds: int) -> None:
    try:
        if (found := version("pythae")) != "0.1.2":
            raise UserError(f"pythae: expected version 0.1.2, got {found}; see benchmarks/README.md")
    except PackageNotFoundError as error:
        raise UserError("pythae: expected version 0.1.2 on PYTHONPATH, got none; see benchmarks/README.md") from error
    print(describe("torch", "torchvision", "numpy", "pythae"))
    figures: dict[Key, list[dict[str, float]]] = {(loop, pins): [] for loop in LOOPS for pins in ("pinned", "unpinned")}
    with real_workspace("mnist") as folder:
        for _ in range(rounds):
            for key, values in figures.items():
                values.append(run(key, folder))
    print("\nimages a second of processor time, one thread, one epoch of 55,000 images from step 30 on")
    print(f"median of {rounds} interleaved rounds (range)")
    for (loop, pins), values in figures.items():
        note = f"{values[0]['instruction_set']:<8} at least {min(value['share'] for value in values):.0%} of a core"
        print(f"  {loop:<11}{pins:<10}{spread([value['rate'] for value in values]):<28}{note}")
    print("\nregen as its users have it (pinned) over")
    for peer in ("pythae", "dataloader"):
        for pins, label in (("unpinned", "as its users have it"), ("pinned", "with regen's pins")):
            ratios = ratio(figures, ("regen", "pinned"), (peer, pins))
            print(f"  {peer:<11}{label:<22}{spread(ratios, '.2f'):<24}{judged(statistics.median(ratios), TARGET, at_least=True)}")
    print("\nshare of the rate of the matrix products alone")
    for pins in ("pinned", "unpinned"):
        print(f"  regen {pins:<27}{spread(ratio(figures, ('regen', pins), ('products', pins)), '.2f')}")
    print(f"cost of the pins: regen pinned over unpinned {spread(ratio(figures, ('regen', 'pinned'), ('regen', 'unpinned')), '.2f')}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    with one_line_errors():
        main(parser.parse_args().rounds)
