"""What sampling the prior costs as the latents grow, where log p(x) is known (uva3, question 1.4)."""

import math
from typing import Any

import numpy as np
import torch
from torch.distributions import MultivariateNormal

from regen.common.determinism import derive_seed
from regen.config.probes import PriorCost
from regen.evaluation.probes.subject import Subject

__all__ = ["log_evidence", "log_share", "prior_cost", "sampled"]

OBSERVED = 50
NOISE = 0.8
TARGET = 10
"""The effective sample size that is asked for."""

FIRST = 16
BLOCK = 16384
"""Prior samples of the first estimate, and drawn at once."""


def prior_cost(settings: PriorCost, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return the number of prior samples needed in x = W z + e, z ~ N(0, I_d), e ~ N(0, NOISE^2 I), for a row of numbers d of latents.

    W has the first d columns of one matrix (OBSERVED, max d) with entries of variance 1 / OBSERVED. The number of samples is doubled until
    the mean effective sample size over the observations reaches `TARGET` or the limit is met; nothing is extrapolated.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "prior cost"))
    largest = max(settings.latents)
    mixing, z, noise = (
        torch.randn(size, generator=generator, dtype=torch.float64)
        for size in ((OBSERVED, largest), (settings.observations, largest), (settings.observations, OBSERVED))
    )
    mixing /= math.sqrt(OBSERVED)
    rows = []
    for latents in settings.latents:
        w = mixing[:, :latents]
        x = z[:, :latents] @ w.T + NOISE * noise
        samples, ess, log_p = sampled(x, w, NOISE, settings.limit, generator)
        rows.append(
            {
                "latents": latents,
                "samples": samples,
                "samples_needed": samples if ess.mean() >= TARGET else None,
                "samples_needed_closed_form": TARGET / log_share(x, w, NOISE).exp().mean().item(),
                "effective_sample_size_mean": ess.mean().item(),
                "bias_nats": (log_p - log_evidence(x, w, NOISE)).mean().item(),
            }
        )
    family = {"observed_dimensions": OBSERVED, "noise_scale": NOISE, "observations": settings.observations}
    slopes = {"slope_measured": _slope(rows, "samples_needed"), "slope_closed_form": _slope(rows, "samples_needed_closed_form")}
    return {"effective_sample_size": TARGET, **family, "limit": settings.limit, **slopes, "rows": rows}


def log_evidence(x: torch.Tensor, w: torch.Tensor, noise: float) -> torch.Tensor:
    """Return log p(x) = log N(x; 0, W W' + noise^2 I) of x (N, D), W (D, d), shape (N,)."""
    covariance = w @ w.T + noise**2 * torch.eye(len(w), dtype=w.dtype)
    log_p: torch.Tensor = MultivariateNormal(torch.zeros(len(w), dtype=w.dtype), covariance).log_prob(x)
    return log_p


def log_share(x: torch.Tensor, w: torch.Tensor, noise: float) -> torch.Tensor:
    """Return log((E w)^2 / E w^2), shape (N,), for weights w = p(x | z), z ~ N(0, I): what of many samples is effective.

    E w = p(x); and since N(x; m, s^2 I)^2 = (4 pi s^2)^(-D/2) N(x; m, s^2/2 I), E w^2 is a Gaussian density too.
    """
    log_square = log_evidence(x, w, noise / math.sqrt(2)) - 0.5 * len(w) * math.log(4 * math.pi * noise**2)
    return 2 * log_evidence(x, w, noise) - log_square


def sampled(
    x: torch.Tensor, w: torch.Tensor, noise: float, limit: int, generator: torch.Generator
) -> tuple[int, torch.Tensor, torch.Tensor]:
    """Return the number of prior samples L, the effective sample sizes (N,) and the estimates of log p(x) (N,) at L.

    L is doubled from `FIRST` until the mean effective sample size of x (N, D) reaches `TARGET`, but stays within the limit. Such a size,
    from the weights alone, flatters: it does not know of the largest weights before they are drawn.
    """
    constant = -0.5 * x.shape[1] * math.log(2 * math.pi * noise**2)
    log_sum, log_square = (torch.full((len(x),), -math.inf, dtype=x.dtype) for _ in range(2))
    drawn, count = 0, FIRST
    while True:
        while drawn < count:
            z = torch.randn(min(BLOCK, count - drawn), w.shape[1], generator=generator, dtype=x.dtype)
            log_w = constant - torch.cdist(x, z @ w.T).square() / (2 * noise**2)
            log_sum = torch.logaddexp(log_sum, log_w.logsumexp(1))
            log_square = torch.logaddexp(log_square, (2 * log_w).logsumexp(1))
            drawn += len(z)
        ess = torch.exp(2 * log_sum - log_square)
        if ess.mean() >= TARGET or 2 * count > limit:
            return count, ess, log_sum - math.log(count)
        count *= 2


def _slope(rows: list[dict[str, Any]], key: str) -> float | None:
    """Return the slope of the logarithm of a value in the number of latents, by least squares; None where fewer than two are known."""
    known = [(row["latents"], math.log(row[key])) for row in rows if row[key] is not None]
    latents, logarithms = zip(*known, strict=True) if known else ((), ())
    return float(np.polyfit(latents, logarithms, 1)[0]) if len(known) > 1 else None
