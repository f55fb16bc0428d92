"""What is said of the latents, against closed forms and explicit mixtures: encoders are tables of means and scales."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, Lookup, Told, Unused, coins, numbered_images, vae
from scipy.special import expit, logsumexp
from scipy.stats import bernoulli, norm
from small_models import SHAPE, as_images, settings
from torch.distributions import Bernoulli, Categorical, Distribution, Independent, MixtureSameFamily, Normal

from regen.evaluation.held_out import latent_space as module
from regen.evaluation.held_out.latent_space import aggregate_log_prob, latent_space
from regen.models.vae import BernoulliEncoder, GaussianEncoder

FLOW = {"kind": "realnvp", "couplings": 2, "networks": "one", "hidden": [4], "activation": "tanh"}
N = 25


@pytest.fixture(params=[1000, 7], ids=["one block", "four blocks"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", request.param)


def gaussian(mean: np.ndarray, std: np.ndarray) -> GaussianEncoder:
    return GaussianEncoder(Lookup(torch.from_numpy(np.concatenate([mean, 2 * np.log(std)], axis=1)).float()))


def read(model: Any, count: int = N, seed: int = 0) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    scalars, tables = latent_space(settings(), seed, model, as_images(numbered_images(count, SHAPE)))
    assert set(tables) == {"latents"}
    return scalars, tables["latents"]


@pytest.mark.usefixtures("_blocks")
def test_gaussian_latents_are_those_of_scipy() -> None:
    generator = np.random.default_rng(1)
    mean, std = generator.normal(size=(N, 3)) * [2, 0.05, 1], np.exp(generator.normal(size=(N, 3)))
    z = generator.normal(mean, std)
    model = LinearGaussian.random(3, SHAPE).model(Told(gaussian(mean, std), torch.from_numpy(z).float()[None]))
    scalars, rows = read(model)

    log_q = norm.logpdf(z, mean, std).sum(1)
    log_aggregate = logsumexp(norm.logpdf(z[:, None], mean, std).sum(-1), axis=1) - math.log(N)
    log_prior = norm.logpdf(z).sum(1)
    assert scalars["mutual_information_nats"] == pytest.approx((log_q - log_aggregate).mean(), abs=1e-5)
    assert scalars["aggregate_kl_nats"] == pytest.approx((log_aggregate - log_prior).mean(), abs=1e-5)
    # Together they are the sampled KL from the prior.
    assert scalars["mutual_information_nats"] + scalars["aggregate_kl_nats"] == pytest.approx((log_q - log_prior).mean(), abs=1e-5)
    assert scalars["active_units"] == 2
    assert [row["latent"] for row in rows] == [0, 1, 2]
    kl = 0.5 * (mean**2 + std**2 - 1) - np.log(std)
    np.testing.assert_allclose([row["kl_nats"] for row in rows], kl.mean(0), rtol=1e-5)
    np.testing.assert_allclose([row["variance_of_means"] for row in rows], mean.var(0), rtol=1e-5)


@pytest.mark.usefixtures("_blocks")
def test_coins_are_those_of_an_explicit_mixture() -> None:
    generator = np.random.default_rng(2)
    logits = generator.normal(size=(N, 4)) * [0.1, 1, 3, 8]
    p = expit(logits)
    z = (generator.random(p.shape) < p).astype(float)
    model = coins(4, SHAPE)
    model.encoder = Told(BernoulliEncoder(Lookup(torch.from_numpy(logits).float())), torch.from_numpy(z).float()[None])
    scalars, rows = read(model)

    log_q = bernoulli.logpmf(z, p).sum(1)
    log_aggregate = np.log(np.exp(bernoulli.logpmf(z[:, None], p).sum(-1)).mean(1))
    assert scalars["mutual_information_nats"] == pytest.approx((log_q - log_aggregate).mean(), abs=1e-5)
    assert scalars["aggregate_kl_nats"] == pytest.approx((log_aggregate + 4 * math.log(2)).mean(), abs=1e-5)
    kl = p * np.log(p) + (1 - p) * np.log1p(-p) + math.log(2)
    np.testing.assert_allclose([row["kl_nats"] for row in rows], kl.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose([row["variance_of_means"] for row in rows], p.var(0), rtol=1e-4)
    # A posterior mean is a probability: the first coin's hardly moves.
    assert scalars["active_units"] == 3 and p.var(0)[0] < 0.01


def test_the_aggregate_posterior_of_gaussians_is_the_mixture_of_torch() -> None:
    torch.manual_seed(3)
    mean, std, z = 3 * torch.randn(40, 2), torch.exp(torch.randn(40, 2)), 3 * torch.randn(2100, 2)
    blocks: list[Distribution] = [Independent(Normal(*parts), 1) for parts in zip(mean.split(30), std.split(30), strict=True)]
    each = Independent(Normal(mean.double(), std.double()), 1)
    mixture = MixtureSameFamily(Categorical(torch.ones(40, dtype=torch.float64)), each)
    torch.testing.assert_close(aggregate_log_prob(blocks, z), mixture.log_prob(z.double()), rtol=1e-9, atol=1e-9)


def test_the_aggregate_posterior_of_coins_is_the_mixture_of_torch() -> None:
    torch.manual_seed(4)
    logits, z = 3 * torch.randn(40, 6), torch.randint(0, 2, (2100, 6)).float()
    blocks: list[Distribution] = [Independent(Bernoulli(logits=part), 1) for part in logits.split(30)]
    mixture = MixtureSameFamily(Categorical(torch.ones(40, dtype=torch.float64)), Independent(Bernoulli(logits=logits.double()), 1))
    torch.testing.assert_close(aggregate_log_prob(blocks, z), mixture.log_prob(z.double()), rtol=1e-9, atol=1e-9)


def test_the_mutual_information_is_log_n_where_posteriors_do_not_overlap_and_nothing_where_all_are_the_same() -> None:
    apart = gaussian(np.arange(50.0)[:, None], np.full((50, 1), 0.01))
    same = gaussian(np.zeros((50, 2)), np.ones((50, 2)))
    scalars, _ = read(LinearGaussian.random(1, SHAPE).model(apart), 50)
    assert scalars["mutual_information_nats"] == pytest.approx(math.log(50), abs=1e-5)
    assert scalars["active_units"] == 1
    scalars, rows = read(LinearGaussian.random(2, SHAPE).model(same), 50)
    assert scalars["active_units"] == 0
    assert (scalars["mutual_information_nats"], scalars["aggregate_kl_nats"]) == pytest.approx((0, 0), abs=1e-5)
    assert [(row["kl_nats"], row["variance_of_means"]) for row in rows] == [(0, 0), (0, 0)]
    # All the same but not the prior: the information stays 0, the aggregate is as far from the prior as each of them.
    moved = gaussian(np.full((200, 1), 3.0), np.full((200, 1), 0.5))
    scalars, rows = read(LinearGaussian.random(1, SHAPE).model(moved), 200)
    assert scalars["mutual_information_nats"] == pytest.approx(0, abs=1e-5)
    kl = 0.5 * (9 + 0.25 - 1) - math.log(0.5)
    # log q - log p at z = 3 + e / 2 is quadratic in e.
    error = math.sqrt((0.5 * 3) ** 2 + 0.5 * (0.5 * (1 - 0.25)) ** 2 * 4) / math.sqrt(200)
    assert abs(scalars["aggregate_kl_nats"] - kl) < 4 * error
    assert rows[0]["kl_nats"] == pytest.approx(kl, rel=1e-6)


@pytest.mark.parametrize(("swing", "active"), [(0.09, 0), (0.0999, 0), (0.1001, 1), (0.2, 1)])
def test_a_unit_is_active_from_a_variance_of_a_hundredth(swing: float, active: int) -> None:
    # Half of the means at +swing, half at -swing: the variance is swing^2.
    mean = swing * (-1.0) ** np.arange(50)[:, None] + 7
    scalars, rows = read(LinearGaussian.random(1, SHAPE).model(gaussian(mean, np.ones((50, 1)))), 50)
    assert scalars["active_units"] == active
    assert rows[0]["variance_of_means"] == pytest.approx(swing**2, rel=1e-4)


def test_a_flow_prior_has_no_kl_a_dimension_and_counts_in_the_aggregate() -> None:
    model = vae("gaussian", 2, SHAPE, prior=FLOW)
    generator = np.random.default_rng(4)
    mean, std = generator.normal(size=(N, 2)), np.full((N, 2), 0.7)
    z = generator.normal(mean, std)
    model.encoder = Told(gaussian(mean, std), torch.from_numpy(z).float()[None])
    with torch.no_grad():
        for parameter in model.prior.parameters():
            parameter.zero_()
        for conditioner, shift in zip(model.prior.flow.conditioners, (1.0, -2.0), strict=True):
            # log-scale 0 and a constant shift: two couplings and reversals make N((1, -2) in some order, I).
            list(conditioner.parameters())[-1][1] = shift
    scalars, rows = read(model)
    assert all(set(row) == {"latent", "variance_of_means"} for row in rows)
    log_aggregate = logsumexp(norm.logpdf(z[:, None], mean, std).sum(-1), axis=1) - math.log(N)
    orders = [(log_aggregate - norm.logpdf(z, centre).sum(1)).mean() for centre in ([1, -2], [-2, 1])]
    assert any(scalars["aggregate_kl_nats"] == pytest.approx(value, abs=1e-5) for value in orders)


def test_the_samples_are_the_seeds_and_models_without_latents_have_nothing_to_say() -> None:
    mean = np.random.default_rng(5).normal(size=(N, 2))
    model = LinearGaussian.random(2, SHAPE).model(gaussian(mean, np.ones((N, 2))))
    torch.manual_seed(1)
    first = read(model)
    torch.manual_seed(2)
    assert read(model) == first and read(model, seed=1) != first
    assert latent_space(settings("gan"), 0, Unused(), as_images(numbered_images(4, SHAPE))) == ({}, {})
