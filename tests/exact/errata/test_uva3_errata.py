"""What is wrong in uva3, as far as it can be computed; the generator's losses: tests/training/test_adversarial_losses.py."""

import math
import re
from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, Unused, numbered_images, vae
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm
from torch import nn
from torch.autograd.functional import jacobian

from regen.claims.errata import read_errata
from regen.claims.study import STUDIES
from regen.config.base import parse
from regen.config.model import Gan
from regen.evaluation.held_out.exact import exact_nll, nodes
from regen.evaluation.probes.prior_cost import log_share
from regen.models.build import build
from regen.models.likelihoods import BernoulliPixels
from regen.models.objectives import elbo_terms
from regen.training.objectives import GENERATOR_LOSSES

SHAPE = (1, 2, 3)


def test_every_pixel_depends_on_every_latent() -> None:
    model = vae("gaussian", 4, SHAPE).double()
    matrix = jacobian(lambda z: model.decoder(z).mean.flatten(), torch.zeros(4, dtype=torch.float64))
    assert matrix.shape == (6, 4) and matrix.abs().min() > 1e-4


def samples_needed(known: LinearGaussian, image: torch.Tensor) -> float:
    """Return log E w^2 - 2 log E w of w = p(x | z) under the prior: the log of draws an effective sample."""
    weight, x = known.weight.double().numpy(), image.flatten().numpy() / 255.0
    # p(x | z)^2 is N(x; Wz, noise^2 / 2) times (4 pi noise^2)^(-D/2).
    half = weight @ weight.T + known.noise**2 / 2 * np.eye(len(x))
    square = multivariate_normal(np.zeros(len(x)), half).logpdf(x) - len(x) / 2 * math.log(4 * math.pi * known.noise**2)
    return float(square - 2 * known.log_p(image[None]).item())


def test_draws_of_the_prior_that_are_needed_grow_exponentially_with_the_latents_and_not_with_pixels_that_say_nothing() -> None:
    images = numbered_images(1, (1, 4, 6))[0]
    # Each latent has a pixel of its own, all of them equally sharp and equally likely.
    images[:] = 128
    weights = [2 * torch.eye(24)[:, :dim] for dim in range(1, 13)]
    found = [samples_needed(LinearGaussian(weight, 0.5, (1, 4, 6)), images) for weight in weights]
    assert min(np.diff(found)) > 0.3
    np.testing.assert_allclose(np.diff(found), found[0], rtol=1e-6)
    # It is minus the log of the share that the project's probe divides by.
    x = images.flatten()[None].double() / 255
    np.testing.assert_allclose([-log_share(x, weight.double(), 0.5).item() for weight in weights], found, rtol=1e-9)
    fewer = [
        samples_needed(LinearGaussian(2 * torch.eye(rows)[:, :3], 0.5, (1, 1, rows)), images.flatten()[None, None, :rows])
        for rows in (3, 6)
    ]
    assert fewer == pytest.approx([found[2]] * 2, rel=1e-6)


def test_the_posterior_integrates_to_one_and_its_normaliser_is_the_evidence() -> None:
    known, image = LinearGaussian.random(1, SHAPE), numbered_images(1, SHAPE)
    model, x = known.model(Unused()), image.float() / 255

    def joint(z: float) -> float:
        with torch.no_grad():
            at = torch.tensor([[z]])
            return math.exp((model.prior().log_prob(at) + model.decoder(at).log_prob(x)).item())

    evidence = quad(joint, -8, 8, points=[known.mean(image).item()])[0]
    assert math.log(evidence) == pytest.approx(known.log_p(image).item(), abs=1e-4)
    at = nodes(model, 201)
    assert at is not None
    assert -exact_nll(model, image, at).nll_nats.item() == pytest.approx(math.log(evidence), abs=1e-4)
    posterior = norm(known.mean(image).item(), math.sqrt(known.covariance().item()))
    for z in (-0.5, 0.0, 1.0):
        assert joint(z) / evidence == pytest.approx(posterior.pdf(z), rel=1e-3)


def test_a_bernoullis_factors_are_multiplied() -> None:
    f = 0.3
    assert sum(f**x * (1 - f) ** (1 - x) for x in (0, 1)) == pytest.approx(1)
    assert sum(f**x + (1 - f) ** (1 - x) for x in (0, 1)) == pytest.approx(3)
    images = torch.tensor(list(product((0.0, 1.0), repeat=2)), dtype=torch.float64).view(4, 1, 1, 2)
    probability = BernoulliPixels()(torch.logit(torch.full((1, 1, 2), f, dtype=torch.float64))).log_prob(images).exp()
    np.testing.assert_allclose(probability, [0.7 * 0.7, 0.7 * 0.3, 0.3 * 0.7, 0.3 * 0.3], rtol=1e-9)


def test_the_reconstruction_loss_is_minus_the_log_likelihood_and_not_negative() -> None:
    f, x = np.array([0.2, 0.9, 0.6]), np.array([0.0, 1.0, 1.0])
    likelihood = BernoulliPixels()(torch.logit(torch.from_numpy(f)).view(1, 1, 3))
    loss = -likelihood.log_prob(torch.from_numpy(x).view(1, 1, 1, 3)).item()
    assert loss == pytest.approx(-(np.log(0.8) + np.log(0.9) + np.log(0.6)), rel=1e-9) and loss > 0


def test_the_objective_is_a_mean_over_the_data_points(make_objective: Callable[..., nn.Module]) -> None:
    model, x = vae("gaussian", 3, SHAPE), torch.rand(7, *SHAPE, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    value, _ = make_objective("elbo")(model, x, torch.zeros(7))
    torch.manual_seed(1)
    each = elbo_terms(model, x).neg_elbo_nats
    assert value.item() == pytest.approx(each.sum().item() / 7, rel=1e-6)


def test_a_bound_can_rise_while_log_p_falls() -> None:
    # p(x | z) = N(w z, 1) at x = 2, and q is the prior: log p(x) = log N(x; 0, 1 + w^2), and the KL to the posterior makes the rest.
    x = 2.0

    def both(w: float) -> tuple[float, float]:
        log_p = norm(0, math.sqrt(1 + w**2)).logpdf(x)
        elbo = norm.logpdf(x) - 0.5 * w**2
        variance = 1 / (1 + w**2)
        mean = w * x * variance
        kl = 0.5 * ((1 + mean**2) / variance - 1 + math.log(variance))
        assert log_p == pytest.approx(elbo + kl, rel=1e-12)
        return elbo, float(log_p)

    before, after = both(1.0), both(0.0)
    assert after[0] > before[0] + 0.4 and after[1] < before[1] - 0.4


def test_twice_log_one_half_is_minus_1_386() -> None:
    (erratum,) = (one for one in read_errata(STUDIES / "uva3") if one.id == "uva3-5a")
    (said,) = map(float, re.findall(r"-\d+\.\d+", erratum.correct))
    assert 2 * math.log(1 / 2) == pytest.approx(math.log(1 / 4)) == pytest.approx(said, abs=5e-4)


def test_a_joint_objective_would_teach_the_discriminator_to_accept_fakes() -> None:
    # At one point of densities p (real) and q (generated) the discriminator maximises its terms.
    def best(p: float, q: float, accepts: float) -> float:
        value = minimize_scalar(lambda d: -(p * math.log(d) + q * math.log1p(-d) + accepts * q * math.log(d)), bounds=(1e-9, 1 - 1e-9))
        return float(value.x)

    for p, q in ((0.7, 0.3), (1e-6, 1.0)):
        assert best(p, q, accepts=0) == pytest.approx(p / (p + q), abs=1e-4)
        assert best(p, q, accepts=1) == pytest.approx((p + q) / (p + 2 * q), abs=1e-4)
    # Images that are clearly generated are then real with probability 1/2.
    assert best(1e-6, 1.0, accepts=1) == pytest.approx(0.5, abs=1e-4)


def slopes(loss: str, logits: torch.Tensor) -> torch.Tensor:
    """Return the loss's gradient by the generated images that have these logits of being real, for D = sigmoid(logits x)."""
    x = torch.ones_like(logits, requires_grad=True)
    return torch.autograd.grad(GENERATOR_LOSSES[loss](logits * x)[1].sum(), x)[0]


def test_both_losses_of_the_generator_rest_where_the_discriminator_knows_nothing() -> None:
    nothing, something = torch.zeros(3), torch.tensor([-2.0, 0.5, 3.0])
    assert slopes("saturating", nothing).tolist() == slopes("non_saturating", nothing).tolist() == [0, 0, 0]
    # Elsewhere they go the same way, but not equally far: by (1 - D) / D.
    ratio = slopes("non_saturating", something) / slopes("saturating", something)
    np.testing.assert_allclose(ratio, np.exp(-something.numpy()), rtol=1e-5)


def test_a_loss_of_zero_can_have_a_gradient() -> None:
    score = torch.zeros(1, requires_grad=True)
    loss = GENERATOR_LOSSES["wasserstein"](score)[1]
    assert (loss.item(), torch.autograd.grad(loss.sum(), score)[0].item()) == (0, -1)
    # log(1 - D) at D = 0: both vanish.
    logit = torch.full((1,), -30.0, requires_grad=True)
    loss = GENERATOR_LOSSES["saturating"](logit)[1]
    assert max(abs(loss.item()), abs(torch.autograd.grad(loss.sum(), logit)[0].item())) < 1e-12


def test_a_generator_that_ends_in_normalisation_and_leaky_relu_is_unbounded_and_sees_its_batch() -> None:
    torch.manual_seed(2)
    last = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.LeakyReLU(0.2)).double()
    z = torch.randn(64, 3, dtype=torch.float64)
    one, other = last(z), last(torch.cat([z[:32], 5 * z[32:]]))
    assert one.max() > 1 and not torch.allclose(one[:32], other[:32])
    network = {"kind": "mlp", "hidden": [8], "activation": "leaky_relu_0.2"}
    config = {
        "family": "gan",
        "latent_dim": 3,
        "generator": {**network, "batch_norm": True},
        "discriminator": network,
        "output": "probability",
    }
    generator = list(build(parse(Gan, config, "test"), list(SHAPE)).generator.modules())
    assert [type(layer) for layer in generator if isinstance(layer, nn.BatchNorm1d | nn.LeakyReLU | nn.Tanh)] == [
        *(nn.BatchNorm1d, nn.LeakyReLU, nn.Tanh),
    ]


def test_an_invertible_function_can_have_a_zero_derivative() -> None:
    x = torch.linspace(-2, 2, 9, dtype=torch.float64, requires_grad=True)
    y = x**3
    (slope,) = torch.autograd.grad(y.sum(), x)
    np.testing.assert_allclose(np.cbrt(y.detach().numpy()), x.detach().numpy(), atol=1e-12)
    assert slope[4] == 0 and torch.all(y.diff() > 0)
    # There the change of variables has no density.
    assert slope.log()[4] == -math.inf


def test_a_triangular_jacobian_makes_the_determinant_cheap_and_no_inverse() -> None:
    def square(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[0] ** 2, x[1] ** 2 + x[0]])

    point = torch.tensor([0.7, -1.3], dtype=torch.float64)
    matrix = jacobian(square, point)
    assert matrix[0, 1] == 0 and torch.linalg.det(matrix).item() == pytest.approx(matrix.diagonal().prod().item(), rel=1e-12)
    # Two points with one image: there is nothing to invert.
    assert torch.equal(square(point), square(point * torch.tensor([1.0, -1.0])))


def test_gaussian_noise_leaves_the_unit_interval_and_uniform_noise_does_not() -> None:
    generator = np.random.default_rng(3)
    level, draws, scale = 17, 20_000, 0.25
    uniform, gaussian = level + generator.random(draws), level + 0.5 + scale * generator.normal(size=draws)
    assert np.all(np.floor(uniform) == level)
    left = (np.floor(gaussian) != level).mean()
    expected = 2 * norm.cdf(-0.5 / scale)
    assert abs(left - expected) < 4 * math.sqrt(expected * (1 - expected) / draws) and expected > 0.04


def test_training_backpropagates_the_reconstruction_and_the_kl() -> None:
    model, x = vae("gaussian", 3, SHAPE), torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(6))
    torch.manual_seed(7)
    terms = elbo_terms(model, x)
    encoder = list(model.encoder.parameters())

    def gradient(value: torch.Tensor) -> torch.Tensor:
        return torch.cat([part.flatten() for part in torch.autograd.grad(value.mean(), encoder, retain_graph=True)])

    parts = gradient(terms.recon_nats), gradient(terms.kl_nats)
    assert min(part.norm().item() for part in parts) > 0.01
    torch.testing.assert_close(gradient(terms.neg_elbo_nats), parts[0] + parts[1], rtol=1e-4, atol=1e-5)


def test_an_encoder_is_continuous() -> None:
    encoder = vae("gaussian", 2, SHAPE).double().encoder
    x, towards = torch.rand(2, 1, *SHAPE, dtype=torch.float64)
    codes = [encoder(x + step * (towards - x)).mean for step in (0.0, 1e-2, 1e-4, 1e-6)]
    moved = [(code - codes[0]).norm().item() for code in codes[1:]]
    # A function without jumps: a hundredth of the step moves the code by about a hundredth.
    assert moved[1] == pytest.approx(moved[0] / 100, rel=0.1) and moved[2] == pytest.approx(moved[1] / 100, rel=0.1) and moved[2] > 0


def test_the_log_of_a_mean_over_samples_is_biased_low() -> None:
    # p(x | z) has two values, by a fair coin: the mean over L tosses is binomial.
    low, high = 0.1, 0.9
    truth = math.log((low + high) / 2)
    found = []
    for samples in (1, 2, 4, 16, 64):
        weights = [math.comb(samples, heads) / 2**samples for heads in range(samples + 1)]
        found.append(sum(w * math.log((heads * high + (samples - heads) * low) / samples) for heads, w in enumerate(weights)))
    assert all(earlier < later < truth for earlier, later in pairwise(found))
    # To first order the bias is -var / (2 L mean^2).
    assert truth - found[-1] == pytest.approx(0.16 / (2 * 64 * 0.25), rel=0.05)


def test_a_less_certain_discriminator_lowers_the_generators_loss_and_raises_its_own() -> None:
    real, fake = torch.tensor([2.0, 3.0]), torch.tensor([-3.0, -2.0])
    softplus = torch.nn.functional.softplus
    losses = {}
    for certainty in (1.0, 0.5):
        logits = certainty * fake
        own = softplus(-certainty * real).mean() + softplus(logits).mean()
        losses[certainty] = (own.item(), *(GENERATOR_LOSSES[name](logits)[1].mean().item() for name in ("saturating", "non_saturating")))
    (own, *generator), (less_own, *less_generator) = losses[1.0], losses[0.5]
    assert less_own > own and all(less < more for less, more in zip(less_generator, generator, strict=True))


def test_a_generator_can_map_all_noise_to_one_image() -> None:
    network = {"kind": "mlp", "hidden": [4], "activation": "leaky_relu_0.2"}
    section = {"family": "gan", "latent_dim": 3, "generator": network, "discriminator": network, "output": "probability"}
    model = build(parse(Gan, section, "test"), list(SHAPE))
    with torch.no_grad():
        last = [parameter for parameter in model.generator.parameters() if parameter.ndim == 2][-1]
        last.zero_()
        images = model.images(model.latents(16))
    assert images.shape[0] == 16 and (images == images[:1]).all()
