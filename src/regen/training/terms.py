"""What a training step minimises and what an epoch reports, as per-image values."""

import torch

from regen.data.batches import batches
from regen.models.objectives import elbo_terms
from regen.models.vae import LatentVariableModel

__all__ = ["mean_terms", "training_terms"]

BATCH = 500
"""Images decoded at once where no gradient is kept."""


def training_terms(model: LatentVariableModel, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return the objective (a scalar, in nats, to be minimised) and the terms to record, each (B,) and in nats.

    x (B, C, H, W) in [0, 1].
    """
    terms = elbo_terms(model, x)
    recorded = {"neg_elbo_nats": terms.neg_elbo_nats, "recon_nats": terms.recon_nats, "kl_nats": terms.kl_nats}
    return terms.neg_elbo_nats.mean(), {name: value.detach() for name, value in recorded.items()}


@torch.no_grad()
def mean_terms(model: LatentVariableModel, images: torch.Tensor) -> dict[str, float]:
    """Return the means over images of -ELBO, its parts, and the squared error of the decoder's mean, at one sample of q.

    images uint8 (N, C, H, W) on the model's device.
    """
    model.eval()
    sums: dict[str, float] = {}
    for x in batches(images, BATCH):
        terms = elbo_terms(model, x)
        values = {
            "neg_elbo_nats": terms.neg_elbo_nats,
            "recon_nats": terms.recon_nats,
            "kl_nats": terms.kl_nats,
            "mse_per_pixel": (terms.likelihood.mean - x).square().flatten(1).mean(1),
        }
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value.sum(dtype=torch.float64).item()
    return {name: value / len(images) for name, value in sums.items()}
