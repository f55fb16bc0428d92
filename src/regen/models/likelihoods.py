"""Likelihoods p(x | z): what the decoder's output (..., C, H, W) means as a distribution over images in [0, 1]."""

import math
from functools import cache
from typing import Literal

import torch
from torch import nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal
from torch.nn.functional import binary_cross_entropy_with_logits

from regen.config.model import Likelihood
from regen.models.continuous_bernoulli import ContinuousBernoulli
from regen.models.dequantised_density import Dequantised
from regen.models.discretised_logistic import DiscretisedLogistic

__all__ = ["LIKELIHOODS", "NllKind", "nll_constant_nats", "nll_kind"]

NllKind = Literal["probability", "density", "unnormalised"]

IN_CACHE = 65536
"""Logits that are scored at once: with what is made of them they fit into a second-level cache of 1 MB, beside what decodes them."""


class BernoulliImages(Independent):
    """Independent Bernoulli pixels, event shape (C, H, W); many decodes are scored faster than torch does it, and as accurately."""

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        """Return log p of values (..., C, H, W), in nats; of grey values, minus the binary cross-entropy."""
        logits = self.base_dist.logits
        if torch.is_grad_enabled() or (logits.ndim, value.ndim) != (5, 4):
            # What torch computes, with one minus sign an image instead of one a pixel.
            logits, value = torch.broadcast_tensors(logits, value)
            return -binary_cross_entropy_with_logits(logits, value, reduction="none").flatten(-3).sum(-1)
        logits, value = logits.flatten(-3), value.flatten(-3)
        if logits.shape[1] == 1 < len(value):
            return _all_pairs(logits[:, 0], value)
        return _pixel_by_pixel(logits, value)


def _pixel_by_pixel(logits: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return log p (K, B) of values (B, P) at logits (K, B, P).

    With s = 1 for values above 1/2 and -1 below, log p = (x - (1 + s) / 2) l - log(1 + exp(-s l)). Pixel by pixel neither part is larger
    than the whole: nothing is lost in a difference.
    """
    level = value.round()
    sign, rest = 1 - 2 * level, value - level
    grey = bool(rest.any())
    parts = []
    rows = max(1, IN_CACHE // logits[0].numel()) if logits.device.type == "cpu" else len(logits)
    for part in logits.split(rows):
        # log(1 + exp(u)) = max(u, 0) + log(1 + exp(-|u|)), and -|u| = u - 2 max(u, 0).
        u = part * sign
        above = u.relu()
        nll = above.sum(-1).add_(_log_of_product(u.sub_(above, alpha=2).exp_().add_(1)))
        parts.append(nll.neg_() if not grey else torch.mul(part, rest, out=above).sum(-1).sub_(nll))
    return torch.cat(parts)


def _all_pairs(logits: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return log p (K, N) of every value (N, P) at every decode's logits (K, P)."""
    # log p = x l - max(l, 0) - log(1 + exp(-|l|)). Over all pixels the first two are large and nearly equal: only double precision may take
    # their difference then.
    linear = logits.double() @ value.double().T - logits.clamp(min=0).sum(-1, dtype=torch.float64)[:, None]
    return (linear - _log_of_product(logits.abs().neg_().exp_().add_(1))[:, None]).to(logits.dtype)


def _log_of_product(factors: torch.Tensor) -> torch.Tensor:
    """Return the log of the product over P of factors between 1 and 2 (..., P); a logarithm costs as much as ten products."""
    products: torch.Tensor = factors.unflatten(-1, (-1, _group(factors.shape[-1]))).prod(-1)
    return products.log_().sum(-1)


@cache
def _group(count: int) -> int:
    """Return the largest divisor of `count` up to 100: a product of so many factors stays below 2^100, far from overflow."""
    return next(size for size in range(100, 0, -1) if count % size == 0)


class BernoulliPixels(nn.Module):
    """Independent Bernoulli pixels; their log_prob of grey values is minus the binary cross-entropy."""

    def forward(self, logits: torch.Tensor) -> Distribution:
        """Map logits (..., C, H, W) to p(x | z)."""
        # Grey values lie outside the support, on purpose: no validation.
        return BernoulliImages(Bernoulli(logits=logits, validate_args=False), 3, validate_args=False)


class ContinuousBernoulliPixels(nn.Module):
    """Independent continuous Bernoulli pixels (Loaiza-Ganem and Cunningham, 2019, arXiv:1907.06845)."""

    def __init__(self, dequantised: bool = False) -> None:
        super().__init__()
        self.pixels = Dequantised if dequantised else Independent

    def forward(self, logits: torch.Tensor) -> Distribution:
        """Map logits (..., C, H, W) to p(x | z)."""
        return self.pixels(ContinuousBernoulli(logits=logits, validate_args=False), 3)


class Scaled(nn.Module):
    """One scale for all pixels, a fixed number or learned as its logarithm."""

    def __init__(self, scale: float, learn_scale: bool = False) -> None:
        super().__init__()
        self.fixed_scale = scale
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale))) if learn_scale else None

    @property
    def scale(self) -> torch.Tensor | float:
        """The scale, in units of the pixels' range [0, 1]."""
        return self.fixed_scale if self.log_scale is None else self.log_scale.exp()


class GaussianPixels(Scaled):
    """N(sigmoid(logits), scale^2) a pixel (vu4a section 1, lab1 equation 3; learned: Rybkin et al., 2021)."""

    def __init__(self, scale: float, learn_scale: bool = False, dequantised: bool = False) -> None:
        super().__init__(scale, learn_scale)
        self.pixels = Dequantised if dequantised else Independent

    def forward(self, logits: torch.Tensor) -> Distribution:
        """Map logits (..., C, H, W) to p(x | z)."""
        return self.pixels(Normal(torch.sigmoid(logits), self.scale), 3)


class DiscretisedLogisticPixels(Scaled):
    """A logistic at sigmoid(logits), integrated over the bins of 256 levels (Kingma et al., 2016, arXiv:1606.04934)."""

    def forward(self, logits: torch.Tensor) -> Distribution:
        """Map logits (..., C, H, W) to p(x | z)."""
        return Independent(DiscretisedLogistic(torch.sigmoid(logits), self.scale), 3)


LIKELIHOODS: dict[str, type[nn.Module]] = {
    "bernoulli": BernoulliPixels,
    "continuous_bernoulli": ContinuousBernoulliPixels,
    "gaussian": GaussianPixels,
    "discretised_logistic": DiscretisedLogisticPixels,
}


def nll_kind(likelihood: Likelihood, values: Literal["grey", "binary"]) -> NllKind:
    """Return what -log p(x) of this likelihood is on this data.

    A Bernoulli is a probability of binary values and no distribution at all of grey ones; a discretised logistic and a dequantised
    density are probabilities of 8-bit values; the others are densities on [0, 1].
    """
    if likelihood.kind == "bernoulli":
        return "probability" if values == "binary" else "unnormalised"
    return "probability" if likelihood.kind == "discretised_logistic" or likelihood.dequantised else "density"


def nll_constant_nats(kind: NllKind, dimensions: int) -> float:
    """Return what makes -log p(x) of this kind comparable: D log 256 for a density on [0, 1], per 8-bit level."""
    return dimensions * math.log(256) if kind == "density" else 0.0
