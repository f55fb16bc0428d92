"""How low a summed cross-entropy can go on grey images, and what it is for a model that knows the mean image alone."""

from typing import Any

import torch

from regen.images.entropy import cross_entropy
from regen.images.images import Images
from regen.images.prepare import prepare
from regen.params.schema import DataConfig

__all__ = ["floors"]

BLOCK = 1000
"""Images counted at once."""

LEVELS = 256


def floors(config: DataConfig, splits: dict[str, Images]) -> list[dict[str, Any]]:
    """Return a row a preparation of `config.preparations` and split: two cross-entropies, sums over pixels, in nats an image.

    `floor_nats`: of the images with themselves, the mean over images of the sum of -x log x - (1 - x) log(1 - x): no decoder's Bernoulli
    cross-entropy is below it. `mean_image_nats`: of the images with the mean of the training images, all prepared.
    """
    rows: list[dict[str, Any]] = []
    for preparation in config.preparations:
        facts: dict[str, Any] = {"size": preparation.shape(config.shape), "values": preparation.values(config.values)}
        if preparation.luminance:
            facts["luminance"] = True
        counted = {name: _counted(prepare(images, preparation, name).images) for name, images in splits.items()}
        # A pixel that is black, or white, in all training images would make the others' infinite: half a level of one image is left.
        least = 0.5 / (255 * len(splits["train"]))
        model = counted["train"][1].clamp(least, 1 - least)
        x = torch.arange(LEVELS, dtype=torch.float64) / 255
        for name, (counts, mean) in counted.items():
            rows.append(
                {
                    **facts,
                    "split": name,
                    "floor_nats": (counts * cross_entropy(x, x)).sum().item() / len(splits[name]),
                    "mean_image_nats": cross_entropy(mean, model).sum().item(),
                }
            )
    return rows


def _counted(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how often images uint8 (N, C, H, W) have each level (256,), and their mean in [0, 1] (C, H, W), in double precision."""
    # Integers, so that the sums are exact.
    counts = torch.zeros(LEVELS, dtype=torch.int64)
    total = torch.zeros(images.shape[1:], dtype=torch.int64)
    for block in images.split(BLOCK):
        counts += torch.bincount(block.flatten(), minlength=LEVELS)
        total += block.sum(0, dtype=torch.int64)
    return counts.double(), total.double() / (255 * len(images))
