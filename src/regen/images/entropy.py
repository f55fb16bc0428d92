"""The cross-entropy of grey values, read as probabilities, with others."""

import torch

__all__ = ["cross_entropy"]


def cross_entropy(x: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """Return -x log p - (1 - x) log(1 - p) in nats, elementwise, of values in [0, 1]; 0 log 0 is 0. With p = x it is the entropy."""
    nats: torch.Tensor = -torch.special.xlogy(x, p) - torch.special.xlogy(1 - x, 1 - p)
    return nats
