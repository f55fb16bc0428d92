import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from regen.config.model import Bernoulli, ContinuousBernoulli, DiscretisedLogistic, Gaussian
from regen.models.likelihoods import GaussianPixels, nll_constant_nats, nll_kind

LOGITS = torch.linspace(-3, 3, 12).view(1, 1, 3, 4)
X = torch.linspace(0, 1, 12).view(1, 1, 3, 4)


def test_gaussian_against_scipy() -> None:
    mean = 1 / (1 + np.exp(-LOGITS.double().numpy()))
    expected = norm(mean, 0.3).logpdf(X.double().numpy()).sum()
    assert GaussianPixels(0.3)(LOGITS).log_prob(X).item() == pytest.approx(expected, rel=1e-5)


def test_unit_gaussian_cannot_go_below_its_floor() -> None:
    # errata vu4a 2: at least 0.919 nats a dimension, 720.4 for 784.
    logits = torch.zeros(1, 1, 28, 28)
    assert -GaussianPixels(1.0)(logits).log_prob(torch.full_like(logits, 0.5)).item() == pytest.approx(720.4, abs=0.1)


@pytest.mark.parametrize(
    ("likelihood", "values", "kind"),
    [
        (Bernoulli(kind="bernoulli"), "binary", "probability"),
        (Bernoulli(kind="bernoulli"), "grey", "unnormalised"),
        (Gaussian(kind="gaussian", scale=1.0), "grey", "density"),
        (ContinuousBernoulli(kind="continuous_bernoulli"), "grey", "density"),
        (DiscretisedLogistic(kind="discretised_logistic", scale=0.1), "grey", "probability"),
        (Gaussian(kind="gaussian", scale=1.0, dequantised=True), "grey", "probability"),
        (ContinuousBernoulli(kind="continuous_bernoulli", dequantised=True), "grey", "probability"),
    ],
)
def test_kind_of_nll(likelihood: object, values: str, kind: str) -> None:
    assert nll_kind(likelihood, values) == kind


def test_only_a_density_gets_eight_bits_a_dimension() -> None:
    assert nll_constant_nats("density", 10) / math.log(2) == pytest.approx(80)
    assert nll_constant_nats("probability", 10) == nll_constant_nats("unnormalised", 10) == 0
