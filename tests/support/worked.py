"""What tests share that work a claim out by hand: values of three seeds, files that have them, and what is then said of the claim."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import t

from regen.claims.judge import judge

from .written import Written

__all__ = ["Seeds", "about", "answers", "ends", "history", "measures", "row_of"]

Seeds = float | tuple[float, float, float]
"""A value of each of three seeds, or one of all."""


def about(middle: float, apart: float) -> tuple[float, float, float]:
    """Return three seeds so far apart."""
    return middle - apart, middle, middle + apart


def ends(middle: float, apart: float) -> tuple[float, float]:
    """Return Student's interval of the mean of such three: 2.48 times as far to either side."""
    half = t.ppf(0.975, 2) * apart / math.sqrt(3)
    return middle - half, middle + half


def of_seed(values: Seeds, seed: int) -> float:
    return values[seed] if isinstance(values, tuple) else values


def measures(written: Written, variant: str, rows: Mapping[str, Mapping[str, Seeds]]) -> None:
    """Write quality_details.json of three seeds: the name of the images -> their measures."""
    for seed in range(3):
        written.rows(variant, {images: {key: of_seed(values, seed) for key, values in row.items()} for images, row in rows.items()}, seed)


def history(written: Written, variant: str, **columns: Sequence[Seeds]) -> None:
    """Write history.csv of three seeds."""
    for seed in range(3):
        written.history(variant, seed, **{name: [of_seed(values, seed) for values in curve] for name, curve in columns.items()})


def row_of(written: Written, claim: str) -> dict[str, Any]:
    """Return what is said of a claim, its numbers by their names."""
    report = claim.rpartition("-")[0]
    alone = written.config.model_copy(update={"reports": {report: written.config.reports[report]}})
    (row,) = (row for row in judge(alone, written.root)["claims"] if row["id"] == claim)
    return {**row, "numbers": {number["name"]: number["value"] for number in row["numbers"]}}


def answers(row: Mapping[str, Any]) -> list[bool | None]:
    """Return whether each test holds, in the order in which the parts were opened."""
    return [test["holds"] for test in row["tests"]]
