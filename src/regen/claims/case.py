"""What a check works with: it asks tests of the results, part by part, and gives numbers; what a part lacks costs that part alone."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Literal

from regen.claims.interval import ENOUGH, LEVEL, Interval, Read, differences, of_seeds, spread
from regen.common.errors import UserError
from regen.results import Missing, Results

__all__ = ["Case", "Check", "Number", "Part", "Strength", "Test", "shortfall", "text"]

Of = Literal["observation", "explanation"]
Strength = Literal["firm", "indicative", "none"]
Sign = Literal["above", "below"]

MALFORMED = (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, UserError, ValueError)
"""What reading a file of another form than the pipeline's can raise."""


@dataclass(frozen=True)
class Test:
    """A question to the results; `holds` is None where the answer lies within the error or between two cuts, or for a reason `why`."""

    part: str
    of: Of
    asked: str
    measured: float | str | None
    expected: str
    unit: str
    low: float | None
    high: float | None
    error: str
    holds: bool | None
    strength: Strength
    variants: list[str]
    reasons: list[str] = field(repr=False)
    why: str = ""


@dataclass(frozen=True)
class Number:
    """A number that a sentence may name; `text` is the value as it is written."""

    name: str
    label: str
    value: float | str | None
    text: str
    unit: str


@dataclass
class Part:
    """A part of a claim that is judged by its own evidence; `missing`: what could not be read."""

    name: str
    of: Of
    missing: list[str] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)

    @property
    def holds(self) -> bool | None:
        """Return whether all tests hold; False if one does not, None if none is decided so."""
        answers = [test.holds for test in self.tests]
        return False if False in answers else None if None in answers or not answers else True

    @property
    def deciding(self) -> list[Test]:
        """Return the tests that the answer rests on: those that fail where one does, else all."""
        return [test for test in self.tests if test.holds is False] or self.tests

    @property
    def strength(self) -> Strength:
        """Return the strength of the answer: of the strongest test that fails, or of the weakest that holds."""
        order: list[Strength] = ["none", "indicative", "firm"]
        found = [order.index(test.strength) for test in self.deciding]
        if not found:
            return "none"
        return order[max(found) if self.holds is False else min(found)]


class Case:
    """The tests and numbers of one claim, as its check asks and gives them."""

    def __init__(self, results: Results, gives: frozenset[str] = frozenset()) -> None:
        self.results = results
        self.gives = gives
        self.parts: list[Part] = []
        self.numbers: dict[str, Number] = {}
        self._part: Part | None = None

    @contextmanager
    def part(self, name: str = "", of: Of = "observation") -> Iterator[None]:
        """Open a part: a result that is missing or malformed ends it with a line, and the check goes on behind it."""
        part = next((one for one in self.parts if (one.name, one.of) == (name, of)), None)
        if part is None:
            part = Part(name, of)
            self.parts.append(part)
        self._part, self.results.read = part, {}
        try:
            yield
        except Missing as error:
            part.missing.append(str(error))
        except MALFORMED as error:
            part.missing.append(_line(error))
        finally:
            self._part = None

    def number(self, name: str, value: float | str | Mapping[int, float], unit: str = "", label: str = "") -> None:
        """Give a number by its name in the sentences; of a value a seed the mean, to the digits that its standard error leaves."""
        if name not in self.gives:
            raise RuntimeError(f"'{name}' is given but not declared; allowed: {', '.join(sorted(self.gives))}")
        error: float | None = None
        written: float | str
        if isinstance(value, Mapping):
            seeds = list(value.values())
            written = fmean(seeds)
            error = stdev(seeds) / math.sqrt(len(seeds)) if len(seeds) >= ENOUGH else None
        else:
            written = value
        shown = written if isinstance(written, str) else text(written, error)
        self.numbers[name] = Number(name, label or name.replace("_", " "), written, shown, unit)

    def ordered(
        self,
        asked: str,
        read: Read,
        a: str,
        sign: Sign,
        b: str,
        unit: str = "",
        cut: tuple[float, float] = (0.0, 0.0),
        absolute: bool = False,
    ) -> Interval:
        """Ask whether variant a lies above (below) variant b by what `read` returns of a variant, by more than a cut where there is one.

        Undecided where no error is known. absolute: of a share such as precision, whose spread over seeds is no share of its value.
        """
        difference = spread(self.results, read, a, b, absolute)
        self._ask(asked, difference, sign, cut, unit, known=difference.half is not None)
        return difference

    def paired(self, asked: str, a: Mapping[int, float], sign: Sign, b: Mapping[int, float], unit: str = "") -> Interval:
        """Ask whether a lies above (below) b, seed by seed; with fewer than three seeds they have to agree, and no error is known."""
        difference = of_seeds(differences(a, b))
        self._ask(asked, difference, sign, (0.0, 0.0), unit)
        return difference

    def level(
        self,
        asked: str,
        values: float | Mapping[int, float],
        sign: Sign,
        cut: tuple[float, float],
        unit: str = "",
        by: str = "",
        half: float | None = None,
    ) -> Interval:
        """Ask whether a value lies above (below) a cut, given as a band of all that one might choose: between its ends is undecided.

        half: of the interval of what is no mean over seeds; `by` says what it comes from.
        """
        interval = of_seeds(values) if isinstance(values, Mapping) else Interval(values, half, 0, by)
        self._ask(asked, interval, sign, cut, unit)
        return interval

    def near(
        self,
        asked: str,
        values: Mapping[int, float],
        printed: float,
        unit: str = "",
        within: tuple[float, float] = (0.05, 0.1),
    ) -> None:
        """Ask whether a value is the printed one: all of its interval within the first share of it; not if all is beyond the second."""
        interval = of_seeds(values)
        low, high = interval.reach
        far = [abs(end - printed) / abs(printed) for end in (low, high)]
        holds = True if max(far) <= within[0] else False if min(far) > within[1] and not low <= printed <= high else None
        expected = f"{printed:g} within {text(100 * within[0])} to {text(100 * within[1])} %"
        self._add(asked, interval.mean, expected, unit, interval, holds)

    def chance(self, asked: str, p: float, by: str) -> None:
        """Ask whether chance would rarely do as much: a probability below 1 - `LEVEL`. Above it nothing is decided."""
        self._add(asked, p, f"below {1 - LEVEL:.2g}", "", Interval(p, None, 0, by), True if p < 1 - LEVEL else None)

    def fact(
        self,
        asked: str,
        measured: float | str | None,
        expected: str,
        holds: bool | None,
        unit: str = "",
        by: str = "",
        interval: tuple[float, float] | None = None,
        theorem: bool = False,
        why: str = "",
    ) -> None:
        """Ask what is no mean over seeds: `by` says what its error or certainty rests on, `why` what keeps it open. A theorem is firm."""
        found = Interval(float("nan"), None, 0, by)
        self._add(asked, measured, expected, unit, found, holds, ends=interval, theorem=theorem, why=why if holds is None else "")

    def _ask(self, asked: str, interval: Interval, sign: Sign, cut: tuple[float, float], unit: str, known: bool = True) -> None:
        above = interval.above(*cut) if known else None
        holds = above if sign == "above" or above is None else not above
        ends = text(cut[0]) if cut[0] == cut[1] else f"{text(cut[0])} to {text(cut[1])}"
        split = interval.half is None and len({Interval(end, None, 1, "").above(*cut) for end in interval.reach}) > 1
        low, high = interval.reach
        between = cut[0] < cut[1] and cut[0] <= low and high <= cut[1]
        why = "no error is known" if not known else "the seeds do not agree" if split else "between the ends of the cut" if between else ""
        self._add(asked, interval.mean, f"{sign} {ends}", unit, interval, holds, why=why)

    def _add(
        self,
        asked: str,
        measured: float | str | None,
        expected: str,
        unit: str,
        interval: Interval,
        holds: bool | None,
        ends: tuple[float, float] | None = None,
        theorem: bool = False,
        why: str = "",
    ) -> None:
        assert self._part is not None
        variants = list(self.results.read)
        reasons = [] if theorem else self._reasons(variants, interval.seeds)
        made_up = any(self._source(name) == "stand-in" for name in variants)
        strength: Strength = "firm" if theorem else "none" if made_up else "indicative" if reasons else "firm"
        low, high = ends or (interval.low, interval.high)
        self._part.tests.append(
            Test(
                part=self._part.name,
                of=self._part.of,
                asked=asked,
                measured=measured,
                expected=expected,
                unit=unit,
                low=low,
                high=high,
                error=interval.source,
                holds=holds,
                strength=strength,
                variants=variants,
                reasons=reasons,
                why=why,
            )
        )

    def _source(self, variant: str) -> str:
        if variant not in self.results.config.variants:
            return ""
        settings = self.results.config.variants[variant]
        try:
            card = str(self.results.card(settings.dataset).get("data_source"))
        except Missing:
            card = ""
        return "stand-in" if "stand-in" in (card, settings.data_source) else settings.data_source

    def _reasons(self, variants: Sequence[str], seeds: int) -> list[str]:
        """Return what keeps a test from being firm: images, epochs, seeds."""
        found: dict[str, None] = {}
        counts = [seeds] if seeds else []
        for name in variants:
            if name not in self.results.config.variants:
                counts.append(1)
                continue
            settings = self.results.config.variants[name]
            found[shortfall(self.results, settings.dataset)] = None
            histories = self.results.histories(name)
            if not seeds:
                counts.append(len(histories))
            ran, declared = min(map(len, histories.values()), default=settings.training.epochs), settings.training.epochs
            found[f"{ran:,} of {declared:,} epochs" if ran < declared else ""] = None
        if counts and min(counts) < ENOUGH:
            found[f"{min(counts)} seed{'' if min(counts) == 1 else 's'}"] = None
        return [reason for reason in found if reason]


def shortfall(results: Results, dataset: str) -> str:
    """Return in what the images of a data set fall short of the report's; empty if they do not."""
    try:
        card = results.card(dataset)
    except Missing as error:
        return str(error)
    if "stand-in" in str(card.get("data_source")):
        return "stand-in images"
    for split, name in {"train": "training", "validation": "validation", "test": "test"}.items():
        count, declared = card["counts"][split], card["declared"][split]
        if count < declared:
            return f"{count:,} of {declared:,} {name} images of {dataset} ({card['data_source']})"
    return ""


Check = Callable[[Case], None]


def text(value: float, error: float | None = None) -> str:
    """Write a number to the first digit of its standard error, without one to three significant digits; commas from 1,000 on."""
    if not math.isfinite(value):
        return "not finite"
    if error:
        places = max(0, -math.floor(math.log10(error)))
        return f"{value:,.{min(places, 6)}f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(error: Exception) -> str:
    """Return an error as one line."""
    said = str(error) if isinstance(error, UserError) else f"a result cannot be read: {type(error).__name__} {error}"
    return " ".join(said.split())
