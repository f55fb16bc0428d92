"""The latent-variable model: q(z | x), p(x | z), p(z), each a torch distribution."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.distributions import Distribution, Independent, Normal

from regen.models.likelihoods import LIKELIHOODS
from regen.models.networks import mlp

__all__ = ["Decoder", "GaussianEncoder", "LatentVariableModel", "StandardNormal", "build"]


class GaussianEncoder(nn.Module):
    """q(z | x) = N(mean(x), diag exp(log-variance(x))): the last layer gives both halves."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> Distribution:
        """Map images x (B, C, H, W) in [0, 1] to a distribution over z (B, d)."""
        mean, log_variance = self.network(x.flatten(1)).chunk(2, dim=-1)
        return Independent(Normal(mean, torch.exp(0.5 * log_variance)), 1)


class Decoder(nn.Module):
    """p(x | z): a network whose outputs parametrise the likelihood."""

    def __init__(self, network: nn.Module, shape: list[int], likelihood: Callable[[torch.Tensor], Distribution]) -> None:
        super().__init__()
        self.network = network
        self.shape = shape
        self.likelihood = likelihood

    def forward(self, z: torch.Tensor) -> Distribution:
        """Map latents z (..., d) to a distribution over images (..., C, H, W)."""
        return self.likelihood(self.network(z).unflatten(-1, self.shape))


class StandardNormal(nn.Module):
    """p(z) = N(0, I) in d dimensions."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        # Buffers follow the model to its device, and are no weights of a snapshot.
        self.register_buffer("mean", torch.zeros(dim), persistent=False)
        self.register_buffer("scale", torch.ones(dim), persistent=False)

    def forward(self) -> Distribution:
        """Return p(z), event shape (d,)."""
        return Independent(Normal(self.mean, self.scale), 1)


class LatentVariableModel(nn.Module):
    """An encoder q(z | x), a decoder p(x | z) and a prior p(z) (Kingma and Welling, 2014, arXiv:1312.6114)."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior


def build(config: Any, shape: list[int]) -> LatentVariableModel:
    """Return the model of a configuration (`regen.config.schema.Model`) for images of shape (C, H, W)."""
    network, latent_dim, pixels = config.network, config.latent.dim, math.prod(shape)
    likelihood = partial(LIKELIHOODS[config.likelihood.kind], **config.likelihood.model_dump(exclude={"kind"}))
    return LatentVariableModel(
        encoder=GaussianEncoder(mlp([pixels, *network.hidden, 2 * latent_dim], network.activation)),
        decoder=Decoder(mlp([latent_dim, *reversed(network.hidden), pixels], network.activation), shape, likelihood),
        prior=StandardNormal(latent_dim),
    )
