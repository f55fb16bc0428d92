"""Values that checks compare: by seed, and of probes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import mean
from regen.claims.reported import Reading, reproduced

__all__ = ["at_epoch", "constant", "finite", "quadratures", "read", "shared"]

T = TypeVar("T")


def shared(values: dict[int, T], others: dict[int, T]) -> tuple[dict[int, T], dict[int, T]]:
    """Return both with the seeds alone that both have.

    Raises
    ------
    Missing
        If there is no such seed.
    """
    seeds = [seed for seed in values if seed in others]
    if not seeds:
        raise Missing("the variants that are compared have no seed in common")
    return {seed: values[seed] for seed in seeds}, {seed: others[seed] for seed in seeds}


def constant(value: float, like: dict[int, float]) -> dict[int, float]:
    """Return a bound as values of the same seeds."""
    return dict.fromkeys(like, value)


def finite(table: Mapping[str, Any], key: str) -> float:
    """Return a number of a probe or of a row of it.

    Raises
    ------
    Missing
        If there is none, or none that is finite.
    """
    value = table.get(key)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise Missing(f"a probe has no number '{key}'")
    return float(value)


def read(evidence: Evidence, reading: Reading) -> float:
    """Return a reading of reported.yaml, the mean over seeds.

    Raises
    ------
    Missing
        If it has no value, or a value or an epoch that is not finite.
    """
    if reading.at is not None:
        for name in reading.of:
            evidence.column(reading.variant, name)
    value = reproduced(evidence.config, reading, evidence.root)["mean"]
    if value is None or not math.isfinite(value):
        raise Missing(f"{reading.variant} has no value for the reading '{reading.label}'")
    return float(value)


def at_epoch(evidence: Evidence, variant: str, column: str, epoch: int) -> dict[int, float]:
    """Return a column of history.csv after an epoch (from 1).

    Raises
    ------
    Missing
        If a seed has no such epoch.
    """
    curves = evidence.column(variant, column)
    if any(len(curve) < epoch for curve in curves.values()):
        raise Missing(f"{variant} has no epoch {epoch}")
    return {seed: curve[epoch - 1] for seed, curve in curves.items()}


def quadratures(evidence: Evidence, pair: Sequence[str]) -> tuple[int, list[float], list[float]]:
    """Return of two variants the number of images of their quadratures, the NLLs, and how far importance sampling lies above them.

    Raises
    ------
    Missing
        If they are not two of as many images.
    """
    counts, exact, above = (
        [mean(evidence.estimate(variant, key, "quadrature")) for variant in pair] for key in ("n_images", "nll_nats", "difference_nats")
    )
    if len(pair) != 2 or counts[0] != counts[1]:
        raise Missing("two quadratures of as many images")
    return round(counts[0]), exact, above
