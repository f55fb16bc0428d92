"""Numbers that the source reports print, held against this reproduction's readings of them."""

import math
from functools import cache
from importlib.resources import files
from pathlib import Path
from statistics import mean
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, model_validator

from regen.config.base import Config, Name, parse
from regen.params.schema import ReportConfig
from regen.results import details, histories, metrics

__all__ = ["NOTHING", "Reading", "Reported", "read_reported", "reproduced"]

NOTHING: dict[str, Any] = {"seeds": 0, "epoch": None, "mean": None, "low": None, "high": None}
"""What is read where nothing was run."""


class Reading(Config):
    """One way to read a reported number off the results.

    `of` names values, or values and the factors that they are summed with: columns of history.csv (`at`: the report's epoch, `min` or
    `last`), means over a split in details.json (`split`), or scalars of metrics.json (neither). `plus` is added; `per` divides by what an
    image has, in nats or bits. `without_one_over_k` leaves the 1/K out of an importance-sampled likelihood, as davari prints it.
    """

    label: str
    variant: Name
    of: Annotated[dict[str, float], Field(min_length=1), BeforeValidator(lambda of: {of: 1.0} if isinstance(of, str) else of)]
    at: Annotated[int, Field(ge=1)] | Literal["min", "last"] | None = None
    split: Literal["train", "validation", "test"] | None = None
    plus: float = 0.0
    per: Literal["dimension", "bits a dimension", "bits a position"] | None = None
    without_one_over_k: bool = False

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.at is not None and self.split is not None:
            raise ValueError("allowed: 'at', 'split' or neither")
        if self.without_one_over_k and (self.at is not None or self.split is not None):
            raise ValueError("allowed with 'without_one_over_k': neither 'at' nor 'split'")
        return self

    def defined(self, row: dict[str, Any]) -> bool:
        """Return whether a row has all the values."""
        return all(row.get(name) is not None for name in self.of)

    def value(self, table: Any) -> Any:
        """Return the sum over a table, or over a row, of values by name."""
        return sum((factor * table[name] for name, factor in self.of.items()), self.plus)

    def parts(self, shape: list[int]) -> float:
        """Return what a value of an image of shape (C, H, W) is divided by."""
        channels, height, width = shape
        match self.per:
            case "dimension":
                return channels * height * width
            case "bits a dimension":
                return channels * height * width * math.log(2)
            case "bits a position":
                return height * width * math.log(2)
            case None:
                return 1


class Reported(Config):
    """A number as a source report prints it."""

    report: Name
    quantity: str
    unit: str
    value: float
    readings: list[Reading]


class _Ledger(Config):
    reported: list[Reported]


@cache
def read_reported() -> list[Reported]:
    """Read reported.yaml."""
    source = files("regen.claims") / "reported.yaml"
    return parse(_Ledger, {"reported": yaml.safe_load(source.read_text(encoding="utf-8"))}, "reported.yaml").reported


def reproduced(config: ReportConfig, reading: Reading, root: Path) -> dict[str, Any]:
    """Return the reading's mean over seeds, its range, the number of seeds and the epoch that was read; no seeds where nothing ran.

    Where a preset shortens the training, the report's epoch keeps its fraction of it.
    """
    # Results of a variant that params.yaml no longer names stay in the work tree.
    if reading.variant not in config.variants:
        return dict(NOTHING)
    epoch = None
    variant = config.variants[reading.variant]
    if reading.at is not None:
        tables = list(histories(root, config, reading.variant).values())
        if isinstance(reading.at, int) and tables:
            epoch = max(1, round(reading.at * len(tables[0]) / variant.training.epochs))
        values = [_at(reading.value(table).tolist(), reading.at, epoch) for table in tables]
    elif reading.split is not None:
        rows = [row for table in details(root, config, reading.variant).values() for row in table.get("splits", [])]
        values = [reading.value(row) for row in rows if row["split"] == reading.split and reading.defined(row)]
    else:
        runs = [table for table in metrics(root, config, reading.variant).values() if reading.defined(table)]
        values = [reading.value(run) - (math.log(run["importance_samples"]) if reading.without_one_over_k else 0) for run in runs]
    if not values:
        return dict(NOTHING)
    values = [value / reading.parts(variant.shape) for value in values]
    return {"seeds": len(values), "epoch": epoch, "mean": mean(values), "low": min(values), "high": max(values)}


def _at(values: list[float], at: int | str | None, epoch: int | None) -> float:
    """Return the value at the epoch (from 1), the smallest or the last."""
    if at == "min":
        return min(values)
    return values[-1] if epoch is None else values[epoch - 1]
