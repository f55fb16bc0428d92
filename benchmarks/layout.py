"""What the channels-last layout gains in convolutional training, one thread: milliseconds a step with and without it."""

import argparse
import time
from unittest import mock

import torch
from machine import REPOSITORY, describe, one_line_errors, spread

from regen.common.determinism import make_deterministic
from regen.models import networks
from regen.models.build import build
from regen.params.resolve import read_params
from regen.training.objectives import objective_of

__all__ = ["main"]

VARIANTS = {
    "mnist": ["ai3611-vae-z2-mnist"],
    "celeba": ["davari-vae-deconv-celeba", "davari-vae-deconv5-celeba", "davari-vae-nearest-celeba", "davari-vae-bilinear-celeba"],
}
STEPS = 5


def seconds_a_step(config: object, shape: list[int], channels_last: bool) -> float:
    """Return the mean time of `STEPS` optimiser steps on noise, after one that warms up."""
    torch.manual_seed(0)
    layout = networks.ChannelsLast.forward if channels_last else lambda _, x: x
    with mock.patch.object(networks.ChannelsLast, "forward", layout):
        model, objective = build(config.model, shape), objective_of(config.training)  # type: ignore[attr-defined]
        optimizer = torch.optim.Adam(model.parameters(), fused=True)
        x = torch.rand(config.training.batch_size, *shape)  # type: ignore[attr-defined]
        for step in range(STEPS + 1):
            if step == 1:
                start = time.perf_counter()
            value, _ = objective(model, x, None)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        return (time.perf_counter() - start) / STEPS


def main(rounds: int) -> None:
    make_deterministic(1)
    print(describe("torch"))
    print(f"\nmilliseconds a step; median of {rounds} interleaved rounds (range)")
    params = read_params(REPOSITORY / "params.yaml")
    for dataset, names in VARIANTS.items():
        for name in names:
            config = params.variants[dataset][name]
            shape = config.images.shape(params.datasets[dataset].shape)
            times = [(seconds_a_step(config, shape, False), seconds_a_step(config, shape, True)) for _ in range(rounds)]
            contiguous, last = ([1e3 * one[index] for one in times] for index in (0, 1))
            gains = [without / with_it for without, with_it in times]
            print(f"  {name:<28} contiguous {spread(contiguous):<22} channels-last {spread(last):<22} gain {spread(gains, '.2f')}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    with one_line_errors():
        main(parser.parse_args().rounds)
