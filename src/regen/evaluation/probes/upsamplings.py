"""How near the three ways to upsample are to each other, as operations and in what decoders with them generate (davari, section 2.2)."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import torch
from torch.nn.functional import interpolate

from regen.config.probes import Upsamplings
from regen.evaluation.probes.subject import Subject
from regen.evaluation.quality.measures import Reference, measures
from regen.evaluation.quality.quality import generate
from regen.images.batches import to_levels, to_unit_interval

__all__ = ["ENLARGEMENTS", "operator_distances", "upsamplings"]

DISTANCES = ("frechet_classifier_distance", "kernel_classifier_distance", "kernel_standard_error")


def zeros_between(x: torch.Tensor) -> torch.Tensor:
    """Return images (N, C, H, W) on the even places of (N, C, 2 H, 2 W) times 4, zeros elsewhere: the mean stays."""
    canvas = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    canvas[:, :, ::2, ::2] = 4 * x
    return canvas


ENLARGEMENTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "transposed": zeros_between,
    "nearest": lambda x: interpolate(x, scale_factor=2, mode="nearest"),
    "bilinear": lambda x: interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
}
"""What each way does to a map before its learned convolution; a transposed convolution of stride 2 is one over inserted zeros."""


def upsamplings(settings: Upsamplings, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return the distances of every pair of ways: of the operations on test images, and of the samples of variants that use them."""
    x = to_unit_interval(subjects[0].prepared("test").images)
    operators = [{"first": one, "second": other, "rms_difference": value} for (one, other), value in operator_distances(x).items()]
    known = {one.config.model.network.upsampling.kind: one for one in subjects}  # type: ignore[union-attr]
    samples = {kind: to_levels(generate(one.model, one.config, one.config.first_seed)) for kind, one in known.items()}
    rows = []
    for first, second in combinations(samples, 2):
        reference = Reference(known[first].reference.space, samples[first], samples[first], seed=seed)
        scalars, _ = measures(samples[second], reference, DISTANCES)
        rows.append({"first": first, "second": second, **{name: scalars[name] for name in DISTANCES}})
    return {"n_images": len(x), "n_samples": min(map(len, samples.values())), "operators": operators, "rows": rows}


def operator_distances(x: torch.Tensor) -> dict[tuple[str, str], float]:
    """Return, by pair of `ENLARGEMENTS`, the root mean squared difference of the enlarged images x (N, C, H, W) in [0, 1]."""
    squares = dict.fromkeys(combinations(ENLARGEMENTS, 2), 0.0)
    for block in x.split(200):
        enlarged = {name: enlarge(block) for name, enlarge in ENLARGEMENTS.items()}
        for one, other in squares:
            squares[one, other] += (enlarged[one] - enlarged[other]).square().sum(dtype=torch.float64).item()
    return {pair: (total / (4 * x.numel())) ** 0.5 for pair, total in squares.items()}
