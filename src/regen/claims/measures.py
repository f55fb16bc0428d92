"""What several checks measure: how far a loss has fallen, trends, flatness, Frechet distances over training."""

from collections.abc import Callable, Sequence
from statistics import fmean

import numpy as np

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, from_parts, text

__all__ = [
    "Measured",
    "Part",
    "deviation",
    "finding",
    "frechet",
    "gathered",
    "percent",
    "share_reached",
    "slope",
    "within",
]

Part = tuple[bool, str]
"""Whether a part of a claim holds, and the clause that says what was measured."""

Measured = tuple[list[Part], list[Number]]
"""The parts of a claim that one case decides, and its numbers."""


def share_reached(losses: Sequence[float], epoch: int) -> float:
    """Return the share of the drop from the end of epoch 1 to the minimum that is reached by `epoch`; 0 if it never falls."""
    drop = losses[0] - min(losses)
    return (losses[0] - min(losses[:epoch])) / drop if drop > 0 else 0.0


def slope(values: Sequence[float]) -> float:
    """Return the slope of the least-squares line through values at epochs 1, 2, ..., per epoch."""
    if len(values) < 2:
        raise Missing("a trend needs two epochs")
    return float(np.polyfit(np.arange(len(values)), np.asarray(values, dtype=float), 1)[0])


def deviation(values: Sequence[float]) -> float:
    """Return the largest distance of a value from their mean, over the mean's size."""
    centre = fmean(values)
    return max(abs(value - centre) for value in values) / abs(centre)


def within(value: float, reported: float, tolerance: float) -> bool:
    """Return whether a value differs from the reported one by no more than this share of the reported one."""
    return abs(value - reported) <= tolerance * abs(reported)


def percent(share: float) -> str:
    """Write a share as per cent."""
    return f"{text(100 * share)} %"


def frechet(evidence: Evidence, variant: str, images: str = "samples") -> dict[int, float]:
    """Return the seed -> Frechet distance in classifier features of these images of a variant from the test images."""
    return evidence.measure(variant, images, "frechet_classifier_distance")


def gathered(*cases: Callable[[], Measured]) -> Finding:
    """Return the finding of cases that can be measured on their own, such as two data sets; what a case lacks stands in `lacking`.

    Raises
    ------
    Missing
        If no case has a part that can be measured.
    """
    parts: list[Part] = []
    numbers: list[Number] = []
    lacking: dict[str, None] = {}
    for measure in cases:
        try:
            more_parts, more_numbers = measure()
        except Missing as error:
            lacking[str(error)] = None
        else:
            parts += more_parts
            numbers += [number for number in more_numbers if number not in numbers]
    if not parts:
        raise Missing("; ".join(lacking))
    return finding(parts, numbers, "; ".join(lacking))


def finding(parts: Sequence[Part], numbers: list[Number], lacking: str = "") -> Finding:
    """Return the finding that follows from the parts of a claim."""
    verdict, why = from_parts(parts)
    return Finding(verdict, why, numbers, lacking)
