"""What is wrong in ai3611, as far as it can be computed; the spread of Algorithm 1's gradient: tests/exact/test_enumeration.py."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import coins, enumerated, numbered_images
from scipy.special import expit, logsumexp
from scipy.stats import entropy, norm
from torch import nn
from torch.nn.functional import binary_cross_entropy

from regen.models.vae import GaussianEncoder

SHAPE = (1, 2, 2)


def free_energy() -> tuple[Any, np.ndarray, float]:
    """Return log p(x, z) of every state of three coins, the states, and log p(x) of an image."""
    states, log_likelihood, log_p = enumerated(coins(3, SHAPE), numbered_images(1, SHAPE))
    return log_likelihood[:, 0] - 3 * math.log(2), states, log_p.item()


def of(log_joint: np.ndarray, states: np.ndarray, logits: np.ndarray) -> tuple[float, float]:
    """Return F = E_q log p(x, z) + H(q) of independent coins q, and H(q)."""
    q = np.prod(np.where(states == 1, expit(logits), expit(-logits)), axis=1)
    return float(q @ log_joint + entropy(q)), float(entropy(q))


def test_the_bound_has_the_entropy_of_q() -> None:
    log_joint, states, log_p = free_energy()
    posterior = np.exp(log_joint - logsumexp(log_joint))
    # At the posterior the bound is log p(x): with the entropy, and not with the cross-entropy to the prior.
    assert posterior @ log_joint + entropy(posterior) == pytest.approx(log_p, rel=1e-6)
    cross_entropy = -posterior @ np.full(8, -3 * math.log(2))
    assert posterior @ log_joint + cross_entropy > log_p + 0.1
    value, of_q = of(log_joint, states, np.zeros(3))
    assert value < log_p and of_q == pytest.approx(3 * math.log(2), rel=1e-12)


def test_a_bound_that_is_maximised_needs_steps_along_its_gradient() -> None:
    log_joint, states, _ = free_energy()
    logits, step = np.array([0.3, -0.2, 0.1]), 1e-5
    value, _ = of(log_joint, states, logits)
    gradient = np.array(
        [of(log_joint, states, logits + step * one)[0] - of(log_joint, states, logits - step * one)[0] for one in np.eye(3)]
    )
    gradient /= 2 * step
    rate = 0.01
    assert of(log_joint, states, logits + rate * gradient)[0] > value > of(log_joint, states, logits - rate * gradient)[0]


def test_a_log_variance_makes_sigma_positive_and_not_small() -> None:
    log_variance = torch.tensor([[-20.0, 0.0, 20.0]])
    q: Any = GaussianEncoder(nn.Identity())(torch.cat([torch.zeros(1, 3), log_variance], dim=1))
    np.testing.assert_allclose(q.stddev[0], np.exp([-10.0, 0.0, 10.0]), rtol=1e-6)
    assert torch.all(q.stddev > 0) and q.stddev.max() > 10_000


def test_with_the_mean_reduction_the_sum_does_nothing_and_the_term_is_divided() -> None:
    images, latents = 4, 3
    generator = torch.Generator().manual_seed(0)
    q, z = torch.rand(images, latents, generator=generator), torch.randint(0, 2, (images, latents), generator=generator).float()
    loss = binary_cross_entropy(q, z)
    assert loss.sum() == loss
    per_image = -(z * q.log() + (1 - z) * (1 - q).log()).sum(1)
    assert loss.item() == pytest.approx(per_image.sum().item() / (images * latents), rel=1e-6)


def test_a_scalar_added_to_every_element_is_counted_once_a_pixel() -> None:
    loss, term = torch.rand(4, 784, generator=torch.Generator().manual_seed(1), dtype=torch.float64), 2.5
    np.testing.assert_allclose((loss + term).sum(dim=1) - loss.sum(dim=1), 784 * term, rtol=1e-9)
    # A scalar loss has no dimension 1 to sum over.
    with pytest.raises(IndexError):
        loss.mean().sum(dim=1)


def test_at_its_own_weight_the_smallest_ratio_wins_and_at_weight_one_the_ratio_one() -> None:
    # p(x | z) = N(z, 1) at x = 2, and the best q = N(m, s^2) for every ratio: m = x / (1 + w), s^2 = w / (1 + w).
    x, ratios = 2.0, np.array([0.1, 0.5, 1.0, 2.0, 10.0])
    mean, variance = x / (1 + ratios), ratios / (1 + ratios)
    reconstruction = 0.5 * math.log(2 * math.pi) + 0.5 * ((x - mean) ** 2 + variance)
    kl = 0.5 * (mean**2 + variance - 1 - np.log(variance))
    own, at_one = reconstruction + ratios * kl, reconstruction + kl
    assert list(own) == sorted(own) and ratios[at_one.argmin()] == 1
    assert at_one.min() == pytest.approx(-norm(0, math.sqrt(2)).logpdf(x), rel=1e-12)
    # They are the best: a step away is worse at each one's own weight.
    for dm, ds in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        m, s = mean + dm, variance + ds
        moved = 0.5 * math.log(2 * math.pi) + 0.5 * ((x - m) ** 2 + s) + ratios * 0.5 * (m**2 + s - 1 - np.log(s))
        assert np.all(moved > own)
