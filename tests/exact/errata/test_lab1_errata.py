"""What is wrong in lab1, as far as it can be computed."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm
from sklearn.mixture import GaussianMixture
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from regen.config.base import parse
from regen.config.model import Classifier
from regen.models.autoencoder import Mixture
from regen.models.build import build
from regen.models.likelihoods import BernoulliPixels, GaussianPixels
from regen.models.objectives import kl_nats
from regen.models.vae import GaussianEncoder

MEAN = torch.tensor([[0.5, -1.0, 0.0], [2.0, 0.3, -0.7]], dtype=torch.float64)
LOG_VARIANCE = torch.tensor([[0.2, -1.0, -3.0], [0.0, 1.5, -0.4]], dtype=torch.float64)


def test_only_the_bernoulli_is_a_distribution_of_binary_images() -> None:
    images = torch.tensor(list(product((0.0, 1.0), repeat=3)), dtype=torch.float64).view(8, 1, 1, 3)
    logits = torch.tensor([-1.0, 0.5, 2.0], dtype=torch.float64).view(1, 1, 3)
    assert BernoulliPixels()(logits).log_prob(images).exp().sum().item() == pytest.approx(1, rel=1e-12)
    mean = 1 / (1 + np.exp(-logits.numpy()))
    gaussian = GaussianPixels(1.0)(logits).log_prob(images).exp().sum().item()
    assert gaussian == pytest.approx((norm.pdf(0 - mean) + norm.pdf(1 - mean)).prod(), rel=1e-6)
    assert gaussian < 0.5


def test_q_has_the_covariance_diag_sigma_squared() -> None:
    q: Any = GaussianEncoder(nn.Identity())(torch.cat([MEAN, LOG_VARIANCE], dim=1))
    z = np.array([[0.1, 0.2, 0.3], [-1.0, 0.5, 1.5]])
    variance = np.exp(LOG_VARIANCE.numpy())
    diagonal = [multivariate_normal(MEAN[i], np.diag(variance[i])).logpdf(z[i]) for i in range(2)]
    np.testing.assert_allclose(q.log_prob(torch.from_numpy(z)), diagonal, rtol=1e-12)
    # With one variance for all latents it is another density.
    one = [multivariate_normal(MEAN[i], variance[i].mean() * np.eye(3)).logpdf(z[i]) for i in range(2)]
    assert np.abs(np.array(one) - diagonal).min() > 0.1


def test_with_one_kl_of_two_the_value_lies_above_log_p() -> None:
    # x = z1 + z2 + e, three standard normals, at x = 2: p(x) = N(0, 3), the posterior is Gaussian.
    x, weight = 2.0, np.ones((1, 2))
    log_p = norm(0, math.sqrt(3)).logpdf(x)
    covariance = np.linalg.inv(np.eye(2) + weight.T @ weight)
    mean = covariance @ weight[0] * x
    reconstruction = norm.logpdf(x - mean.sum()) - 0.5 * weight[0] @ covariance @ weight[0]
    prior, posterior = (
        MultivariateNormal(torch.from_numpy(m), torch.from_numpy(c)) for m, c in ((np.zeros(2), np.eye(2)), (mean, covariance))
    )
    elbo = reconstruction - kl_divergence(posterior, prior).item()
    assert elbo == pytest.approx(log_p, rel=1e-12)
    one = kl_divergence(Normal(mean[0], math.sqrt(covariance[0, 0])), Normal(0.0, 1.0)).item()
    assert reconstruction - one > log_p + 0.1

    # Of independent latents the excess over the ELBO is exactly the KL that is left out.
    variance = 1 / (1 + weight[0] ** 2)
    parts = 0.5 * (variance + mean**2 - 1 - np.log(variance))
    reconstruction = norm.logpdf(x - mean.sum()) - 0.5 * variance.sum()
    assert reconstruction - parts.sum() < log_p
    assert (reconstruction - parts[0]) - (reconstruction - parts.sum()) == pytest.approx(parts[1], rel=1e-12)
    assert reconstruction - parts[0] > log_p

    # As printed, p(x | z1) = N(z1, 2) has the other latent integrated out: a bound, and nearer to log p(x) than the ELBO.
    printed = norm.logpdf(x - mean[0], scale=math.sqrt(2)) - variance[0] / 4 - parts[0]
    assert reconstruction - parts.sum() < printed < log_p


def test_half_the_log_determinant_is_the_sum_over_the_diagonal_of_a_diagonal_covariance_alone() -> None:
    factor = np.random.default_rng(0).normal(size=(5, 5))
    general = factor @ factor.T
    diagonal = np.diag(np.diag(general))
    half = {name: -0.5 * np.linalg.slogdet(matrix)[1] for name, matrix in (("general", general), ("diagonal", diagonal))}
    over_diagonal = -0.5 * np.log(np.diag(general)).sum()
    assert half["diagonal"] == pytest.approx(over_diagonal, rel=1e-12)
    # Hadamard: the determinant is at most the product of the diagonal.
    assert half["general"] > over_diagonal + 1


def test_the_kl_of_every_image_is_a_sum_over_its_latents() -> None:
    q = GaussianEncoder(nn.Identity())(torch.cat([MEAN, LOG_VARIANCE], dim=1))
    p = Independent(Normal(torch.zeros(3).double(), torch.ones(3).double()), 1)
    mean, variance = MEAN.numpy(), np.exp(LOG_VARIANCE.numpy())
    terms = 0.5 * (mean**2 + variance - 1 - np.log(variance))
    kl = kl_nats(q, p, MEAN)
    np.testing.assert_allclose(kl, terms.sum(1), rtol=1e-12)
    # sigma_ii, mu_ii: latent i of image i, one term an image instead of three.
    assert np.all(np.abs(kl.numpy() - terms.diagonal()) > 0.5)


def classifier(dropout: float) -> Any:
    network = {"kind": "mlp", "hidden": [512], "activation": "relu"}
    torch.manual_seed(1)
    return build(parse(Classifier, {"family": "classifier", "network": network, "dropout": dropout, "classes": 10}, "test"), [1, 28, 28])


@torch.no_grad()
def test_the_classifier_has_the_dropout_ratio_that_it_is_given() -> None:
    x, silent = torch.rand(20, 1, 28, 28), []
    for ratio in (0.0, 0.2, 0.5):
        model = classifier(ratio).train()
        hidden = model.features(x)
        kept = classifier(ratio).eval().features(x) > 0
        silent.append((hidden[kept] == 0).double().mean().item())
        error = math.sqrt(ratio * (1 - ratio) / kept.sum().item())
        assert abs(silent[-1] - ratio) <= 4 * error
    assert silent == sorted(silent)


def test_the_classifiers_parameters_have_the_asked_dimensions() -> None:
    assert [tuple(parameter.shape) for parameter in classifier(0.5).parameters()] == [(512, 784), (512,), (10, 512), (10,)]


def test_fixed_weights_only_lower_the_maximum_likelihood_of_a_mixture() -> None:
    generator = np.random.default_rng(2)
    codes = np.concatenate([generator.normal(-1.5, 1, size=(400, 1)), generator.normal(1.5, 0.6, size=(100, 1))])
    # EM with equal weights: responsibilities, then means and variances.
    means, variances = np.array([-1.0, 1.0]), np.ones(2)
    for _ in range(500):
        density = 0.5 * norm.pdf(codes, means, np.sqrt(variances))
        share = density / density.sum(1, keepdims=True)
        means = (share * codes).sum(0) / share.sum(0)
        variances = (share * (codes - means) ** 2).sum(0) / share.sum(0)
    fixed = np.log((0.5 * norm.pdf(codes, means, np.sqrt(variances))).sum(1)).mean()

    free = GaussianMixture(2, weights_init=[0.5, 0.5], means_init=means[:, None], precisions_init=1 / variances[:, None, None], tol=1e-8)
    assert free.fit(codes).score(codes) > fixed + 0.01
    # The project's mixture estimates its weights too.
    mixture = Mixture(2, 1)
    mixture.fit(torch.from_numpy(codes), seed=0)
    assert mixture().log_prob(torch.from_numpy(codes)).mean().item() > fixed + 0.01
    assert mixture.weights.max() > 0.6


def test_equation_3_is_half_a_summed_squared_error_and_no_root_of_a_mean() -> None:
    logits = torch.zeros(1, 1, 4, dtype=torch.float64)
    x = torch.tensor([[0.5, 0.6, 0.4, 0.5], [0.7, 0.3, 0.8, 0.2]], dtype=torch.float64).view(2, 1, 1, 4)
    excess = -GaussianPixels(1.0)(logits).log_prob(x) - 2 * math.log(2 * math.pi)
    squared = (x - 0.5).square().flatten(1)
    torch.testing.assert_close(excess, 0.5 * squared.sum(1))
    root = squared.mean(1).sqrt()
    assert (excess[1] / excess[0]).item() == pytest.approx((root[1] / root[0]).item() ** 2, rel=1e-9)
    assert root[1] / root[0] > 2
