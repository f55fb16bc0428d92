"""Scikit-learn's 8x8 handwritten digits, drawn at any size; the raw material of two stand-ins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, map_coordinates

from regen.common.determinism import derive_seed

__all__ = ["COUNTS", "DIGITS", "Array", "Glyphs", "draw", "glyphs", "place", "soften"]

Array = NDArray[np.float64]

COUNTS = {"train": 2400, "validation": 300, "test": 300}
DIGITS = [str(digit) for digit in range(10)]
SUPERSAMPLING = 2
SHARPENING = 1.5
"""Weight of the difference to the softened grid: it opens the holes that 8x8 pixels close."""


@dataclass(frozen=True, eq=False)
class Glyphs:
    """Base digits of one split: `grids` (M, 8, 8) with ink near 1, `labels` (M,) int64, `rows` (M,) in scikit-learn's order."""

    grids: Array
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]


def glyphs(seed: int) -> dict[str, Glyphs]:
    """Deal the 1,797 base digits out to the splits in the proportions of `COUNTS`; no base digit is in two splits.

    Source: Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49, as packed in scikit-learn.
    """
    from sklearn.datasets import load_digits

    base = load_digits()
    order = np.random.default_rng(derive_seed(seed, "stand-in", "glyphs")).permutation(len(base.target))
    ends = np.cumsum(list(COUNTS.values())) * len(order) // sum(COUNTS.values())
    parts = np.split(order, ends[:-1])
    grids = base.images / 16
    grids += SHARPENING * (grids - soften(grids, axes=(1, 2)))
    return {name: Glyphs(grids[rows], base.target[rows].astype(np.int64), rows) for name, rows in zip(COUNTS, parts, strict=True)}


def soften(values: Array, axes: tuple[int, int]) -> Array:
    """Return values blurred along two axes by the binomial 1 4 6 4 1, about a Gaussian of one pixel."""
    for axis in axes:
        values = convolve1d(values, np.array([1, 4, 6, 4, 1]) / 16, axis=axis, mode="nearest")
    return values


def place(generator: np.random.Generator, pixels: float, tilt: float, slant: float) -> Array:
    """Return a random affine map (2, 2) from output pixels to base pixels, `pixels` output pixels a base pixel.

    `tilt` and `slant` bound the rotation and the shear, both as tangents. Square roots stand in for sines:
    IEEE arithmetic rounds them alike on every machine.
    """
    angle, shear = generator.uniform(-tilt, tilt), generator.uniform(-slant, slant)
    height, width = pixels * generator.uniform(0.93, 1.05), pixels * generator.uniform(0.85, 1.1)
    down, right = np.array([[1, -angle], [angle, 1]]) / np.sqrt(1 + angle**2)
    return np.stack([down / height, shear / height * down + right / width])


def draw(grid: Array, size: int, matrix: Array, centre: Array, level: float) -> Array:
    """Return the ink (size, size) in [0, 1] of a grid whose point `centre` comes to the middle of the frame.

    A cubic spline through the grid, cut at `level`, twice as fine as the frame and averaged: smooth, sharp strokes.
    """
    fine = size * SUPERSAMPLING
    axis = (np.arange(fine) + 0.5) / SUPERSAMPLING - size / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    margin = 3
    at = [matrix[row, 0] * y + matrix[row, 1] * x + centre[row] + margin for row in (0, 1)]
    smooth = map_coordinates(np.pad(grid, margin), at, order=3)
    ink = np.clip((smooth - level) / 0.2 + 0.5, 0, 1)
    averaged: Array = ink.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING).mean(axis=(1, 3))
    return averaged
