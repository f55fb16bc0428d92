"""The per-image terms of a model, averaged over images."""

from collections.abc import Callable
from typing import Protocol

import torch

from regen.images.batches import batches
from regen.images.images import Images

__all__ = ["ImageModel", "mean_terms", "means"]

BATCH = 500
"""Images decoded at once where no gradient is kept."""


class ImageModel(Protocol):
    """A model that reports terms of each image, as every family does."""

    def eval(self) -> object:
        """Go into evaluation mode."""

    def terms(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what is reported of images x (B, C, H, W) in [0, 1] and their labels, each (B,)."""


@torch.no_grad()
def means(terms: Callable[[torch.Tensor, torch.Tensor], dict[str, torch.Tensor]], images: Images) -> dict[str, float]:
    """Return the means over images of terms of images x (B, C, H, W) in [0, 1] and their labels, each (B,)."""
    sums: dict[str, float] = {}
    for x, labels in batches(images, BATCH):
        for name, value in terms(x, labels).items():
            sums[name] = sums.get(name, 0.0) + value.sum(dtype=torch.float64).item()
    return {name: value / len(images) for name, value in sums.items()}


def mean_terms(model: ImageModel, images: Images) -> dict[str, float]:
    """Return the means over images of the model's own terms (`terms`), in evaluation mode; images on the model's device."""
    model.eval()
    return means(model.terms, images)
