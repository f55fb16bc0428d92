"""Likelihoods p(x | z): what the decoder's output (..., C, H, W) means as a distribution over images in [0, 1]."""

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch.distributions import Bernoulli, Distribution, Independent, Normal

__all__ = ["LIKELIHOODS", "NllKind", "bernoulli", "gaussian", "nll_constant_nats", "nll_kind"]

NllKind = Literal["probability", "density", "unnormalised"]


def bernoulli(logits: torch.Tensor) -> Distribution:
    """Return independent Bernoulli pixels; its log_prob of grey values is minus the binary cross-entropy."""
    # Grey values lie outside the support, on purpose: no validation.
    return Independent(Bernoulli(logits=logits, validate_args=False), 3, validate_args=False)


def gaussian(logits: torch.Tensor, scale: float) -> Distribution:
    """Return N(sigmoid(logits), scale^2) a pixel (vu4a section 1, lab1 equation 3)."""
    return Independent(Normal(torch.sigmoid(logits), scale), 3)


LIKELIHOODS: dict[str, Callable[..., Distribution]] = {"bernoulli": bernoulli, "gaussian": gaussian}


def nll_kind(likelihood: Any, values: Literal["grey", "binary"]) -> NllKind:
    """Return what -log p(x) of this likelihood is on this data.

    A Bernoulli is a probability of binary values and no distribution at all of grey ones; a Gaussian is a density.
    """
    if likelihood.kind == "bernoulli":
        return "probability" if values == "binary" else "unnormalised"
    return "density"


def nll_constant_nats(kind: NllKind, dimensions: int) -> float:
    """Return what makes -log p(x) of this kind comparable: D log 256 for a density on [0, 1], per 8-bit level."""
    return dimensions * math.log(256) if kind == "density" else 0.0
