"""Neural networks: plain functions of tensors, without probability."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

__all__ = ["ACTIVATIONS", "mlp"]

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU}


def mlp(sizes: Sequence[int], activation: str) -> nn.Sequential:
    """Return linear layers of these sizes with the activation between them, none after the last.

    Maps (..., sizes[0]) to (..., sizes[-1]).
    """
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])
