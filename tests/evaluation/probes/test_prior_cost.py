import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import linregress, multivariate_normal, norm

from regen.config.probes import PriorCost
from regen.evaluation.probes import prior_cost as module
from regen.evaluation.probes.prior_cost import log_evidence, log_share, prior_cost, sampled

W = torch.tensor([[0.8, -0.3], [0.2, 1.1], [-0.5, 0.4]], dtype=torch.float64)
X = torch.tensor([[0.5, -1.0, 0.3], [2.0, 0.1, -0.7]], dtype=torch.float64)
NOISE = 0.6


def moment(x: list[float], power: int, columns: int) -> float:
    """Return E w^power under z ~ N(0, I), w = p(x | z), by Gauss-Hermite quadrature."""
    nodes, weights = hermegauss(60)
    points = np.array(list(product(nodes, repeat=columns)))
    masses = np.prod(list(product(weights / math.sqrt(2 * math.pi), repeat=columns)), axis=1)
    density = np.prod(norm.pdf(x, points @ W[:, :columns].numpy().T, NOISE), axis=1)
    return float(masses @ density**power)


@pytest.mark.parametrize("columns", [1, 2])
def test_evidence_and_share_are_the_integrals(columns: int) -> None:
    for x in X:
        first, second = (moment(x.tolist(), power, columns) for power in (1, 2))
        assert log_evidence(x[None], W[:, :columns], NOISE).item() == pytest.approx(math.log(first), abs=1e-6)
        assert log_share(x[None], W[:, :columns], NOISE).exp().item() == pytest.approx(first**2 / second, rel=1e-5)


def test_many_samples_have_the_share_that_the_formula_says() -> None:
    limit = 2**15
    few = X / 10  # the target is reached soon, unless the noise is small
    samples, ess, log_p = sampled(few, W, 0.01, limit, torch.Generator().manual_seed(0))
    assert samples == limit
    samples, ess, log_p = sampled(few, W, 3.0, 2**10, torch.Generator().manual_seed(0))
    assert samples == 16 and (ess >= 10).all() and (ess <= 16).all()
    assert log_p.tolist() == pytest.approx(log_evidence(few, W, 3.0).tolist(), abs=0.1)
    assert (ess / samples).tolist() == pytest.approx(log_share(few, W, 3.0).exp().tolist(), rel=0.05)


def test_the_effective_sample_size_is_that_of_the_weights() -> None:
    generator = torch.Generator().manual_seed(7)
    samples, ess, log_p = sampled(X, W, NOISE, 64, generator)
    again = torch.Generator().manual_seed(7)
    parts, drawn = [], 0
    for count in (16, 32, 64):
        if count > samples:
            break
        parts.append(torch.randn(count - drawn, 2, generator=again, dtype=torch.float64))
        drawn = count
    z = torch.cat(parts)
    for x, size, estimate in zip(X.tolist(), ess.tolist(), log_p.tolist(), strict=True):
        means = (z @ W.T).tolist()
        weights = [math.prod(norm.pdf(value, mean, NOISE) for value, mean in zip(x, row, strict=True)) for row in means]
        assert size == pytest.approx(sum(weights) ** 2 / sum(w**2 for w in weights), rel=1e-6)
        assert estimate == pytest.approx(math.log(sum(weights) / len(weights)), abs=1e-6)


def share_by_the_posterior(x: np.ndarray, w: np.ndarray, noise: float) -> np.ndarray:
    """Return (E w)^2 / E w^2 = 1 / int p(z | x)^2 / p(z) dz, for x (N, D), w (D, d): along the axes of w'w it is a product over latents."""
    u, stretch, _ = np.linalg.svd(w, full_matrices=False)
    variance = 1 / (1 + (stretch / noise) ** 2)
    mean = variance * stretch * (x @ u) / noise**2
    z = np.linspace(-12, 12, 481)
    integrand = np.exp(2 * norm.logpdf(z, mean[..., None], np.sqrt(variance)[:, None]) - norm.logpdf(z))
    shares: np.ndarray = 1 / np.trapezoid(integrand, z).prod(1)
    return shares


def test_the_numbers_of_a_row_are_means_over_observations_of_its_family(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(x: torch.Tensor, w: torch.Tensor, *rest: Any) -> Any:
        found = sampled(x, w, *rest)
        seen.append((x.numpy(), w.numpy(), *(values.numpy() for values in found[1:])))
        return found

    monkeypatch.setattr(module, "sampled", watched)
    found = prior_cost(PriorCost(latents=[1, 4], observations=100, limit=64), [], 0)
    dimensions, noise = found["observed_dimensions"], found["noise_scale"]
    for row, (x, w, ess, estimate) in zip(found["rows"], seen, strict=True):
        assert x.shape == (100, dimensions) and w.shape == (dimensions, row["latents"]) and (w[:, 0] == seen[0][1][:, 0]).all()
        covariance = w @ w.T + noise**2 * np.eye(dimensions)
        # x' C^-1 x is chi-square with as many degrees of freedom as dimensions.
        square = (x @ np.linalg.inv(covariance) * x).sum(1).mean()
        assert abs(square - dimensions) < 4 * math.sqrt(2 * dimensions / 100)
        log_p = multivariate_normal(np.zeros(dimensions), covariance).logpdf(x)
        assert row["bias_nats"] == pytest.approx((estimate - log_p).mean(), abs=1e-9)
        assert row["effective_sample_size_mean"] == pytest.approx(ess.mean(), rel=1e-12)
        assert row["samples_needed_closed_form"] == pytest.approx(10 / share_by_the_posterior(x, w, noise).mean(), rel=1e-6)


def test_the_cost_grows_by_a_factor_a_latent_and_nothing_is_extrapolated() -> None:
    found = prior_cost(PriorCost(latents=[2, 5, 20], observations=10, limit=1000), [], 0)
    rows = found["rows"]
    assert [row["latents"] for row in rows] == [2, 5, 20] and found["limit"] == 1000
    assert rows[0]["samples_needed"] == rows[0]["samples"] and rows[0]["effective_sample_size_mean"] >= 10
    # 512, for twice as many would be above the limit.
    assert rows[2]["samples_needed"] is None and rows[2]["samples"] == 512 and rows[2]["effective_sample_size_mean"] < 10
    assert rows[0]["samples_needed_closed_form"] < rows[1]["samples_needed_closed_form"] < rows[2]["samples_needed_closed_form"]
    slope = math.log(rows[1]["samples_needed"] / rows[0]["samples_needed"]) / 3
    assert found["slope_measured"] == pytest.approx(slope) and 0.2 < found["slope_closed_form"] < 0.8
    line = linregress([2, 5, 20], [math.log(row["samples_needed_closed_form"]) for row in rows])
    assert found["slope_closed_form"] == pytest.approx(line.slope)
    # What is effective of 32 draws: over other seeds it is off the limit of many draws by 7 %.
    share = rows[0]["effective_sample_size_mean"] / rows[0]["samples"]
    assert share == pytest.approx(10 / rows[0]["samples_needed_closed_form"], rel=0.3)
    # With too few draws the log of their mean is low.
    assert -4 < rows[2]["bias_nats"] < -0.5
    assert prior_cost(PriorCost(latents=[2, 20], observations=10, limit=1000), [], 0)["slope_measured"] is None
    assert prior_cost(PriorCost(latents=[2, 5, 20], observations=10, limit=1000), [], 0) == found
