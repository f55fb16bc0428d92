"""Whether the middle between two images is plausible: the way through the latent space against the way through the pixels (davari)."""

import math
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.common.errors import UserError
from regen.config.probes import Midpoints
from regen.evaluation.probes.linear_probe import posterior_means
from regen.evaluation.probes.subject import Subject
from regen.images.batches import to_unit_interval
from regen.images.entropy import cross_entropy

__all__ = ["midpoints", "reconstruction_errors"]

LATENT = "latent midpoints"
AGAINST = ("pixel midpoints", "pixel midpoints of decoded ends")


@torch.no_grad()
def midpoints(settings: Midpoints, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return the errors of an independently trained referee that reconstructs the middle between pairs of test images.

    The first subject decodes, the second is the referee. Decoded images are smoother than real ones and so easier to reconstruct: the pixel
    midpoints of the two decoded ends have no such handicap.
    """
    subject, referee = subjects
    images = subject.prepared("test").images
    pairs = min(settings.pairs, len(images) // 2)
    if pairs < 2:
        raise UserError(f"midpoints: expected at least 4 test images, got {len(images)}; choose a larger source in params.yaml")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(derive_seed(seed, "pairs")))[: 2 * pairs]
    chosen = images[order.to(images.device)]
    ends, codes = to_unit_interval(chosen), posterior_means(subject.model, chosen)
    decoded = _in_blocks(subject.model.images, codes)
    groups = {
        "end images": ends,
        "decoded ends": decoded,
        LATENT: _in_blocks(subject.model.images, _middle(codes)),
        "pixel midpoints": _middle(ends),
        "pixel midpoints of decoded ends": _middle(decoded),
    }
    errors = {name: reconstruction_errors(referee.model, values) for name, values in groups.items()}
    rows = [{"images": name, **{key: value.mean().item() for key, value in found.items()}} for name, found in errors.items()]
    comparisons = []
    for against in AGAINST:
        for measure in errors[LATENT]:
            difference = errors[LATENT][measure] - errors[against][measure]
            spread = {"mean_difference": difference.mean().item(), "standard_error": difference.std().item() / math.sqrt(pairs)}
            share = (difference < 0).double().mean().item()
            comparisons.append({"measure": measure, "against": against, "share_lower": share, **spread})
    return {"n_images": 2 * pairs, "pairs": pairs, "rows": rows, "comparisons": comparisons}


def reconstruction_errors(model: Any, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the errors of images x (N, C, H, W) in [0, 1] decoded from their posterior means, each (N,) in double precision.

    Squared error a dimension; summed cross-entropy in nats; and that without the entropy of the image itself.
    """
    blocks = []
    for block in x.split(200):
        likelihood = model.decoder(model.encoder(block).mean)
        own = cross_entropy(block, block).flatten(1).double().sum(1)
        nats = -likelihood.log_prob(block).double()
        blocks.append(((likelihood.mean - block).square().flatten(1).double().mean(1), nats, nats - own))
    found = (torch.cat(parts) for parts in zip(*blocks, strict=True))
    return dict(zip(("mse_per_pixel", "cross_entropy_nats", "excess_nats"), found, strict=True))


def _middle(values: torch.Tensor) -> torch.Tensor:
    """Return the means of the first half and the second half of values (2P, ...), shape (P, ...)."""
    first, second = values.chunk(2)
    return (first + second) / 2


def _in_blocks(function: Any, values: torch.Tensor) -> torch.Tensor:
    return torch.cat([function(block) for block in values.split(200)])
