"""The naive estimator of log p(x), by sampling the prior: its bias, its variance and its effective sample size."""

import math
from typing import Any

import torch

from regen.evaluation.held_out.memory import BLOCK, decodes_at_once
from regen.images.batches import to_unit_interval
from regen.models.vae import LatentVariableModel

__all__ = ["prior_sampling"]

FEWEST = 10
"""Draws of the smallest estimate, and independent estimates behind every row."""


@torch.no_grad()
def prior_sampling(
    model: LatentVariableModel, images: torch.Tensor, draws: int, truth: torch.Tensor, memory_mb: int = 1000
) -> list[dict[str, Any]]:
    """Return a row for L = 10, 100, ... up to a tenth of `draws`, of log (1/L sum_l p(x | z_l)) with z_l from the prior.

    images uint8 (N, C, H, W); truth (N,) is -log p(x) in nats. All estimates share the same draws, split into disjoint groups of L: the
    bias of -log p(x), its variance over groups and the effective sample size (1 to L), each the mean over images; the lowest effective
    sample size of an image is a mean over groups too. Source: uva3, question 1.4.
    """
    x = to_unit_interval(images)
    draws -= draws % FEWEST
    at_once = max(FEWEST, decodes_at_once(model, memory_mb, len(x), BLOCK) // FEWEST * FEWEST)
    # Of ten draws only the sum of weights and of their squares is kept, as logarithms: what any larger group is made of.
    log_sum, log_square = (torch.empty(draws // FEWEST, len(x), dtype=torch.float64, device=x.device) for _ in range(2))
    for first in range(0, draws, at_once):
        log_w = model.decoder(model.latents(min(at_once, draws - first))[:, None]).log_prob(x).double().unflatten(0, (-1, FEWEST))
        block = slice(first // FEWEST, first // FEWEST + len(log_w))
        log_sum[block], log_square[block] = log_w.logsumexp(1), (2 * log_w).logsumexp(1)
    columns = zip(log_sum.split(FEWEST, dim=1), log_square.split(FEWEST, dim=1), strict=True)
    per_image = [_levels(*both) for both in columns]
    rows: list[dict[str, Any]] = []
    for level in zip(*per_image, strict=True):
        mean, variance, ess = (torch.cat([block[part] for block in level]) for part in range(3))
        count = FEWEST ** (len(rows) + 1)
        facts = {"prior_samples": count, "estimates": draws // count, "n_images": len(x)}
        bias = {"nll_nats": mean.mean().item(), "bias_nats": (mean - truth).mean().item(), "variance_nats2": variance.mean().item()}
        rows.append({**facts, **bias, "ess_mean": ess.mean().item(), "ess_min": ess.min().item()})
    return rows


def _levels(log_sum: torch.Tensor, log_square: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Return mean and variance of the estimate of -log p(x), and the mean effective sample size, each (B,), a row for 10, 100, ... draws.

    log_sum, log_square (M, B): logarithms of the sums of ten weights and of their squares. Every level has ten groups at least.
    """
    levels, count = [], FEWEST
    while len(log_sum) >= FEWEST:
        estimate = math.log(count) - log_sum
        levels.append((estimate.mean(0), estimate.var(0), torch.exp(2 * log_sum - log_square).mean(0)))
        groups = len(log_sum) // FEWEST * FEWEST
        log_sum, log_square = (values[:groups].unflatten(0, (-1, FEWEST)).logsumexp(1) for values in (log_sum, log_square))
        count *= FEWEST
    return levels
