"""Values that checks compare: by seed, and of probes."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from regen.claims.evidence import Evidence, Missing
from regen.claims.reported import Reading, reproduced

__all__ = ["constant", "finite", "read", "shared"]

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
