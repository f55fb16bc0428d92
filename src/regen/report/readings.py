"""The numbers that a report prints beside every reading of them, run again."""

from statistics import fmean
from typing import Any

from regen.claims.reads import by_seed
from regen.claims.reported import Reading, read_reported
from regen.claims.study import STUDIES
from regen.report.charts import Chart, dots
from regen.results import Missing, Results

__all__ = ["readings"]

FAR = 10
"""Ratio of the largest to the smallest value from which on an axis is logarithmic: below, it would have hardly a tick."""


def readings(results: Results, report: str) -> list[Chart]:
    """Return what a report prints beside every reading of it, a chart a unit; on a logarithmic axis where the values differ by much."""
    units: dict[str, list[dict[str, Any]]] = {}
    for row in read_reported(STUDIES / report):
        measured = [(reading.label, values) for reading in row.readings if (values := _read(results, reading)) and min(values) > 0]
        if not measured or not row.value > 0:
            continue
        own = units.setdefault(row.unit, [])
        own.append({"label": row.quantity, "value": row.value, "kind": "printed in the report", "text": f"{row.value:g}"})
        for label, values in measured:
            ends = {"low": min(values), "high": max(values)} if len(values) > 1 else {}
            mean = fmean(values)
            own.append({"label": row.quantity, "value": mean, "kind": "run again", "text": f"{mean:.4g}: {label}", **ends})
    return [
        Chart(
            dots(rows, f"Value ({unit})" if unit else "Value", log=_ratio(rows) > FAR),
            f"Printed values and every reading of them run again, {unit or 'no unit'}: {len({row['label'] for row in rows})} quantities.",
            f"results/{results.config.preset}",
            True,
        )
        for unit, rows in units.items()
    ]


def _ratio(rows: list[dict[str, Any]]) -> float:
    values = [row["value"] for row in rows]
    return float(max(values) / min(values))


def _read(results: Results, reading: Reading) -> list[float]:
    """Return a reading, a value a seed; none where nothing ran."""
    try:
        return list(by_seed(results, reading).values())
    except Missing:
        return []
