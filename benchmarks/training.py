"""Training throughput of the MLP VAE 784-500-20 on MNIST, one thread: regen, plain torch, pythae, a DataLoader loop, products alone."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from machine import PINS, as_make_sets, describe, judged, one_line_errors, peers, spread
from workspace import real_workspace

from regen.common.errors import UserError

__all__ = ["main"]

PEER = 1.4
"""Images a second over those of pythae and of a DataLoader loop, as their users have them, at a batch of 128."""

FLOORS = {128: ("products", 0.7), 20: ("plain", 750 / 800)}
"""Batch -> what regen is held against with the same pins, and the least share of its rate."""

Key = tuple[str, str]


def run(key: Key, folder: Path, batch: int) -> dict[str, float]:
    """Run one loop over the 55,000 training images once, in a process of its own."""
    loop, pins = key
    # Importing regen has set the pins in this process.
    environment = as_make_sets({name: value for name, value in os.environ.items() if pins == "pinned" or name not in PINS})
    script = Path(__file__).with_name("loops.py")
    command = [sys.executable, str(script), loop, str(folder), str(batch)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"{script.name} {' '.join(key)}: expected a figure, got '{(result.stderr.strip() or 'nothing').splitlines()[-1]}'")
    figures: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return figures


def ratio(figures: dict[Key, list[dict[str, float]]], one: Key, other: Key) -> list[float]:
    """Return one's rate over the other's, round by round: both ran within the same minute."""
    return [a["rate"] / b["rate"] for a, b in zip(figures[one], figures[other], strict=True)]


def main(rounds: int, batch: int) -> None:
    installed = peers()
    others = [*installed, "dataloader"] if batch == 128 else []
    print(describe("torch", "torchvision", "numpy", *installed))
    keys = [(loop, pins) for loop in ("regen", "plain", "products", *others) for pins in ("pinned", "unpinned")]
    figures: dict[Key, list[dict[str, float]]] = {key: [] for key in keys}
    with real_workspace("mnist") as folder:
        for _ in range(rounds):
            for key, values in figures.items():
                values.append(run(key, folder, batch))
    print(f"\nsteps a second of processor time, one thread, batches of {batch}, one epoch of 55,000 images from step 30 on")
    print(f"median of {rounds} interleaved rounds (range)")
    for (loop, pins), values in figures.items():
        note = f"{values[0]['instruction_set']:<8} at least {min(value['share'] for value in values):.0%} of a core"
        print(f"  {loop:<11}{pins:<10}{spread([value['rate'] / batch for value in values]):<28}{note}")
    print("\nregen as its users have it (pinned) over")
    for peer in others:
        for pins, label in (("unpinned", "as its users have it"), ("pinned", "with regen's pins")):
            ratios = ratio(figures, ("regen", "pinned"), (peer, pins))
            print(f"  {peer:<11}{label:<22}{spread(ratios, '.2f'):<24}{judged(statistics.median(ratios), PEER, at_least=True)}")
    for floor in ("plain", "products"):
        ratios = ratio(figures, ("regen", "pinned"), (floor, "pinned"))
        verdict = judged(statistics.median(ratios), FLOORS[batch][1], at_least=True) if FLOORS[batch][0] == floor else ""
        print(f"  {floor:<11}{'with the same pins':<22}{spread(ratios, '.2f'):<24}{verdict}")
    print(f"cost of the pins: regen pinned over unpinned {spread(ratio(figures, ('regen', 'pinned'), ('regen', 'unpinned')), '.2f')}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, choices=FLOORS, default=128)
    with one_line_errors():
        main(parser.parse_args().rounds, parser.parse_args().batch)
