"""Intervals: Student's over seeds at one level, and with fewer than three seeds by the spread that other variants have over theirs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy.special import stdtrit

from regen.common.errors import UserError
from regen.results import Missing, Results

__all__ = ["ENOUGH", "LEVEL", "Interval", "Z", "differences", "of_seeds", "spread", "student"]

LEVEL = 0.95
"""Of every interval."""

Z = 1.96
"""Standard errors of a normal distribution in half an interval."""

ENOUGH = 3
"""Seeds from which a variant's own spread is an error."""

LEAST_FREEDOM = 4
"""Degrees of freedom from which the spread of other variants is an error."""

Read = Callable[[str], dict[int, float]]
"""A variant -> one number a seed."""


@dataclass(frozen=True)
class Interval:
    """A mean with its interval at `LEVEL`; `half` is None where no error is known, `source` says where the error comes from.

    `seen` are the smallest and the largest seed where there are too few for an error.
    """

    mean: float
    half: float | None
    seeds: int
    source: str
    seen: tuple[float, float] | None = None

    @property
    def low(self) -> float | None:
        """Return the lower end, None where no error is known."""
        return None if self.half is None else self.mean - self.half

    @property
    def high(self) -> float | None:
        """Return the upper end, None where no error is known."""
        return None if self.half is None else self.mean + self.half

    @property
    def reach(self) -> tuple[float, float]:
        """Return both ends; where no error is known those of the seeds, which have to agree."""
        if self.half is not None:
            return self.mean - self.half, self.mean + self.half
        return self.seen or (self.mean, self.mean)

    def above(self, bound: float, other: float | None = None) -> bool | None:
        """Return whether all of it lies above both bounds; False if all lies below both, None between or if it holds one of them."""
        ends = (bound, bound if other is None else other)
        low, high = self.reach
        return True if low > max(ends) else False if high < min(ends) else None


def student(freedom: int) -> float:
    """Return the half width of Student's interval at `LEVEL`, in standard errors."""
    return float(stdtrit(freedom, (1 + LEVEL) / 2))


def of_seeds(values: Mapping[int, float]) -> Interval:
    """Return the mean over seeds with Student's interval; with fewer than three seeds no error is known, and they have to agree."""
    numbers, count = list(values.values()), len(values)
    if count == 0:
        raise Missing("no seed has it")
    if count < ENOUGH:
        return Interval(fmean(numbers), None, count, _few(count), (min(numbers), max(numbers)))
    return Interval(fmean(numbers), student(count - 1) * stdev(numbers) / math.sqrt(count), count, f"{count} seeds")


def differences(a: Mapping[int, float], b: Mapping[int, float]) -> dict[int, float]:
    """Return a - b of the seeds that both have.

    Raises
    ------
    Missing
        If no seed has both.
    """
    if not (seeds := [seed for seed in a if seed in b]):
        raise Missing("the variants that are compared have no seed in common")
    return {seed: a[seed] - b[seed] for seed in seeds}


def spread(results: Results, read: Read, a: str, b: str, absolute: bool = False) -> Interval:
    """Return the mean of a - b over the seeds of both, with its interval.

    From three seeds on it is Student's interval of the paired differences. With fewer the standard deviation of one run, as a share of its
    value unless `absolute`, is pooled over the seeds of other variants: of the same family and data set, and where these are too
    few of the data set, then of all, but no less than theirs. A difference of two runs has it twice. Variants whose training may fail
    (`on_non_finite: stop`) lend none: seeds of which one fails differ by more than those of a training that works.
    """
    first, second = read(a), read(b)
    own = of_seeds(differences(first, second))
    if own.half is not None:
        return own
    deviation, freedom, runs = _pooled(results, read, a, absolute)
    if freedom < LEAST_FREEDOM:
        return own
    sizes = [1.0 if absolute else fmean(values[seed] for seed in first if seed in second) for values in (first, second)]
    half = student(freedom) * deviation * math.hypot(*sizes) / math.sqrt(own.seeds)
    return Interval(own.mean, half, own.seeds, f"{_few(own.seeds)}, spread of {runs} runs of other variants")


def _pooled(results: Results, read: Read, like: str, absolute: bool) -> tuple[float, int, int]:
    """Return the standard deviation over seeds pooled over variants, its degrees of freedom, and the number of runs."""
    asked = dict(results.read)
    own = results.variant(like)
    found: list[tuple[bool, bool, list[float]]] = []
    for name, variant in results.config.variants.items():
        if variant.training.on_non_finite == "stop":
            continue
        try:
            values = list(read(name).values())
        except (Missing, UserError):
            continue
        # What can be 0 or less, such as a density's nats, has no share of itself.
        if len(values) > 1 and (absolute or min(values) > 0):
            size, same = 1.0 if absolute else fmean(values), variant.dataset == own.dataset
            found.append((same and variant.model.family == own.model.family, same, [value / size for value in values]))
    results.read = asked
    groups = ([runs for close, _, runs in found if close], [runs for _, same, runs in found if same], [runs for *_, runs in found])
    deviation, freedom, count = 0.0, 0, 0
    for group in groups:
        freedom, count = sum(len(runs) - 1 for runs in group), sum(map(len, group))
        if freedom:
            deviation = max(deviation, math.sqrt(sum((len(runs) - 1) * stdev(runs) ** 2 for runs in group) / freedom))
        if freedom >= LEAST_FREEDOM:
            break
    return deviation, freedom, count


def _few(count: int) -> str:
    return f"{count} seed{'s' if count > 1 else ''}"
