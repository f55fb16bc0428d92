"""The continuous Bernoulli distribution, exact at every logit."""

import math

import torch
from torch.distributions import ContinuousBernoulli as TorchContinuousBernoulli
from torch.nn.functional import softplus

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(TorchContinuousBernoulli):
    """p(x) = C(l) exp(x l) / (1 + exp(l)) on [0, 1], with C(l) = l / tanh(l / 2) for logits l (...).

    torch's own clips probabilities at a float's resolution, and so is no density beyond |l| = 16: black pixels get there.
    Source: Loaiza-Ganem and Cunningham (2019), arXiv:1907.06845, equations 6 and 7, in terms of logits.
    """

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        """Return log p of values in [0, 1], shape (...), in nats."""
        logits = self.logits
        small = logits.abs() < 0.01  # 0 / 0 at 0; the series is exact to 1e-15 here
        safe = torch.where(small, torch.ones_like(logits), logits)
        closed = torch.log(safe / torch.tanh(safe / 2))
        series = math.log(2) + logits**2 / 12 - 7 * logits**4 / 1440
        return value * logits - softplus(logits) + torch.where(small, series, closed)

    @property
    def mean(self) -> torch.Tensor:
        """The mean, shape (...)."""
        logits = self.logits
        small = logits.abs() < 0.1  # the difference of two poles at 0; the series is exact to 1e-9 here
        safe = torch.where(small, torch.ones_like(logits), logits)
        return torch.where(small, 0.5 + logits / 12 - logits**3 / 720, 0.5 + 0.5 / torch.tanh(safe / 2) - 1 / safe)
