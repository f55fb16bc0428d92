"""Bernoulli images without a gradient are scored in another way: the values are those of double precision, for all shapes."""

import math

import numpy as np
import pytest
import torch
from scipy.special import log_expit
from torch.distributions import Bernoulli, Independent

from regen.models.likelihoods import BernoulliPixels

SHAPES = [(1, 28, 28), (1, 1, 1), (1, 5, 5), (1, 1, 7), (3, 7, 7), (1, 3, 32), (1, 64, 1), (1, 8, 16), (2, 9, 64), (3, 32, 32), (3, 64, 64)]
DECODES, IMAGES = 5, 4


def logits(shape: tuple[int, ...], largest: float, images: int) -> torch.Tensor:
    """Return logits of all sizes up to the largest, among them both ends and 0, (DECODES, images, C, H, W)."""
    drawn = torch.randn(DECODES, images, *shape, generator=torch.Generator().manual_seed(1))
    drawn = drawn / drawn.abs().max() * largest
    drawn.view(-1)[:3] = torch.tensor([largest, -largest, 0.0])
    return drawn


def values(shape: tuple[int, ...], grey: bool) -> torch.Tensor:
    drawn = torch.rand(IMAGES, *shape, generator=torch.Generator().manual_seed(2))
    return drawn if grey else drawn.round()


def scored(logits: torch.Tensor, x: torch.Tensor) -> np.ndarray:
    """Return sum x log p + (1 - x) log(1 - p) in double precision."""
    both, x64 = logits.double().numpy(), x.double().numpy()
    found: np.ndarray = (x64 * log_expit(both) + (1 - x64) * log_expit(-both)).sum((-3, -2, -1))
    return found


@pytest.mark.parametrize("grey", [False, True], ids=["binary", "grey"])
@pytest.mark.parametrize("largest", [0.01, 3.0, 60.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_many_decodes_have_the_value_of_double_precision(shape: tuple[int, ...], largest: float, grey: bool) -> None:
    x = values(shape, grey)
    for images in (1, IMAGES):
        # A decode for every image, or one image's decodes held against all.
        made = logits(shape, largest, images)
        with torch.no_grad():
            found = BernoulliPixels()(made).log_prob(x)
        assert found.shape == (DECODES, IMAGES)
        expected = scored(made, x)
        # All pixels have one sign, so rounding leaves a part of the value itself; 1 + exp(-|logit|) is off by half an eps a pixel.
        eps = np.finfo(np.float32).eps
        assert np.all(np.abs(found.double().numpy() - expected) < 4 * eps * np.abs(expected) + eps * math.sqrt(math.prod(shape)))


@pytest.mark.parametrize("grey", [False, True], ids=["binary", "grey"])
@pytest.mark.parametrize(("shape", "nats"), [((1, 28, 28), 2e-4), ((3, 32, 32), 7e-4), ((3, 64, 64), 2e-3)], ids=str)
def test_a_background_that_is_certain_costs_no_digits(shape: tuple[int, ...], nats: float, grey: bool) -> None:
    # As digits are: most logits far below 0, so that the value is small beside the sum of the logits (6,000 to 100,000 nats).
    made = logits(shape, 20.0, IMAGES) - 8
    x = torch.sigmoid(made[0])
    x = x if grey else torch.bernoulli(x, generator=torch.Generator().manual_seed(4))
    for decoded in (made, made[:, :1]):
        with torch.no_grad():
            found = BernoulliPixels()(decoded).log_prob(x)
        np.testing.assert_allclose(found, scored(decoded, x), rtol=0, atol=nats)


@pytest.mark.parametrize("size", [60.0, 1e4, 1e30])
def test_certain_pixels_lose_nothing_and_wrong_ones_their_logit(size: float) -> None:
    made = torch.full((1, 1, 1, 8, 8), size)
    made[..., 0] *= -1
    right = (made[0] > 0).float()
    wrong = right.clone()
    wrong[0, 0, 3, 5] = 0
    with torch.no_grad():
        found = BernoulliPixels()(made).log_prob(torch.cat([right, wrong]))[0]
    np.testing.assert_allclose(found, [0, -size], rtol=1e-4, atol=1e-4 * size)


@pytest.mark.parametrize(
    ("decodes", "images"),
    [((3,), (3,)), ((), (3,)), ((1,), (3,)), ((3,), (1,)), ((5, 3), (3,)), ((5, 1), (3,)), ((5, 3), (1,)), ((2, 5, 3), (3,)), ((), ())],
)
def test_with_and_without_a_gradient_all_shapes_are_those_of_torch(decodes: tuple[int, ...], images: tuple[int, ...]) -> None:
    torch.manual_seed(3)
    made, x = torch.randn(*decodes, 1, 4, 3), torch.rand(*images, 1, 4, 3)
    expected = Independent(Bernoulli(logits=made, validate_args=False), 3, validate_args=False).log_prob(x)
    with torch.no_grad():
        found = BernoulliPixels()(made).log_prob(x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(BernoulliPixels()(made).log_prob(x), expected, rtol=0, atol=0)


def test_the_gradient_by_a_logit_is_the_value_minus_the_probability() -> None:
    made = logits((1, 5, 5), 60.0, IMAGES).requires_grad_()
    x = values((1, 5, 5), grey=True)
    (gradient,) = torch.autograd.grad(BernoulliPixels()(made).log_prob(x).sum(), made)
    torch.testing.assert_close(gradient, x - torch.sigmoid(made.detach()), rtol=1e-5, atol=1e-6)


def test_neither_logits_nor_images_are_changed() -> None:
    made, x = logits((1, 5, 5), 60.0, IMAGES), values((1, 5, 5), grey=True)
    before = made.clone(), x.clone()
    with torch.no_grad():
        p = BernoulliPixels()(made)
        first, again = p.log_prob(x), p.log_prob(x)
    assert torch.equal(made, before[0]) and torch.equal(x, before[1]) and torch.equal(first, again)
