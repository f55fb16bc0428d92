"""-log p(x) as a finite sum: over all states of binary latents, or over a grid of one or two Gaussian ones."""

import math
from typing import NamedTuple

import torch

from regen.evaluation.held_out.memory import BLOCK, decodes_at_once
from regen.images.batches import to_unit_interval
from regen.models.flows import StandardNormal
from regen.models.vae import FairCoins, LatentVariableModel

__all__ = ["Exact", "Nodes", "exact_nll", "nodes"]

LIMIT = 7.0
"""The grid covers [-LIMIT, LIMIT]: the prior's mass beyond is 3e-12 a dimension."""

POINTS = 4096
"""Most grid points along a dimension."""


class Nodes(NamedTuple):
    """Latents z (M, d), the log-volume that each stands for (0 for a state), and which of them make up the coarser grid (M,)."""

    name: str
    z: torch.Tensor
    log_volume: float
    coarse: torch.Tensor | None


class Exact(NamedTuple):
    """-log p(x) in nats, and from every other point of the grid along each dimension (None for a sum over states); each (N,)."""

    nll_nats: torch.Tensor
    coarse_nats: torch.Tensor | None


def nodes(model: LatentVariableModel, most: int) -> Nodes | None:
    """Return at most `most` latents to sum over, or None where the model's latents are too many or its prior has no such sum."""
    if isinstance(model.prior, FairCoins) and (dim := len(model.prior.logits)) <= math.log2(most):
        states = torch.arange(2**dim)[:, None] >> torch.arange(dim) & 1
        return Nodes("enumeration", states.float(), 0.0, None)
    if isinstance(model.prior, StandardNormal) and (dim := len(model.prior.mean)) <= 2:
        points = min(POINTS, math.isqrt(most) if dim == 2 else most)
        if points < 3:
            return None
        axis = torch.linspace(-LIMIT, LIMIT, points, dtype=torch.float64).float()
        even = torch.arange(len(axis)) % 2 == 0
        coarse = torch.cartesian_prod(*[even] * dim).reshape(-1, dim).all(1)
        return Nodes("quadrature", torch.cartesian_prod(*[axis] * dim).reshape(-1, dim), dim * math.log(2 * LIMIT / (points - 1)), coarse)
    return None


@torch.no_grad()
def exact_nll(model: LatentVariableModel, images: torch.Tensor, at: Nodes, memory_mb: int = 1000) -> Exact:
    """Return -log sum_j p(x | z_j) p(z_j) volume_j for images uint8 (N, C, H, W) on the model's device.

    On a grid this is the trapezoidal rule: for smooth functions that vanish at the ends its error falls exponentially with the step, and
    the difference from the coarser grid bounds it.
    """
    x, prior = to_unit_interval(images), model.prior()
    # Every latent is decoded once for all images, and weighed for each.
    at_once = decodes_at_once(model, memory_mb, len(x), BLOCK)
    fine = coarse = torch.full((len(x),), -math.inf, dtype=torch.float64, device=x.device)
    dim, step = at.z.shape[1], at.log_volume
    for first in range(0, len(at.z), at_once):
        z = at.z[first : first + at_once].to(x.device)
        log_joint = (model.decoder(z[:, None]).log_prob(x) + prior.log_prob(z)[:, None]).double()
        fine = torch.logaddexp(fine, log_joint.logsumexp(0))
        if at.coarse is not None and (chosen := at.coarse[first : first + at_once]).any():
            coarse = torch.logaddexp(coarse, log_joint[chosen.to(x.device)].logsumexp(0))
    return Exact(-fine - step, None if at.coarse is None else -coarse - step - dim * math.log(2))
