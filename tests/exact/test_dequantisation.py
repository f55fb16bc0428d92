"""Noise within the levels: the bound that it gives against exact sums over the images of two pixels."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import logistic, norm
from torch import nn

from regen.config.base import parse
from regen.config.model import PixelFlow as PixelFlowConfig
from regen.models.dequantisation import INITIAL_SCALE
from regen.models.pixel_flow import PixelFlow

SHAPE = [1, 1, 2]
LEARNED = {"kind": "learned", "hidden": [6], "activation": "tanh"}
IMAGES = torch.tensor(list(itertools.product([0, 1, 100, 255], repeat=2)), dtype=torch.float64).view(-1, *SHAPE) / 255
DRAWS = 4000


def flow(dequantisation: dict[str, Any], std: float = 0.7) -> PixelFlow:
    couplings = {"kind": "realnvp", "couplings": 3, "networks": "one", "hidden": [5], "activation": "tanh", "learn_gain": True}
    values = {"family": "flow", "alpha": 0.05, "flow": couplings, "dequantisation": dequantisation}
    model = PixelFlow(parse(PixelFlowConfig, values, "test"), SHAPE).double()
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=std, generator=generator)
    return model


def gauss(points: np.ndarray, weights: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the nodes of a square, (n^2, 1, 1, 2), and their weights (n^2,)."""
    at, by = torch.from_numpy(points), torch.from_numpy(weights)
    return torch.cartesian_prod(at, at).view(-1, *SHAPE), torch.outer(by, by).flatten()


@torch.no_grad()
def exact(model: PixelFlow, images: torch.Tensor) -> torch.Tensor:
    """Return log P (N,): the density integrated over the square of levels of each image, by Gauss and Legendre."""
    points, weights = np.polynomial.legendre.leggauss(40)
    at, by = gauss((points + 1) / 2, weights / 2)
    density = model().log_prob((255 * images[:, None] + at) / 256).exp()
    return (density * by).sum(1).log() - 2 * math.log(256)


@torch.no_grad()
def bound(model: PixelFlow, images: torch.Tensor) -> torch.Tensor:
    """Return E_q log w (N,) by Gauss and Hermite over the Gaussian behind the sigmoid, with its entropy in closed form."""
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    at, by = gauss(points, weights / math.sqrt(2 * math.pi))
    mean, log_scale = model.dequantisation.network(images.flatten(1)).view(-1, 2, *SHAPE).unbind(1)
    scale = INITIAL_SCALE * log_scale.exp()
    v = mean[:, None] + scale[:, None] * at
    inside = model().log_prob((255 * images[:, None] + torch.sigmoid(v)) / 256)
    # u has the density N(v) / (u (1 - u)).
    slope = (torch.sigmoid(v).log() + torch.sigmoid(-v).log()).flatten(2).sum(2)
    entropy = (scale.log() + 0.5 * math.log(2 * math.pi * math.e)).flatten(1).sum(1)
    return ((inside + slope) * by).sum(1) + entropy - 2 * math.log(256)


@torch.no_grad()
def drawn(model: PixelFlow, images: torch.Tensor) -> torch.Tensor:
    """Return log w (DRAWS, N)."""
    torch.manual_seed(0)
    return -model.nll_nats(images.repeat(DRAWS, 1, 1, 1)).view(DRAWS, len(images))


@pytest.mark.parametrize("noise", [{"kind": "uniform"}, LEARNED], ids=["uniform", "learned"])
def test_weights_are_unbiased_and_bounds_lie_below_the_exact_probability_and_nearer_with_more_samples(noise: dict[str, Any]) -> None:
    model = flow(noise, 0.3)
    log_p, log_w = exact(model, IMAGES), drawn(model, IMAGES)
    weights = (log_w - log_p).exp()
    error = weights.std(0) / math.sqrt(DRAWS)
    assert error.max() < 0.3 and ((weights.mean(0) - 1).abs() < 4.5 * error).all()
    gaps = [log_p - (log_w.unflatten(0, (-1, count)).logsumexp(1) - math.log(count)).mean(0) for count in (1, 10, 100)]
    assert (gaps[0] > 0).all() and (gaps[1] < gaps[0]).all() and (gaps[2] < gaps[1]).all()


@pytest.mark.parametrize("std", [0.1, 0.4, 0.7])
def test_the_bound_of_learned_noise_lies_below_the_exact_probability(std: float) -> None:
    model = flow(LEARNED, std)
    log_p, elbo, log_w = exact(model, IMAGES), bound(model, IMAGES), drawn(model, IMAGES)
    assert (elbo < log_p).all()
    assert ((log_w.mean(0) - elbo).abs() < 4.5 * log_w.std(0) / math.sqrt(DRAWS)).all()


def test_trained_noise_comes_nearer_to_the_exact_probability_than_uniform_noise() -> None:
    # Black and white: there the logit bends the density within a level.
    edges = IMAGES[[0, 3, 12, 15]]
    model = flow(LEARNED)
    log_p = exact(model, edges)
    points, weights = np.polynomial.legendre.leggauss(40)
    at, by = gauss((points + 1) / 2, weights / 2)
    with torch.no_grad():
        of_uniform = log_p + 2 * math.log(256) - (model().log_prob((255 * edges[:, None] + at) / 256) * by).sum(1)
    generator = torch.Generator().manual_seed(2)
    for parameter in model.dequantisation.parameters():
        nn.init.normal_(parameter, std=0.1, generator=generator)
    optimizer = torch.optim.Adam(model.dequantisation.parameters(), lr=0.03)
    torch.manual_seed(0)
    for _ in range(150):
        optimizer.zero_grad()
        model.nll_nats(edges.repeat(16, 1, 1, 1)).mean().backward()
        optimizer.step()
    torch.testing.assert_close(exact(model, edges), log_p)
    gap = log_p - bound(model, edges)
    assert (gap > 0).all() and gap.mean() < 0.7 * of_uniform.mean()


def test_noise_is_within_the_level_and_begins_nearly_uniform() -> None:
    model = flow(LEARNED, 1e-3)
    torch.manual_seed(0)
    u, log_q = model.dequantisation(torch.full((20_000, *SHAPE), 0.5, dtype=torch.float64))
    assert u.min() > 0 and u.max() < 1
    # E log q is the KL from the uniform distribution, of two dimensions.

    def integrand(v: float) -> float:
        return float(np.exp(norm.logpdf(v, scale=INITIAL_SCALE)) * (norm.logpdf(v, scale=INITIAL_SCALE) - logistic.logpdf(v)))

    divergence = quad(integrand, -20, 20)[0]
    assert divergence < 0.01
    assert log_q.mean().item() == pytest.approx(2 * divergence, abs=4 * log_q.std().item() / math.sqrt(20_000) + 0.005)
    assert abs(u.mean().item() - 0.5) < 4 * u.std().item() / math.sqrt(40_000) + 0.005


def test_the_density_of_the_noise_is_that_of_a_gaussian_through_a_sigmoid_however_far_out() -> None:
    model = flow(LEARNED, 0.0)
    with torch.no_grad():
        model.dequantisation.network[-1].bias.copy_(torch.tensor([60.0, -60.0, 0.3, -0.4]))
        torch.manual_seed(0)
        u, log_q = model.dequantisation(torch.zeros(50, *SHAPE, dtype=torch.float64))
        torch.manual_seed(0)
        noise = torch.randn(50, *SHAPE, dtype=torch.float64).view(50, 2).numpy()
    scale = INITIAL_SCALE * np.exp([0.3, -0.4])
    v = np.array([60.0, -60.0]) + scale * noise
    expected = norm.logpdf(noise) - np.log(scale) + np.abs(v) + 2 * np.log1p(np.exp(-np.abs(v)))
    # torch's softplus is exact to exp(-20).
    np.testing.assert_allclose(log_q, expected.sum(1), rtol=1e-8)
    np.testing.assert_allclose(u.view(50, 2), 1 / (1 + np.exp(-v)), rtol=1e-6)


@torch.no_grad()
def test_without_noise_it_is_the_density_at_the_middle_of_the_levels_and_no_bound() -> None:
    model = flow({"kind": "none"})
    torch.testing.assert_close(model.nll_nats(IMAGES), 2 * math.log(256) - model().log_prob((255 * IMAGES + 0.5) / 256))
    assert list(model.state_dict()) == list(flow({"kind": "uniform"}).state_dict())
    # All of the mass at one point of a level: a density there is no probability, and grows without end.
    narrow = flow({"kind": "none"}, 0.0)
    levels = []
    for gain in (1.0, 5.0, 25.0):
        for number, conditioner in enumerate(narrow.flow.conditioners):
            conditioner.networks[0][-1].bias.copy_(torch.tensor([-5.0, 0.0]) if number < 2 else torch.zeros(2))
            conditioner.gain.fill_(gain)
        levels.append(narrow.nll_nats(torch.full((1, *SHAPE), 127.5 / 255, dtype=torch.float64)).item())
    assert levels[0] > levels[1] > levels[2] and levels[2] < 0
