"""A linear decoder with Gaussian noise has a closed-form p(x) and posterior: bounds and estimates against them."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal

from regen.evaluation.held_out.importance_sampling import importance_sampled_nll
from regen.models.flows import StandardNormal
from regen.models.objectives import elbo_terms, weigh
from regen.models.vae import LatentVariableModel

LATENTS, PIXELS, NOISE = 2, 6, 0.5


class Posterior(nn.Module):
    """q(z | x) with this mean map and covariance; the exact posterior by default."""

    def __init__(self, weight: torch.Tensor, shift: float = 0.0) -> None:
        super().__init__()
        precision = torch.eye(LATENTS) + weight.T @ weight / NOISE**2
        self.covariance = precision.inverse()
        self.gain = self.covariance @ weight.T / NOISE**2
        self.shift = shift

    def forward(self, x: torch.Tensor) -> MultivariateNormal:
        return MultivariateNormal(x.flatten(1) @ self.gain.T + self.shift, self.covariance)


class LinearDecoder(nn.Module):
    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, z: torch.Tensor) -> Independent:
        return Independent(Normal((z @ self.weight.T).unflatten(-1, (1, 2, 3)), NOISE), 3)


class FullNormal(nn.Module):
    def forward(self) -> MultivariateNormal:
        return MultivariateNormal(torch.zeros(LATENTS), torch.eye(LATENTS))


@pytest.fixture
def weight() -> torch.Tensor:
    return torch.randn(PIXELS, LATENTS, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (5, 1, 2, 3), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)


def model(weight: torch.Tensor, shift: float = 0.0) -> LatentVariableModel:
    return LatentVariableModel(Posterior(weight, shift), LinearDecoder(weight), StandardNormal(LATENTS))


def exact_log_p(weight: torch.Tensor, images: torch.Tensor) -> np.ndarray:
    covariance = (weight @ weight.T).numpy() + NOISE**2 * np.eye(PIXELS)
    return multivariate_normal(np.zeros(PIXELS), covariance).logpdf(images.flatten(1).numpy() / 255.0)


def test_at_the_exact_posterior_every_weight_is_log_p_of_x(weight: torch.Tensor, images: torch.Tensor) -> None:
    torch.manual_seed(0)
    linear, x = model(weight), images.float() / 255
    q = linear.encoder(x)
    log_w = weigh(linear, x, q.sample((7,)), q).log_w
    np.testing.assert_allclose(log_w, np.tile(exact_log_p(weight, images), (7, 1)), atol=1e-4)


def test_estimate_from_a_wrong_posterior_converges_to_log_p(weight: torch.Tensor, images: torch.Tensor) -> None:
    torch.manual_seed(0)
    samples, shift = 20_000, torch.full((LATENTS,), 0.1)
    estimate = importance_sampled_nll(model(weight, shift=0.1), images, [samples])[samples]
    # Equal covariances S and a shift d: E[w^2] / E[w]^2 = exp(d' S^-1 d).
    second_moment = math.exp(shift @ torch.linalg.solve(Posterior(weight).covariance, shift))
    error = math.sqrt((second_moment - 1) / samples)
    np.testing.assert_allclose(-estimate.nll_nats, exact_log_p(weight, images), atol=4 * error)
    np.testing.assert_allclose(estimate.ess, samples / second_moment, rtol=0.05)


def test_at_the_exact_posterior_the_elbo_is_log_p_of_x_at_every_sample(weight: torch.Tensor, images: torch.Tensor) -> None:
    # No closed form for a full and a diagonal Gaussian: KL and reconstruction are taken at one sample.
    torch.manual_seed(0)
    terms = elbo_terms(model(weight), images.float() / 255)
    np.testing.assert_allclose(-terms.neg_elbo_nats, exact_log_p(weight, images), atol=1e-4)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_elbo_lies_below_log_p_by_the_kl_between_the_posteriors(shift: float, weight: torch.Tensor, images: torch.Tensor) -> None:
    torch.manual_seed(0)
    draws, x = 4000, images.float() / 255
    # The prior as a full Gaussian, of which torch knows the KL from the posterior.
    linear = LatentVariableModel(Posterior(weight, shift), LinearDecoder(weight), FullNormal())
    terms = elbo_terms(linear, x.repeat(draws, 1, 1, 1))
    elbo = -terms.neg_elbo_nats.view(draws, len(x))
    assert terms.kl_nats.view(draws, len(x)).std(0).max() < 1e-5
    difference = torch.full((LATENTS,), shift)
    gap = 0.5 * difference @ torch.linalg.solve(Posterior(weight).covariance, difference)
    error = elbo.std(0) / math.sqrt(draws)
    assert torch.all((elbo.mean(0) + gap - torch.from_numpy(exact_log_p(weight, images))).abs() < 4 * error)
