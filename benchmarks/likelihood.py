"""Importance-sampled likelihood of the MLP VAE 784-500-20 on MNIST, K = 1,000, one thread: regen, pythae's get_nll, the decoder's products.

`python likelihood.py` runs all of them in turns; with a name and a folder it is one of them, in a process of its own.
"""

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import PINS, as_make_sets, describe, judged, one_line_errors, peers, spread

from regen.common.errors import UserError

__all__ = ["LOOPS", "main"]

PEER, SHARE = 3.0, 0.8
"""Targets: images a second over pythae's, and over those of the decoder's matrix products alone."""

SAMPLES, HIDDEN, LATENT, PIXELS = 1000, 500, 20, 784
IMAGES = {"regen": 200, "pythae": 40, "products": 200}
MEMORY_MB = 100
"""The limit that regen is given: far below the 3 MB a sample that holding all of a thousand images' would take."""

Key = tuple[str, str]
Figures = dict[str, Any]


def setup(folder: Path) -> tuple[Any, Any]:
    """Return the trained model and the test images, uint8."""
    environment = dict(os.environ)
    from workspace import VARIANT

    from regen.common.determinism import make_deterministic
    from regen.config.base import load
    from regen.config.variant import EvaluateConfig
    from regen.evaluation.restore import restore
    from regen.images.batches import images_of

    # Importing regen pins the instruction set; torch has not looked yet, and the caller has decided.
    os.environ.clear()
    os.environ.update(environment)
    make_deterministic(1)
    config = load(EvaluateConfig, folder / f"configs/paper/{VARIANT}.evaluate.json")
    model: Any = config.model
    assert (model.network.hidden, model.latent.dim) == ([HIDDEN], LATENT)
    restored, _ = restore(config.model, config.shape, folder / f"models/paper/{VARIANT}/0/final.safetensors")
    return restored, images_of(folder / "data/paper/mnist", "test").images


def timed(images: Any, count: int, estimate: Callable[[Any], list[float]]) -> Figures:
    """Return images a second of processor time, and the estimates of -log p(x) in nats."""
    before = _memory_mb()
    estimate(images[:5])
    start = time.process_time()
    values = estimate(images[:count])
    return {"rate": count / (time.process_time() - start), "nll": values, "memory_mb": _memory_mb() - before}


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6 * 1024


def regen_loop(folder: Path) -> Figures:
    """Estimate as the stage `evaluate` does."""
    from regen.evaluation.held_out.importance_sampling import importance_sampled_nll

    model, images = setup(folder)
    return timed(images, IMAGES["regen"], lambda x: importance_sampled_nll(model, x, [SAMPLES], MEMORY_MB)[SAMPLES].nll_nats.tolist())


def pythae_loop(folder: Path) -> Figures:
    """Load the same weights into pythae's VAE and call its get_nll, without gradients; it returns the mean of +log p(x)."""
    import torch
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from torch import nn

    model, images = setup(folder)

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = model.encoder.network

        def forward(self, x: torch.Tensor) -> ModelOutput:
            mean, log_variance = self.network(x).chunk(2, dim=-1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = nn.Sequential(model.decoder.network, nn.Sigmoid())

        def forward(self, z: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.network(z))

    peer = VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce"), Encoder(), Decoder()).eval()

    @torch.no_grad()
    def estimate(x: torch.Tensor) -> list[float]:
        torch.manual_seed(1)
        return [-peer.get_nll(image[None].float() / 255, n_samples=SAMPLES) for image in x]

    return timed(images, IMAGES["pythae"], estimate)


def products_loop(folder: Path) -> Figures:
    """Run the two matrix products of a thousand decodes an image, and nothing else."""
    import torch

    model, images = setup(folder)
    first, second = (layer.weight.detach() for layer in model.decoder.modules() if isinstance(layer, torch.nn.Linear))

    def multiply(x: torch.Tensor) -> list[float]:
        z, h = torch.randn(250, LATENT), torch.rand(250, HIDDEN)
        for _ in range(len(x) * SAMPLES // 250):
            torch.mm(z, first.T)
            torch.mm(h, second.T)
        return []

    return timed(images, IMAGES["products"], multiply)


LOOPS: dict[str, Callable[[Path], Figures]] = {"regen": regen_loop, "pythae": pythae_loop, "products": products_loop}


def run(key: Key, folder: Path) -> Figures:
    """Run one loop once, in a process of its own."""
    loop, pins = key
    environment = as_make_sets({name: value for name, value in os.environ.items() if pins == "pinned" or name not in PINS})
    command = [sys.executable, __file__, loop, str(folder)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"{' '.join(key)}: expected a figure, got '{(result.stderr.strip() or 'nothing').splitlines()[-1]}'")
    figures: Figures = json.loads(result.stdout.splitlines()[-1])
    return figures


def main(rounds: int) -> None:
    from workspace import VARIANT, real_workspace, stage

    installed = peers()
    print(describe("torch", "numpy", *installed))
    loops = ("regen", "products", *installed)
    figures: dict[Key, list[Figures]] = {(loop, pins): [] for loop in loops for pins in ("pinned", "unpinned")}
    with real_workspace("mnist") as folder:
        config = folder / f"configs/paper/{VARIANT}.train.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "max_steps": 430 * 3}))
        stage(folder, "train", "paper", VARIANT, "0")
        for _ in range(rounds):
            for key, values in figures.items():
                values.append(run(key, folder))
    print(f"\nimages a second of processor time, K = {SAMPLES:,}, one thread; median of {rounds} interleaved rounds (range)")
    for (loop, pins), values in figures.items():
        print(f"  {loop:<10}{pins:<10}{spread([value['rate'] for value in values], ',.1f')}")
    print("\nregen as its users have it (pinned) over")
    for other in loops[1:]:
        target = SHARE if other == "products" else PEER
        for pins in ("unpinned", "pinned"):
            ratios = [a["rate"] / b["rate"] for a, b in zip(figures["regen", "pinned"], figures[other, pins], strict=True)]
            verdict = judged(statistics.median(ratios), target, at_least=True)
            print(f"  {other:<10}{pins:<10}{spread(ratios, '.2f'):<24}{verdict}")
    memory = max(value["memory_mb"] for key, values in figures.items() if key[0] == "regen" for value in values)
    print(f"\nmemory of the estimate: {memory:.0f} MB; {judged(memory, MEMORY_MB)}")
    if "pythae" not in loops:
        return
    ours, theirs = figures["regen", "pinned"][0]["nll"], figures["pythae", "pinned"][0]["nll"]
    differences = [a - b for a, b in zip(ours, theirs, strict=False)]
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    means = f"regen {statistics.fmean(ours[: len(theirs)]):.3f}, pythae {statistics.fmean(theirs):.3f} nats"
    print(f"same weights, {len(theirs)} images: {means};")
    print(f"  difference {statistics.fmean(differences):.3f} with standard error {error:.3f} (both estimates are noisy)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("loop", nargs="?", choices=LOOPS)
    parser.add_argument("folder", nargs="?", type=Path)
    arguments = parser.parse_args()
    with one_line_errors():
        if arguments.loop:
            print(json.dumps(LOOPS[arguments.loop](arguments.folder)))
        else:
            main(arguments.rounds)
