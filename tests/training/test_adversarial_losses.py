"""What the players of a GAN minimise: gradients in closed form, the penalty at known points, and optima that are known."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chi2, norm
from torch import nn

from regen.config.base import parse
from regen.config.training import Training
from regen.training.objectives import GENERATOR_LOSSES, Objective, gradient_penalty, objective_of


def adversarial(loss: str, **choices: Any) -> Objective:
    objective = {"kind": "adversarial", "loss": loss, **choices}
    settings = {"optimizer": "adam", "learning_rate": 0.1, "batch_size": 1, "epochs": 1}
    return objective_of(parse(Training, {"objective": objective, **settings}, "test"))


@pytest.mark.parametrize(
    ("loss", "name", "value", "gradient"),
    [
        ("saturating", "generator_nats", lambda d: np.log(1 - d), lambda d: -d),
        ("non_saturating", "generator_nats", lambda d: -np.log(d), lambda d: d - 1),
    ],
)
def test_the_generators_losses_and_their_gradients_by_the_logit(
    loss: str, name: str, value: Callable[[np.ndarray], np.ndarray], gradient: Callable[[np.ndarray], np.ndarray]
) -> None:
    logits = torch.linspace(-8, 8, 33, dtype=torch.float64, requires_grad=True)
    probability = 1 / (1 + np.exp(-logits.detach().numpy()))
    said, losses = GENERATOR_LOSSES[loss](logits)
    assert said == name
    np.testing.assert_allclose(losses.detach(), value(probability), rtol=1e-9)
    np.testing.assert_allclose(torch.autograd.grad(losses.sum(), logits)[0], gradient(probability), rtol=1e-9)


def test_where_every_fake_is_found_out_one_gradient_vanishes_and_the_other_does_not() -> None:
    # errata uva3 6: d/da log(1 - sigmoid(a)) = -D -> 0, d/da -log sigmoid(a) = D - 1 -> -1.
    logits = torch.tensor([-1000.0, -100.0], requires_grad=True)
    slopes = [torch.autograd.grad(GENERATOR_LOSSES[loss](logits)[1].sum(), logits)[0] for loss in ("saturating", "non_saturating")]
    assert slopes[0].abs().max() < 1e-30
    assert slopes[1].tolist() == [-1, -1]


def test_the_critics_generator_maximises_its_score() -> None:
    scores = torch.tensor([-2.0, 3.0], requires_grad=True)
    said, losses = GENERATOR_LOSSES["wasserstein"](scores)
    assert (said, losses.tolist(), torch.autograd.grad(losses.sum(), scores)[0].tolist()) == ("generator", [2, -3], [-1, -1])


class Polynomial(nn.Module):
    """f(x) = sum over the D values of (a x^2 / 2 + b x), with the gradient a x + b; keeps the points that it was asked at."""

    def __init__(self, a: list[float], b: list[float]) -> None:
        super().__init__()
        self.a, self.b = (nn.Parameter(torch.tensor(values, dtype=torch.float64)) for values in (a, b))
        self.points: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(1)
        self.points.append(x.detach())
        return (self.a * x.square() / 2 + self.b * x).sum(1, keepdim=True)


def pairs(count: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    real, fake = (torch.randn(count, 1, 1, size, generator=generator, dtype=torch.float64) for _ in range(2))
    return real, fake


def test_the_penalty_of_a_linear_critic_is_that_of_its_slope_everywhere() -> None:
    critic = Polynomial([0, 0], [3, 4])
    penalty = gradient_penalty(critic, *pairs(6, 2))
    assert penalty.tolist() == [16] * 6
    # d (|b| - 1)^2 / db = 2 (|b| - 1) b / |b|: the penalty can itself be differentiated.
    (by_slope,) = torch.autograd.grad(penalty.mean(), critic.b)
    np.testing.assert_allclose(by_slope, [2 * 4 * 3 / 5, 2 * 4 * 4 / 5], rtol=1e-12)


def test_a_critic_without_a_slope_has_a_penalty_of_one_and_a_finite_gradient() -> None:
    critic = Polynomial([0, 0], [0, 0])
    penalty = gradient_penalty(critic, *pairs(6, 2))
    assert penalty.tolist() == [1] * 6
    assert torch.autograd.grad(penalty.mean(), critic.b)[0].isfinite().all()


def test_the_penalty_of_a_quadratic_critic_is_that_of_its_slope_at_points_between_the_pairs() -> None:
    a, b, count = np.array([0.5, -1.5, 2.0]), np.array([0.3, 0.0, -0.7]), 4000
    critic, (real, fake) = Polynomial(a.tolist(), b.tolist()), pairs(count, 3)
    torch.manual_seed(4)
    penalty = gradient_penalty(critic, real, fake)
    (points,), ends = critic.points, (real.flatten(1), fake.flatten(1))
    slopes = a * points.numpy() + b
    np.testing.assert_allclose(penalty.detach(), (np.sqrt((slopes**2).sum(1)) - 1) ** 2, rtol=1e-9)

    # One share an image, the same in all its values, uniform in [0, 1]: mean 1/2, variance 1/12, and E (s - 1/2)^4 = 1/80.
    shares = (points - ends[1]) / (ends[0] - ends[1])
    share = shares.mean(1)
    torch.testing.assert_close(shares, share[:, None].expand_as(shares), rtol=1e-6, atol=1e-6)
    assert -1e-9 < share.min() < 0.01 and 0.99 < share.max() < 1 + 1e-9
    assert abs(share.mean().item() - 1 / 2) < 4 * math.sqrt(1 / 12 / count)
    assert abs((share - 0.5).square().mean().item() - 1 / 12) < 4 * math.sqrt((1 / 80 - 1 / 144) / count)


@pytest.mark.parametrize("a", [0.5, 3.0])
def test_the_mean_penalty_of_a_parabola_between_zero_and_one(a: float) -> None:
    # At a share s the slope is a s: E (a s - 1)^2 = a^2/3 - a + 1, and E (a s - 1)^4 = ((a - 1)^5 + 1) / (5 a).
    count, critic = 20_000, Polynomial([a], [0])
    real, fake = torch.ones(count, 1, 1, 1, dtype=torch.float64), torch.zeros(count, 1, 1, 1, dtype=torch.float64)
    torch.manual_seed(5)
    penalty = gradient_penalty(critic, real, fake)
    mean, fourth = a**2 / 3 - a + 1, ((a - 1) ** 5 + 1) / (5 * a)
    assert abs(penalty.mean().item() - mean) < 4 * math.sqrt((fourth - mean**2) / count)

    # Its gradient by a: 2 (a s - 1) s has the mean 2a/3 - 1 and the second moment 4 (a^2/5 - a/2 + 1/3); for a s < 0 there is none here.
    (by_a,) = torch.autograd.grad(penalty.mean(), critic.a)
    slope, second = 2 * a / 3 - 1, 4 * (a**2 / 5 - a / 2 + 1 / 3)
    assert abs(by_a.item() - slope) < 4 * math.sqrt((second - slope**2) / count)


class Frozen(nn.Module):
    """A model whose generator draws from one fixed distribution; scores and logits are the discriminator's own."""

    def __init__(self, discriminator: nn.Module, draw: Callable[[torch.Tensor], torch.Tensor], output: str) -> None:
        super().__init__()
        self.discriminator, self.generator, self.output = discriminator, draw, output

    def latents(self, count: int) -> torch.Tensor:
        return torch.randn(count, dtype=torch.float64)

    def seen(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x - 1


def minimise(objective: Objective, model: Frozen, x: torch.Tensor) -> tuple[float, dict[str, torch.Tensor]]:
    """Minimise the discriminator's turn on these images and fixed random numbers; return its last objective and terms."""
    parameters = list(model.discriminator.parameters())
    optimizer = torch.optim.LBFGS(parameters, max_iter=500, tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe")

    def turn() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        torch.manual_seed(6)
        return next(objective.turns(model, x, torch.zeros(len(x))))

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value, _ = turn()
        value.backward(inputs=parameters)
        return value

    optimizer.step(closure)
    value, terms = turn()
    return value.item(), {name: term.detach() for name, term in terms.items()}


class Quadratic(nn.Module):
    """Logit c0 + c1 y + c2 y^2."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Parameter(torch.zeros(3, dtype=torch.float64))

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        y = y.flatten(1)
        return self.c[0] + self.c[1] * y + self.c[2] * y.square()


@pytest.mark.parametrize(("real", "fake"), [((0.5, 0.6), (-0.4, 0.9)), ((0.2, 0.7), (0.2, 0.7))], ids=["apart", "the same"])
def test_the_best_discriminator_of_two_gaussians_is_their_log_density_ratio(real: tuple[float, float], fake: tuple[float, float]) -> None:
    count = 20_000
    (m1, s1), (m2, s2) = real, fake
    # Real images y are 2 x - 1.
    y = m1 + s1 * torch.randn(count, 1, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    discriminator = Quadratic()
    model = Frozen(discriminator, lambda z: (m2 + s2 * z).view(-1, 1, 1, 1), "probability")
    value, terms = minimise(adversarial("non_saturating"), model, (y + 1) / 2)

    # log p - log q, a parabola.
    expected = np.array(
        [
            math.log(s2 / s1) - m1**2 / (2 * s1**2) + m2**2 / (2 * s2**2),
            m1 / s1**2 - m2 / s2**2,
            1 / (2 * s2**2) - 1 / (2 * s1**2),
        ]
    )
    # By quadrature: the coefficients' errors (the variance of the gradient between two inverse Hessians), and 2 log 2 - 2 JSD.
    grid = np.linspace(-12, 12, 24_001)
    p, q, features = norm.pdf(grid, m1, s1), norm.pdf(grid, m2, s2), np.stack([np.ones_like(grid), grid, grid**2])
    d = 1 / (1 + np.exp(-expected @ features))
    step = grid[1] - grid[0]
    hessian = (features * (p + q) * d * (1 - d)) @ features.T * step

    def covariance(values: np.ndarray, density: np.ndarray) -> np.ndarray:
        mean = values @ density * step
        return (values * density) @ values.T * step - np.outer(mean, mean)

    inverse = np.linalg.inv(hessian)
    spread = inverse @ (covariance((1 - d) * features, p) + covariance(d * features, q)) @ inverse / count
    assert (np.abs(discriminator.c.detach().numpy() - expected) < 4 * np.sqrt(spread.diagonal())).all()

    nats = [(-np.log(probability), density) for probability, density in ((d, p), (1 - d, q))]
    least = sum(values @ density * step for values, density in nats)
    error = math.sqrt(max(0.0, sum(covariance(values[None], density).item() for values, density in nats)) / count)
    # Three coefficients fitted to 2 count values take half a chi-square of three degrees off their total; 4 errors are the same level.
    fitted = chi2.isf(2 * norm.sf(4), 3) / 2 / count
    assert -4 * error - fitted < value - least < 4 * error + 1e-12
    assert value == pytest.approx(terms["discriminator_nats"].mean().item(), rel=1e-12)
    if real == fake:
        assert least == pytest.approx(2 * math.log(2), rel=1e-9)


@pytest.mark.parametrize("weight", [1.0, 10.0, 1000.0])
def test_a_linear_critic_of_two_points_finds_their_distance_up_to_its_penalty(weight: float) -> None:
    real, fake = torch.tensor([0.6, -0.3], dtype=torch.float64), torch.tensor([-0.6, 0.2], dtype=torch.float64)
    distance = math.hypot(1.2, 0.5)
    critic = nn.Linear(2, 1, bias=False, dtype=torch.float64)
    torch.manual_seed(8)
    nn.init.normal_(critic.weight)
    model = Frozen(nn.Sequential(nn.Flatten(), critic), lambda z: fake.expand(len(z), 1, 1, 2), "score")
    x = ((real + 1) / 2).expand(16, 1, 1, 2)
    value, terms = minimise(adversarial("wasserstein", gradient_penalty=weight), model, x)

    # Of w d - weight (w - 1)^2 the greatest value is at w = 1 + d / (2 weight), in the direction from fake to real.
    slope = 1 + distance / (2 * weight)
    np.testing.assert_allclose(critic.weight[0].detach(), slope / distance * (real - fake), rtol=1e-6)
    assert (terms["score_real"] - terms["score_fake"]).mean().item() == pytest.approx(distance + distance**2 / (2 * weight), rel=1e-6)
    assert value == pytest.approx(-distance - distance**2 / (4 * weight), rel=1e-9)
    np.testing.assert_allclose(terms["gradient_penalty"], (distance / (2 * weight)) ** 2, rtol=1e-5)
