"""What the latents of a model carry: information a dimension, active units, and how far q(z) lies from the prior."""

import math
from typing import Any

import torch
from torch.distributions import Distribution, Independent

from regen.common.determinism import derive_seed
from regen.config.variant import EvaluateConfig
from regen.images.batches import batches
from regen.images.images import Images
from regen.models.objectives import kl_nats_per_latent
from regen.models.vae import LatentVariableModel

__all__ = ["ACTIVE", "aggregate_log_prob", "latent_space"]

ACTIVE = 0.01
"""Burda et al. (2016), section 5.2: a unit is active where the variance over images of its posterior mean is at least this."""

BLOCK = 1000
"""Images encoded at once, and latents whose density under q(z) is taken at once."""


@torch.no_grad()
def latent_space(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the test images' posteriors say of the latents; nothing for a model without latents.

    KL(q(z | x), p(z)) = I_q(x; z) + KL(q(z), p(z)) in the mean over images, where q(z) is the mixture of the n posteriors: so the mutual
    information is at most log n. Both are estimated at one sample of every posterior.
    Source: Hoffman and Johnson (2016), "ELBO surgery", equations 6 and 9; Burda et al. (2016), section 5.2.
    """
    if not isinstance(model, LatentVariableModel):
        return {}, {}
    torch.manual_seed(derive_seed(config.seed, seed, "latent space"))
    posteriors = [model.encoder(x) for x, _ in batches(images["test"], BLOCK)]
    z = torch.cat([q.sample() for q in posteriors])
    log_posterior = torch.cat([q.log_prob(part) for q, part in zip(posteriors, z.split(BLOCK), strict=True)]).double()
    log_aggregate = aggregate_log_prob(posteriors, z)
    spread = torch.cat([q.mean for q in posteriors]).double().var(0, correction=0)
    scalars = {
        "active_units": int((spread >= ACTIVE).sum()),
        "mutual_information_nats": (log_posterior - log_aggregate).mean().item(),
        "aggregate_kl_nats": (log_aggregate - model.prior().log_prob(z).double()).mean().item(),
    }
    tables: dict[str, Any] = {"variance_of_means": spread.tolist()}
    prior = model.prior()
    # Only a prior with independent dimensions splits the KL into one a dimension.
    if isinstance(prior, Independent):
        each = torch.cat([kl_nats_per_latent(q, prior) for q in posteriors])
        tables["kl_nats"] = each.double().mean(0).tolist()
    rows = [dict(zip(tables, values, strict=True)) for values in zip(*tables.values(), strict=True)]
    return scalars, {"latents": [{"latent": number, **row} for number, row in enumerate(rows)]}


def aggregate_log_prob(posteriors: list[Distribution], z: torch.Tensor) -> torch.Tensor:
    """Return log q(z), shape (M,), of the equal mixture of posteriors (blocks of independent Gaussians or Bernoullis) at z (M, d).

    Both are exponential families: all pairs of M latents and n posteriors are one matrix product, in double precision.
    """
    parts = [_natural(q) for q in posteriors]
    weights, constants = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
    features = torch.cat([z.double(), z.double().square()], dim=1)
    blocks = [(block @ weights.T + constants).logsumexp(1) for block in features.split(BLOCK)]
    return torch.cat(blocks) - math.log(len(weights))


def _natural(q: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weights (B, 2 d) of z and of its squares, and the constants (B,), that make log q(z | x)."""
    one = q.base_dist
    if hasattr(one, "logits"):
        logits = one.logits.double()
        return torch.cat([logits, torch.zeros_like(logits)], dim=1), -torch.nn.functional.softplus(logits).sum(1)
    mean, precision = one.loc.double(), one.scale.double() ** -2
    constants = -0.5 * (precision * mean.square() - precision.log() + math.log(2 * math.pi)).sum(1)
    return torch.cat([precision * mean, -0.5 * precision], dim=1), constants
