"""The rows of second estimates, recomputed from closed forms and known draws; and the images that they are of."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, Told, coins, enumerated, numbered_images
from scipy.stats import norm
from small_models import SHAPE, as_images, log_mean, settings

from regen.evaluation.held_out.checks import likelihood_checks
from regen.evaluation.held_out.evaluate import evaluate
from regen.evaluation.held_out.likelihood import chosen
from regen.images.images import Images
from regen.models.build import build

N, K = 30, 20
IMAGES = numbered_images(N, SHAPE)
LOG_256 = 6 * math.log(256)


def told(dim: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return a linear-Gaussian model whose wrong q draws what it is told, its importance-sampled and its true log p(x) of every image."""
    known = LinearGaussian.random(dim, SHAPE)
    std, mean = np.sqrt(np.diag(known.covariance())) * 1.4, known.mean(IMAGES) + 0.2
    z = np.random.default_rng(1).normal(mean, std, (K, N, dim)).astype(np.float32)
    model = known.model(Told(known.guess(IMAGES, 0.2, 1.4), torch.from_numpy(z)))
    likelihood = norm.logpdf(IMAGES.flatten(1).numpy() / 255.0, z @ known.weight.double().numpy().T, known.noise).sum(-1)
    log_w = likelihood + norm.logpdf(z).sum(-1) - norm.logpdf(z, mean, std).sum(-1)
    return model, log_mean(log_w, axis=0), known.log_p(IMAGES)


def checked(model: Any, seed: int = 0, **changes: Any) -> tuple[list[int], dict[str, Any]]:
    """Return the numbers of the chosen images, and the tables of `likelihood_checks`, with a Gaussian likelihood unless changed."""
    config = settings(**{"model": "gaussian vae", **changes})
    scalars, tables = likelihood_checks(config, seed, model, as_images(IMAGES))
    assert scalars == {}
    return chosen(config, as_images(IMAGES)["test"], config.checks.n_images)[:, 0, 0, 0].tolist(), tables


def assert_row(row: dict[str, Any], sampled: Sequence[float] | np.ndarray, other: np.ndarray, constant: float) -> None:
    """Assert a row's statistics of -log p(x) by importance sampling (n,) and by another estimate (n,)."""
    difference, root = np.asarray(sampled) - other, math.sqrt(len(other))
    assert (row["n_images"], row["nll_nats"]) == (len(other), pytest.approx(other.mean() + constant, abs=1e-4))
    assert row["standard_error_nats"] == pytest.approx(other.std(ddof=1) / root, abs=1e-4)
    assert row["difference_nats"] == pytest.approx(difference.mean(), abs=1e-4)
    assert row["difference_standard_error_nats"] == pytest.approx(difference.std(ddof=1) / root, abs=1e-4)
    assert row["largest_difference_nats"] == pytest.approx(np.abs(difference).max(), abs=1e-4)


def test_two_latents_are_held_against_a_grid_in_closed_form() -> None:
    model, sampled, log_p = told(2)
    number, tables = checked(model)
    assert set(tables) == {"checks"} and len(set(number)) == 8
    first, second = tables["checks"]
    assert (first["estimate"], first["decodes"], first["n_images"]) == ("importance sampling", K, 8)
    assert first["nll_nats"] == pytest.approx(-sampled[number].mean() + LOG_256, abs=1e-4)
    assert first["standard_error_nats"] == pytest.approx(sampled[number].std(ddof=1) / math.sqrt(8), abs=1e-4)
    # 4,096 points are 64 a dimension.
    assert (second["estimate"], second["decodes"]) == ("quadrature", 4096)
    assert_row(second, -sampled[number], -log_p[number], LOG_256)
    assert abs(second["difference_nats"]) > 0.005
    # Every other point of 64: another grid, off by a little.
    assert 1e-6 < second["grid_error_nats"] < 0.1


def test_coins_are_held_against_their_states_and_a_probability_has_no_constant() -> None:
    model = coins(3, SHAPE)
    config = settings("vae", values="binary")
    _, tables = likelihood_checks(config, 0, model, as_images(IMAGES))
    log_p = enumerated(model, chosen(config, as_images(IMAGES)["test"], 8))[2]
    first, second = tables["checks"]
    assert (second["estimate"], second["decodes"], "grid_error_nats" in second) == ("enumeration", 8, False)
    assert second["nll_nats"] == pytest.approx(-log_p.mean(), rel=1e-6)
    assert second["difference_nats"] == pytest.approx(first["nll_nats"] + log_p.mean(), abs=1e-5)


def test_annealing_runs_where_it_is_asked_for() -> None:
    model, sampled, log_p = told(3)
    assert checked(model)[1] == {}
    number, tables = checked(model, run_checks=["annealed"], chains=40, temperatures=60)
    first, second = tables["checks"]
    assert (second["estimate"], second["chains"], second["temperatures"]) == ("annealed importance sampling", 40, 60)
    assert second["nll_nats"] == pytest.approx(-log_p[number].mean() + LOG_256, abs=0.2)
    assert second["difference_nats"] == pytest.approx(first["nll_nats"] - second["nll_nats"], abs=1e-5)
    assert first["nll_nats"] == pytest.approx(-sampled[number].mean() + LOG_256, abs=1e-4)


@pytest.mark.parametrize(
    ("dim", "checks", "truth"),
    [
        (2, ["prior_sampling"], "quadrature"),
        (2, ["annealed", "prior_sampling"], "quadrature"),
        (3, ["annealed", "prior_sampling"], "annealed importance sampling"),
        (3, ["prior_sampling"], "importance sampling"),
    ],
)
def test_the_naive_estimator_is_held_against_the_best_estimate_there_is(dim: int, checks: list[str], truth: str) -> None:
    model, _, _ = told(dim)
    _, tables = checked(model, run_checks=checks, prior_samples=2000)
    rows, naive = tables["checks"], tables["prior_sampling"]
    assert rows[-1]["estimate"] == truth and len(rows) == 1 + ("annealed" in checks) + (dim == 2)
    assert [(row["truth"], row["prior_samples"], row["estimates"], row["n_images"]) for row in naive] == [
        (truth, 10, 200, 8),
        (truth, 100, 20, 8),
    ]
    for row in naive:
        assert row["nll_nats"] - row["bias_nats"] == pytest.approx(rows[-1]["nll_nats"], abs=1e-4)


def test_the_largest_k_of_all_entries_is_drawn() -> None:
    protocol = [{"importance_samples": [2, 20], "n_images": 4}, {"importance_samples": [1, 5], "n_images": None}]
    _, tables = checked(told(2)[0], likelihood=protocol)
    assert tables["checks"][0]["decodes"] == 20


@pytest.mark.parametrize("name", ["flow", "gan", "autoencoder", "classifier"])
def test_a_model_without_latents_to_sum_over_has_no_checks(name: str) -> None:
    config = settings(name)
    assert likelihood_checks(config, 0, build(config.model, list(SHAPE)), as_images(IMAGES)) == ({}, {})


def numbers(count: int | None, **changes: Any) -> list[int]:
    many = numbered_images(200, SHAPE)
    return chosen(settings(**changes), Images(many, torch.zeros(200, 0)), count)[:, 0, 0, 0].tolist()


def test_images_are_the_same_for_every_model_of_a_data_set_and_none_twice() -> None:
    first = numbers(50)
    assert len(first) == len(set(first)) == 50 and first != sorted(first)
    assert numbers(50, model="gan", variant="other", data_source="official", shape=[1, 6, 1], memory_mb=3) == first
    assert numbers(50, dataset="svhn") != first and numbers(50, seed=1) != first
    # The checks' images are among the protocol's.
    assert numbers(8) == first[:8]


def test_all_images_stay_in_their_order_and_more_than_there_are_are_all() -> None:
    assert numbers(None) == list(range(200))
    assert sorted(numbers(500)) == list(range(200))


def test_every_seed_of_a_model_is_measured_on_the_same_images() -> None:
    config = settings("gaussian vae", likelihood=[{"importance_samples": [3], "n_images": 10}])
    model = build(config.model, list(SHAPE)).eval()
    with torch.no_grad():
        # q is the prior, and p(x | z) the same everywhere: nothing depends on the draws.
        for parameter in model.parameters():
            parameter.zero_()
    values = [evaluate(config, seed, model, as_images(IMAGES))[1]["per_image"][0]["nll_nats"] for seed in (0, 1)]
    few = chosen(config, as_images(IMAGES)["test"], 10).flatten(1).numpy() / 255.0
    assert values[0] == values[1]
    np.testing.assert_allclose(values[0], -norm.logpdf(few, 0.5, 0.5).sum(1) + LOG_256, rtol=1e-5)
