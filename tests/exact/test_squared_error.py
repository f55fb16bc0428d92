"""Squared error a pixel + KL a latent, read as the objective of a Gaussian likelihood of unit variance with another weight of the KL."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from regen.config.base import parse
from regen.config.model import Vae
from regen.models.build import build

MakeObjective = Callable[..., nn.Module]

PIXELS, LATENTS = 4, 3


def measured(objective: nn.Module) -> tuple[torch.Tensor, dict[str, torch.Tensor], list[torch.Tensor]]:
    """Return the value, the terms and the gradient of an objective, of the same weights, images and noise at every call."""
    config = {
        "family": "vae",
        "network": {"kind": "mlp", "hidden": [6], "activation": "tanh"},
        "latent": {"kind": "gaussian", "dim": LATENTS},
        "prior": {"kind": "standard"},
        "likelihood": {"kind": "gaussian", "scale": 1.0},
    }
    torch.manual_seed(0)
    model: Any = build(parse(Vae, config, "test"), [1, 2, 2]).double()
    x = torch.rand(5, 1, 2, 2).double()
    value, terms = objective(model, x, torch.zeros(len(x)))
    return value, terms, list(torch.autograd.grad(value, list(model.parameters())))


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_its_gradient_is_that_of_the_gaussian_reading(weight: float, make_objective: MakeObjective) -> None:
    value, terms, gradient = measured(make_objective("mean_squared_error", kl_weight=weight))
    reading = make_objective("elbo", kl_weight=weight * PIXELS / (2 * LATENTS))
    expected, of_reading, expected_gradient = measured(reading)
    constant = PIXELS / 2 * math.log(2 * math.pi)
    torch.testing.assert_close(value, 2 / PIXELS * (expected - constant))
    torch.testing.assert_close(gradient, [2 / PIXELS * part for part in expected_gradient])
    # What is minimised has no unit, and -ELBO stands beside it.
    assert set(terms) == {"objective", "neg_elbo_nats", "recon_nats", "kl_nats"}
    torch.testing.assert_close(terms["objective"].mean(), value)
    torch.testing.assert_close(terms["neg_elbo_nats"], of_reading["neg_elbo_nats"])
