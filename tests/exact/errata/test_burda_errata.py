"""What is wrong in burda, as far as it can be computed."""

import math

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, numbered_images
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from regen.claims.reported import read_reported
from regen.claims.study import STUDIES
from regen.evaluation.held_out.importance_sampling import importance_sampled_nll

# -log p(x) in nats with 1, 5 and 50 samples, of models of one and of two stochastic layers: Tables 1 and 3 of the paper.
VAE_ANEW, IWAE_ANEW = ((86.76, 86.47, 86.35), (85.33, 85.01, 84.78)), ((86.76, 85.54, 84.78), (85.33, 83.89, 82.90))
VAE_FIXED, IWAE_FIXED = ((88.71, 88.83, 89.05), (88.08, 87.63, 87.86)), ((88.71, 87.63, 87.10), (88.08, 86.17, 85.32))
CONTINUED = (86.76, 84.78)
"""Of the VAE and the IWAE that Table 2 begins with."""


def falls(values: tuple[float, ...]) -> bool:
    return list(values) == sorted(values, reverse=True)


def test_the_vae_of_table_3_gets_worse_with_more_samples() -> None:
    assert all(falls(values) for values in (*VAE_ANEW, *IWAE_ANEW, *IWAE_FIXED))
    assert list(VAE_FIXED[0]) == sorted(VAE_FIXED[0]) and not falls(VAE_FIXED[1])
    printed = [row.value for row in read_reported(STUDIES / "burda") if row.unit == "nats"]
    assert printed == list(IWAE_FIXED[0]) and VAE_FIXED[0][0] == IWAE_FIXED[0][0]


def test_table_2_begins_at_the_worst_vae_of_table_1() -> None:
    vae, iwae = CONTINUED
    assert vae == max(sum(VAE_ANEW, ())) and iwae == min(IWAE_ANEW[0]) > min(sum(IWAE_ANEW, ()))


@pytest.mark.parametrize(("shift", "equal"), [(0.0, True), (0.5, False)], ids=["the posterior", "another q"])
def test_the_gradient_of_log_p_is_not_that_of_the_bound(shift: float, equal: bool) -> None:
    noise, x = 0.5, torch.tensor([0.9, 0.2], dtype=torch.float64)
    weight = torch.tensor([0.8, -0.6], dtype=torch.float64, requires_grad=True)
    precision = 1 + weight.detach().square().sum() / noise**2
    q = Normal(weight.detach() @ x / noise**2 / precision + shift, precision**-0.5)

    # Of p(z) = N(0, 1) and p(x | z) = N(weight z, noise^2): the evidence, and the bound in closed form.
    log_p = MultivariateNormal(torch.zeros(2).double(), torch.outer(weight, weight) + noise**2 * torch.eye(2)).log_prob(x)
    error = (x - weight * q.mean).square().sum() + weight.square().sum() * q.variance
    bound = -math.log(2 * math.pi * noise**2) - error / (2 * noise**2) - kl_divergence(q, Normal(0.0, 1.0))

    assert (log_p - bound).item() == (pytest.approx(0, abs=1e-12) if equal else pytest.approx(shift**2 * precision.item() / 2))
    of_log_p, of_bound = (torch.autograd.grad(value, weight)[0] for value in (log_p, bound))
    assert torch.allclose(of_log_p, of_bound) is equal


def test_with_the_exact_posterior_more_samples_tighten_nothing() -> None:
    known, images = LinearGaussian.random(1, (1, 2, 3)), numbered_images(3, (1, 2, 3))
    exact, other = (importance_sampled_nll(known.model(known.guess(images, shift)), images, [1, 5, 500]) for shift in (0.0, 0.5))
    for estimate in exact.values():
        np.testing.assert_allclose(-estimate.nll_nats, known.log_p(images), atol=1e-4)
    assert other[1].nll_nats.mean() > other[5].nll_nats.mean() > other[500].nll_nats.mean()


def test_a_second_moment_that_begins_at_one_makes_the_first_steps_small() -> None:
    gradient, rate, beta_2, epsilon = 0.1, 0.001, 0.999, 1e-4
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    adam = torch.optim.Adam([weight], lr=rate, betas=(0.9, beta_2), eps=epsilon)
    second, theirs, usual = 1.0, [], []
    for step in range(1, 10_001):
        before = weight.item()
        weight.grad = torch.full((1,), gradient, dtype=torch.float64)
        adam.step()
        usual.append(before - weight.item())
        # The first moment of a constant gradient, corrected, is the gradient, whatever its decay rate.
        second = beta_2 * second + (1 - beta_2) * gradient**2
        theirs.append(rate * math.sqrt(1 - beta_2**step) * gradient / (math.sqrt(second) + epsilon))
    assert usual[0] == pytest.approx(rate, rel=2e-3)
    assert theirs[0] == pytest.approx(rate * gradient * math.sqrt(1 - beta_2), rel=2e-3)
    assert theirs[-1] == pytest.approx(usual[-1], rel=1e-2)
