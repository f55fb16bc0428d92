"""What single latent dimensions change in a face, by proxies, against random directions (davari, Figure 5)."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.functional import normalize

from regen.common.determinism import derive_seed
from regen.config.probes import SingleLatents
from regen.evaluation.probes.subject import Subject

__all__ = ["PROXIES", "ranges", "single_latents", "symmetric_changes"]

REACH = 3.0
DEVIATIONS = 2
"""Standard deviations above the mean of random directions from which a dimension counts."""

LUMINANCE = (0.299, 0.587, 0.114)
DARK = 0.3
"""Luminance below which a pixel is dark (hair)."""

# Boxes (top, bottom, left, right) as fractions of the aligned frame: eyes lie at 0.51, the mouth at 0.70 of its height.
FACE = (0.3, 0.9, 0.0, 1.0)
SKIN = (0.54, 0.66, 0.38, 0.62)
BESIDE = ((0.6, 0.95, 0.05, 0.25), (0.6, 0.95, 0.75, 0.95))


def single_latents(settings: SingleLatents, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return, by proxy, which dimensions move it further than random directions do when z goes from -REACH to REACH along them.

    `hair_and_pose` are dimensions that move both the hair and the asymmetry; `pose_alone` those that move the asymmetry and keep the rest.
    """
    (subject,) = subjects
    dim = len(subject.model.latents(1)[0])
    generator = torch.Generator().manual_seed(derive_seed(seed, "directions"))
    random = normalize(torch.randn(settings.random_directions, dim, generator=generator), dim=1)
    axes, others = (ranges(subject.model, one.to(subject.device), settings.points) for one in (torch.eye(dim), random))
    rows: list[dict[str, Any]] = []
    for proxy, found in axes.items():
        chance = others[proxy]
        threshold = chance.mean() + DEVIATIONS * chance.std()
        order = found.argsort(descending=True, stable=True)
        counted = [index for index in order.tolist() if found[index] > threshold]
        drawn = {"random_mean": chance.mean().item(), "random_standard_deviation": chance.std().item()}
        share = {"share_of_random": (chance > threshold).double().mean().item(), "threshold": threshold.item()}
        largest = {"largest": found.max().item(), "largest_dimension": int(order[0])}
        rows.append({"proxy": proxy, "counted": len(counted), "dimensions": counted, **drawn, **share, **largest})
    chosen = {row["proxy"]: row["dimensions"] for row in rows}
    turning, hair = chosen["asymmetry"], chosen["dark_beside_face"]
    kept, usual = (symmetric_changes(subject.model, one.to(subject.device), settings.points) for one in (torch.eye(dim), random))
    together = {
        "hair_and_pose": [index for index in turning if index in hair],
        # What is left of a face when it is averaged with its mirror image changes less than along half of the random directions.
        "pose_alone": [index for index in turning if kept[index] < usual.quantile(0.5)],
        "random_symmetric_change": usual.mean().item(),
    }
    return {"dimensions": dim, "random_directions": settings.random_directions, "reach": REACH, **together, "rows": rows}


@torch.no_grad()
def ranges(model: Any, directions: torch.Tensor, points: int) -> dict[str, torch.Tensor]:
    """Return, by proxy, its range (N,) over images decoded at points from -REACH to REACH along unit directions (N, d)."""
    found: dict[str, list[torch.Tensor]] = {name: [] for name in PROXIES}
    for block in decoded(model, directions, points):
        for name, proxy in PROXIES.items():
            values = proxy(block.flatten(0, 1)).double().unflatten(0, block.shape[:2])
            found[name].append(values.amax(0) - values.amin(0))
    return {name: torch.cat(values) for name, values in found.items()}


@torch.no_grad()
def symmetric_changes(model: Any, directions: torch.Tensor, points: int) -> torch.Tensor:
    """Return how far the mean of a face and its mirror image moves between -REACH and REACH along directions (N, d), (N,).

    It is the root mean squared difference of luminance between the ends: what a turned head keeps of a person, as far as pixels say it.
    """
    found = []
    for block in decoded(model, directions, points):
        ends = block[[0, -1]]
        faces = box(ends.flatten(0, 1), FACE).unflatten(0, ends.shape[:2]).double()
        whole = (faces + faces.flip(-1)) / 2
        found.append((whole[1] - whole[0]).square().mean((1, 2)).sqrt())
    return torch.cat(found)


def decoded(model: Any, directions: torch.Tensor, points: int) -> Iterator[torch.Tensor]:
    """Yield the luminance (points, n, H, W) of images decoded at points from -REACH to REACH along unit directions (N, d), n at a time."""
    t = torch.linspace(-REACH, REACH, points, device=directions.device)
    for block in directions.split(20):
        yield luminance(model.images((t[:, None, None] * block).flatten(0, 1))).unflatten(0, (points, -1))


def luminance(images: torch.Tensor) -> torch.Tensor:
    """Return the luminance (N, H, W) of colour images (N, 3, H, W) in [0, 1]."""
    return torch.einsum("nchw,c->nhw", images, images.new_tensor(LUMINANCE))


def box(values: torch.Tensor, edges: tuple[float, float, float, float]) -> torch.Tensor:
    """Return the part of values (N, H, W) within edges (top, bottom, left, right), fractions of the frame."""
    height, width = values.shape[1:]
    top, bottom, left, right = (round(edge * size) for edge, size in zip(edges, (height, height, width, width), strict=True))
    return values[:, top:bottom, left:right]


def asymmetry(values: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute difference of a face's luminance (N, H, W) and its mirror image, (N,)."""
    face = box(values, FACE)
    return (face - face.flip(2)).abs().mean((1, 2))


def skin_luminance(values: torch.Tensor) -> torch.Tensor:
    """Return the mean luminance between eyes and mouth, (N,), of luminance (N, H, W)."""
    return box(values, SKIN).mean((1, 2))


def dark_beside_face(values: torch.Tensor) -> torch.Tensor:
    """Return the share of dark pixels on both sides of chin and neck, (N,), of luminance (N, H, W)."""
    return torch.cat([(box(values, edges) < DARK).float().flatten(1) for edges in BESIDE], dim=1).mean(1)


PROXIES = {"asymmetry": asymmetry, "skin_luminance": skin_luminance, "dark_beside_face": dark_beside_face}
