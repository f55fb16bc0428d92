"""The naive estimator on draws that are known, by numpy, and on one coin, where its bias and variance are finite sums."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, Unused, coins, enumerated, numbered_images
from scipy.stats import binom, norm
from small_models import SHAPE, log_mean

from regen.evaluation.held_out.prior_sampling import prior_sampling


def told(model: Any, z: torch.Tensor) -> Any:
    """Let the model's prior draw what it is told, one after the other; a single draw is that of counting."""
    left = [z]

    def latents(count: int) -> torch.Tensor:
        if count == 1:
            return z[:1]
        drawn, left[0] = left[0][:count], left[0][count:]
        assert len(drawn) == count
        return drawn

    model.latents = latents
    return model


@pytest.mark.parametrize(("draws", "levels"), [(100, [10]), (999, [10]), (1005, [10, 100]), (1234, [10, 100])])
@pytest.mark.parametrize("memory", [1, 1000])
def test_rows_are_what_numpy_makes_of_the_same_draws(draws: int, levels: list[int], memory: int) -> None:
    # Large images for 1 MB to hold ten or twenty decodes only; more images than a column of ten.
    shape = (1, 16, 16)
    known, images = LinearGaussian.random(2, shape, noise=3.0), numbered_images(13, shape)
    z, truth = torch.randn(draws, 2, generator=torch.Generator().manual_seed(1)), torch.from_numpy(known.log_p(images)).neg()
    rows = prior_sampling(told(known.model(Unused()), z), images, draws, truth, memory)

    mean = z.double().numpy() @ known.weight.double().numpy().T
    log_w = norm.logpdf(images.flatten(1).numpy() / 255.0, mean[:, None], 3.0).sum(-1)
    assert [row["prior_samples"] for row in rows] == levels
    for row, count in zip(rows, levels, strict=True):
        groups = draws // count
        grouped = log_w[: groups * count].reshape(groups, count, 13)
        nll = -log_mean(grouped, axis=1)
        w = np.exp(grouped - grouped.max(1, keepdims=True))
        ess = (w.sum(1) ** 2 / (w**2).sum(1)).mean(0)
        assert (row["estimates"], row["n_images"]) == (groups, 13)
        assert row["nll_nats"] == pytest.approx(nll.mean(), rel=1e-6)
        assert row["bias_nats"] == pytest.approx((nll.mean(0) - truth.numpy()).mean(), abs=1e-3)
        assert row["variance_nats2"] == pytest.approx(nll.var(0, ddof=1).mean(), rel=1e-3)
        assert (row["ess_mean"], row["ess_min"]) == pytest.approx((ess.mean(), ess.min()), rel=1e-3)


def test_bias_and_variance_of_one_coin_are_the_binomial_sums() -> None:
    torch.manual_seed(2)
    model, images, draws = coins(1, SHAPE), numbered_images(3, SHAPE), 100_000
    _, log_likelihood, log_p = enumerated(model, images)
    rows = prior_sampling(model, images, draws, torch.from_numpy(-log_p))
    assert [row["prior_samples"] for row in rows] == [10, 100, 1000, 10_000]
    for row in rows[:3]:
        count = row["prior_samples"]
        heads = np.arange(count + 1)[:, None]
        nll = -np.log((heads * np.exp(log_likelihood[1]) + (count - heads) * np.exp(log_likelihood[0])) / count)
        weight = binom.pmf(heads, count, 0.5)
        bias, second = (weight * (nll + log_p)).sum(0), (weight * (nll + log_p) ** 2).sum(0)
        variance, estimates = second - bias**2, draws // count
        # The three images share the draws, so their errors do not average out.
        assert abs(row["bias_nats"] - bias.mean()) < 4 * math.sqrt(variance.max() / estimates)
        fourth = (weight * (nll + log_p - bias) ** 4).sum(0)
        spread = np.sqrt((fourth - variance**2).max() / estimates)
        assert abs(row["variance_nats2"] - variance.mean()) < 4 * spread
        # The bias is positive: -log of a mean is too large.
        assert bias.mean() > 0 and row["nll_nats"] - row["bias_nats"] == pytest.approx(-log_p.mean(), abs=1e-5)
        w = (
            np.stack(np.broadcast_arrays(heads, count - heads))
            * np.exp(log_likelihood[[1, 0]])[:, None] ** np.array([1, 2])[:, None, None, None]
        )
        ess = (weight * w[0].sum(0) ** 2 / w[1].sum(0)).sum(0)
        assert (row["ess_mean"], row["ess_min"]) == pytest.approx((ess.mean(), ess.min()), rel=0.05)
    assert rows[0]["bias_nats"] > rows[1]["bias_nats"] > rows[2]["bias_nats"]


def test_equal_weights_are_as_many_effective_samples_without_bias_or_variance() -> None:
    known, images = LinearGaussian(torch.zeros(6, 2), 0.5, SHAPE), numbered_images(12, SHAPE)
    rows = prior_sampling(known.model(Unused()), images, 10_000, torch.from_numpy(-known.log_p(images)))
    for row, count in zip(rows, (10, 100, 1000), strict=True):
        assert (row["ess_mean"], row["ess_min"]) == pytest.approx((count, count), rel=1e-9)
        assert row["bias_nats"] == pytest.approx(0, abs=1e-4) and row["variance_nats2"] == pytest.approx(0, abs=1e-9)
