"""Likelihoods sum or integrate to 1, and agree with closed forms of their normalisers, means and scales."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import logistic, norm, truncexpon

from regen.models.discretised_logistic import DiscretisedLogistic
from regen.models.likelihoods import LIKELIHOODS

LEVELS = np.arange(256) / 255
LOCS = torch.linspace(0, 1, 341, dtype=torch.float64)
SCALES = [1e-6, 1e-4, 1e-3, 1 / 255, 0.01, 0.1, 1.0, 10.0]
LOGITS = [-40.0, -20.0, -14.0, -8.0, -3.0, -1.0, -0.011, -0.009, 0.0, 0.001, 0.01, 0.5, 2.0, 5.0, 10.0, 16.0, 30.0]


def probabilities(loc: float, scale: float) -> np.ndarray:
    """P of the 256 levels from scipy's logistic; in the upper half from its upper tail, which keeps its digits."""
    edges = (np.arange(257) - 0.5) / 255
    edges[0], edges[-1] = -np.inf, np.inf
    below, above = np.diff(logistic.cdf(edges, loc, scale)), -np.diff(logistic.sf(edges, loc, scale))
    return np.where(edges[:-1] > loc, above, below)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", SCALES)
def test_discretised_logistic_sums_to_one(scale: float, dtype: torch.dtype) -> None:
    levels = torch.arange(256, dtype=torch.uint8).to(dtype).div(255)[:, None]
    log_prob = DiscretisedLogistic(LOCS.to(dtype), scale).log_prob(levels).double()
    # The rounding u of an edge near 1 moves it by u, where the density is at most 1 / (4 scale); four values make an edge.
    # The other term is that of log_prob itself, about 10 nats.
    rounding = torch.finfo(dtype).eps / 2
    assert (log_prob.exp().sum(0) - 1).abs().max().item() < rounding / scale + 20 * rounding
    assert torch.isfinite(log_prob).all()


@pytest.mark.parametrize("scale", [0.02, 0.1, 0.7, 5.0])
def test_discretised_logistic_against_scipy(scale: float) -> None:
    likelihood = LIKELIHOODS["discretised_logistic"](scale=scale)
    logits = torch.tensor([-4.0, -0.3, 1.1], dtype=torch.float64)
    images = torch.from_numpy(LEVELS).view(256, 1, 1, 1).expand(256, 1, 1, 3)
    log_prob = likelihood(logits.view(1, 1, 1, 3)).log_prob(images).numpy()
    expected = sum(np.log(probabilities(1 / (1 + math.exp(-logit)), scale)) for logit in logits.tolist())
    np.testing.assert_allclose(log_prob, expected, rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_discretised_logistics_mean_is_the_clipped_logistics_and_nearly_the_levels(scale: float) -> None:
    locs = LOCS[::20]
    mean = DiscretisedLogistic(locs, scale).mean
    for loc, value in zip(locs.tolist(), mean.tolist(), strict=True):
        # The mean of a variable clipped to [0, 1] is the integral of its upper tail.
        points = [point for point in (loc - 10 * scale, loc, loc + 10 * scale) if 0 < point < 1]
        expected, error = quad(logistic(loc, scale).sf, 0, 1, points=points or None, epsabs=1e-10, epsrel=1e-10, limit=200)
        assert value == pytest.approx(expected, abs=1e-8) and error < 1e-8
    levels = torch.tensor([probabilities(loc, scale) @ LEVELS for loc in locs.tolist()])
    # Where the logistic is narrower than a level, the level is off by up to half of one.
    assert (mean - levels).abs().max() < (1e-4 if scale >= 1 / 255 else 0.5 / 255 + 1e-12)


@pytest.mark.parametrize(("loc", "scale"), [(0.3, 0.02), (0.0, 0.1), (1.0, 0.004), (0.6, 0.5)])
def test_discretised_logistics_samples_have_its_probabilities(loc: float, scale: float) -> None:
    torch.manual_seed(0)
    draws = 100_000
    samples = DiscretisedLogistic(torch.tensor([loc]), scale).sample(torch.Size([draws])).double().numpy().ravel() * 255
    np.testing.assert_allclose(samples, samples.round(), atol=1e-4)
    counts, expected = np.bincount(samples.round().astype(int), minlength=256), draws * probabilities(loc, scale)
    often = expected > 25
    errors = np.sqrt(expected * (1 - expected / draws))
    assert np.all(np.abs(counts - expected)[often] < 4 * errors[often])
    rest = expected[~often].sum()
    assert abs(counts[~often].sum() - rest) <= 4 * math.sqrt(rest) + 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_is_a_truncated_exponential_and_integrates_to_one(logit: float, dtype: torch.dtype) -> None:
    points, weights = np.polynomial.legendre.leggauss(60)
    points, weights = (points + 1) / 2, weights / 2
    p = LIKELIHOODS["continuous_bernoulli"]()(torch.full((1, 1, 1), logit, dtype=dtype))
    log_prob = p.log_prob(torch.from_numpy(points).to(dtype).view(-1, 1, 1, 1)).double().numpy()
    # A product and a softplus of the logit's size, rounded; the scipy distribution and the sum have errors of their own.
    tolerance = 1e-12 + torch.finfo(dtype).eps * (10 + 2 * abs(logit))
    assert (weights * np.exp(log_prob)).sum() == pytest.approx(1, abs=tolerance)
    if logit:
        falling = points if logit < 0 else 1 - points
        expected = truncexpon.logpdf(falling, b=abs(logit), scale=1 / abs(logit))
        np.testing.assert_allclose(log_prob, expected, atol=tolerance)


@pytest.mark.parametrize("logit", [-40.0, -8.0, -1.0, -0.101, -0.099, 0.05, 2.0, 30.0])
def test_continuous_bernoullis_mean_is_the_integral(logit: float) -> None:
    p = LIKELIHOODS["continuous_bernoulli"]()(torch.full((1, 1, 1), logit, dtype=torch.float64))
    falling = truncexpon.mean(b=abs(logit), scale=1 / abs(logit))
    assert p.mean.item() == pytest.approx(falling if logit < 0 else 1 - falling, abs=1e-9)


def test_gaussians_learned_scale_has_the_closed_forms_value_and_gradient() -> None:
    likelihood = LIKELIHOODS["gaussian"](scale=0.3, learn_scale=True).double()
    logits, x = torch.linspace(-3, 3, 12, dtype=torch.float64).view(1, 3, 4), torch.linspace(0, 1, 12, dtype=torch.float64).view(1, 3, 4)
    nll = -likelihood(logits).log_prob(x)
    (gradient,) = torch.autograd.grad(nll, [likelihood.log_scale])
    error, scale = x.numpy() - 1 / (1 + np.exp(-logits.numpy())), 0.3
    assert nll.item() == pytest.approx(-norm(0, scale).logpdf(error).sum(), rel=1e-6)
    assert gradient.item() == pytest.approx((1 - (error / scale) ** 2).sum(), rel=1e-6)


def test_discretised_logistics_learned_scale_has_the_gradient_of_scipys_differences() -> None:
    likelihood, step = LIKELIHOODS["discretised_logistic"](scale=0.1, learn_scale=True).double(), 1e-5
    logit, level = torch.tensor(0.4, dtype=torch.float64), 100
    nll = -likelihood(logit.view(1, 1, 1)).log_prob(torch.tensor(LEVELS[level]).view(1, 1, 1))
    (gradient,) = torch.autograd.grad(nll, [likelihood.log_scale])
    above, below = (-np.log(probabilities(torch.sigmoid(logit).item(), 0.1 * math.exp(sign * step))[level]) for sign in (1, -1))
    assert gradient.item() == pytest.approx((above - below) / (2 * step), rel=1e-5)
