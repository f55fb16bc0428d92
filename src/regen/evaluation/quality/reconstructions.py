"""What a model makes of images that it is given: the decoder's means at their codes."""

from typing import Any

import torch
from torch.distributions import Distribution

from regen.images.batches import to_unit_interval

__all__ = ["reconstructions"]

BLOCK = 500
"""Images at once."""


@torch.no_grad()
def reconstructions(model: Any, images: torch.Tensor) -> torch.Tensor:
    """Return the decoder's means (N, C, H, W) in [0, 1] at the codes of images uint8 (N, C, H, W).

    A code is an auto-encoder's own, the mean of a Gaussian q(z | x), or the likelier values of a Bernoulli one.
    """
    return torch.cat([model.images(_codes(model.encoder(to_unit_interval(block)))) for block in images.split(BLOCK)])


def _codes(encoded: torch.Tensor | Distribution) -> torch.Tensor:
    if isinstance(encoded, torch.Tensor):
        return encoded
    return encoded.mean if encoded.has_rsample else encoded.mean.round()
