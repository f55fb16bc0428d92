"""Generators and discriminators: their layers in order, the range of their images, what is reported of them."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from regen.config.base import parse
from regen.config.model import Gan as GanConfig
from regen.models.build import build
from regen.models.gan import Gan, discriminator_terms

Resolved = Callable[[str], dict[str, Any]]

SHAPE = [1, 4, 4]
MLP = {"kind": "mlp", "hidden": [6], "activation": "leaky_relu_0.2"}
CONV = {"kind": "conv", "channels": [4, 8], "hidden": [5], "activation": "leaky_relu_0.2", "batch_norm": True, "first_norm": False}


def gan(shape: list[int] = SHAPE, **changes: Any) -> Gan:
    choices = {"family": "gan", "latent_dim": 3, "generator": MLP, "discriminator": MLP, "output": "probability", **changes}
    torch.manual_seed(0)
    made: Gan = build(parse(GanConfig, choices, "test"), shape)
    return made


def layers(network: nn.Module) -> list[str]:
    """Return what stands in a network, in order; layers that only rearrange values are left out."""
    said: dict[type[nn.Module], Callable[[Any], str]] = {
        nn.Linear: lambda layer: f"{layer.in_features}-{layer.out_features}",
        nn.BatchNorm1d: lambda layer: f"norm {layer.num_features}",
        nn.BatchNorm2d: lambda layer: f"norm {layer.num_features}",
        nn.LeakyReLU: lambda layer: f"leaky {layer.negative_slope}",
        nn.ReLU: lambda layer: "relu",
        nn.Tanh: lambda layer: "tanh",
        nn.Dropout: lambda layer: f"dropout {layer.p}",
        nn.Conv2d: lambda layer: f"conv {layer.in_channels}-{layer.out_channels} {layer.kernel_size} {layer.stride}",
        nn.ConvTranspose2d: lambda layer: f"transposed {layer.in_channels}-{layer.out_channels} {layer.kernel_size} {layer.stride}",
    }
    assert all(type(layer) in said for layer in network.modules() if list(layer.parameters(recurse=False)))
    return [said[type(layer)](layer) for layer in network.modules() if type(layer) in said]


def stack(*sizes: int, between: tuple[str, ...] = ("leaky 0.2",), end: tuple[str, ...] = ()) -> list[str]:
    """Return linear layers of these sizes; `norm` is followed by its own size."""
    made = []
    for before, after in pairwise(sizes[:-1]):
        made += [f"{before}-{after}", *(f"norm {after}" if name == "norm" else name for name in between)]
    return [*made, f"{sizes[-2]}-{sizes[-1]}", *end]


LINEAR = stack(128, 256, 512, 3072, end=("tanh",)), stack(3072, 512, 256, 1)
NORMALISED = stack(100, 128, 256, 512, 1024, 784, between=("norm", "leaky 0.2"), end=("tanh",))
UP, DOWN = [f"{kind} {{}} (4, 4) (2, 2)" for kind in ("transposed", "conv")]
DCGAN = (
    # 32 halved three times is 4: 128 x 4 x 4 values.
    [
        *("100-2048", "norm 128", "relu"),
        *(UP.format("128-64"), "norm 64", "relu"),
        *(UP.format("64-32"), "norm 32", "relu"),
        *(UP.format("32-3"), "tanh"),
    ],
    [
        *(DOWN.format("3-32"), "leaky 0.2"),
        *(DOWN.format("32-64"), "norm 64", "leaky 0.2"),
        *(DOWN.format("64-128"), "norm 128", "leaky 0.2", "2048-1"),
    ],
)
# From the reports: generator, discriminator. The sigmoid is in the losses.
EXPECTED: dict[str, tuple[list[str], list[str]]] = {
    **{f"vu4a-gan-{name}{ending}": LINEAR for name in ("mnist", "svhn") for ending in ("", "-nonsat")},
    "ext-gan-1ch-mnist": (stack(128, 256, 512, 784, end=("tanh",)), stack(784, 512, 256, 1)),
    "ext-dcgan-svhn": DCGAN,
    **{name: (NORMALISED, stack(784, 512, 256, 1)) for name in ("uva3-gan-mnist", "ext-wgangp-mnist", "ext-gan-noise-mnist")},
    "ext-gan-dropout-mnist": (NORMALISED, stack(784, 512, 256, 1, between=("leaky 0.2", "dropout 0.3"))),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_layers_are_those_of_the_reports_in_their_order(name: str, resolved: Resolved) -> None:
    config = resolved("paper")[f"{name}.train.json"]
    model = build(config.model, config.shape)
    assert (layers(model.generator), layers(model.discriminator)) == EXPECTED[name]

    images, state = model.eval().generator(model.latents(2)), torch.get_rng_state()
    assert images.shape == (2, *config.shape) and model.discriminator(images).shape == (2, 1)
    assert torch.equal(torch.get_rng_state(), state)


def test_dropout_is_behind_every_activation_of_the_discriminator_and_nowhere_else() -> None:
    shape = [3, 8, 8]
    convolutions = [DOWN.format("3-4"), "leaky 0.2", "dropout 0.4", DOWN.format("4-8"), "norm 8", "leaky 0.2", "dropout 0.4"]
    assert layers(gan(shape, discriminator=CONV, dropout=0.4).discriminator) == [*convolutions, "32-5", "leaky 0.2", "dropout 0.4", "5-1"]
    assert layers(gan(dropout=0.4).discriminator) == ["16-6", "leaky 0.2", "dropout 0.4", "6-1"]
    assert layers(gan(dropout=0.4).generator) == ["3-6", "leaky 0.2", "6-16", "tanh"]


@torch.no_grad()
def test_dropout_silences_its_share_of_the_discriminator_in_training_alone() -> None:
    model = gan(discriminator={**MLP, "hidden": [500]}, dropout=0.3)
    heard: list[torch.Tensor] = []
    model.discriminator[-1].register_forward_pre_hook(lambda _, arguments: heard.append(arguments[0]))
    x = torch.rand(40, *SHAPE)
    model.train().discriminator(x)
    model.eval().discriminator(x)

    dropped, whole = heard
    assert whole.count_nonzero() == whole.numel() == 20_000
    # Independent coins: their share has the variance 0.3 x 0.7 / n. What is left is enlarged to keep the mean.
    assert abs((dropped == 0).double().mean().item() - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 20_000)
    torch.testing.assert_close(dropped[dropped != 0], whole[dropped != 0] / 0.7)
    z = model.latents(5)
    assert torch.equal(model.train().generator(z), model.eval().generator(z))


def test_the_discriminator_sees_images_in_minus_one_to_one() -> None:
    model, seen = gan().eval(), []
    model.discriminator.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    x = torch.tensor([0.0, 0.25, 0.5, 1.0]).view(4, 1, 1, 1).expand(4, *SHAPE)
    torch.manual_seed(1)
    model.terms(x, torch.zeros(4))

    real, fake = seen
    assert torch.equal(real[:, 0, 0, 0], torch.tensor([-1.0, -0.5, 0.0, 1.0]))
    torch.manual_seed(1)
    z = torch.randn(4, 3)
    weights = [value.detach().numpy() for value in model.generator.parameters()]
    hidden = z.numpy() @ weights[0].T + weights[1]
    expected = np.tanh(np.where(hidden > 0, hidden, 0.2 * hidden) @ weights[2].T + weights[3])
    np.testing.assert_allclose(fake.detach().flatten(1), expected, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_samples_are_the_generators_images_in_zero_to_one() -> None:
    model = gan().eval()
    # Behind the hyperbolic tangent: -1, -0.6, 0.6 and 1.
    model.generator[0][2].weight.zero_()
    model.generator[0][2].bias.copy_(torch.atanh(torch.tensor([-1.0, -0.6, 0.6, 1.0])).repeat(4))
    expected = torch.tensor([0.0, 0.2, 0.8, 1.0]).repeat(7, 4).view(7, *SHAPE)
    torch.testing.assert_close(model.sample(7), expected)
    torch.testing.assert_close(model.images(torch.zeros(7, 3)), expected)


def test_latents_are_independent_standard_normals() -> None:
    torch.manual_seed(2)
    z, n = gan().latents(20_000).double(), 20_000
    moments = z.T @ z / n
    # A square of a standard normal has the variance 2, a product of two the variance 1.
    assert z.shape == (n, 3) and z.mean(0).abs().max() < 4 / math.sqrt(n)
    assert (moments.diag() - 1).abs().max() < 4 * math.sqrt(2 / n)
    assert (moments - moments.diag().diag()).abs().max() < 4 / math.sqrt(n)


LOGITS = np.array([-3.0, -0.5, 0.0, 1.0, 4.0])


def named(real: np.ndarray, fake: np.ndarray, output: str = "probability") -> dict[str, np.ndarray]:
    terms = discriminator_terms(torch.from_numpy(real), torch.from_numpy(fake), output)
    return {name: value.numpy() for name, value in terms.items()}


def test_a_discriminator_minimises_its_cross_entropy_and_reports_what_it_takes_for_real() -> None:
    real, fake = (grid.ravel() for grid in np.meshgrid(LOGITS, LOGITS))
    terms = named(real, fake)
    of_real, of_fake = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))

    np.testing.assert_allclose(terms["discriminator_nats"], -np.log(of_real) - np.log(1 - of_fake), rtol=1e-12)
    np.testing.assert_allclose(terms["probability_real"], of_real, rtol=1e-12)
    np.testing.assert_allclose(terms["probability_fake"], of_fake, rtol=1e-12)
    # Of -3, -0.5, 0, 1 and 4 two are taken for real, three not.
    assert (terms["accuracy_real"].mean(), terms["accuracy_fake"].mean()) == pytest.approx((2 / 5, 3 / 5))
    np.testing.assert_array_equal(terms["accuracy_real"], of_real > 0.5)
    assert set(terms) == {"discriminator_nats", "accuracy_real", "accuracy_fake", "probability_real", "probability_fake"}


def test_a_discriminator_that_knows_nothing_has_two_log_two() -> None:
    assert named(np.zeros(3), np.zeros(3))["discriminator_nats"] == pytest.approx(2 * math.log(2), rel=1e-15)


def test_a_sure_discriminator_has_finite_nats() -> None:
    # -log D and -log(1 - D) are the logits themselves where exp underflows.
    assert named(np.array([1000.0, -1000.0]), np.array([-1000.0, 1000.0]))["discriminator_nats"].tolist() == [0, 2000]


def test_a_critic_minimises_the_difference_of_its_scores() -> None:
    terms = named(np.array([3.0, -1.0]), np.array([0.5, 0.0]), "score")
    assert {name: value.tolist() for name, value in terms.items()} == {
        "critic": [-2.5, 1.0],
        "score_real": [3.0, -1.0],
        "score_fake": [0.5, 0.0],
    }


def test_batch_normalisation_stands_before_or_behind_the_activation() -> None:
    normalised = {**MLP, "hidden": [6, 5], "batch_norm": True}
    for place, between in (("before_activation", ("norm", "leaky 0.2")), ("after_activation", ("leaky 0.2", "norm"))):
        made = gan(generator={**normalised, "norm_place": place}, discriminator={**normalised, "norm_place": place})
        assert layers(made.generator) == stack(3, 5, 6, 16, between=between, end=("tanh",))
        assert layers(made.discriminator) == stack(16, 6, 5, 1, between=between)


@torch.no_grad()
def test_real_images_may_be_seen_in_half_of_the_generators_range() -> None:
    model, usual = gan(real_range="unit").eval(), gan().eval()
    x = torch.rand(5, *SHAPE)
    assert model.seen(x).equal(x) and usual.seen(x).equal(2 * x - 1)
    z = torch.randn(6, 3)
    assert model.images(z).equal(model.generator(z).clamp(0, 1)) and model.generator(z).min() < 0
    torch.manual_seed(3)
    found = model.terms(x, torch.zeros(5))["probability_real"]
    torch.testing.assert_close(found, model.discriminator(x).squeeze(1).sigmoid())
