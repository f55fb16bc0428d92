"""Models that paint what their decoder says, and what a figure of them shows."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch.distributions import Independent, Normal

__all__ = ["model", "shown"]


def model(decode: Any, dim: int = 2, encode: Any = None) -> Any:
    """Return what the figures use of a latent-variable model."""

    def prior() -> Independent:
        return Independent(Normal(torch.zeros(dim), torch.ones(dim)), 1)

    return SimpleNamespace(latents=lambda count: prior().sample((count,)), images=lambda z: decode(z).mean, decoder=decode, encoder=encode)


def shown(figure: Figure, axes: int = 0) -> np.ndarray:
    """Return what an axis shows, as an array."""
    return np.asarray(figure.axes[axes].images[0].get_array())
