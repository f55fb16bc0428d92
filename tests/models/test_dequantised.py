"""A dequantised density is a distribution over the 256 levels: the density's integral over a level's width."""

import math

import numpy as np
import pytest
import torch
from closed_forms import Lookup
from scipy.stats import norm, truncexpon
from torch.distributions import Distribution

from regen.evaluation.held_out.importance_sampling import importance_sampled_nll
from regen.models.flows import StandardNormal
from regen.models.likelihoods import LIKELIHOODS
from regen.models.vae import GaussianEncoder, LatentVariableModel

EDGES = np.arange(257) / 256
LEVELS = torch.arange(256, dtype=torch.float64).div(255)


def dequantised(logit: float, scale: float | None) -> tuple[Distribution, np.ndarray]:
    """Return p(x | z) of 256 one-pixel images, and the probabilities of the levels by scipy's distribution functions."""
    logits = torch.full((256, 1, 1, 1), logit, dtype=torch.float64)
    if scale is None:
        # A continuous Bernoulli of logit l is an exponential of rate -l cut off at 1.
        assert logit < 0
        return LIKELIHOODS["continuous_bernoulli"](dequantised=True)(logits), np.diff(truncexpon(-logit, scale=-1 / logit).cdf(EDGES))
    made: Distribution = LIKELIHOODS["gaussian"](scale=scale, dequantised=True)(logits)
    return made, np.diff(norm(1 / (1 + math.exp(-logit)), scale).cdf(EDGES))


@pytest.mark.parametrize(("logit", "scale"), [(-3.0, None), (-0.5, None), (0.4, 0.3), (-1.0, 0.01), (0.0, 0.002)])
def test_it_is_unbiased_for_the_integral_and_below_its_logarithm_in_the_mean(logit: float, scale: float | None) -> None:
    p, expected = dequantised(logit, scale)
    torch.manual_seed(0)
    log_prob = torch.stack([p.log_prob(LEVELS.view(256, 1, 1, 1)) for _ in range(4000)]).numpy()
    means, errors = np.exp(log_prob).mean(0), np.exp(log_prob).std(0) / math.sqrt(len(log_prob))
    assert np.all(np.abs(means - expected) < 5 * errors + 1e-15)
    seen = expected > 1e-6
    assert np.all(log_prob.mean(0)[seen] < np.log(expected[seen]) + 4 * log_prob.std(0)[seen] / math.sqrt(len(log_prob)) + 1e-12)
    # It sums to the density's mass within [0, 1], for a continuous Bernoulli 1.
    assert abs(means.sum() - expected.sum()) < 4 * math.sqrt((errors**2).sum()) + 1e-12


@pytest.mark.parametrize(("logit", "scale"), [(-3.0, None), (-0.5, None), (0.0, 0.1)])
def test_its_mean_is_on_the_scale_of_the_levels(logit: float, scale: float | None) -> None:
    p, expected = dequantised(logit, scale)
    assert p.mean[0].item() == pytest.approx(expected @ LEVELS.numpy() / expected.sum(), abs=1e-5)


def test_its_samples_are_levels() -> None:
    p, expected = dequantised(-3.0, None)
    torch.manual_seed(1)
    drawn = p.sample(torch.Size([200])).flatten() * 255
    torch.testing.assert_close(drawn, drawn.round())
    counts, mean = np.bincount(drawn.long().numpy(), minlength=256), len(drawn) * expected
    assert np.all(np.abs(counts - mean) < 5 * np.sqrt(mean) + 1)


def test_importance_sampling_estimates_the_probability_of_the_levels() -> None:
    # The decoder knows no z. A level is two standard deviations wide, and the noise matters.
    class Constant(torch.nn.Module):
        def forward(self, z: torch.Tensor) -> Distribution:
            made: Distribution = LIKELIHOODS["gaussian"](scale=0.002, dequantised=True)(torch.zeros(*z.shape[:-1], 1, 1, 1))
            return made

    images = torch.tensor([126, 127, 128, 129], dtype=torch.uint8).view(4, 1, 1, 1)
    encoder = GaussianEncoder(Lookup(torch.zeros(256, 2)))
    model, samples = LatentVariableModel(encoder, Constant(), StandardNormal(1)), 20_000
    torch.manual_seed(2)
    estimate = importance_sampled_nll(model, images, [samples])[samples]
    expected = -np.log(np.diff(norm(0.5, 0.002).cdf(EDGES))[126:130])
    np.testing.assert_allclose(estimate.nll_nats, expected, atol=0.05)
