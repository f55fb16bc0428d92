"""What every chart is: a figure whose data points say what they are, with its texts."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

__all__ = ["Chart", "Drawn", "Told", "band", "count", "epoch_axis", "labels", "log_axis", "seeds_of"]

MOST = 400
"""Data points that a chart tells of: as many as a reader can point at."""


class Point(NamedTuple):
    """A data point, in the coordinates of its axes."""

    axes: Axes
    x: float
    y: float
    text: str


class Chart(Figure):
    """A figure whose data points say what they are."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.series: list[list[Point]] = []

    def say(self, axes: Axes, x: Iterable[float], y: Iterable[float], texts: Iterable[str]) -> None:
        """Give the points of one line their texts; a point that is not finite has none."""
        points = [Point(axes, float(a), float(b), text) for a, b, text in zip(x, y, texts, strict=True)]
        self.series.append([point for point in points if math.isfinite(point.x) and math.isfinite(point.y)])

    def points(self) -> list[dict[str, Any]]:
        """Return {"x", "y", "text"} of the data points in PNG pixels from the top left, once the figure has been drawn.

        Of long lines every n-th point, the last one always.
        """
        step = 1
        while sum(math.ceil(len(line) / step) for line in self.series) > max(MOST, len(self.series)):
            step += 1
        kept = [point for line in self.series for point in line[::-1][::step][::-1]]
        places = [point.axes.transData.transform((point.x, point.y)) for point in kept]
        height = self.bbox.height
        return [
            {"x": round(float(x), 1), "y": round(float(height - y), 1), "text": point.text}
            for point, (x, y) in zip(kept, places, strict=True)
        ]


@dataclass(frozen=True)
class Drawn:
    """A chart with its caption, its description and the variants that it shows."""

    chart: Chart
    caption: str
    description: str
    variants: list[str]


def labels(names: Sequence[str]) -> dict[str, str]:
    """Return short names of variants: without the report, and without what all have in common, as long as they can be told apart."""
    parts = [name.split("-") for name in names]
    if len(parts) > 1:
        parts = _if_told_apart([one[1:] for one in parts], parts)
        # The data set comes last; what else is shared goes from the left.
        shared = [part for part in parts[0] if all(part in one for one in parts)]
        for part in shared[-1:] + shared[:-1]:
            parts = _if_told_apart([[one for one in kept if one != part] for kept in parts], parts)
    return {name: "-".join(one) for name, one in zip(names, parts, strict=True)}


def _if_told_apart(shorter: list[list[str]], parts: list[list[str]]) -> list[list[str]]:
    return shorter if all(shorter) and len({tuple(one) for one in shorter}) == len(shorter) else parts


class Told(NamedTuple):
    """How values are named: in the legend, their unit ('' for none) and their format."""

    label: str
    unit: str
    form: str

    def say(self, value: float, low: float, high: float) -> str:
        """Return a mean as text, with the range over seeds where there is one."""
        spread = f" ({low:{self.form}} to {high:{self.form}})" if low < high else ""
        return f"{value:{self.form}}{f' {self.unit}' if self.unit else ''}{spread}"


def band(chart: Chart, axes: Axes, x: Sequence[float], values: np.ndarray, where: Sequence[str], told: Told, **style: Any) -> None:
    """Draw the mean over seeds of values (points, seeds) and their range as a band; `where` says where each point is.

    A point that a seed lacks is the mean over the others.
    """
    known = ~np.isnan(values).all(1)
    places, values = np.asarray(x, dtype=float)[known], values[known]
    mean, low, high = np.nanmean(values, axis=1), np.nanmin(values, axis=1), np.nanmax(values, axis=1)
    axes.plot(places, mean, label=told.label, **style)
    axes.fill_between(places, low, high, color=style["color"], alpha=0.2, linewidth=0)
    names = [name for name, there in zip(where, known, strict=True) if there]
    said = [f"{name}, {told.label}: {told.say(*three)}" for name, *three in zip(names, mean, low, high, strict=True)]
    chart.say(axes, places, mean, said)


def log_axis(axes: Axes, lowest: float, highest: float) -> None:
    """Make the y axis logarithmic where all values are above 0: the first epoch is far above the rest, which a reader compares."""
    if lowest <= 0:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    # Over more than a decade the labels of every tick would lie on each other.
    if highest > 10 * lowest:
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))


def epoch_axis(axes: Axes, run: int, declared: int) -> None:
    """Label the x axis; a shortened run says how many epochs the report trains."""
    axes.set_xlabel("epoch" if run >= declared else f"epoch (of {run}; the report trains {declared})")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def count(number: int, noun: str) -> str:
    """Return '1 seed', '2 seeds'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def seeds_of(numbers: Iterable[int]) -> str:
    """Say how many seeds each of several variants has."""
    low, high = min(found := sorted(numbers)), max(found)
    return f"{count(high, 'seed')} each" if low == high else f"{low} to {high} seeds"
