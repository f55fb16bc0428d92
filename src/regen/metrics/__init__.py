"""One catalogue of metrics, catalogue.yaml: label, unit, format, the better direction, and the tolerance between platforms."""

import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field

from regen.config.base import Config, parse

__all__ = ["METRICS", "Metric", "metric", "tolerance"]

SPLITS = {"train_": "training", "val_": "validation"}


class _Entry(Config):
    label: str = ""
    unit: str = ""
    format: str = ".3g"
    better: Literal["lower", "higher", ""] = ""
    absolute: float | None = Field(default=None, ge=0)
    relative: float | None = Field(default=None, ge=0)
    seen: float | None = Field(default=None, ge=0)


class Metric(Config):
    """A metric; `better` is the direction in which a model is better, empty where neither is, `tolerance` what `tolerance()` adds up."""

    name: str
    label: str
    unit: str
    format: str
    better: Literal["lower", "higher", ""]
    tolerance: dict[str, float] | None

    def text(self, value: float | None) -> str:
        """Write a value without its unit; a dash where there is none."""
        if value is None:
            return "-"
        return f"{value:{self.format}}" if math.isfinite(value) else "not finite"


class _Catalogue(Config):
    metrics: dict[str, _Entry]


def _read() -> Mapping[str, _Entry]:
    table = yaml.safe_load((files("regen.metrics") / "catalogue.yaml").read_text(encoding="utf-8"))
    return parse(_Catalogue, {"metrics": table}, "catalogue.yaml").metrics


ENTRIES = _read()


def _bare(name: str) -> tuple[str, str]:
    """Return a name without its split and without `_draws`, and the split."""
    split = next((split for split in SPLITS if name.startswith(split)), "")
    return name.removeprefix(split).removesuffix("_draws"), split


@cache
def metric(name: str) -> Metric:
    """Return a metric by the name of its column or key; a training or validation one says so in its label.

    Raises
    ------
    KeyError
        If the catalogue does not have it.
    """
    bare, split = _bare(name)
    entry, own = ENTRIES[bare], ENTRIES.get(name, ENTRIES[bare])
    limits = {key: value for key in ("absolute", "relative") if (value := getattr(own, key)) is not None}
    label = f"{SPLITS[split]} {entry.label}" if split else entry.label
    return Metric(name=name, label=label, unit=entry.unit, format=entry.format, better=entry.better, tolerance=limits or None)


METRICS: dict[str, Metric] = {name: metric(name) for name in ENTRIES if not _bare(name)[1]}
"""All metrics, in the order in which tables show them."""


def tolerance(key: str, committed: float) -> float:
    """Return how far a metric, named by its path in a file, may be from its committed value elsewhere; 0 if it has no tolerance."""
    name = re.sub(r"\[\d+\]", "", key).rsplit(".", 1)[-1]
    limits = (metric(name).tolerance if _bare(name)[0] in ENTRIES else None) or {}
    return limits.get("absolute", 0.0) + limits.get("relative", 0.0) * abs(committed)
