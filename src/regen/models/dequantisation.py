"""Where within its level a pixel's value is put, for a density to say something of 8-bit images."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.distributions import Distribution, Independent, Normal, SigmoidTransform, TransformedDistribution

from regen.config.model import LearnedDequantisation as LearnedConfig
from regen.models.networks import mlp

__all__ = ["DEQUANTISATIONS", "LearnedDequantisation", "NoDequantisation", "UniformDequantisation"]

INITIAL_SCALE = 1.75
"""Of the Gaussian before training: through a sigmoid it is within 0.01 nats of the uniform distribution, as near as one comes."""


class NoDequantisation(nn.Module):
    """u = 1/2."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map images x (B, C, H, W) to 1/2 everywhere (B, C, H, W), and 0 (B,)."""
        return torch.full_like(x, 0.5), x.new_zeros(len(x))


class UniformDequantisation(nn.Module):
    """u uniform on [0, 1)."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map images x (B, C, H, W) to noise u (B, C, H, W) and log q(u) = 0, (B,)."""
        return torch.rand_like(x), x.new_zeros(len(x))


class LearnedDequantisation(nn.Module):
    """q(u | x): a Gaussian of independent dimensions through a sigmoid, its mean and scale from a network.

    Source: Ho et al. (2019), arXiv:1902.00275, section 3.1, with a Gaussian in place of their flow.
    """

    def __init__(self, config: LearnedConfig, shape: list[int]) -> None:
        super().__init__()
        self.network = mlp([math.prod(shape), *config.hidden, 2 * math.prod(shape)], config.activation)

    def posterior(self, x: torch.Tensor) -> Distribution:
        """Return q(u | x) of images x (B, C, H, W) in [0, 1], event shape (C, H, W)."""
        mean, log_scale = self.network(x.flatten(1)).unflatten(1, (2, *x.shape[1:])).unbind(1)
        gaussian = Independent(Normal(mean, INITIAL_SCALE * torch.exp(log_scale)), x.ndim - 1)
        # The cache: the logit of a value that was rounded to 0 or 1 is not what it was drawn from.
        return TransformedDistribution(gaussian, [SigmoidTransform(cache_size=1)])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map images x (B, C, H, W) in [0, 1] to noise u (B, C, H, W) from q(u | x), pathwise, and log q(u | x) (B,)."""
        q = self.posterior(x)
        noise = q.rsample()
        return noise, q.log_prob(noise)


DEQUANTISATIONS: dict[str, Callable[[Any, list[int]], nn.Module]] = {
    "none": lambda config, shape: NoDequantisation(),
    "uniform": lambda config, shape: UniformDequantisation(),
    "learned": LearnedDequantisation,
}
