"""The variance of an ELBO's gradient, split, against closed forms of a linear-Gaussian model of one number."""

import math
from typing import Any

import pytest
import torch
from stand_ins import described, subject
from torch import nn
from torch.distributions import Independent, Normal

from regen.config.probes import GradientVariance
from regen.evaluation.probes.gradient_variance import elbo_gradient, gradient_variance, split_variance
from regen.models.flows import StandardNormal

A, S, W = 0.6, 0.5, 1.3


class Line(nn.Module):
    """q(z | x) = N(A x, S^2) fixed, p(x | z) = N(w z, 1): of one parameter, d/dw -log p(x | z) = (w z - x) z."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(W))
        self.prior = StandardNormal(1)

    def encoder(self, x: torch.Tensor) -> Independent:
        mean = A * x.flatten(1)
        return Independent(Normal(mean, torch.full_like(mean, S)), 1)

    def decoder(self, z: torch.Tensor) -> Independent:
        mean = (self.w * z)[..., None, None]
        return Independent(Normal(mean, torch.ones_like(mean)), 3)


def parts(x: torch.Tensor, samples: int, size: int) -> tuple[float, float, float]:
    """Return both parts of the variance and the squared mean, for batches without replacement from the images x (N,)."""
    mean = A * x
    # z = m + S e: (w z - x) z = (w m - x) m + S (2 w m - x) e + w S^2 e^2, with Var e = 1, Var e^2 = 2 and no covariance.
    of_latents = S**2 * (2 * W * mean - x) ** 2 + 2 * W**2 * S**4
    expected = (W * mean - x) * mean + W * S**2
    n = len(x)
    of_batch = expected.var(correction=0).item() / size * (n - size) / (n - 1)
    return of_latents.mean().item() / (size * samples), of_batch, expected.mean().item() ** 2


IMAGES = torch.tensor([0, 25, 60, 110, 170, 200, 240, 255], dtype=torch.uint8)


@pytest.mark.parametrize(("samples", "size"), [(1, 2), (10, 2), (1, 5), (10, 5)])
def test_both_parts_are_those_of_the_closed_form(samples: int, size: int) -> None:
    settings = GradientVariance(samples=[samples], batch_sizes=[size], batches=3, repeats=2)
    images = {"train": described(IMAGES.view(-1, 1, 1, 1))}
    runs = []
    for seed in range(400):
        found = gradient_variance(settings, [subject(images, model=Line(), untrained=Line())], seed)
        runs += [(row["latent_variance"], row["batch_variance"], row["squared_norm"]) for row in found["rows"]]
    values = torch.tensor(runs, dtype=torch.float64)
    expected = torch.tensor(parts(IMAGES.double() / 255, samples, size))
    assert ((values.mean(0) - expected).abs() < 4.5 * values.std(0) / math.sqrt(len(values))).all()


def test_the_gradient_is_that_of_the_mean_over_images_and_samples() -> None:
    x = torch.tensor([0.2, 0.9]).view(2, 1, 1, 1)
    torch.manual_seed(0)
    found = elbo_gradient(Line(), 3)(x)
    torch.manual_seed(0)
    z = A * x.view(2, 1) + S * torch.randn(3, 2, 1)
    torch.testing.assert_close(found, ((W * z - x.view(2, 1)) * z).mean()[None].double(), rtol=1e-5, atol=1e-6)


def test_without_noise_of_one_kind_its_part_is_zero() -> None:
    batches = [torch.tensor([1.0, 3.0]), torch.tensor([4.0, 8.0])]
    latents, batch, _ = split_variance(lambda x: x.mean()[None], batches, 3)
    assert (latents, batch) == (0, pytest.approx((2 - 6) ** 2 / 2))
    drawn = iter([1.0, 3.0, 1.0, 3.0])
    latents, batch, square = split_variance(lambda x: torch.tensor([next(drawn)]), batches, 2)
    # The means are equal: what the latents leave in them is taken off.
    assert (latents, batch, square) == (pytest.approx(2), pytest.approx(-1), pytest.approx(4))


def test_rows_say_what_they_are_of() -> None:
    settings = GradientVariance(samples=[1, 2], batch_sizes=[2, 100], batches=2, repeats=2)
    given: Any = subject({"train": described(IMAGES.view(-1, 1, 1, 1))}, model=Line(), untrained=Line())
    found = gradient_variance(settings, [given], 0)
    assert [(row["state"], row["samples"], row["batch_size"]) for row in found["rows"]] == [
        (state, samples, size) for state in ("before training", "final") for size in (2, 8) for samples in (1, 2)
    ]
    assert found == gradient_variance(settings, [given], 0) != gradient_variance(settings, [given], 1)
