"""The stand-in for MNIST: handwritten 8x8 digits enlarged to 28x28 and varied; and the same, binarised."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from regen.common.determinism import derive_seed
from regen.data.standins.glyphs import COUNTS, DIGITS, Array, draw, glyphs, place
from regen.images.images import Images

__all__ = ["binarized_digits", "digits"]

SIZE = 28
BOX = 20
"""Height of a digit in pixels, as MNIST's makers chose it (http://yann.lecun.com/exdb/mnist/)."""


def digits(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, Images]:
    """Return `train`, `validation` and `test`, (N, 1, 28, 28) with labels 0 to 9, white strokes on black; N of `counts`."""
    sets = {}
    for name, base in glyphs(seed).items():
        generator = np.random.default_rng(derive_seed(seed, "stand-in", "digits", name))
        # Every base digit once, then again from the start: the maps tell the copies apart.
        rows = np.arange(counts[name]) % len(base.labels)
        pixels = np.stack([_digit(base.grids[row], generator) for row in rows])
        sets[name] = Images(torch.from_numpy(pixels).unsqueeze(1), torch.from_numpy(base.labels[rows]), DIGITS)
    return sets


def binarized_digits(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, Images]:
    """Return the same images with each pixel drawn once from Bernoulli(grey value): values 0 and 255, no labels.

    Source: Salakhutdinov and Murray 2008, section 5, https://doi.org/10.1145/1390156.1390266.
    """
    sets = {}
    for name, grey in digits(seed, counts).items():
        generator = np.random.default_rng(derive_seed(seed, "stand-in", "binarized_digits", name))
        drawn = generator.integers(255, size=grey.images.shape) < grey.images.numpy()
        sets[name] = Images(torch.from_numpy(drawn.astype(np.uint8) * np.uint8(255)), torch.empty(len(grey), 0))
    return sets


def _digit(grid: Array, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one digit with its centre of mass in the middle, as in MNIST."""
    centre = np.array([(grid.sum(axis=1) * np.arange(8)).sum(), (grid.sum(axis=0) * np.arange(8)).sum()]) / grid.sum()
    ink = draw(grid, SIZE, place(generator, BOX / 8, tilt=0.15, slant=0.3), centre, level=generator.uniform(0.55, 0.8))
    return np.rint(255 * ink).astype(np.uint8)
