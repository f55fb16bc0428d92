"""Bernoulli latents can be enumerated: log p(x), the ELBO's gradient and the spread of its estimators are finite sums."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import nn
from torch.distributions import Distribution, RelaxedBernoulli
from torch.nn.functional import logsigmoid

from regen.config.base import parse
from regen.config.model import Vae
from regen.evaluation.held_out.importance_sampling import importance_sampled_nll
from regen.models.build import build
from regen.models.relaxation import relaxed_bernoulli
from regen.models.score_function import RunningAverage
from regen.models.vae import BernoulliEncoder, FairCoins, LatentVariableModel

MakeObjective = Callable[..., nn.Module]

SAMPLES = {"no_baseline": 1, "running_average": 1, "leave_one_out": 2, "as_printed": 1}
SHAPE = [1, 2, 2]


def bernoulli_vae(dim: int, seed: int, shape: list[int] = SHAPE, std: float = 1.0) -> LatentVariableModel:
    torch.manual_seed(seed)
    config = {
        "family": "vae",
        "network": {"kind": "mlp", "hidden": [3], "activation": "tanh"},
        "latent": {"kind": "bernoulli", "dim": dim},
        "prior": {"kind": "standard"},
        "likelihood": {"kind": "bernoulli"},
    }
    model: LatentVariableModel = build(parse(Vae, config, "test"), shape)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=std)
    return model


def binary_images(count: int) -> torch.Tensor:
    return torch.randint(0, 2, (count, *SHAPE), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)


def enumerated(model: LatentVariableModel, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return all z (2^Q, Q), and for every one of them log q(z | x) and log p(x | z), each (2^Q, B)."""
    logits = model.encoder.network(x)
    z = torch.tensor(list(product((0.0, 1.0), repeat=logits.shape[1])), dtype=x.dtype)
    log_q = z @ logsigmoid(logits).T + (1 - z) @ logsigmoid(-logits).T
    pixels, x = model.decoder.network(z).flatten(1), x.flatten(1)
    return z, log_q, logsigmoid(pixels) @ x.T + logsigmoid(-pixels) @ (1 - x).T


def exact_neg_elbo(model: LatentVariableModel, x: torch.Tensor) -> torch.Tensor:
    """-ELBO averaged over the images, with gradient."""
    z, log_q, log_p = enumerated(model, x)
    log_prior = -z.shape[1] * math.log(2)
    return (log_q.exp() * (log_q - log_prior - log_p)).sum(0).mean()


def gradient(value: torch.Tensor, model: LatentVariableModel) -> torch.Tensor:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, parameters)])


def drawn(objective: nn.Module, model: LatentVariableModel, x: torch.Tensor, draws: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return -ELBO averaged over the images (draws,) and its gradients (draws, P), one after the other as in training."""
    values, gradients = [], []
    for _ in range(draws):
        value, terms = objective(model, x, torch.zeros(len(x)))
        gradients.append(gradient(value, model))
        values.append(terms["neg_elbo_nats"].detach().mean())
    return torch.stack(values), torch.stack(gradients)


class Told(nn.Module):
    """The model's q(z | x), which draws what it is told."""

    def __init__(self, encoder: nn.Module, z: torch.Tensor) -> None:
        super().__init__()
        self.encoder, self.z = encoder, z

    def forward(self, x: torch.Tensor) -> Distribution:
        q: Any = self.encoder(x)
        q.sample = lambda shape: self.z.view(*shape, *q.batch_shape, *q.event_shape)
        return q


def test_importance_sampling_agrees_with_enumeration() -> None:
    samples = 50_000
    model, images = bernoulli_vae(10, seed=1), binary_images(4) * 255
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.mul_(0.3)  # a posterior that is wrong, but not by orders of magnitude
    torch.manual_seed(0)
    estimate = importance_sampled_nll(model, images, [samples])[samples]
    with torch.no_grad():
        _, log_q, log_p = (part.double().numpy() for part in enumerated(model, images.float() / 255))
    log_joint = log_p - 10 * math.log(2)
    exact = logsumexp(log_joint, axis=0)
    second_moment = np.exp(logsumexp(2 * log_joint - log_q, axis=0) - 2 * exact)
    error = np.sqrt((second_moment - 1) / samples)
    assert np.all(np.abs(-estimate.nll_nats.numpy() - exact) < 4 * error)
    assert np.all(error < 0.03)


@pytest.mark.parametrize(
    ("estimator", "average"),
    [
        *[("no_baseline", math.nan), ("running_average", 1.7), ("running_average", math.nan)],
        *[("leave_one_out", math.nan), ("as_printed", 1.7), ("as_printed", math.nan)],
    ],
)
def test_the_estimator_summed_over_all_draws_is_the_exact_gradient(estimator: str, average: float, make_objective: MakeObjective) -> None:
    model, x, samples = bernoulli_vae(2, seed=3).double(), binary_images(2).double(), SAMPLES[estimator]
    objective: Any = make_objective("score_function", estimator=estimator, samples=samples)
    _, log_q, _ = enumerated(model, x)
    states = torch.tensor(list(product((0.0, 1.0), repeat=2)), dtype=torch.float64)
    total, mean = torch.zeros(()), torch.zeros(())
    for choice in product(range(4), repeat=samples * 2):
        index = torch.tensor(choice).view(samples, 2)
        objective.average.mean = torch.tensor(average, dtype=torch.float64)
        told = LatentVariableModel(Told(model.encoder, states[index]), model.decoder, model.prior)
        value, terms = objective(told, x, torch.zeros(2))
        probability = log_q[index, torch.arange(2)].sum().exp().detach()
        total, mean = total + probability * value, mean + probability * terms["neg_elbo_nats"].detach().mean()
    exact = exact_neg_elbo(model, x)
    assert mean.item() == pytest.approx(exact.item(), rel=1e-12)
    torch.testing.assert_close(gradient(total, model), gradient(exact, model), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("estimator", SAMPLES)
def test_the_mean_of_many_draws_is_the_exact_gradient(estimator: str, make_objective: MakeObjective) -> None:
    draws = 1500
    model, x = bernoulli_vae(4, seed=4).double(), binary_images(3).double()
    objective = make_objective("score_function", estimator=estimator, samples=SAMPLES[estimator])
    torch.manual_seed(5)
    drawn(objective, model, x, 1)  # the first step has no average of earlier ones
    values, gradients = drawn(objective, model, x, draws)
    exact = exact_neg_elbo(model, x)
    assert abs(values.mean() - exact) < 4 * values.std() / math.sqrt(draws)
    direction = gradient(exact, model)
    # Beside every component the projection on the exact gradient, which has the power to see a wrong factor.
    gradients = torch.cat([gradients, (gradients @ direction)[:, None]], dim=1)
    expected = torch.cat([direction, (direction @ direction)[None]])
    error = gradients.std(0) / math.sqrt(draws)
    assert torch.all((gradients.mean(0) - expected).abs() <= 4 * error + 1e-12)
    assert error[-1] < 0.1 * expected[-1]


def test_the_running_average_forgets_by_its_decay() -> None:
    means, decay = np.array([3.0, -1.0, 4.0, 1.5]), 0.9
    average = RunningAverage(decay).double()
    baselines = [average(torch.full((1, 2), mean, dtype=torch.float64)).numpy() for mean in means]
    weights = np.array([decay**2, (1 - decay) * decay, 1 - decay])
    np.testing.assert_allclose(baselines[0], means[0], rtol=1e-12)
    np.testing.assert_allclose(baselines[3], weights @ means[:3], rtol=1e-12)


def relaxed_neg_elbo(model: LatentVariableModel, x: torch.Tensor, temperature: float) -> torch.Tensor:
    """What Gumbel-softmax minimises, averaged over the images, by the midpoint rule over the uniform noise of two latents."""
    middles = (torch.arange(400, dtype=torch.float64) + 0.5) / 400
    noise = torch.logit(torch.cartesian_prod(middles, middles))[:, None]
    logits = model.encoder.network(x)
    z = torch.sigmoid((logits + noise) / temperature)
    pixels, values = model.decoder.network(z).flatten(2), x.flatten(1)
    recon = -(logsigmoid(pixels) * values + logsigmoid(-pixels) * (1 - values)).sum(-1).mean(0)
    p = logits.sigmoid()
    kl = (p * logsigmoid(logits) + (1 - p) * logsigmoid(-logits) + math.log(2)).sum(1)
    return (recon + kl).mean()


def test_the_bias_of_gumbel_softmax_shrinks_with_its_temperature() -> None:
    model, x = bernoulli_vae(2, seed=3).double(), binary_images(2).double()
    exact = gradient(exact_neg_elbo(model, x), model)
    bias = [(gradient(relaxed_neg_elbo(model, x, t), model) - exact).norm() / exact.norm() for t in (2.0, 1.0, 0.5, 0.1)]
    assert bias == sorted(bias, reverse=True)
    assert bias[0] > 0.1 and bias[-1] < 0.01


def test_gumbel_softmax_is_unbiased_for_its_relaxation_and_records_minus_elbo(make_objective: MakeObjective) -> None:
    draws, temperature = 1500, 0.5
    model, x = bernoulli_vae(2, seed=3).double(), binary_images(2).double()
    objective = make_objective("gumbel_softmax", temperature=temperature)
    torch.manual_seed(7)
    values, gradients = drawn(objective, model, x, draws)
    # The recorded -ELBO is of the Bernoullis themselves.
    exact = exact_neg_elbo(model, x)
    assert abs(values.mean() - exact) < 4 * values.std() / math.sqrt(draws)
    expected = gradient(relaxed_neg_elbo(model, x, temperature), model)
    gradients = torch.cat([gradients, (gradients @ expected)[:, None]], dim=1)
    expected = torch.cat([expected, (expected @ expected)[None]])
    error = gradients.std(0) / math.sqrt(draws)
    assert torch.all((gradients.mean(0) - expected).abs() <= 4 * error + 1e-3 * expected.abs())
    assert error[-1] < 0.05 * expected[-1]


def test_relaxed_latents_are_torchs_and_their_halves_the_bernoullis() -> None:
    logits = torch.tensor([-2.0, 0.0, 0.7], dtype=torch.float64).expand(20_000, 3)
    torch.manual_seed(8)
    z = relaxed_bernoulli(logits, 0.5)
    torch.manual_seed(8)
    torch.testing.assert_close(z, RelaxedBernoulli(torch.tensor(0.5).double(), logits=logits).rsample())
    p = logits[0].sigmoid()
    assert torch.all(((z > 0.5).double().mean(0) - p).abs() < 4 * (p * (1 - p) / len(z)).sqrt())


def test_the_average_as_printed_is_the_mean_of_all_earlier_steps() -> None:
    average = RunningAverage(None).double()
    for number, recon in enumerate((means := [3.0, -1.0, 4.0, 1.5]), start=1):
        average(torch.full((1, 2), recon, dtype=torch.float64))
        np.testing.assert_allclose(average.mean, np.mean(means[:number]), rtol=1e-12)


class Table(nn.Module):
    """Logits of q(z | x) that belong to the batch's images, (B, Q)."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits


def exact_variances(model: LatentVariableModel, x: torch.Tensor, decay: float) -> dict[str, float]:
    """Return the trace of the covariance of every estimator's gradient of the batch's sum with respect to the table.

    An image's part is (c + f) s: f its reconstruction, s = z - sigmoid(logits) its score, c the rest, independent of both.
    """
    with torch.no_grad():
        z, log_q, log_p = enumerated(model, x)
        q, f = log_q.exp().T, -log_p.T  # (B, 2^Q)
        score = z - model.encoder.network(x).sigmoid()[:, None]  # (B, 2^Q, Q)
    squares, images = score.square().sum(-1), len(x)
    mean = (q * f).sum(1)
    variance = (q * f.square()).sum(1) - mean.square()
    exact = torch.einsum("bz,bz,bzq->bq", q, f, score).square().sum(1)
    average, spread = mean.mean(), (1 - decay) / (1 + decay) * variance.sum() / images**2

    def trace(c: torch.Tensor, c_variance: torch.Tensor) -> float:
        second = (c.square() + c_variance) * (q * squares).sum(1) + 2 * c * (q * f * squares).sum(1) + (q * f.square() * squares).sum(1)
        return (second - exact).sum().item()

    # Two samples: (f1 - f2)(s1 - s2) / 2, summed over all pairs of states.
    pairs = squares[:, :, None] + squares[:, None, :] - 2 * score @ score.transpose(1, 2)
    second = torch.einsum("bi,bj,bij,bij->b", q, q, (f[:, :, None] - f[:, None, :]).square(), pairs) / 4
    return {
        "as_printed": trace(mean.sum() - mean - average, variance.sum() - variance + spread),
        "no_baseline": trace(torch.zeros(images), torch.zeros(images)),
        "running_average": trace(-average.expand(images), spread.expand(images)),
        "leave_one_out": (second - exact).sum().item(),
    }


def test_the_estimators_spread_is_the_enumerated_one_and_ordered_as_in_the_errata(make_objective: MakeObjective) -> None:
    # errata ai3611 2: standard deviations 330, 10.8, 2.6 and 2.0 at B = 32 and Q = 8. Two pixels and small weights, with
    # reconstructions of about 2 log 2, have 362, 11.9, 2.48 and 1.94.
    images, dim, draws, decay = 32, 8, 1000, 0.9
    decoder = bernoulli_vae(dim, 3, [1, 1, 2], std=0.4).double().decoder.requires_grad_(False)
    generator = torch.Generator().manual_seed(6)
    logits = 0.4 * torch.randn(images, dim, generator=generator, dtype=torch.float64)
    x = torch.randint(0, 2, (images, 1, 1, 2), generator=generator).double()
    model = LatentVariableModel(BernoulliEncoder(Table(logits)), decoder, FairCoins(dim).double())
    exact = exact_variances(model, x, decay)
    measured = {}
    for number, (estimator, variance) in enumerate(exact.items()):
        objective = make_objective("score_function", estimator=estimator, samples=SAMPLES[estimator], decay=decay)
        torch.manual_seed(number)
        drawn(objective, model, x, 100)  # 0.9^100: the average has forgotten its first value
        _, gradients = drawn(objective, model, x, draws)
        squares = (images * (gradients - gradients.mean(0))).square().sum(1) * draws / (draws - 1)
        measured[estimator] = squares.mean().item()
        assert abs(measured[estimator] - variance) < 4 * squares.std().item() / math.sqrt(draws)
    assert list(measured) == sorted(measured, key=measured.__getitem__, reverse=True)
    # A reconstruction that hardly varies: the sum over the batch makes it B times, less the average, as large.
    assert math.sqrt(exact["as_printed"] / exact["no_baseline"]) == pytest.approx(images - 1, rel=0.05)
