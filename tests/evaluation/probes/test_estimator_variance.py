import math
from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from stand_ins import described, subject
from torch.distributions import Bernoulli, Independent

from regen.config.probes import EstimatorVariance
from regen.evaluation.probes.estimator_variance import estimator_variance, gradient_standard_deviations

LOGITS = torch.tensor([[0.3, -1.0], [1.2, 0.1], [-0.4, 0.6]])


def model(recon: Callable[[torch.Tensor], torch.Tensor], logits: torch.Tensor = LOGITS) -> Any:
    """Return a model whose q has these logits and whose reconstruction in nats is a function of z (S, B, d)."""

    def decoder(z: torch.Tensor) -> Any:
        return SimpleNamespace(log_prob=lambda x: -recon(z))

    return SimpleNamespace(encoder=lambda x: Independent(Bernoulli(logits=logits[: len(x)].clone()), 1), decoder=decoder)


def nats(z: torch.Tensor) -> torch.Tensor:
    return 3 + 2 * z[..., 0] - z[..., 1] + 4 * z[..., 0] * z[..., 1]


def exact(samples: int) -> float:
    """Return the standard deviation of the gradient of the batch's mean by enumeration of `samples` draws of two latents an image."""
    states = np.array(list(product([0.0, 1.0], repeat=2)))
    values = nats(torch.from_numpy(states)).numpy()
    total = 0.0
    for p in torch.sigmoid(LOGITS).double().numpy():
        chance = np.prod(np.where(states == 1, p, 1 - p), axis=1)
        first = second = np.zeros(2)
        for chosen in product(range(4), repeat=samples):
            index = list(chosen)
            others = [values[index].sum() - values[i] for i in index]
            signal = [values[i] - (other / (samples - 1) if samples > 1 else 0) for i, other in zip(index, others, strict=True)]
            # d log q / d logit = z - p.
            gradient = np.mean([one * (states[i] - p) for one, i in zip(signal, index, strict=True)], axis=0) / len(LOGITS)
            weight = np.prod(chance[index])
            first, second = first + weight * gradient, second + weight * gradient**2
        total += (second - first**2).sum()
    return math.sqrt(total)


def test_the_deviations_are_those_of_all_states() -> None:
    torch.manual_seed(0)
    found = gradient_standard_deviations(model(nats), torch.zeros(3, 1, 1, 1), 1500)
    assert found["no_baseline"] == pytest.approx(exact(1), rel=0.07)
    assert found["leave_one_out"] == pytest.approx(exact(2), rel=0.07)
    assert found["leave_one_out"] < found["no_baseline"] < found["as_printed"]


def test_of_a_constant_reconstruction_a_baseline_leaves_nothing_and_the_printed_sum_its_images_minus_one() -> None:
    torch.manual_seed(0)
    found = gradient_standard_deviations(model(lambda z: torch.full(z.shape[:-1], 7.0)), torch.zeros(3, 1, 1, 1), 400)
    p = torch.sigmoid(LOGITS)
    assert found["no_baseline"] == pytest.approx(7 / 3 * (p * (1 - p)).sum().sqrt().item(), rel=0.1)
    # As printed: (3 * 7 - 7) (z - p) / 3, errata ai3611 2.
    assert found["as_printed"] == pytest.approx(2 * found["no_baseline"], rel=1e-5)
    assert found["running_average"] == pytest.approx(0, abs=1e-5) and found["leave_one_out"] == 0


def test_rows_are_of_both_states_on_the_same_images() -> None:
    given = subject({"test": described(torch.zeros(40, 1, 1, 1, dtype=torch.uint8))}, model=wide(1.0), untrained=wide(0.0))
    found = estimator_variance(EstimatorVariance(repeats=3), [given], 0)
    assert found["n_images"] == 32 and len(found["rows"]) == 8
    assert [row["state"] for row in found["rows"]] == ["before training"] * 4 + ["final"] * 4
    assert {row["estimator"]: row["samples"] for row in found["rows"]} == {
        "no_baseline": 1,
        "running_average": 1,
        "leave_one_out": 2,
        "as_printed": 1,
    }
    assert all((row["gradient_standard_deviation"] > 0) == (row["state"] == "final") for row in found["rows"])
    assert estimator_variance(EstimatorVariance(repeats=3), [given], 0) == found


def wide(scale: float) -> Any:
    return model(lambda z: scale * (1 + z.sum(-1)), torch.linspace(-1, 1, 80).view(40, 2))
