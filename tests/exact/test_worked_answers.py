"""The formulas of studies/*/answers.yaml that no other test shows: by quadrature, by enumeration, against scipy, torch and scikit-learn."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import coins, enumerated, numbered_images, vae
from scipy.integrate import quad
from scipy.optimize import linprog, minimize, minimize_scalar
from scipy.spatial.distance import jensenshannon
from scipy.special import expit, logsumexp, rel_entr
from scipy.stats import chi2, entropy, multivariate_normal, norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import nn
from torch.autograd.functional import jacobian
from torch.distributions import Bernoulli, Independent, MultivariateNormal, Normal, kl_divergence

from regen.config.base import parse
from regen.config.model import Classifier, PixelFlow, RealNvp
from regen.models.build import build
from regen.models.flows import AffineCoupling, Conditioner, StandardNormal
from regen.models.objectives import kl_nats
from regen.models.vae import FairCoins, GaussianEncoder
from regen.training.objectives import GENERATOR_LOSSES

STATES = np.array(list(product((0.0, 1.0), repeat=3)))


def gaussian_kl(mean: float, std: float, mean_p: float = 0.0, std_p: float = 1.0) -> float:
    """Return KL(N(mean, std^2), N(mean_p, std_p^2)) as uva3-q3 has it."""
    return math.log(std_p / std) + (std**2 + (mean - mean_p) ** 2) / (2 * std_p**2) - 0.5


@pytest.mark.parametrize(("mean", "std", "mean_p", "std_p"), [(0.5, 1, 0, 1), (5, 1, 0, 1), (0.3, 0.4, -1.1, 2.5), (-2, 3, 0.5, 0.7)])
def test_the_kl_of_two_gaussians_is_its_integral(mean: float, std: float, mean_p: float, std_p: float) -> None:
    q, p = norm(mean, std), norm(mean_p, std_p)
    integral = quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), mean - 12 * std, mean + 12 * std, epsabs=1e-12)[0]
    assert gaussian_kl(mean, std, mean_p, std_p) == pytest.approx(integral, rel=1e-9)


def test_the_kl_from_the_standard_gaussian_is_what_a_vae_is_trained_with() -> None:
    assert (gaussian_kl(0, 1), gaussian_kl(0.5, 1), gaussian_kl(5, 1)) == pytest.approx((0, 0.125, 12.5), abs=1e-12)
    mean, log_variance = torch.tensor([[0.5, -1.2]]), torch.tensor([[0.0, -2.0]])
    q = GaussianEncoder(nn.Identity())(torch.cat([mean, log_variance], dim=1))
    expected = sum(gaussian_kl(m, math.exp(v / 2)) for m, v in zip(mean[0].tolist(), log_variance[0].tolist(), strict=True))
    assert kl_nats(q, StandardNormal(2)(), mean).item() == pytest.approx(expected, rel=1e-6)
    least = minimize(lambda at: gaussian_kl(at[0], math.exp(at[1])), [1.0, 1.0])
    np.testing.assert_allclose(least.x, 0, atol=1e-4)


def test_the_kl_of_a_full_covariance_is_larger_than_the_sum_over_its_diagonal() -> None:
    random = np.random.default_rng(0)
    factor, mean = random.normal(size=(4, 4)), random.normal(size=4)
    for covariance in (factor @ factor.T, np.diag([0.2, 1.0, 3.0, 0.7])):
        kl = 0.5 * (np.trace(covariance) + mean @ mean - 4 - np.linalg.slogdet(covariance)[1])
        of_torch = kl_divergence(
            MultivariateNormal(torch.from_numpy(mean), torch.from_numpy(covariance)),
            MultivariateNormal(torch.zeros(4).double(), torch.eye(4).double()),
        )
        assert kl == pytest.approx(of_torch.item(), rel=1e-9)
        over_diagonal = sum(gaussian_kl(m, math.sqrt(v)) for m, v in zip(mean, np.diag(covariance), strict=True))
        if np.count_nonzero(covariance) == 4:
            assert kl == pytest.approx(over_diagonal, rel=1e-12)
        else:
            assert kl > over_diagonal + 0.5


def test_images_drawn_in_order_have_the_mean_of_the_product_and_pixels_that_depend_on_each_other() -> None:
    model, draws = vae("gaussian", 1, (1, 1, 3)).double(), 40_000
    # The trapezoidal rule, as good as exact for what is smooth and vanishes at both ends.
    z = np.linspace(-8, 8, 2001)
    weights = norm.pdf(z) * (z[1] - z[0])
    with torch.no_grad():
        f = model.images(torch.from_numpy(z)[:, None]).flatten(1).numpy()
        torch.manual_seed(8)
        drawn = model.decoder(model.latents(draws).double()).sample().flatten(1).numpy()
    images = STATES
    expected = np.array([weights @ np.prod(np.where(image == 1, f, 1 - f), axis=1) for image in images])
    assert expected.sum() == pytest.approx(1, rel=1e-9)
    shares = np.array([(drawn == image).all(1).mean() for image in images])
    assert np.all(np.abs(shares - expected) < 4 * np.sqrt(expected * (1 - expected) / draws))
    # The covariances of the eight images are those of the three probabilities over z, and not 0.
    of_images = np.cov(images, rowvar=False, aweights=expected, ddof=0)
    of_means = np.cov(f, rowvar=False, aweights=weights, ddof=0)
    pairs = np.triu_indices(3, 1)
    np.testing.assert_allclose(of_images[pairs], of_means[pairs], rtol=1e-6)
    assert np.abs(of_means[pairs]).min() > 0.01
    # A single pixel varies more than its probability does.
    assert np.all(of_images.diagonal() > of_means.diagonal() + 0.01)


def joint() -> np.ndarray:
    """Return log p(x, z) of an image at every state of three fair coins."""
    states, log_likelihood, log_p = enumerated(coins(3, (1, 2, 2)), numbered_images(1, (1, 2, 2)))
    assert np.array_equal(states, STATES)
    log_joint = log_likelihood[:, 0] - 3 * math.log(2)
    assert logsumexp(log_joint) == pytest.approx(log_p.item(), rel=1e-12)
    return log_joint


def test_the_elbo_is_log_p_less_the_kl_to_the_posterior_for_any_q() -> None:
    log_joint = joint()
    log_p = logsumexp(log_joint)
    posterior = np.exp(log_joint - log_p)
    random = np.random.default_rng(1)
    for q in (*random.dirichlet(np.ones(8), size=20), posterior):
        elbo = q @ (log_joint - np.log(q))
        # The two forms of equations 9 and 10, and the gap.
        assert elbo == pytest.approx(q @ (log_joint + 3 * math.log(2)) - rel_entr(q, np.full(8, 1 / 8)).sum(), rel=1e-12)
        assert elbo == pytest.approx(log_p - rel_entr(q, posterior).sum(), rel=1e-12)
        assert elbo < log_p or q is posterior


@pytest.mark.parametrize(("mean", "std"), [(0.4, 0.8), (-1.3, 0.5)])
def test_the_gradient_through_the_sample_is_that_of_the_expectation(mean: float, std: float) -> None:
    # E sin z = sin(m) exp(-s^2 / 2) for z ~ N(m, s^2): the mean of exp(iz).
    shrunk = math.exp(-(std**2) / 2)
    exact = np.array([math.cos(mean) * shrunk, -std * math.sin(mean) * shrunk])
    points, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    assert weights @ np.sin(mean + std * points) == pytest.approx(math.sin(mean) * shrunk, rel=1e-10)
    slope = np.cos(mean + std * points)
    np.testing.assert_allclose([weights @ slope, weights @ (points * slope)], exact, rtol=1e-9)
    # As torch does it, at many draws.
    draws = 20_000
    location, scale = (torch.full((draws,), value, dtype=torch.float64, requires_grad=True) for value in (mean, std))
    torch.manual_seed(0)
    gradients = torch.stack(torch.autograd.grad(Normal(location, scale).rsample().sin().sum(), [location, scale]), dim=1).numpy()
    assert np.all(np.abs(gradients.mean(0) - exact) < 4 * gradients.std(0) / math.sqrt(draws))


def test_the_gans_value_at_the_best_discriminator_is_minus_log_4_and_twice_the_jensen_shannon_divergence() -> None:
    real = np.array([0.4, 0.3, 0.2, 0.1])

    def value(d: np.ndarray, generated: np.ndarray) -> float:
        return float(real @ np.log(d) + generated @ np.log1p(-d))

    def best(generated: np.ndarray) -> float:
        return value(real / (real + generated), generated)

    for generated in np.random.default_rng(2).dirichlet(np.ones(4), size=10):
        found = minimize(lambda a, g=generated: -value(expit(a), g), np.zeros(4), tol=1e-10)
        np.testing.assert_allclose(expit(found.x), real / (real + generated), atol=1e-4)
        # scipy gives the root of the divergence.
        assert -found.fun == pytest.approx(-math.log(4) + 2 * jensenshannon(real, generated) ** 2, abs=1e-8)
        assert -found.fun == pytest.approx(best(generated), abs=1e-8) and best(generated) > -math.log(4)
    assert best(real) == pytest.approx(-math.log(4), rel=1e-12)
    # The generator's side: softmax logits of a generated distribution.
    least = minimize(lambda a: best(np.exp(a - logsumexp(a))), np.array([0.0, 1.0, 2.0, 3.0]), tol=1e-12)
    np.testing.assert_allclose(np.exp(least.x - logsumexp(least.x)), real, atol=1e-4)


def test_an_image_is_as_probable_as_all_the_noise_that_leads_to_it() -> None:
    # G(z) = z^2 sends two noises to one output, which is then distributed as chi squared.
    for low, high in ((0.0, 0.3), (0.3, 1.7), (1.7, 9.0)):
        of_noise = 2 * (norm.cdf(math.sqrt(high)) - norm.cdf(math.sqrt(low)))
        assert chi2(1).cdf(high) - chi2(1).cdf(low) == pytest.approx(of_noise, rel=1e-9)


def test_against_a_fixed_discriminator_one_image_is_the_generators_best() -> None:
    logits = np.random.default_rng(9).normal(size=6)
    for loss in ("saturating", "non_saturating"):
        losses = np.array([GENERATOR_LOSSES[loss](torch.tensor([[a]], dtype=torch.float64))[1].item() for a in logits])
        # The best distribution of six images, by linear programming.
        found = linprog(losses, A_eq=np.ones((1, 6)), b_eq=[1])
        assert found.x.round(9).tolist() == (logits == logits.max()).astype(float).tolist()
        best = expit(logits).max()
        assert found.fun == pytest.approx(math.log(1 - best) if loss == "saturating" else -math.log(best), rel=1e-9)


def test_a_coupling_is_undone_without_inverting_a_network_and_its_log_determinant_is_the_sum_of_the_log_scales() -> None:
    config = {"kind": "realnvp", "couplings": 2, "networks": "one_each", "hidden": [5], "activation": "tanh"}
    torch.manual_seed(3)
    conditioner = Conditioner(3, parse(RealNvp, config, "test")).double()
    u = torch.randn(6, dtype=torch.float64)
    with torch.no_grad():
        s, t = conditioner(u[:3])
        z = torch.cat([u[:3], u[3:] * s.exp() + t])
        torch.testing.assert_close(AffineCoupling(conditioner)(u), z)
        again_s, again_t = conditioner(z[:3])
        torch.testing.assert_close((z[3:] - again_t) * torch.exp(-again_s), u[3:])
    matrix = jacobian(AffineCoupling(conditioner), u)
    assert torch.equal(matrix[:3], torch.eye(3, 6).double()) and torch.equal(matrix[3:, 3:], s.exp().diag())
    assert matrix[3:, :3].abs().min() > 0
    assert torch.linalg.slogdet(matrix).logabsdet.item() == pytest.approx(s.sum().item(), rel=1e-9)


def test_the_classifier_computes_two_linear_maps_with_a_relu_between() -> None:
    network = {"kind": "mlp", "hidden": [512], "activation": "relu"}
    config = parse(Classifier, {"family": "classifier", "network": network, "dropout": 0.5, "classes": 10}, "test")
    torch.manual_seed(4)
    model: Any = build(config, [1, 28, 28]).double().eval()
    w1, b1, w2, b2 = (parameter.detach().numpy() for parameter in model.parameters())
    assert sum(value.size for value in (w1, b1, w2, b2)) == 795 * 512 + 10 == 407_050
    x = np.random.default_rng(4).random((3, 784))
    logits = np.maximum(x @ w1.T + b1, 0) @ w2.T + b2
    with torch.no_grad():
        np.testing.assert_allclose(model(torch.from_numpy(x).view(3, 1, 28, 28)), logits, rtol=1e-9)
        # In training what is kept is divided by the share that is kept.
        hidden = model.train().features(torch.from_numpy(x).view(3, 1, 28, 28)).numpy()
    kept = hidden != 0
    np.testing.assert_allclose(hidden[kept], 2 * np.maximum(x @ w1.T + b1, 0)[kept], rtol=1e-9)


def test_the_best_independent_gaussian_has_the_inverse_diagonal_of_the_precision() -> None:
    factor = np.random.default_rng(5).normal(size=(3, 3))
    precision = factor @ factor.T + 0.3 * np.eye(3)
    covariance, mean = np.linalg.inv(precision), np.array([1.0, -0.5, 0.2])
    p = MultivariateNormal(torch.from_numpy(mean), torch.from_numpy(covariance))

    def divergence(at: np.ndarray) -> float:
        return float(kl_divergence(MultivariateNormal(torch.from_numpy(at[:3]), torch.from_numpy(np.diag(np.exp(at[3:])))), p))

    found = minimize(divergence, np.zeros(6), tol=1e-12)
    np.testing.assert_allclose(found.x[:3], mean, atol=1e-4)
    np.testing.assert_allclose(np.exp(found.x[3:]), 1 / np.diag(precision), rtol=1e-4)
    gap = 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])
    assert found.fun == pytest.approx(gap, abs=1e-8) and gap > 0.1
    assert np.all(1 / np.diag(precision) < np.diag(covariance))


def test_the_variance_of_a_batchs_mean_has_a_part_of_the_images_and_a_part_of_the_samples() -> None:
    # Three images, equally likely; the term of an image is its mean plus its scale times a fair sign.
    means, scales = np.array([0.0, 1.0, 4.0]), np.array([1.0, 2.0, 0.5])
    between, within = means.var(), (scales**2).mean()
    found = {}
    for images, samples in ((1, 1), (1, 2), (2, 1), (2, 2)):
        values = []
        for batch in product(range(3), repeat=images):
            for signs in product((-1, 1), repeat=images * samples):
                terms = means[list(batch)][:, None] + scales[list(batch)][:, None] * np.array(signs).reshape(images, samples)
                values.append(terms.mean())
        found[images, samples] = np.var(values)
        assert found[images, samples] == pytest.approx((between + within / samples) / images, rel=1e-12)
    # For the same number of decoded latents another image is worth more than another sample.
    assert found[2, 1] < found[1, 2]


def test_the_slope_of_an_expectation_over_coins_is_the_difference_of_two_expectations() -> None:
    f, theta = joint() + 3 * math.log(2), torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64, requires_grad=True)
    states = torch.from_numpy(STATES)
    q = Independent(Bernoulli(probs=theta), 1).log_prob(states).exp()
    (slope,) = torch.autograd.grad((q * torch.from_numpy(f)).sum(), theta)
    probabilities = theta.detach().numpy()
    weights = np.prod(np.where(STATES == 1, probabilities, 1 - probabilities), axis=1)
    for j in range(3):
        heads = STATES[:, j] == 1
        on, off = weights[heads] @ f[heads] / probabilities[j], weights[~heads] @ f[~heads] / (1 - probabilities[j])
        assert slope[j].item() == pytest.approx(on - off, rel=1e-9)
        # The mean of f times the score is the same.
        score = (STATES[:, j] - probabilities[j]) / (probabilities[j] * (1 - probabilities[j]))
        assert slope[j].item() == pytest.approx(weights @ (f * score), rel=1e-9)


def test_a_coin_as_a_function_of_its_noise_has_no_slope() -> None:
    # z = 1 if u < theta: between one theta and the next hardly any u sees a change, while the expectation moves.
    u, step = (np.arange(10_000) + 0.5) / 10_000, 1e-9
    f = np.array([0.7, 2.0])

    def at(theta: float) -> np.ndarray:
        return f[(u < theta).astype(int)]

    theta = 0.31234
    assert np.all((at(theta + step) - at(theta - step)) / (2 * step) == 0)
    assert (at(theta + 0.1).mean() - at(theta - 0.1).mean()) / 0.2 == pytest.approx(f[1] - f[0], rel=1e-3)


def test_a_step_of_expectation_maximisation_is_scikit_learns_and_never_lowers_the_likelihood() -> None:
    random = np.random.default_rng(6)
    codes = np.concatenate([random.normal(-1, 1, size=(150, 2)), random.normal([2, 0], [0.5, 1.5], size=(50, 2))])
    weights, means, covariances = np.array([0.5, 0.5]), np.array([[-0.5, 0.5], [1.0, 0.0]]), np.stack([np.eye(2)] * 2)

    def densities() -> np.ndarray:
        return np.stack([w * multivariate_normal(m, c).pdf(codes) for w, m, c in zip(weights, means, covariances, strict=True)], axis=1)

    settings = {"weights_init": weights, "means_init": means, "precisions_init": np.linalg.inv(covariances), "reg_covar": 0, "max_iter": 1}
    with pytest.warns(ConvergenceWarning):
        once = GaussianMixture(2, **settings).fit(codes)
    fits = [np.log(densities().sum(1)).mean()]
    for number in range(30):
        share = densities() / densities().sum(1, keepdims=True)
        count = share.sum(0)
        weights, means = count / len(codes), share.T @ codes / count[:, None]
        away = codes[None] - means[:, None]
        covariances = np.einsum("nk,kni,knj->kij", share, away, away) / count[:, None, None]
        fits.append(np.log(densities().sum(1)).mean())
        if number == 0:
            for ours, theirs in ((weights, once.weights_), (means, once.means_), (covariances, once.covariances_)):
                np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert np.all(np.diff(fits) > -1e-12) and fits[-1] > fits[0] + 0.1


def test_the_kl_of_a_coin_from_a_fair_one_is_log_2_less_its_entropy() -> None:
    rho = np.array([0.0, 0.1, 0.5, 0.8, 1.0])
    expected = np.array([entropy([p, 1 - p], [0.5, 0.5]) for p in rho])
    np.testing.assert_allclose([math.log(2) - entropy([p, 1 - p]) for p in rho], expected, atol=1e-12)
    assert expected.max() == pytest.approx(math.log(2)) and expected.argmin() == 2
    q = Independent(Bernoulli(probs=torch.from_numpy(rho[1:4])), 1)
    assert kl_nats(q, FairCoins(3).double()(), torch.zeros(3)).item() == pytest.approx(expected[1:4].sum(), rel=1e-9)


def test_a_baseline_leaves_the_mean_and_the_best_one_weighs_by_the_squared_score() -> None:
    f, theta = np.array([105.0, 101.0, 98.0]), torch.tensor([0.3, -0.6, 0.1], dtype=torch.float64, requires_grad=True)
    log_q = theta.log_softmax(0)
    q = log_q.exp().detach().numpy()
    # Score of the first parameter, at each of three outcomes.
    score = np.array([torch.autograd.grad(one, theta, retain_graph=True)[0][0].item() for one in log_q])
    assert q @ score == pytest.approx(0, abs=1e-12)
    exact = torch.autograd.grad((log_q.exp() * torch.from_numpy(f)).sum(), theta)[0][0].item()

    def variance(b: float) -> float:
        terms = (f - b) * score
        assert q @ terms == pytest.approx(exact, rel=1e-9)
        return float(q @ terms**2 - exact**2)

    best = float(q @ (score**2 * f) / (q @ score**2))
    found = minimize_scalar(variance, bracket=(90, 110))
    assert found.x == pytest.approx(best, rel=1e-6)
    assert variance(best) < variance(float(q @ f)) < variance(0.0) / 100


def test_the_least_loss_rises_with_the_weight_of_the_kl_at_the_rate_of_the_kl() -> None:
    # p(x | z) = N(z, 1) at x = 2 and q = N(m, s^2): the best q of every weight, found numerically.
    x = 2.0

    def parts(at: np.ndarray) -> tuple[float, float]:
        mean, std = at[0], math.exp(at[1])
        return 0.5 * math.log(2 * math.pi) + 0.5 * ((x - mean) ** 2 + std**2), gaussian_kl(mean, std)

    def least(weight: float) -> tuple[float, float]:
        found = minimize(lambda at: parts(at)[0] + weight * parts(at)[1], np.zeros(2), tol=1e-10)
        return float(found.fun), parts(found.x)[1]

    weights, step = np.array([0.1, 0.5, 1.0, 2.0, 10.0]), 1e-3
    values, divergences = np.array([least(weight) for weight in weights]).T
    slopes = [(least(weight + step)[0] - least(weight - step)[0]) / (2 * step) for weight in weights]
    np.testing.assert_allclose(slopes, divergences, rtol=1e-2)
    assert np.all(np.diff(values) > 0) and np.all(np.diff(divergences) < 0)


def test_the_mean_kl_is_the_information_of_the_latents_and_the_kl_of_their_aggregate() -> None:
    random = np.random.default_rng(7)
    q, prior = random.dirichlet(np.ones(8), size=5), np.full(8, 1 / 8)
    aggregate = q.mean(0)
    # The mutual information of image and latent, from their joint distribution.
    information = rel_entr(q / 5, np.outer(np.full(5, 1 / 5), aggregate)).sum()

    def rate(p: np.ndarray) -> float:
        return float(np.mean([rel_entr(one, p).sum() for one in q]))

    assert rate(prior) == pytest.approx(information + rel_entr(aggregate, prior).sum(), rel=1e-12)
    # No prior does better than the aggregate; the fair one loses exactly its distance from it.
    assert rate(aggregate) == pytest.approx(information, rel=1e-12)
    assert all(rate(p) > rate(aggregate) for p in random.dirichlet(np.ones(8), size=100))


ALPHA = 0.05


def pixel_flow(std: float) -> Any:
    """Return a flow over two pixels whose weights are drawn with this spread, in double precision."""
    couplings = {"kind": "realnvp", "couplings": 3, "networks": "one_each", "hidden": [5], "activation": "tanh"}
    model = build(parse(PixelFlow, {"family": "flow", "alpha": ALPHA, "flow": couplings}, "test"), [1, 1, 2]).double()
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=std, generator=generator)
    return model


def test_a_flow_on_pixels_adds_the_log_determinants_of_all_its_steps_and_undoes_them_to_draw() -> None:
    model, x = pixel_flow(0.7), np.array([3.0, 201.0])
    torch.manual_seed(10)
    u = torch.rand(1, 1, 1, 2, dtype=torch.float64).numpy().ravel()
    torch.manual_seed(10)
    with torch.no_grad():
        loss = model.nll_nats(torch.from_numpy(x).view(1, 1, 1, 2) / 255).item()
    y = (x + u) / 256
    v = ALPHA / 2 + (1 - ALPHA) * y
    h = torch.from_numpy(np.log(v / (1 - v)))
    # From data to noise; the order of two pixels on a checkerboard is their own.
    log_determinants = []
    for layer in reversed(model.flow.transforms()):
        log_determinants.append(torch.linalg.slogdet(jacobian(layer.inv, h)).logabsdet.item())
        h = layer.inv(h).detach()
    assert np.abs(log_determinants[1::2]).min() > 0.01
    log_p = norm.logpdf(h.numpy()).sum() + sum(log_determinants) + np.log((1 - ALPHA) / (v * (1 - v))).sum()
    assert loss == pytest.approx(-log_p + 2 * math.log(256), rel=1e-9)
    with torch.no_grad():
        drawn = model.images(h[None]).numpy().ravel()
    np.testing.assert_allclose(drawn, y, rtol=1e-9)
    assert np.floor(256 * drawn).tolist() == x.tolist()


def test_levels_that_a_flow_draws_have_the_probabilities_of_their_cells() -> None:
    # Without weights every pixel is a Gaussian through a sigmoid; by eights the levels come often enough to be counted.
    draws = 20_000
    torch.manual_seed(11)
    with torch.no_grad():
        levels = np.clip(np.floor(256 * pixel_flow(0.0).sample(draws).numpy().ravel()), 0, 255)
    edges = ALPHA / 2 + (1 - ALPHA) * np.arange(0, 257, 8) / 256
    cells = norm.cdf(np.log(edges / (1 - edges)))
    # What lies beyond the levels is the first's and the last's.
    cells[[0, -1]] = 0, 1
    expected, found = np.diff(cells), np.histogram(levels, np.arange(0, 257, 8))[0] / (2 * draws)
    assert np.all(np.abs(found - expected) < 4.5 * np.sqrt(expected * (1 - expected) / (2 * draws)))


@pytest.mark.parametrize("level", [0, 1, 4])
def test_p_over_the_density_of_the_noise_has_the_mean_mass_of_where_the_noise_reaches(level: int) -> None:
    parts = ((0.3, norm(1.2, 0.8)), (0.7, norm(3.5, 1.5)))
    cell = sum(share * (part.cdf(level + 1) - part.cdf(level)) for share, part in parts)

    def p(y: np.ndarray) -> np.ndarray:
        return np.asarray(sum(share * part.pdf(y) for share, part in parts))

    draws, random = 20_000, np.random.default_rng(12)
    uniform, gaussian = random.random(draws), 0.5 + 4 * random.normal(size=draws)
    for found, mass in ((p(level + uniform), cell), (p(level + gaussian) / norm(0.5, 4).pdf(gaussian), 1)):
        error = found.std() / math.sqrt(draws)
        assert abs(found.mean() - mass) < 4 * error and error < 0.05 * mass
    assert cell < 0.3
