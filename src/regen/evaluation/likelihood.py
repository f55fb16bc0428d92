"""Importance-sampled log p(x): the number that models are compared by."""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import bootstrap

from regen.data.batches import to_unit_interval
from regen.models.objectives import log_weights
from regen.models.vae import LatentVariableModel

__all__ = ["ImportanceSampled", "bootstrap_interval", "importance_sampled_nll"]

DECODES = 250
"""Decoder outputs held at once: they stay in the processor's cache; 1,000 take a tenth longer."""


class ImportanceSampled(NamedTuple):
    """Per image, each (N,): -log p(x) in nats, effective sample size (1 to K), largest normalised weight."""

    nll_nats: torch.Tensor
    ess: torch.Tensor
    max_weight: torch.Tensor


@torch.no_grad()
def importance_sampled_nll(model: LatentVariableModel, images: torch.Tensor, samples: int) -> ImportanceSampled:
    """Return -log (1/K sum_k w_k) with K samples of q for every image.

    images uint8 (N, C, H, W) on the model's device. The estimate of log p(x) is a lower bound in expectation.
    Source: Burda et al. (2016), arXiv:1509.00519, section 5.
    """
    blocks = [_block(model, to_unit_interval(block), samples) for block in images.split(max(1, DECODES // samples))]
    return ImportanceSampled(*(torch.cat(values) for values in zip(*blocks, strict=True)))


def _block(model: LatentVariableModel, x: torch.Tensor, samples: int) -> ImportanceSampled:
    """Draw all samples for a few images, at most `DECODES` decoder outputs at a time."""
    q = model.encoder(x)
    at_once = max(1, DECODES // len(x))
    sizes = [min(at_once, samples - done) for done in range(0, samples, at_once)]
    chunks = [log_weights(model, x, q.sample(torch.Size([size])), q) for size in sizes]
    # Sums of thousands of weights that differ by orders of magnitude: double precision costs nothing here.
    log_w = torch.cat(chunks).double()
    log_sum = log_w.logsumexp(0)
    return ImportanceSampled(
        nll_nats=math.log(samples) - log_sum,
        ess=torch.exp(2 * log_sum - (2 * log_w).logsumexp(0)),
        max_weight=torch.exp(log_w.max(0).values - log_sum),
    )


def bootstrap_interval(values: torch.Tensor, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean over images; values (N,), N >= 2."""
    result = bootstrap((values.cpu().numpy(),), np.mean, n_resamples=2000, batch=100, method="percentile", rng=np.random.default_rng(seed))
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
