"""What checks read of a variant, one number a seed: each function returns a reader, variant -> {seed: number}."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from regen.claims.interval import Read, student
from regen.claims.reported import Reading
from regen.results import Missing, Results

__all__ = [
    "at",
    "by_seed",
    "drop_share",
    "excess",
    "fcd",
    "late",
    "measure",
    "most_samples",
    "nll",
    "of_real",
    "path",
    "slope",
    "slope_interval",
    "to_most_samples",
    "validation_loss",
    "value",
]

LATE = 5
"""Epochs over which curves are compared: in one alone a curve is where it happens to be."""

BLOCKS = 10
"""Of the epochs of a trend."""


def value(results: Results, key: str) -> Read:
    """Read a number of metrics.json."""
    return lambda variant: results.value(variant, key)


def measure(results: Results, key: str, images: str = "samples") -> Read:
    """Read a number of the row of quality_details.json of these images."""
    return lambda variant: results.measure(variant, images, key)


def fcd(results: Results, images: str = "samples") -> Read:
    """Read the Fréchet distance of images from the test images, in a classifier's features."""
    return measure(results, "frechet_classifier_distance", images)


def of_real(results: Results, key: str, images: str = "samples") -> Read:
    """Read a measure of images as a share of that of the test images as the variant sees them."""

    def read(variant: str) -> dict[int, float]:
        real = results.measure(variant, "test images", key)
        return {seed: number / real[seed] for seed, number in results.measure(variant, images, key).items()}

    return read


def path(results: Results, key: str) -> Read:
    """Read a number of the straight paths through the latents."""
    return lambda variant: results.path(variant, "linear", key)


def late(results: Results, column: str, upto: int | None = None) -> Read:
    """Read the mean of a column of history.csv over the last five epochs, or the five up to an epoch."""

    def read(variant: str) -> dict[int, float]:
        return {seed: fmean(curve[:upto][-LATE:]) for seed, curve in results.column(variant, column).items()}

    return read


def at(results: Results, column: str, epoch: int) -> Read:
    """Read a column of history.csv after an epoch (from 1)."""

    def read(variant: str) -> dict[int, float]:
        curves = results.column(variant, column)
        if any(len(curve) < epoch for curve in curves.values()):
            raise Missing(f"{variant} has no epoch {epoch}")
        return {seed: curve[epoch - 1] for seed, curve in curves.items()}

    return read


def drop_share(results: Results, column: str, epoch: int, start: int = 1) -> Read:
    """Read the per cent of the drop from the end of epoch `start` to the minimum that is reached by an epoch."""

    def share(curve: Sequence[float]) -> float:
        first, least = curve[0], min(curve)
        return 100 * (first - min(curve[: epoch - start + 1])) / (first - least) if first > least else 0.0

    def read(variant: str) -> dict[int, float]:
        curves = results.column(variant, column)
        if any(len(curve) < start for curve in curves.values()):
            raise Missing(f"{variant} has no epoch {start}")
        return {seed: share(curve[start - 1 :]) for seed, curve in curves.items()}

    return read


def validation_loss(results: Results) -> Read:
    """Read -ELBO of the validation images with the last weights: the loss that reports plot."""
    return lambda variant: results.split(variant, "neg_elbo_nats", "validation")


def excess(results: Results) -> Read:
    """Read where -ELBO of the validation images lies between their entropy floor, 0, and their mean image's cross-entropy, 1."""

    def read(variant: str) -> dict[int, float]:
        floor = results.floor(variant, "validation")
        low, high = floor["floor_nats"], floor["mean_image_nats"]
        return {seed: (loss - low) / (high - low) for seed, loss in validation_loss(results)(variant).items()}

    return read


def nll(results: Results, *variants: str) -> Read:
    """Read -log p(x): by quadrature or enumeration where all variants have it of as many images, else with the most samples drawn."""
    for estimate in ("quadrature", "enumeration"):
        try:
            counts = {count for name in variants for count in results.estimate(name, "n_images", estimate).values()}
        except Missing:
            continue
        if len(counts) == 1:
            return lambda variant: results.estimate(variant, "nll_nats", estimate)
    return most_samples(results)


def most_samples(results: Results) -> Read:
    """Read -log p(x) carried to the most samples that were drawn, which may be of fewer images."""

    def read(variant: str) -> dict[int, float]:
        found, runs = results.value(variant, "nll_nats"), results.metrics(variant)
        counts = {seed: int(run["importance_samples"]) for seed, run in runs.items() if "importance_samples" in run}
        steps = {seed: to_most_samples(table, counts[seed]) for seed, table in results.details(variant).items() if seed in counts}
        return {seed: nats + (step[0] if (step := steps.get(seed)) else 0.0) for seed, nats in found.items()}

    return read


def to_most_samples(details: Mapping[str, Any], samples: int) -> tuple[float, int] | None:
    """Return how -log p(x) changes from so many samples to the most that were drawn, on the same images, and how many these are.

    None where no more were drawn of any images that have both.
    """
    groups: dict[int, dict[int, float]] = {}
    for row in details.get("likelihood", []):
        groups.setdefault(int(row["n_images"]), {})[int(row["importance_samples"])] = row["nll_nats"]
    best = max(((max(values), images) for images, values in groups.items() if samples in values), default=None)
    if best is None or best[0] == samples:
        return None
    most, images = best
    return groups[images][most] - groups[images][samples], most


def slope(values: Sequence[float]) -> float:
    """Return the slope of the least-squares line through values at epochs 1, 2, ..., per epoch."""
    if len(values) < 2:
        raise Missing("a trend needs two epochs")
    return float(np.polyfit(np.arange(len(values)), np.asarray(values, dtype=float), 1)[0])


def slope_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return Student's interval of the slope per epoch, of the line through the means of ten blocks of epochs: neighbours are alike."""
    if len(values) < 3:
        raise Missing("the error of a trend needs three epochs")
    blocks = np.array_split(np.arange(len(values)), min(BLOCKS, len(values)))
    series = np.asarray(values, dtype=float)
    line, covariance = np.polyfit([block.mean() for block in blocks], [series[block].mean() for block in blocks], 1, cov=True)
    half = student(len(blocks) - 2) * math.sqrt(covariance[0, 0])
    return float(line[0] - half), float(line[0] + half)


def by_seed(results: Results, reading: Reading) -> dict[int, float]:
    """Return the seed -> the reading; raises Missing where nothing ran.

    Where a preset shortens the training, the report's epoch keeps its fraction of it.
    """
    variant = results.variant(reading.variant)
    values: dict[int, float]
    if reading.at is not None:
        columns = {name: results.column(reading.variant, name) for name in reading.of}
        curves = {
            seed: [
                reading.value(dict(zip(columns, row, strict=True))) for row in zip(*(columns[name][seed] for name in columns), strict=True)
            ]
            for seed in next(iter(columns.values()))
        }
        values = {seed: _at(curve, reading.at, variant.training.epochs) for seed, curve in curves.items()}
    elif reading.split is not None:
        rows = {name: results.split(reading.variant, name, reading.split) for name in reading.of}
        values = {seed: reading.value({name: rows[name][seed] for name in rows}) for seed in next(iter(rows.values()))}
    elif reading.most_samples:
        values = {seed: reading.value({"nll_nats": nats}) for seed, nats in most_samples(results)(reading.variant).items()}
    else:
        scalars = {name: results.value(reading.variant, name) for name in reading.of}
        values = {seed: reading.value({name: scalars[name][seed] for name in scalars}) for seed in next(iter(scalars.values()))}
        if reading.without_one_over_k:
            counts = results.value(reading.variant, "importance_samples")
            values = {seed: value - math.log(counts[seed]) for seed, value in values.items()}
    return {seed: value / reading.parts(variant.shape) for seed, value in values.items()}


def _at(curve: list[float], at: int | str, epochs: int) -> float:
    """Return the value at the report's epoch (from 1), the smallest or the last."""
    if isinstance(at, int):
        return curve[max(1, round(at * len(curve) / epochs)) - 1]
    return min(curve) if at == "min" else curve[-1]
