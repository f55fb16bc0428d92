"""Annealed importance sampling: unbiased for p(x) whatever q is, from transitions that leave their targets as they are."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, Unused, coins, enumerated, numbered_images, vae
from scipy.special import expit, logsumexp

from regen.evaluation.held_out.annealed import ACCEPTANCE, Gibbs, Hamiltonian, annealed_nll, temperatures
from regen.evaluation.held_out.exact import exact_nll, nodes
from regen.images.batches import to_unit_interval

SHAPE = (1, 2, 3)
FLOW = {"kind": "realnvp", "couplings": 2, "networks": "one", "hidden": [4], "activation": "tanh"}
CPU = torch.device("cpu")


def gaussian() -> tuple[Any, np.ndarray, torch.Tensor]:
    """Return a model with two Gaussian latents, log p(x) of an image, and the image."""
    known, image = LinearGaussian.random(2, SHAPE), numbered_images(1, SHAPE)
    return known.model(Unused()), known.log_p(image), image


def binary() -> tuple[Any, np.ndarray, torch.Tensor]:
    """Return a model with four coins, log p(x) of an image, and the image."""
    model, image = coins(4, SHAPE), numbered_images(1, SHAPE)
    log_p = enumerated(model, image)[2]
    model.encoder = Unused()
    return model, log_p, image


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_temperatures_rise_from_zero_to_one_as_a_sigmoid_does(count: int) -> None:
    betas = temperatures(count).numpy()
    assert betas.shape == (count + 1,) and (betas[0], betas[-1]) == (0, 1) and np.all(np.diff(betas) > 0)
    t = expit(4 * (2 * np.arange(count + 1) / count - 1))
    np.testing.assert_allclose(betas, (t - t[0]) / (t[-1] - t[0]), atol=1e-14)


@pytest.mark.parametrize(("chains", "count"), [(1, 5), (1, 12), (4, 5)])
@pytest.mark.parametrize("make", [gaussian, binary])
def test_the_mean_of_many_estimates_of_p_is_p(make: Any, chains: int, count: int) -> None:
    model, log_p, image = make()
    torch.manual_seed(0)
    runs = 2400 // chains
    # Copies of one image are runs of their own.
    estimates = torch.exp(-annealed_nll(model, image.expand(runs, *SHAPE), chains, count) - log_p.item())
    error = estimates.std().item() / math.sqrt(runs)
    assert abs(estimates.mean().item() - 1) < 4 * error
    assert error < 0.05


@pytest.mark.parametrize("make", [gaussian, binary])
def test_the_estimate_of_log_p_rises_with_the_temperatures_and_the_chains(make: Any) -> None:
    model, log_p, image = make()
    torch.manual_seed(1)
    images = image.expand(300, *SHAPE)
    below = [annealed_nll(model, images, *counts).mean().item() + log_p.item() for counts in ((1, 2), (1, 8), (8, 8))]
    assert below[0] > below[1] > below[2] > 0


@pytest.mark.parametrize(("make", "nats"), [(gaussian, 0.15), (binary, 0.05)])
def test_with_many_temperatures_the_estimate_is_nearly_exact(make: Any, nats: float) -> None:
    model, log_p, image = make()
    torch.manual_seed(2)
    estimates = annealed_nll(model, image.expand(10, *SHAPE), 50, 80)
    assert (estimates + log_p.item()).abs().mean() < nats


def test_a_flow_prior_is_annealed_from_too() -> None:
    torch.manual_seed(3)
    model, image = vae("gaussian", 2, SHAPE, prior=FLOW), numbered_images(1, SHAPE)
    # Under the flow's noise u the same integral has a standard prior, and a grid gives it.
    plain = vae("gaussian", 2, SHAPE)
    layers, decoder = model.prior.flow.transforms(), model.decoder.forward

    def through(u: torch.Tensor) -> Any:
        for layer in layers:
            u = layer(u)
        return decoder(u)

    plain.decoder.forward = through
    at = nodes(plain, 200**2)
    assert at is not None
    exact = exact_nll(plain, image, at).nll_nats.item()
    estimates = torch.exp(exact - annealed_nll(model, image.expand(400, *SHAPE), 2, 10))
    assert abs(estimates.mean().item() - 1) < 4 * estimates.std().item() / math.sqrt(400)
    assert estimates.std().item() / math.sqrt(400) < 0.05


@pytest.mark.parametrize("beta", [0.2, 1.0])
@pytest.mark.parametrize("step", [0.05, 0.4])
def test_hamiltonian_monte_carlo_leaves_its_target_as_it_is(beta: float, step: float) -> None:
    torch.manual_seed(4)
    known, images, chains = LinearGaussian.random(2, SHAPE), numbered_images(3, SHAPE), 20_000
    model, x = known.model(Unused()), to_unit_interval(images)
    mean, covariance = known.mean(images, beta), known.covariance(beta)
    drawn = np.random.default_rng(5).normal(size=(chains, 3, 2)) @ np.linalg.cholesky(covariance).T + mean
    z = start = torch.from_numpy(drawn).float()
    transition = Hamiltonian(lambda z: (model.prior().log_prob(z), model.decoder(z).log_prob(x)), 3, CPU)
    for _ in range(2):
        transition.step = torch.full((3, 1), step)
        z = transition(z, beta)
    refused = (z == start).all(-1).double().mean().item()
    # The long step is near the limit of stability, where many proposals are refused; the short one is nearly exact.
    assert 0.02 < refused < 0.9 if step == 0.4 and beta == 1 else refused < 0.1
    # Most of the states moved far: where they are now says little of where they were.
    assert (z - start).square().sum(-1).mean() > 0.3 * np.trace(covariance)
    white = (z.double().numpy() - mean) @ np.linalg.inv(np.linalg.cholesky(covariance)).T
    # Of N(0, I): means of size 1 / sqrt(n), squares of size sqrt(2 / n), products of size 1 / sqrt(n); fourth moments 3 with sqrt(96 / n).
    n = chains
    assert np.all(np.abs(white.mean(0)) < 4 / math.sqrt(n))
    assert np.all(np.abs(np.square(white).mean(0) - 1) < 4 * math.sqrt(2 / n))
    assert np.all(np.abs(white.prod(-1).mean(0)) < 4 / math.sqrt(n))
    assert np.all(np.abs((white**4).mean(0) - 3) < 4 * math.sqrt(96 / n))


def test_the_step_size_of_every_image_follows_the_share_of_accepted_proposals() -> None:
    torch.manual_seed(6)
    transition = Hamiltonian(lambda z: (-0.5 * z.square().sum(-1), torch.zeros(z.shape[:-1])), 4, CPU)
    assert 0 < ACCEPTANCE < 1
    # In order: all accepted; all refused, for steps of five standard deviations are not stable; at the limit; the smallest.
    transition.step = torch.tensor([[0.1], [0.5], [0.99], [1e-4]])
    weigh, stiff = transition.weigh, torch.tensor([1.0, 100.0, 1.0, 1.0])
    transition.weigh = lambda z: (weigh(z)[0] * stiff, weigh(z)[1])
    z = torch.randn(200, 4, 3) / stiff.sqrt()[:, None]
    after = transition(z, 1.0)
    assert not torch.equal(after[:, 0], z[:, 0]) and torch.equal(after[:, 1], z[:, 1])
    np.testing.assert_allclose(transition.step[:, 0], [0.102, 0.49, 1.0, 1.02e-4], rtol=1e-5)


def test_a_trajectory_that_leaves_the_numbers_is_refused() -> None:
    torch.manual_seed(7)

    def weigh(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        broken = torch.where(z[..., 0] > 0.5, torch.nan, 1.0)
        return -0.5 * z.square().sum(-1), broken * z.sum(-1) - 1e30 * (z[..., 1] > 2)

    z = -torch.rand(100, 2, 2)
    after = Hamiltonian(weigh, 2, CPU)(z, 1.0)
    assert after.isfinite().all() and (after[..., 0] <= 0.5).all()
    kept = (after == z).all(-1)
    assert kept.any() and not kept.all()


@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_a_gibbs_sweep_has_the_enumerated_transition_matrix_and_leaves_its_target_as_it_is(beta: float) -> None:
    torch.manual_seed(8)
    model, image, chains = coins(3, SHAPE), numbered_images(1, SHAPE), 5000
    states, log_likelihood, _ = enumerated(model, image)
    log_target = beta * log_likelihood[:, 0]
    matrix = np.eye(8)
    for unit in range(3):
        one = np.zeros((8, 8))
        for row, state in enumerate(states):
            flipped = state.copy()
            flipped[unit] = 1 - flipped[unit]
            (other,) = np.flatnonzero((states == flipped).all(1))
            one[row, other] = expit(log_target[other] - log_target[row])
            one[row, row] = 1 - one[row, other]
        matrix = matrix @ one
    target = np.exp(log_target - logsumexp(log_target))
    np.testing.assert_allclose(target @ matrix, target, rtol=1e-12)

    x = to_unit_interval(image)
    with torch.no_grad():
        start = torch.from_numpy(states).float().repeat_interleave(chains, dim=0)[:, None]
        after = Gibbs(lambda z: (model.prior().log_prob(z), model.decoder(z).log_prob(x)))(start, beta)
    number = (after[:, 0].long() @ torch.tensor([4, 2, 1])).view(8, chains).numpy()
    frequencies = np.stack([np.bincount(row, minlength=8) for row in number]) / chains
    # 64 binomial frequencies; rare states come in ones.
    assert np.all(np.abs(frequencies - matrix) < 4.5 * np.sqrt(matrix * (1 - matrix) / chains) + 3 / chains)
    # The matrix is neither that of staying nor of independent draws, by more than that.
    assert np.abs(matrix - np.eye(8)).max() > 0.5 and np.abs(matrix - target).max() > 0.05


def test_gibbs_sweeps_are_of_each_image_by_itself() -> None:
    torch.manual_seed(9)
    # Two images that force opposite states.
    sign = torch.tensor([1.0, -1.0])
    transition = Gibbs(lambda z: (torch.zeros(z.shape[:-1]), sign * 200 * (z.sum(-1) - 1.5)))
    after = transition(torch.bernoulli(torch.full((50, 2, 3), 0.5)), 1.0)
    assert torch.equal(after, torch.tensor([1.0, 0.0])[:, None].expand(50, 2, 3))
