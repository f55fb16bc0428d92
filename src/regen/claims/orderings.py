"""Parts of a finding that put one variant below another, in words with both numbers and their difference."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from regen.claims.evidence import Missing
from regen.claims.finding import Number, difference, mean, text
from regen.claims.measures import Part

__all__ = ["Named", "below", "constant", "finite", "numbers_of", "shared"]

T = TypeVar("T")

Named = tuple[str, dict[int, float]]
"""What the values are of, and seed -> value."""


def below(quantity: str, smaller: Named, larger: Named, unit: str = "") -> Part:
    """Return whether the first is below the second, by `Difference.holds`, and the clause that says so; raises as `shared` does."""
    (name, _), (other, _) = smaller, larger
    values, others = shared(smaller[1], larger[1])
    gap = difference(others, values)
    sizes = [f"{text(mean(of))} {unit}".rstrip() for of in (values, others)]
    return gap.holds, f"{quantity} {name} ({sizes[0]}) below {other} ({sizes[1]}), difference {gap.words}"


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


def numbers_of(quantity: str, unit: str, *named: Named) -> list[Number]:
    """Return the mean over seeds of each."""
    return [Number(f"{quantity}, {name}", mean(values), unit) for name, values in named]
