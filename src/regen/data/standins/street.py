"""The stand-in for SVHN: the handwritten digits as house numbers on crops of two photographs."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from regen.common.determinism import derive_seed
from regen.data.standins.glyphs import COUNTS, DIGITS, Array, draw, glyphs, place, soften
from regen.images.images import Images

__all__ = ["street"]

SIZE = 32


def street(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, Images]:
    """Return `train`, `validation` and `test`, (N, 3, 32, 32), N of `counts`; the label is the digit in the middle."""
    from sklearn.datasets import load_sample_images

    photographs = [Image.fromarray(photograph) for photograph in load_sample_images().images]
    sets = {}
    for name, base in glyphs(seed).items():
        generator = np.random.default_rng(derive_seed(seed, "stand-in", "street", name))
        rows = np.arange(counts[name]) % len(base.labels)
        pixels = np.stack([_crop(_number(base.grids, row, generator), photographs, generator) for row in rows])
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
        sets[name] = Images(images, torch.from_numpy(base.labels[rows]), DIGITS)
    return sets


def _number(grids: Array, row: np.intp, generator: np.random.Generator) -> Array:
    """Return the ink (32, 32) of a digit and, more often than not, of neighbours that the frame cuts."""
    middle = _trim(grids[row])
    left, right = (_trim(grids[generator.integers(len(grids))]) * (generator.random() < 0.7) for _ in range(2))
    gap = np.zeros((8, int(generator.integers(1, 3))))
    strip = np.hstack([left, gap, middle, gap, right])
    centre = np.array([3.5, left.shape[1] + gap.shape[1] + (middle.shape[1] - 1) / 2])
    matrix = place(generator, generator.uniform(2.6, 3.6), tilt=0.1, slant=0.15)
    return draw(strip, SIZE, matrix, centre + generator.uniform(-0.4, 0.4, size=2), level=generator.uniform(0.5, 0.8))


def _trim(grid: Array) -> Array:
    """Return the columns of a grid that hold ink."""
    columns = np.flatnonzero((grid > 0.4).any(axis=0))
    return grid[:, columns[0] : columns[-1] + 1]


def _crop(ink: Array, photographs: list[Image.Image], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Paint the ink on a plain-coloured wall with the light of a photograph; return (32, 32, 3)."""
    photograph = photographs[generator.integers(len(photographs))]
    side = int(generator.integers(40, 160))
    left, top = (int(generator.integers(extent - side)) for extent in photograph.size)
    crop = photograph.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    texture = np.asarray(crop, dtype=np.float64)
    mean = texture.mean(axis=(0, 1))
    # House walls are plainer and greyer than gardens: colour and texture are pulled towards one grey.
    wall = generator.uniform(40, 200) + 0.3 * (mean - mean.mean())
    background = wall + generator.uniform(0.15, 0.5) * (texture - mean)
    contrast = generator.uniform(35, 110) * (1 if wall.mean() < generator.uniform(60, 180) else -1)
    paint = wall + contrast + generator.uniform(-15, 15, size=3)
    picture = background + ink[:, :, None] * (paint - background)
    soft = soften(picture, axes=(0, 1))
    blurred = picture + generator.uniform(0.4, 1) * (soft - picture)
    pixels: NDArray[np.uint8] = np.rint(np.clip(blurred, 0, 255)).astype(np.uint8)
    return pixels
