"""How long sample quality takes: 10,000 samples of a model against the 10,000 test images of MNIST, a whole stage, one thread."""

import argparse
import json
import resource
import time

import torch
from machine import describe, judged, one_line_errors, spread
from workspace import real_workspace, stage

from regen.common.determinism import make_deterministic

__all__ = ["main"]

VARIANTS = ["uva3-gan-mnist", "uva3-vae-z20-mnist", "ai3611-vae-z2-mnist", "uva3-realnvp-mnist"]
"""An MLP generator; the same with draws; a convolutional decoder; a flow, the slowest sampler."""

SAMPLES, TRAIN, FEATURES = 10_000, 55_000, 128


def products() -> float:
    """Return the seconds of the distances' matrix products alone: 7 of samples with test images or each other, 2 with training images.

    These are what precision, recall, density and coverage of one set of images need, and its nearest training images and theirs.
    """
    few, many = torch.rand(SAMPLES, FEATURES), torch.rand(TRAIN, FEATURES)
    start = time.process_time()
    for other, times in ((few, 7), (many, 2)):
        for _ in range(times):
            for block in few.split(1000):
                torch.mm(block, other.T)
    return time.process_time() - start


def main(variants: list[str], rounds: int) -> None:
    make_deterministic(1)
    print(describe("torch", "torch-fidelity"))
    with real_workspace("mnist") as folder:
        config = folder / "configs/paper/mnist.features.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "max_steps": 1}))
        stage(folder, "features", "paper", "mnist")
        print(f"\nseconds a stage, clock and processor; median of {rounds} rounds (range)")
        for variant in variants:
            stage(folder, "train", "paper", variant, "0")
            clock, processor, limit = [], [], []
            for _ in range(rounds):
                start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
                stage(folder, "quality", "paper", variant, "0")
                clock.append(time.perf_counter() - start)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                processor.append(after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime)
                limit.append(products())
            shares = [products_alone / whole for products_alone, whole in zip(limit, processor, strict=True)]
            times = f"{spread(clock, '.1f'):<20} {spread(processor, '.1f'):<20}"
            print(f"  {variant:<24} {times} products alone {spread(shares, '.0%')} of it; {judged(max(clock), 60)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", default=VARIANTS)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with one_line_errors():
        main(arguments.variants, arguments.rounds)
