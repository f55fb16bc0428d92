"""Importance-weighted bounds and their gradients, on a linear-Gaussian model of which log p(x) and the posterior are known."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import nn
from torch.distributions import Distribution, Independent, Normal

from regen.config.base import parse
from regen.config.model import Vae
from regen.models.build import build
from regen.models.flows import StandardNormal
from regen.models.vae import LatentVariableModel

MakeObjective = Callable[..., nn.Module]

NOISE = 0.5
X, WEIGHT = torch.tensor([0.9, 0.2], dtype=torch.float64), torch.tensor([0.8, -0.6], dtype=torch.float64)
PRECISION = 1 + (WEIGHT @ WEIGHT).item() / NOISE**2
MEAN, STD = (WEIGHT @ X).item() / NOISE**2 / PRECISION, PRECISION**-0.5
LOG_P = multivariate_normal(np.zeros(2), np.outer(WEIGHT, WEIGHT) + NOISE**2 * np.eye(2)).logpdf(X)


class Copies(nn.Module):
    """Many copies of q = N(mean, scale^2) and of p(x | z) = N(weight z, NOISE^2), each with parameters of its own.

    One backward pass then gives one independent draw of the gradient a copy.
    """

    def __init__(self, copies: int, mean: float, scale: float) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.full((copies, 1), mean, dtype=torch.float64))
        self.log_scale = nn.Parameter(torch.full((copies, 1), math.log(scale), dtype=torch.float64))
        self.weight = nn.Parameter(WEIGHT.repeat(copies, 1))

    def encoder(self, x: torch.Tensor) -> Distribution:
        return Independent(Normal(self.mean, self.log_scale.exp()), 1)

    def decoder(self, z: torch.Tensor) -> Distribution:
        return Independent(Normal((z * self.weight).unflatten(-1, (1, 1, 2)), NOISE), 3)

    def model(self) -> LatentVariableModel:
        prior = StandardNormal(1).double()
        return LatentVariableModel(Called(self.encoder), Called(self.decoder), prior)


class Called(nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], Distribution]) -> None:
        super().__init__()
        self.function = function

    def forward(self, value: torch.Tensor) -> Distribution:
        return self.function(value)


def draws(objective: nn.Module, copies: Copies) -> tuple[torch.Tensor, torch.Tensor]:
    """Return one value of the objective a copy (N,), and its gradient by mean, log-scale and weights (N, 4)."""
    x = X.view(1, 1, 1, 2).expand(len(copies.mean), 1, 1, 2)
    value, terms = objective(copies.model(), x, torch.zeros(len(x)))
    gradient = torch.autograd.grad(value, [copies.mean, copies.log_scale, copies.weight])
    return terms.get("objective_nats", terms["neg_elbo_nats"]).detach(), torch.cat(gradient, dim=1) * len(x)


def exact(samples: int, mean: float, scale: float) -> tuple[float, torch.Tensor]:
    """Return -L_K and its gradient by Gauss-Hermite quadrature over the K samples' noise."""
    points, weights = (torch.from_numpy(values) for values in np.polynomial.hermite_e.hermegauss(40))
    noise = torch.cartesian_prod(*[points] * samples).view(-1, samples)
    measure = torch.cartesian_prod(*[weights / math.sqrt(2 * math.pi)] * samples).view(-1, samples).prod(1)
    parameters = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (mean, math.log(scale), WEIGHT.tolist())]
    location, log_scale, weight = parameters
    z = location + log_scale.exp() * noise
    error = (X - z[..., None] * weight) / NOISE
    log_likelihood = -0.5 * error.square().sum(-1) - math.log(2 * math.pi * NOISE**2)
    log_ratio = -0.5 * z.square() + 0.5 * noise.square() + log_scale  # log p(z) - log q(z)
    value = (measure * (math.log(samples) - (log_likelihood + log_ratio).logsumexp(1))).sum()
    gradient = torch.autograd.grad(value, parameters)
    return value.item(), torch.cat([part.view(-1) for part in gradient])


def test_the_bounds_rise_with_the_samples_towards_log_p(make_objective: MakeObjective) -> None:
    torch.manual_seed(0)
    count, mean, scale = 20_000, MEAN + STD, 1.2 * STD
    bounds, errors = [], []
    for samples in (1, 5, 50):
        objective = make_objective("iwae", samples=samples, gradient="normalised_weights")
        value, _ = draws(objective, Copies(count, mean, scale))
        bounds.append(-value.mean().item())
        errors.append(value.std().item() / math.sqrt(count))
    # L_1 = log p - KL(q, posterior), two Gaussians.
    divergence = math.log(STD / scale) + (scale**2 + (mean - MEAN) ** 2) / (2 * STD**2) - 0.5
    assert abs(bounds[0] - (LOG_P - divergence)) < 4 * errors[0]
    for lower, upper, error in zip(bounds, [*bounds[1:], LOG_P], np.hypot(errors, [*errors[1:], 0]), strict=True):
        assert upper - lower > 4 * error


def test_more_samples_narrow_the_elbo_and_tighten_only_the_importance_weighted_bound(make_objective: MakeObjective) -> None:
    torch.manual_seed(6)
    count, mean, scale = 20_000, MEAN + STD, 1.2 * STD
    # The KL is in closed form: what varies is log p(x | z), a quadratic in z, over Gauss-Hermite points exactly.
    points, weights = np.polynomial.hermite_e.hermegauss(20)
    error = (X.numpy() - (mean + scale * points)[:, None] * WEIGHT.numpy()) / NOISE
    weights, log_likelihood = weights / weights.sum(), -0.5 * (error**2).sum(1)
    variance = weights @ log_likelihood**2 - (weights @ log_likelihood) ** 2
    bound, _ = exact(1, mean, scale)
    for samples in (1, 10):
        values, _ = draws(make_objective("elbo", samples=samples), Copies(count, mean, scale))
        assert abs(values.mean() - bound) < 4 * values.std() / math.sqrt(count)
        assert values.var().item() == pytest.approx(variance / samples, rel=0.1)
    tighter, _ = draws(make_objective("iwae", samples=10, gradient="normalised_weights"), Copies(count, mean, scale))
    error = 4 * tighter.std().item() / math.sqrt(count)
    assert -bound < -tighter.mean().item() - error and -tighter.mean().item() + error < LOG_P


@pytest.mark.parametrize(
    ("samples", "choices"),
    [
        (1, {"kind": "elbo"}),
        (1, {"kind": "elbo", "samples": 4}),
        (1, {"kind": "iwae", "samples": 1, "gradient": "normalised_weights"}),
        (1, {"kind": "iwae", "samples": 1, "gradient": "doubly_reparameterised"}),
        (2, {"kind": "iwae", "samples": 2, "gradient": "normalised_weights"}),
        (2, {"kind": "iwae", "samples": 2, "gradient": "doubly_reparameterised"}),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else f"L_{value}",
)
def test_value_and_gradient_are_unbiased(samples: int, choices: dict[str, Any], make_objective: MakeObjective) -> None:
    torch.manual_seed(1)
    count, mean, scale = 40_000, MEAN + 0.8 * STD, 1.3 * STD
    values, gradients = draws(make_objective(**choices), Copies(count, mean, scale))
    bound, gradient = exact(samples, mean, scale)
    assert abs(values.mean() - bound) < 4 * values.std() / math.sqrt(count)
    error = gradients.std(0) / math.sqrt(count)
    assert torch.all((gradients.mean(0) - gradient).abs() < 4 * error)
    assert error.norm() < 0.02 * gradient.norm()


def test_at_the_posterior_the_doubly_reparameterised_encoder_gradient_is_zero_at_every_draw(make_objective: MakeObjective) -> None:
    gradients, copies = {}, 1000
    for estimator in ("normalised_weights", "doubly_reparameterised"):
        torch.manual_seed(2)
        objective = make_objective("iwae", samples=5, gradient=estimator)
        values, gradients[estimator] = draws(objective, Copies(copies, MEAN, STD))
        torch.testing.assert_close(values, torch.full_like(values, -LOG_P))
    assert gradients["doubly_reparameterised"][:, :2].abs().max() < 1e-12
    # The other has the score of q: of variance 1 / (K STD^2) by the mean and 2 / K by the log-scale, where its excess
    # kurtosis is 12 / K; the relative standard error of a standard deviation is sqrt((kurtosis + 2) / 4N).
    spread = gradients["normalised_weights"][:, :2].std(0)
    error = math.sqrt((12 / 5 + 2) / (4 * copies))
    np.testing.assert_allclose(spread, [1 / math.sqrt(5) / STD, math.sqrt(2 / 5)], rtol=4 * error)


@pytest.mark.parametrize("prior", ["standard", "realnvp"])
def test_the_decoders_gradient_is_the_same_in_both_estimators(prior: str, make_objective: MakeObjective) -> None:
    gradients = []
    for estimator in ("normalised_weights", "doubly_reparameterised"):
        model, x = vae(prior)
        torch.manual_seed(3)
        value, _ = make_objective("iwae", samples=4, gradient=estimator)(model, x, torch.zeros(len(x)))
        value.backward()
        gradients.append([parameter.grad for part in (model.decoder, model.prior) for parameter in part.parameters()])
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-12)


def test_with_one_sample_the_bound_is_the_elbo_in_value_and_gradient(make_objective: MakeObjective) -> None:
    # With a flow prior the ELBO has no closed-form KL: the same numbers are drawn and used.
    found = []
    for choices in ({"kind": "elbo"}, {"kind": "iwae", "samples": 1, "gradient": "normalised_weights"}):
        model, x = vae("realnvp")
        torch.manual_seed(4)
        value, terms = make_objective(**choices)(model, x, torch.zeros(len(x)))
        value.backward()
        found.append([value.detach(), terms["neg_elbo_nats"].detach(), *[parameter.grad for parameter in model.parameters()]])
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-12)


def vae(prior: str) -> tuple[Any, torch.Tensor]:
    """Return the same small model at every call, and four images."""
    torch.manual_seed(5)
    flow = {"kind": "realnvp", "couplings": 2, "networks": "one", "hidden": [4], "activation": "tanh"}
    config = {
        "family": "vae",
        "network": {"kind": "mlp", "hidden": [6], "activation": "tanh"},
        "latent": {"kind": "gaussian", "dim": 2},
        "prior": flow if prior == "realnvp" else {"kind": "standard"},
        "likelihood": {"kind": "bernoulli"},
    }
    model = build(parse(Vae, config, "test"), [1, 2, 2]).double()
    return model, torch.randint(0, 2, (4, 1, 2, 2)).double()
