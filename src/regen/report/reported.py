"""Numbers that the source reports print, held against this reproduction's readings of them."""

from importlib.resources import files
from pathlib import Path
from statistics import mean
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from regen.config.base import Config, Name, PositiveFloat, parse
from regen.params.schema import ReportConfig
from regen.results import details, histories, metrics

__all__ = ["Reading", "Reported", "read_reported", "reproduced"]


class Reading(Config):
    """One way to read a reported number off the results: a column of the history, a value of details.json or of metrics.json."""

    label: str
    variant: Name
    column: str | None = None
    at: Annotated[int, Field(ge=1)] | Literal["min", "last"] | None = None
    split: Literal["train", "validation", "test"] | None = None
    key: str | None = None
    metric: str | None = None
    divide_by: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = {name for name in ("column", "at", "split", "key", "metric") if getattr(self, name) is not None}
        if given not in ({"column", "at"}, {"split", "key"}, {"metric"}):
            raise ValueError("allowed: one of 'column' and 'at', 'split' and 'key', 'metric'")
        return self


class Reported(Config):
    """A number as a source report prints it."""

    report: Name
    quantity: str
    unit: str
    value: float
    readings: list[Reading]


class _Ledger(Config):
    reported: list[Reported]


def read_reported() -> list[Reported]:
    """Read reported.yaml."""
    source = files("regen.report") / "reported.yaml"
    return parse(_Ledger, {"reported": yaml.safe_load(source.read_text(encoding="utf-8"))}, "reported.yaml").reported


def reproduced(config: ReportConfig, reading: Reading, root: Path) -> dict[str, Any]:
    """Return the reading's mean over seeds, its range, the number of seeds and the epoch that was read; no seeds where nothing ran.

    Where a preset shortens the training, the report's epoch keeps its fraction of it.
    """
    nothing: dict[str, Any] = {"seeds": 0, "epoch": None, "mean": None, "low": None, "high": None}
    # Results of a variant that params.yaml no longer names stay in the work tree.
    if reading.variant not in config.variants:
        return nothing
    epoch = None
    if reading.column is not None:
        tables = list(histories(root, config, reading.variant).values())
        if isinstance(reading.at, int) and tables:
            declared = config.variants[reading.variant].training.epochs
            epoch = max(1, round(reading.at * len(tables[0]) / declared))
        values = [_at(table[reading.column].tolist(), reading.at, epoch) for table in tables]
    elif reading.metric is not None:
        values = [table[reading.metric] for table in metrics(root, config, reading.variant).values()]
    else:
        values = [
            row[reading.key]
            for table in details(root, config, reading.variant).values()
            for row in table["splits"]
            if row["split"] == reading.split
        ]
    if not values:
        return nothing
    values = [value / reading.divide_by for value in values]
    return {"seeds": len(values), "epoch": epoch, "mean": mean(values), "low": min(values), "high": max(values)}


def _at(values: list[float], at: int | str | None, epoch: int | None) -> float:
    """Return the value at the epoch (from 1), the smallest or the last."""
    if at == "min":
        return min(values)
    return values[-1] if epoch is None else values[epoch - 1]
