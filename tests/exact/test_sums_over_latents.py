"""-log p(x) as a sum: states of coins by enumeration, grids against closed forms, their known error, and adaptive cubature."""

from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, Unused, coins, enumerated, log_likelihood, numbered_images, vae
from scipy.integrate import cubature

from regen.evaluation.held_out.exact import LIMIT, POINTS, exact_nll, nodes

SHAPE = (1, 2, 3)
IMAGES = numbered_images(5, SHAPE)
FLOW = {"kind": "realnvp", "couplings": 2, "networks": "one", "hidden": [4], "activation": "tanh"}


def orthogonal(dim: int, noise: float = 0.5) -> LinearGaussian:
    """Return a model of which the posterior has independent dimensions, each of another scale."""
    q, _ = np.linalg.qr(np.random.default_rng(dim).normal(size=(6, dim)))
    return LinearGaussian(torch.from_numpy(q * (1 + np.arange(dim))).float(), noise, SHAPE)


@pytest.mark.parametrize("dim", [1, 2, 5, 10])
def test_states_of_coins_are_summed_as_numpy_enumerates_them(dim: int) -> None:
    model = coins(dim, SHAPE)
    at = nodes(model, 2**dim)
    assert at is not None
    found = exact_nll(model, IMAGES, at)
    np.testing.assert_allclose(-found.nll_nats, enumerated(model, IMAGES)[2], rtol=1e-6)
    assert (at.name, at.log_volume, at.coarse, found.coarse_nats) == ("enumeration", 0, None, None)


@pytest.mark.parametrize(("dim", "points"), [(1, 40), (1, 1000), (1, 10**6), (2, 64**2), (2, 300**2)])
def test_a_fine_grid_gives_the_closed_form(dim: int, points: int) -> None:
    known = orthogonal(dim)
    at = nodes(known.model(Unused()), points)
    assert at is not None
    found = exact_nll(known.model(Unused()), IMAGES, at)
    # Values of about ten nats in single precision, averaged over a grid.
    np.testing.assert_allclose(-found.nll_nats, known.log_p(IMAGES), rtol=0, atol=5e-6)


@pytest.mark.parametrize(("dim", "points"), [(1, 24), (1, 25), (1, 31), (2, 41), (2, 44)])
def test_grids_are_off_by_what_aliases(dim: int, points: int) -> None:
    known = orthogonal(dim)
    at = nodes(known.model(Unused()), points**dim)
    assert at is not None
    found = exact_nll(known.model(Unused()), IMAGES, at)
    assert found.coarse_nats is not None
    mean, variance = known.mean(IMAGES), np.diag(known.covariance())

    def summed(step: float) -> np.ndarray:
        """Return the trapezoidal rule's log p(x) by Poisson's sum, 1 + 2 sum_k exp(-2 (pi k s / h)^2) cos(2 pi k (m - z_0) / h) each."""
        k = np.arange(1, 60)[:, None, None]
        aliases = np.exp(-2 * (np.pi * k) ** 2 * variance / step**2) * np.cos(2 * np.pi * k * (mean + LIMIT) / step)
        found: np.ndarray = known.log_p(IMAGES) + np.log1p(2 * aliases.sum(0)).sum(1)
        return found

    step = 2 * LIMIT / (points - 1)
    for values, expected in ((found.nll_nats, summed(step)), (found.coarse_nats, summed(2 * step))):
        np.testing.assert_allclose(-values, expected, rtol=0, atol=1e-5)
    # The error is that of the coarser grid, to the fourth power.
    fine, coarse = (np.abs(summed(size) - known.log_p(IMAGES)).max() for size in (step, 2 * step))
    assert coarse > 1e-3 and fine < coarse**2


@pytest.mark.parametrize("dim", [1, 2])
def test_a_grid_over_a_network_agrees_with_adaptive_cubature(dim: int) -> None:
    model = vae("gaussian", dim, SHAPE)
    at = nodes(model, 200**dim)
    assert at is not None
    found = exact_nll(model, IMAGES, at)

    def joint(z: np.ndarray) -> np.ndarray:
        values: np.ndarray = np.exp(log_likelihood(model, z, IMAGES) - 0.5 * np.square(z).sum(1)[:, None]) / (2 * np.pi) ** (dim / 2)
        return values

    integral = cubature(joint, [-9.0] * dim, [9.0] * dim, rtol=1e-8, atol=1e-12)
    assert integral.status == "converged"
    np.testing.assert_allclose(-found.nll_nats, np.log(integral.estimate), rtol=0, atol=1e-5)


def test_the_sum_is_the_same_whatever_fits_into_the_memory() -> None:
    shape, images = (1, 28, 28), numbered_images(50, (1, 28, 28))
    known = LinearGaussian.random(1, shape, noise=2.0, scale=0.1)
    model: Any = known.model(Unused())
    at, expected = nodes(model, 201), known.log_p(images)
    assert at is not None
    # 50 images of 3,136 bytes, six tensors of each: one latent at a time.
    for memory, decoded in ((1, [1] * 201), (1000, [201])):
        model.decoder.decoded.clear()
        found = exact_nll(model, images, at, memory)
        assert model.decoder.decoded[1:] == decoded
        np.testing.assert_allclose(-found.nll_nats, expected, rtol=1e-6)
        assert found.coarse_nats is not None
        np.testing.assert_allclose(found.coarse_nats, found.nll_nats, rtol=1e-6)


@pytest.mark.parametrize("dim", [1, 4, 10])
def test_states_are_all_there_once(dim: int) -> None:
    at = nodes(coins(dim, SHAPE), 2**dim)
    assert at is not None
    assert at.z.shape == (2**dim, dim) and set(at.z.unique().tolist()) == {0.0, 1.0}
    assert len(at.z.unique(dim=0)) == 2**dim


@pytest.mark.parametrize(
    ("dim", "most", "points"), [(1, 100, 100), (1, 10**6, POINTS), (2, 100, 10), (2, 120, 10), (2, 4096, 64), (2, 121, 11)]
)
def test_a_grid_has_as_many_points_as_are_allowed_evenly_over_the_prior(dim: int, most: int, points: int) -> None:
    at = nodes(orthogonal(dim).model(Unused()), most)
    assert at is not None and at.coarse is not None
    axis = np.linspace(-7, 7, points)
    everywhere, halved = (
        np.stack([part.ravel() for part in np.meshgrid(*[one] * dim, indexing="ij")], axis=1) for one in (axis, axis[::2])
    )
    np.testing.assert_allclose(at.z, everywhere, atol=1e-6)
    np.testing.assert_allclose(at.z[at.coarse], halved, atol=1e-6)
    assert at.log_volume == pytest.approx(dim * np.log(14 / (points - 1)), abs=1e-6)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_few_points_allowed_are_no_grid_or_a_poor_one(most: int) -> None:
    for dim in (1, 2):
        at = nodes(orthogonal(dim).model(Unused()), most)
        assert at is None or len(at.z) <= most


def test_the_grid_leaves_nothing_of_the_prior_out() -> None:
    # Two tails of N(0, 1) beyond LIMIT: at most 2 phi(LIMIT) / LIMIT.
    assert 2 * np.exp(-0.5 * LIMIT**2 - 0.5 * np.log(2 * np.pi)) / LIMIT < 3e-12


@pytest.mark.parametrize(
    ("model", "most"),
    [
        (vae("gaussian", 3, SHAPE), 2**20),
        (vae("gaussian", 2, SHAPE, prior=FLOW), 2**20),
        (coins(21, SHAPE), 2**20),
        (coins(5, SHAPE), 31),
    ],
    ids=["three Gaussian latents", "flow prior", "21 coins", "five coins and 31 states"],
)
def test_other_latents_have_no_sum(model: Any, most: int) -> None:
    assert nodes(model, most) is None
