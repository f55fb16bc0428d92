"""Paths between two generated images: through the latent space, straight or on a sphere, or through the pixels."""

from typing import Any

import torch
from torch.nn.functional import normalize

from regen.evaluation.quality.features import FeatureSpace
from regen.images.batches import to_levels

__all__ = ["PATHS", "linear", "path_measures", "paths", "spherical"]

POINTS = 10
PATHS = ("linear", "spherical", "pixels")
"""Straight and spherical through the latent space, straight through the pixels."""


def linear(start: torch.Tensor, end: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Return the points at t (T,) between start and end (N, ...), shape (T, N, ...)."""
    t = t.view(-1, *[1] * start.ndim)
    return (1 - t) * start + t * end


def spherical(start: torch.Tensor, end: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Return the points at t (T,) between start and end (N, d) whose direction turns evenly and whose length changes evenly, (T, N, d).

    Straight where the ends are parallel. Of ends of one length it is the arc of Shoemake (1985), section 3.3; for latent spaces White
    (2016), arXiv:1609.04468, whose points leave the arc where the lengths differ and the ends are nearly opposite.
    """
    lengths = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)
    first, last = normalize(start, dim=-1), normalize(end, dim=-1)
    angle = (first * last).sum(-1, keepdim=True).clamp(-1, 1).arccos()
    t = t[:, None, None]
    direction = (torch.sin((1 - t) * angle) * first + torch.sin(t * angle) * last) / angle.sin()
    arc = ((1 - t) * lengths[0] + t * lengths[1]) * direction
    # Single precision knows the angle of parallel vectors to a few 1e-4 only, and 0 has no direction.
    straight = (angle.sin().abs() < 1e-3) | (lengths[0] * lengths[1] == 0)
    return torch.where(straight, linear(start, end, t[:, 0, 0]), arc)


@torch.no_grad()
def paths(model: Any, pairs: int, seed: int, points: int = POINTS) -> dict[str, torch.Tensor]:
    """Return images uint8 (pairs, points, C, H, W) on each of `PATHS` between pairs of generated images."""
    torch.manual_seed(seed)
    start, end = model.latents(2 * pairs).chunk(2)
    t = torch.linspace(0, 1, points, device=start.device)
    ends = torch.stack([model.images(start), model.images(end)])
    found = {"pixels": linear(ends[0], ends[1], t)}
    for name, path in (("linear", linear), ("spherical", spherical)):
        z = path(start, end, t)
        found[name] = model.images(z.flatten(0, 1)).unflatten(0, z.shape[:2])
    return {name: to_levels(found[name]).transpose(0, 1) for name in PATHS}


def path_measures(images: torch.Tensor, space: FeatureSpace) -> dict[str, float | None]:
    """Return how smooth paths uint8 (N, POINTS, C, H, W) are in a feature space, means over the paths.

    `length`: the way from point to point over the distance of the ends, 1 for a straight line; `largest_step`: its share of the way,
    1 / (POINTS - 1) if all are even; `mean_confidence`, `least_confidence`: the likeliest class's probability, its mean along the
    path and its smallest.
    """
    features = space.features(images.flatten(0, 1)).double()
    along = features.unflatten(0, images.shape[:2])
    steps = (along[:, 1:] - along[:, :-1]).norm(dim=-1)
    way, distance = steps.sum(1), (along[:, -1] - along[:, 0]).norm(dim=-1)
    # Two ends that look the same have no way between them.
    apart = (distance > 0) & (way > 0)
    probabilities = space.probabilities(features.float())
    confidence = None if probabilities is None else probabilities.max(1).values.double().unflatten(0, images.shape[:2])
    return {
        "length": (way / distance)[apart].mean().item() if apart.any() else None,
        "largest_step": (steps.max(1).values / way)[apart].mean().item() if apart.any() else None,
        "mean_confidence": None if confidence is None else confidence.mean().item(),
        "least_confidence": None if confidence is None else confidence.min(1).values.mean().item(),
    }
