"""What a check finds: a verdict, why in a sentence, and the numbers behind it; differences between variants over seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Literal

from regen.claims.evidence import Missing

__all__ = ["Difference", "Finding", "Number", "Verdict", "difference", "from_parts", "mean", "signed", "text"]

Verdict = Literal["reproduced", "not reproduced", "partly"]


@dataclass(frozen=True)
class Number:
    """A number (or a class, a sign) that a verdict rests on; a ratio or a count has no unit."""

    label: str
    value: float | str | None
    unit: str = ""


@dataclass(frozen=True)
class Finding:
    """The outcome of a check; `why` is for a reader of the report: whole sentences with the deciding numbers.

    `lacking` names results without which the verdict does not count, where the rest is worth showing.
    """

    verdict: Verdict
    why: str
    numbers: list[Number] = field(default_factory=list)
    lacking: str = ""


@dataclass(frozen=True)
class Difference:
    """The mean over seeds of a - b; the standard error of that mean, none with one seed."""

    mean: float
    standard_error: float | None
    seeds: int

    @property
    def holds(self) -> bool:
        """Whether a is above b: the mean exceeds its standard error, or 0 where one seed leaves none."""
        return self.mean > (self.standard_error or 0.0)

    def apart(self, unit: str = "") -> str:
        """Return the difference without its sign, for a sentence that names both values."""
        error = "" if self.standard_error is None else f" ± {text(self.standard_error)}"
        seeds = "; one seed: no standard error" if self.standard_error is None else f" over {self.seeds} seeds"
        return f"apart by {text(abs(self.mean))}{error}{' ' if unit else ''}{unit}{seeds}"


def difference(a: dict[int, float], b: dict[int, float]) -> Difference:
    """Return a - b over the seeds that both have.

    Raises
    ------
    Missing
        If no seed has both.
    """
    pairs = [a[seed] - b[seed] for seed in a if seed in b]
    if not pairs:
        raise Missing("the variants that are compared have no seed in common")
    error = stdev(pairs) / math.sqrt(len(pairs)) if len(pairs) > 1 else None
    return Difference(fmean(pairs), error, len(pairs))


def mean(values: dict[int, float]) -> float:
    """Return the mean over seeds."""
    return fmean(values.values())


def text(value: float) -> str:
    """Write a number to three significant digits, or to one decimal place from 100 on, with commas."""
    if not math.isfinite(value):
        return "not finite"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def signed(value: float) -> str:
    """Write a number as `text` does, a positive one with its sign."""
    return f"{'+' if value > 0 else ''}{text(value)}"


def from_parts(parts: Sequence[tuple[bool, str]]) -> tuple[Verdict, str]:
    """Return the verdict of the parts of a claim and their sentences as one text.

    All hold: reproduced; none: not reproduced; some: partly. Each part is whether it holds and a clause without full stop.
    """
    if not parts:
        raise ValueError("a claim has one part at least")
    holding = [holds for holds, _ in parts]
    verdict: Verdict = "reproduced" if all(holding) else "partly" if any(holding) else "not reproduced"
    return verdict, " ".join(f"{words[:1].upper()}{words[1:]}: {'yes' if holds else 'no'}." for holds, words in parts)
