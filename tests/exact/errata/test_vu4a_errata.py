"""What is wrong in vu4a, as far as it can be computed."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import entr
from scipy.stats import norm
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from regen.claims.reported import read_reported
from regen.claims.study import STUDIES
from regen.config.base import parse
from regen.config.model import Gan, RealNvp, Vae
from regen.config.training import Training
from regen.models.build import build
from regen.models.flows import FlowPrior
from regen.models.likelihoods import BernoulliPixels, GaussianPixels
from regen.models.objectives import elbo_terms
from regen.training.objectives import GENERATOR_LOSSES, objective_of

DIMENSIONS = {"28x28": (784, 720.4), "32x32": (1024, 941.0), "colour 32x32": (3072, 2823.0)}
PIXELS = torch.rand(6, 1, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LOGITS = torch.linspace(-3, 3, 6, dtype=torch.float64).view(1, 1, 2, 3)


def printed(data: str) -> list[float]:
    """Return the losses on a data set that the report prints."""
    return [row.value for row in read_reported(STUDIES / "vu4a") if f"Loss on {data}" in row.quantity]


def test_the_kl_is_not_symmetric() -> None:
    narrow, wide = (Independent(Normal(torch.zeros(1).double(), torch.tensor([scale]).double()), 1) for scale in (1.0, 2.0))
    there, back = kl_divergence(narrow, wide).item(), kl_divergence(wide, narrow).item()
    # log(b / a) + (a^2 / b^2 - 1) / 2.
    assert (there, back) == pytest.approx((math.log(2) - 3 / 8, 3 / 2 - math.log(2)), rel=1e-12)
    assert back > 2 * there


def test_log_p_is_minus_the_reconstruction_error() -> None:
    mean, x = 1 / (1 + np.exp(-LOGITS.numpy())), PIXELS[:1].numpy()
    gaussian = GaussianPixels(1.0)(LOGITS).log_prob(PIXELS[:1]).item()
    assert gaussian == pytest.approx(-0.5 * ((x - mean) ** 2).sum() - 3 * math.log(2 * math.pi), rel=1e-6)
    cross_entropy = -(x * np.log(mean) + (1 - x) * np.log(1 - mean)).sum()
    assert BernoulliPixels()(LOGITS).log_prob(PIXELS[:1]).item() == pytest.approx(-cross_entropy, rel=1e-9)


@pytest.mark.parametrize("images", DIMENSIONS)
def test_the_stated_loss_has_a_floor_far_above_the_reported_one(images: str) -> None:
    dimensions, said = DIMENSIONS[images]
    floor = -norm.logpdf(0) * dimensions
    assert -norm.logpdf(0) == pytest.approx(0.919, abs=5e-4)
    assert floor == pytest.approx(said, abs=0.1)
    # A perfect reconstruction is at the floor, and the KL is not negative; what is printed is below it whether summed or a pixel.
    logits = torch.zeros(1, 1, 1, dimensions, dtype=torch.float64)
    likelihood = GaussianPixels(1.0)(logits)
    assert -likelihood.log_prob(likelihood.mean).item() == pytest.approx(floor, rel=1e-12)
    assert -likelihood.log_prob(likelihood.mean + 0.1).item() > floor
    assert floor / dimensions > max(printed("MNIST"))


def test_1911_is_below_the_floor_of_the_stated_loss(resolved: Callable[[str], dict[str, Any]]) -> None:
    dimensions = math.prod(resolved("paper")["vu4a-vae-svhn-gauss.train.json"].shape)
    assert dimensions == 3072 and [int(value) for value in printed("SVHN")] == [1911, 1911]
    assert max(printed("SVHN")) < -dimensions * norm.logpdf(0)


def test_the_cross_entropy_has_a_floor_of_its_own_for_every_image() -> None:
    # The entropy of a grey value, reached where the decoder says the value itself.
    floor = (entr(PIXELS.numpy()) + entr(1 - PIXELS.numpy())).sum((1, 2, 3))
    perfect = -BernoulliPixels()(torch.logit(PIXELS)).log_prob(PIXELS)
    np.testing.assert_allclose(perfect, floor, rtol=1e-9)
    generator = torch.Generator().manual_seed(1)
    other = torch.logit(PIXELS) + torch.randn(200, *PIXELS.shape, generator=generator, dtype=torch.float64)
    assert torch.all(-BernoulliPixels()(other).log_prob(PIXELS.expand(200, *PIXELS.shape)) > perfect)
    # Grey images have a higher one than black and white ones: a higher loss is no worse a model.
    dark, grey = (-BernoulliPixels()(torch.logit(x)).log_prob(x).mean().item() for x in (0.01 + 0 * PIXELS, 0.5 + 0 * PIXELS))
    assert grey > 10 * dark


def test_the_sum_and_the_mean_of_one_error_differ_by_the_number_of_pixels() -> None:
    # What -log N(x | 1/2, 1) has beyond its floor is half the summed squared error of an image.
    p = GaussianPixels(1.0)(torch.zeros(1, 2, 3, dtype=torch.float64))
    half = (p.log_prob(p.mean) - p.log_prob(PIXELS)).mean().item()
    assert 2 * half == pytest.approx(6 * (PIXELS - 0.5).square().mean().item(), rel=1e-9)


def flow_vae(likelihood: dict[str, Any]) -> Any:
    config = {
        "family": "vae",
        "network": {"kind": "mlp", "hidden": [5], "activation": "tanh"},
        "latent": {"kind": "gaussian", "dim": 4},
        "prior": {"kind": "realnvp", "couplings": 3, "networks": "one_each", "hidden": [5], "activation": "tanh"},
        "likelihood": likelihood,
    }
    model = build(parse(Vae, config, "test"), [1, 2, 3]).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.7)
    return model


@pytest.mark.parametrize("likelihood", [{"kind": "bernoulli"}, {"kind": "gaussian", "scale": 1.0}], ids=["bernoulli", "gaussian"])
@torch.no_grad()
def test_with_a_right_log_determinant_the_expected_loss_is_not_negative(likelihood: dict[str, Any]) -> None:
    draws = 2000
    for seed in range(5):
        torch.manual_seed(seed)
        terms = elbo_terms(flow_vae(likelihood), PIXELS.repeat(draws, 1, 1, 1))
        # -log p(x | z) is not negative at any draw, the KL of a normalised prior is not negative on average.
        assert terms.recon_nats.min() > 0
        kl = terms.kl_nats.view(draws, len(PIXELS))
        assert torch.all(kl.mean(0) > -4 * kl.std(0) / math.sqrt(draws))


def test_a_coupling_of_100_latents_needs_50_outputs() -> None:
    config = {"kind": "realnvp", "couplings": 3, "networks": "one_each", "hidden": [300, 300], "activation": "leaky_relu_0.01"}
    prior = FlowPrior(100, parse(RealNvp, config, "test"))
    for conditioner in prior.flow.conditioners:
        sizes = [[layer.weight.shape for layer in network if isinstance(layer, nn.Linear)] for network in conditioner.networks]
        assert sizes == [[(300, 50), (300, 300), (50, 300)]] * 2
    # A shift of 100 values cannot be added to the other half.
    with pytest.raises(RuntimeError):
        torch.zeros(1, 50) + torch.zeros(1, 100)


def test_2_32_32_has_2048_values_and_the_discriminator_3072_inputs(resolved: Callable[[str], dict[str, Any]]) -> None:
    assert math.prod((2, 32, 32)) == 2048
    config = resolved("paper")["vu4a-gan-mnist.train.json"]
    discriminator = build(config.model, config.shape).discriminator
    first = next(layer for layer in discriminator.modules() if isinstance(layer, nn.Linear))
    assert first.in_features == math.prod(config.shape) == 3072
    with pytest.raises(RuntimeError):
        discriminator(torch.zeros(1, 2, 32, 32))


MLP = {"kind": "mlp", "hidden": [16], "activation": "leaky_relu_0.2"}


def gan(shape: list[int], hidden: int = 16) -> Any:
    network = {**MLP, "hidden": [hidden]}
    config = {"family": "gan", "latent_dim": 8, "generator": network, "discriminator": network, "output": "probability"}
    torch.manual_seed(2)
    return build(parse(Gan, config, "test"), shape).double()


def saturating() -> Any:
    objective = {"kind": "adversarial", "loss": "saturating"}
    return objective_of(
        parse(Training, {"objective": objective, "optimizer": "adam", "learning_rate": 0.1, "batch_size": 6, "epochs": 1}, "test")
    )


@pytest.fixture
def double_precision() -> Any:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_precision")
def test_the_two_losses_add_up_to_that_of_real_images_alone() -> None:
    model, objective = gan([1, 2, 3]), saturating()
    torch.manual_seed(3)
    (discriminator, _), (generator, _) = objective.turns(model, PIXELS, torch.zeros(6))
    probability = torch.sigmoid(model.discriminator(2 * PIXELS - 1)).detach().numpy()
    assert (discriminator + generator).item() == pytest.approx(-np.log(probability).mean(), rel=1e-10)


@pytest.mark.usefixtures("double_precision")
def test_no_real_image_reaches_the_generator() -> None:
    gradients = []
    for x in (PIXELS, 1 - PIXELS):
        model = gan([1, 2, 3])
        torch.manual_seed(3)
        _, (generator, _) = saturating().turns(model, x, torch.zeros(6))
        gradients.append(torch.cat([part.flatten() for part in torch.autograd.grad(generator, list(model.generator.parameters()))]))
    assert gradients[0].abs().max() > 0 and torch.equal(*gradients)


@torch.no_grad()
def test_a_negative_pixel_tells_a_tanh_generator_from_images_in_zero_to_one() -> None:
    model = gan([3, 32, 32], hidden=256)
    fake, real = model.generator(model.latents(500).double()).flatten(1), torch.rand(500, 3072)
    assert torch.all((fake < 0).any(1)) and not torch.any((real < 0).any(1))
    # On the discriminator's own scale real images have negative pixels too.
    assert torch.all(((2 * real - 1) < 0).any(1))


def test_the_same_generator_has_any_loss_by_its_discriminator() -> None:
    model = gan([1, 2, 3])
    images = model.generator(torch.zeros(4, 8, dtype=torch.float64))
    losses = []
    for bias in (-5.0, 0.0, 5.0):
        with torch.no_grad():
            [*_, last] = model.discriminator.parameters()
            last.fill_(bias)
            losses.append(GENERATOR_LOSSES["non_saturating"](model.discriminator(images))[1].mean().item())
    # Of the same images: -log sigmoid of the last bias, give or take what the weights add.
    assert losses[0] > 4 and losses[1] == pytest.approx(math.log(2), abs=0.3) and losses[2] < 0.1
