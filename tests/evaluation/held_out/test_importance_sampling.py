"""Importance sampling on draws that are known: every number by hand, at every K, whatever fits into the memory."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, Told, numbered_images
from scipy.stats import norm
from small_models import SHAPE, log_mean

from regen.evaluation.held_out.importance_sampling import importance_sampled_nll

COUNTS = [1, 2, 3, 5, 7, 40]


def weighed(known: LinearGaussian, images: torch.Tensor, z: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return log w (K, N) of z (K, N, d) drawn from N(mean, diag std^2) a numbered image, in double precision."""
    x = images.flatten(1).numpy() / 255.0
    likelihood = norm.logpdf(x, z @ known.weight.double().numpy().T, known.noise).sum(-1)
    log_w: np.ndarray = likelihood + norm.logpdf(z).sum(-1) - norm.logpdf(z, mean, std).sum(-1)
    return log_w


def told(shift: float, images: torch.Tensor, known: LinearGaussian) -> tuple[Any, np.ndarray]:
    """Return a model whose q is off by `shift` and draws what is known, and log w (40, N) of these draws."""
    std = np.sqrt(np.diag(known.covariance())) * 1.3
    mean = known.mean(images) + shift
    z = torch.from_numpy(np.random.default_rng(1).normal(mean, std, (COUNTS[-1], *mean.shape))).float()
    encoder = Told(known.guess(images, shift, stretch=1.3), z)
    return known.model(encoder), weighed(known, images, z.double().numpy(), mean, std)


@pytest.mark.parametrize("shift", [0.0, 0.7])
@pytest.mark.parametrize("count", COUNTS)
def test_every_k_is_the_mean_over_its_disjoint_groups(count: int, shift: float) -> None:
    # 30 images in three blocks.
    known, images = LinearGaussian.random(2, SHAPE), numbered_images(30, SHAPE)
    model, log_w = told(shift, images, known)
    found = importance_sampled_nll(model, images, COUNTS)
    assert list(found) == COUNTS

    groups = 40 // count
    grouped = log_w[: groups * count].reshape(groups, count, 30)
    np.testing.assert_allclose(found[count].nll_nats, -log_mean(grouped, axis=1).mean(0), rtol=0, atol=1e-4)
    w = np.exp(grouped - grouped.max(1, keepdims=True))
    np.testing.assert_allclose(found[count].ess, (w.sum(1) ** 2 / (w**2).sum(1)).mean(0), rtol=1e-4)
    np.testing.assert_allclose(found[count].max_weight, (w.max(1) / w.sum(1)).mean(0), rtol=1e-4)


def test_one_sample_is_one_effective_sample_and_more_are_at_most_as_many() -> None:
    known, images = LinearGaussian.random(2, SHAPE), numbered_images(30, SHAPE)
    found = importance_sampled_nll(told(0.7, images, known)[0], images, COUNTS)
    for count, one in found.items():
        assert torch.all((one.ess >= 1 - 1e-9) & (one.ess <= count + 1e-9))
        assert torch.all((one.max_weight >= 1 / count - 1e-9) & (one.max_weight <= 1 + 1e-9))
    np.testing.assert_allclose(found[1].ess, 1, rtol=1e-12)
    np.testing.assert_allclose(found[1].max_weight, 1, rtol=1e-12)


def test_means_over_many_images_fall_with_k_towards_log_p() -> None:
    torch.manual_seed(2)
    known, image = LinearGaussian.random(2, SHAPE), numbered_images(1, SHAPE)
    model = known.model(known.guess(image, shift=0.2, stretch=1.2))
    runs = 4000
    found = importance_sampled_nll(model, image.expand(runs, *SHAPE), [1, 4, 16])
    means = [one.nll_nats.mean().item() + known.log_p(image).item() for one in found.values()]
    # K = 1: the KL of two Gaussians, q from the posterior of full covariance.
    covariance, std = known.covariance(), np.sqrt(np.diag(known.covariance())) * 1.2
    inverse = np.linalg.inv(covariance)
    kl = (
        0.5 * (inverse @ np.diag(std**2)).trace()
        + 0.5 * 0.2**2 * inverse.sum()
        - 1
        + 0.5 * np.log(np.linalg.det(covariance))
        - np.log(std).sum()
    )
    error = found[1].nll_nats.std().item() / math.sqrt(4 * runs)
    assert abs(means[0] - kl) < 4 * error
    assert means[0] > means[1] > means[2] > 0
    # The estimate of p(x) itself is unbiased.
    estimates = torch.exp(-found[16].nll_nats - known.log_p(image).item())
    assert abs(estimates.mean().item() - 1) < 4 * estimates.std().item() / math.sqrt(runs)


@pytest.mark.parametrize("counts", [[5], [1, 2, 6]])
def test_estimates_are_the_same_whatever_fits_into_the_memory(counts: list[int]) -> None:
    # Images of 102,400 bytes, six of which are more than half a megabyte: one decode at a time.
    shape = (1, 160, 160)
    known, images = LinearGaussian.random(1, shape, noise=5.0, scale=0.1), numbered_images(3, shape)
    model: Any = known.model(known.guess(images, shift=0.5, stretch=1.5))
    found = []
    for memory in (1, 3, 1000):
        model.decoder.decoded.clear()
        torch.manual_seed(3)
        found.append(importance_sampled_nll(model, images, counts, memory))
        # The first decode is that of counting.
        assert sum(model.decoder.decoded[1:]) == counts[-1] * 3
        assert max(model.decoder.decoded[1:]) <= {1: 1, 3: 4, 1000: 250}[memory]
    torch.manual_seed(4)
    other = importance_sampled_nll(model, images, counts)
    for count in counts:
        for one in found[1:]:
            # Sums of 25,600 terms in single precision.
            np.testing.assert_allclose(one[count].nll_nats, found[0][count].nll_nats, rtol=1e-6)
            np.testing.assert_allclose(one[count].ess, found[0][count].ess, rtol=0.05)
        assert (other[count].nll_nats - found[0][count].nll_nats).abs().max() > 0.1


def test_weights_of_thousands_of_nats_are_weighed_in_logarithms() -> None:
    known, images = LinearGaussian.random(2, SHAPE, noise=0.01), numbered_images(4, SHAPE)
    model, log_w = told(2.0, images, known)
    assert log_w.max() < -1000
    found = importance_sampled_nll(model, images, [40])[40]
    np.testing.assert_allclose(found.nll_nats, -log_mean(log_w, axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.ess, 1, atol=0.1)
