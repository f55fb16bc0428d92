"""Small models of which log p(x) is known: linear-Gaussian ones in closed form, models of a few coins by enumeration."""

import copy
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from torch import nn
from torch.distributions import Distribution, Independent, Normal

from regen.config.base import parse
from regen.config.model import Vae
from regen.models.build import build
from regen.models.flows import StandardNormal
from regen.models.vae import GaussianEncoder, LatentVariableModel

__all__ = ["LinearGaussian", "Lookup", "Told", "Unused", "coins", "enumerated", "numbered_images", "vae"]


def numbered_images(count: int, shape: tuple[int, int, int], seed: int = 0) -> torch.Tensor:
    """Return images uint8 (count, C, H, W) of which the first value is the image's number."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, *shape), generator=generator, dtype=torch.int16).to(torch.uint8)
    images[:, 0, 0, 0] = torch.arange(count, dtype=torch.uint8)
    return images


def numbers(x: torch.Tensor) -> torch.Tensor:
    return (x.flatten(1)[:, 0] * 255).round().long()


class Lookup(nn.Module):
    """What an encoder's network says of each numbered image: a row of a table (N, out)."""

    table: torch.Tensor

    def __init__(self, table: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("table", table)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.table[numbers(x)]


class Told(nn.Module):
    """An encoder whose q(z | x) draws what it is told: z (K, N, d) for N numbered images."""

    def __init__(self, encoder: nn.Module, z: torch.Tensor) -> None:
        super().__init__()
        self.encoder, self.z = encoder, z

    def forward(self, x: torch.Tensor) -> Distribution:
        q: Any = self.encoder(x)
        drawn = self.z[:, numbers(x)]
        q.sample = lambda shape=(): drawn[: shape[0]] if shape else drawn[0]
        made: Distribution = q
        return made


class Unused(nn.Module):
    """An encoder that must not be asked."""

    def forward(self, x: torch.Tensor) -> Distribution:
        raise AssertionError("q(z | x) was asked")


class LinearDecoder(nn.Module):
    """p(x | z) = N(weight z, noise^2)."""

    def __init__(self, weight: torch.Tensor, noise: float, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.weight, self.noise, self.shape = nn.Parameter(weight), noise, shape
        self.decoded: list[int] = []

    def forward(self, z: torch.Tensor) -> Distribution:
        self.decoded.append(z[..., 0].numel())
        return Independent(Normal((z @ self.weight.T).unflatten(-1, self.shape), self.noise), 3)


class LinearGaussian(NamedTuple):
    """p(z) = N(0, I) and p(x | z) = N(weight z, noise^2), weight (D, d): p(x) and the posterior are Gaussian."""

    weight: torch.Tensor
    noise: float
    shape: tuple[int, int, int]

    @classmethod
    def random(cls, dim: int, shape: tuple[int, int, int], noise: float = 0.5, scale: float = 1.0) -> "LinearGaussian":
        weight = torch.randn(int(np.prod(shape)), dim, generator=torch.Generator().manual_seed(dim))
        return cls(scale * weight, noise, shape)

    def model(self, encoder: nn.Module) -> LatentVariableModel:
        return LatentVariableModel(encoder, LinearDecoder(self.weight, self.noise, self.shape), StandardNormal(self.weight.shape[1]))

    def guess(self, images: torch.Tensor, shift: float = 0.0, stretch: float = 1.0) -> nn.Module:
        """Return q(z | x) with the posterior's means, moved, and the roots of its variances, stretched."""
        mean, std = torch.from_numpy(self.mean(images)) + shift, torch.from_numpy(np.sqrt(np.diag(self.covariance()))) * stretch
        return GaussianEncoder(Lookup(torch.cat([mean, 2 * std.log().expand_as(mean)], dim=1).float()))

    def covariance(self, beta: float = 1.0) -> np.ndarray:
        """Return the covariance of p(z) p(x | z)^beta."""
        weight = self.weight.double().numpy()
        return np.linalg.inv(np.eye(weight.shape[1]) + beta * weight.T @ weight / self.noise**2)

    def mean(self, images: torch.Tensor, beta: float = 1.0) -> np.ndarray:
        """Return the means of p(z) p(x | z)^beta for images uint8 (N, C, H, W), (N, d)."""
        means: np.ndarray = beta / self.noise**2 * pixels(images) @ self.weight.double().numpy() @ self.covariance(beta)
        return means

    def log_p(self, images: torch.Tensor) -> np.ndarray:
        weight = self.weight.double().numpy()
        covariance = weight @ weight.T + self.noise**2 * np.eye(len(weight))
        return np.atleast_1d(multivariate_normal(np.zeros(len(weight)), covariance).logpdf(pixels(images)))


def pixels(images: torch.Tensor) -> np.ndarray:
    values: np.ndarray = images.flatten(1).numpy() / 255.0
    return values


def vae(kind: str, dim: int, shape: tuple[int, int, int], **choices: Any) -> Any:
    """Return a small model with latents of this kind and a Bernoulli likelihood, whose decoder uses its latents."""
    config = {
        "family": "vae",
        "network": {"kind": "mlp", "hidden": [6], "activation": "tanh"},
        "latent": {"kind": kind, "dim": dim},
        "prior": {"kind": "standard"},
        "likelihood": {"kind": "bernoulli"},
    }
    torch.manual_seed(4)
    model = build(parse(Vae, {**config, **choices}, "test"), list(shape)).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return model


def coins(dim: int, shape: tuple[int, int, int]) -> Any:
    """Return a model with Bernoulli latents of which the states differ by nats."""
    model = vae("bernoulli", dim, shape)
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(2)
    return model


def log_likelihood(model: Any, z: np.ndarray, images: torch.Tensor) -> np.ndarray:
    """Return log p(x | z) of Bernoulli pixels in double precision, (M, N), at z (M, d)."""
    with torch.no_grad():
        logits = copy.deepcopy(model.decoder.network).double()(torch.from_numpy(z)).flatten(1).numpy()
    found: np.ndarray = logits @ pixels(images).T - np.logaddexp(0, logits).sum(1)[:, None]
    return found


def enumerated(model: Any, images: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all states of the coins (2^d, d), log p(x | z) of every one (2^d, N), and log p(x) (N,)."""
    states = np.array(list(product((0.0, 1.0), repeat=len(model.prior.logits))))
    found = log_likelihood(model, states, images)
    return states, found, logsumexp(found, axis=0) - np.log(len(states))
