"""What several checks measure: how far a loss has fallen, trends, flatness, curves against each other, Frechet distances over training."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Literal

import numpy as np

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, difference, from_parts, mean, text
from regen.claims.values import shared

__all__ = [
    "Curves",
    "Measured",
    "Named",
    "Part",
    "curves_ordered",
    "deviation",
    "finding",
    "frechet",
    "gathered",
    "joined",
    "latest",
    "likelihoods_ordered",
    "noted",
    "of_common",
    "ordered",
    "percent",
    "share_reached",
    "slope",
    "span",
    "tied",
    "within",
]

Part = tuple[bool, str]
"""Whether a part of a claim holds, and the clause that says what was measured."""

Measured = tuple[list[Part], list[Number]]
"""The parts of a claim that one case decides, and its numbers."""

Named = tuple[str, dict[int, float]]
"""What is compared, and its values by seed."""

Curves = tuple[str, dict[int, list[float]]]
"""What is compared, and its values by seed, one an epoch."""

SPAN = 5
"""Epochs over which curves are compared: in one alone a curve is where it happens to be."""


TIE = 0.01
"""Share of the larger of two values below which one seed does not order them, where nothing else says how far it may be trusted."""


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


def ordered(what: str, a: Named, relation: Literal["above", "below"], b: Named, unit: str = "", beside: str = "") -> Measured:
    """Measure whether the values of a lie above (or below) those of b by more than the standard error over seeds.

    `beside` ends what stands in brackets: what is worth knowing of the difference and decides nothing.
    """
    (name, values), (other, others) = a, b
    ahead = difference(values, others) if relation == "above" else difference(others, values)
    # The means of the seeds that are compared, so that they differ by what is said.
    first, second = (mean({seed: runs[seed] for seed in values if seed in others}) for runs in (values, others))
    words = (
        f"{what}, {name} {relation} {other}, {text(first)} against {text(second)} ({ahead.apart(unit)}{of_common(values, others)}{beside})"
    )
    return [(ahead.holds, words)], [Number(f"{what}, {name}", first, unit), Number(f"{what}, {other}", second, unit)]


def of_common(values: dict[int, float], others: dict[int, float]) -> str:
    """Say that values are of the seeds that both have, where one of them has more: its mean elsewhere is another."""
    return "" if values.keys() == others.keys() else "; of the seeds that both have"


def latest(curves: dict[int, list[float]], epoch: int) -> dict[int, float]:
    """Return the mean of each seed's curve over the last epochs up to this one (from 1), `SPAN` of them if there are as many."""
    return {seed: fmean(curve[_window(epoch)]) for seed, curve in curves.items()}


def span(epoch: int) -> str:
    """Name the epochs of `latest`."""
    first = _window(epoch).start + 1
    return f"epoch {epoch}" if first == epoch else f"epochs {first} to {epoch}"


def _window(epoch: int) -> slice:
    return slice(max(0, epoch - SPAN), epoch)


def curves_ordered(what: str, a: Curves, relation: Literal["above", "below"], b: Curves, epoch: int, unit: str = "") -> Measured:
    """Measure as `ordered` the means of `latest`; a must also be ahead in every one of these epochs.

    The value of an epoch is the mean over the seeds that both have.
    """
    (name, curves), (other, others) = a, b
    first, second = (
        list(map(fmean, zip(*(curve[_window(epoch)] for curve in runs.values()), strict=True))) for runs in shared(curves, others)
    )
    ahead = sum(x > y if relation == "above" else x < y for x, y in zip(first, second, strict=True))
    beside = f"; {relation} in {ahead} of {len(first)} epoch{'s' if len(first) > 1 else ''}"
    [(holds, words)], numbers = ordered(what, (name, latest(curves, epoch)), relation, (other, latest(others, epoch)), unit, beside)
    return [(holds and ahead == len(first), words)], [*numbers, Number(f"{what}, epochs with {name} {relation} {other}", ahead)]


def tied(values: dict[int, float], others: dict[int, float]) -> bool:
    """Return whether one seed alone has both, and they differ by less than `TIE` of the larger: too little for an order."""
    first, second = shared(values, others)
    return len(first) == 1 and abs(mean(first) - mean(second)) < TIE * max(abs(mean(first)), abs(mean(second)))


def likelihoods_ordered(
    evidence: Evidence, what: str, a: tuple[str, str], relation: Literal["above", "below"], b: tuple[str, str]
) -> Measured:
    """Measure as `ordered` the NLL of two variants (name, variant); with one seed beyond the standard error over images.

    That error is of these weights on other images, not of other trainings: beside an error over seeds it decides nothing.
    """
    named: list[Named] = [(name, evidence.value(variant, "nll_nats")) for name, variant in (a, b)]
    try:
        error, count = _over_images(evidence, a[1], b[1])
    except Missing:
        return ordered(what, named[0], relation, named[1], "nats")
    beside = f"; standard error over {count:,} images {text(error)} nats"
    [(ahead, words)], numbers = ordered(what, named[0], relation, named[1], "nats", beside)
    apart = difference(named[0][1], named[1][1])
    clear = apart.seeds > 1 or abs(apart.mean) > error
    return [(ahead and clear, words)], [*numbers, Number(f"{what}, standard error of the difference over images", error, "nats")]


def _over_images(evidence: Evidence, variant: str, other: str) -> tuple[float, int]:
    """Return the standard error over images of the mean difference of two NLLs, image by image, and the number of images."""
    runs = shared(evidence.per_image(variant), evidence.per_image(other))
    if len({len(values) for seeds in runs for values in seeds.values()}) > 1:
        raise Missing(f"details.json of {variant} and {other} have likelihoods of different images")
    first, second = (list(map(fmean, zip(*values.values(), strict=True))) for values in runs)
    apart = [x - y for x, y in zip(first, second, strict=True)]
    return stdev(apart) / math.sqrt(len(apart)), len(apart)


def gathered(*cases: Callable[[], Measured]) -> Finding:
    """Return the finding of cases that can be measured on their own, such as two data sets; what a case lacks stands in `lacking`.

    Raises
    ------
    Missing
        If no case has a part that can be measured.
    """
    measured: list[Measured] = []
    lacking: dict[str, None] = {}
    for measure in cases:
        try:
            measured.append(measure())
        except Missing as error:
            lacking[str(error)] = None
    found = joined(*measured)
    if not found[0]:
        raise Missing("; ".join(lacking))
    return finding(*found, "; ".join(lacking))


def joined(*measured: Measured) -> Measured:
    """Return all parts, and every number once."""
    return [part for parts, _ in measured for part in parts], list(dict.fromkeys(number for _, numbers in measured for number in numbers))


def noted(found: Finding, note: Callable[[], tuple[str, list[Number]]]) -> Finding:
    """Return a finding with a sentence and numbers that explain it and decide nothing; as it is where they are missing."""
    try:
        sentence, numbers = note()
    except Missing:
        return found
    return replace(found, why=f"{found.why} {sentence}", numbers=[*found.numbers, *numbers])


def finding(parts: Sequence[Part], numbers: list[Number], lacking: str = "") -> Finding:
    """Return the finding that follows from the parts of a claim."""
    verdict, why = from_parts(parts)
    return Finding(verdict, why, numbers, lacking)
