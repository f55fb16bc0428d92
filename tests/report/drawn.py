"""What charts draw: the rows of their data, and the numbers of a text."""

import re
from collections.abc import Iterable
from typing import Any

from regen.report.charts import Chart

__all__ = ["kinds", "numbers", "points", "rows", "scale"]

Row = dict[str, Any]


def rows(spec: Any) -> list[Row]:
    """Return the rows of a specification, wherever its data stand."""
    if isinstance(spec, list):
        return [row for one in spec for row in rows(one)]
    if not isinstance(spec, dict):
        return []
    own = spec.get("data", {}).get("values", []) if isinstance(spec.get("data"), dict) else []
    return [*own, *(row for key, one in spec.items() if key != "data" for row in rows(one))]


def points(chart: Chart, *keys: str) -> list[tuple[Any, ...]]:
    """Return these values of every row, in the order of the rows; None where a row has none."""
    return [tuple(row.get(key) for key in keys) for row in rows(chart.spec)]


def kinds(charts: Iterable[Chart], x: str = "x", y: str = "y") -> dict[str, dict[Any, float]]:
    """Return the kind -> x -> y of the rows of all charts."""
    found: dict[str, dict[Any, float]] = {}
    for chart in charts:
        for kind, across, up in points(chart, "kind", x, y):
            assert across not in found.setdefault(kind, {}), (kind, across)
            found[kind][across] = up
    return found


def scale(chart: Chart, channel: str) -> str:
    """Return what scale the points of a chart have in a channel: "linear" or "log"."""
    encoding = {**chart.spec.get("encoding", {}), **chart.spec.get("layer", [{}])[-1].get("encoding", {})}
    kind: str = encoding[channel].get("scale", {}).get("type", "linear")
    return kind


def numbers(text: str) -> list[str]:
    """Return the numbers of a text in their order, as they are written."""
    return re.findall(r"−?\d[\d,]*(?:\.\d+)?", text)
