"""-log p(x) by importance sampling from q(z | x), at several numbers of samples from one set of draws."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from regen.evaluation.held_out.memory import BLOCK, decodes_at_once
from regen.images.batches import to_unit_interval
from regen.models.objectives import weigh
from regen.models.vae import LatentVariableModel

__all__ = ["ImportanceSampled", "importance_sampled_nll", "read_weights"]

READ = 100_000
"""Weights that are summed up at once."""


class ImportanceSampled(NamedTuple):
    """Per image, each (N,): -log p(x) in nats, effective sample size (1 to K), largest normalised weight."""

    nll_nats: torch.Tensor
    ess: torch.Tensor
    max_weight: torch.Tensor


@torch.no_grad()
def importance_sampled_nll(
    model: LatentVariableModel, images: torch.Tensor, samples: Sequence[int], memory_mb: int = 1000
) -> dict[int, ImportanceSampled]:
    """Return K -> -log (1/K sum_k w_k) with K samples of q, for every image and every K of `samples`.

    images uint8 (N, C, H, W) on the model's device. The largest K is drawn; a smaller one is the mean over all its disjoint groups of K
    draws. The estimate of log p(x) is a lower bound in expectation. `memory_mb` limits the decoder's tensors, not the result.
    Source: Burda et al. (2016), arXiv:1509.00519, section 5.
    """
    most, at_once = max(samples), decodes_at_once(model, memory_mb)
    # Blocks and their draws are the same whatever fits into the memory.
    size = max(1, BLOCK // most)
    # One tensor for all: small ones kept of every block lie between what decodes have freed, and the heap grew to 20 GB over 10,000.
    log_w = torch.empty(most, len(images), dtype=torch.float64, device=images.device)
    for part, block in zip(log_w.split(size, dim=1), images.split(size), strict=True):
        part.copy_(_log_weights(model, to_unit_interval(block), most, at_once))
    return read_weights(log_w, samples)


def read_weights(log_w: torch.Tensor, samples: Sequence[int]) -> dict[int, ImportanceSampled]:
    """Return K -> what log-weights (M, N) in double precision say, in the mean over the disjoint groups of K of the M, for every K <= M."""
    parts = [part.contiguous() for part in log_w.split(max(1, READ // len(log_w)), dim=1)]
    return {
        count: ImportanceSampled(*(torch.cat(values) for values in zip(*(_read(part, count) for part in parts), strict=True)))
        for count in samples
    }


def _log_weights(model: LatentVariableModel, x: torch.Tensor, samples: int, at_once: int) -> torch.Tensor:
    """Return log w (K, B) in double precision: sums of thousands of weights that differ by orders of magnitude."""
    q = model.encoder(x)
    z = q.sample(torch.Size([samples]))
    if len(x) <= at_once:
        return weigh(model, x, z, q, rows=at_once // len(x)).log_w.double()
    parts = zip(x.split(at_once), z.split(at_once, dim=1), strict=True)
    return torch.cat([weigh(model, few, of, model.encoder(few), rows=at_once // len(few)).log_w for few, of in parts], dim=1).double()


def _read(log_w: torch.Tensor, samples: int) -> ImportanceSampled:
    """Return what the groups of `samples` rows of log w (K, B) say, in the mean over the groups."""
    groups = len(log_w) // samples
    log_w = log_w[: groups * samples].unflatten(0, (groups, samples))
    log_sum = log_w.logsumexp(1)
    return ImportanceSampled(
        nll_nats=(math.log(samples) - log_sum).mean(0),
        ess=torch.exp(2 * log_sum - (2 * log_w).logsumexp(1)).mean(0),
        max_weight=torch.exp(log_w.max(1).values - log_sum).mean(0),
    )
