"""Two folders of results held against each other: bit for bit, or each metric within its tolerance."""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image

from regen.metrics import tolerance

__all__ = ["Difference", "differences", "table"]

METRICS = ("metrics.json", "quality.json", "history.csv")
"""Files of a run whose numbers are metrics, as are those of data cards and feature networks; of other tables, probes too, only the form is
compared between platforms."""

NOTHING, NOT_FINITE = "nothing", "rows that are not finite"


@dataclass(frozen=True)
class Difference:
    """One thing that did not come out again: what it is, both values and how far apart they may be, as text."""

    metric: str
    committed: str
    got: str
    tolerance: str


def differences(committed: Mapping[str, Path], got: Mapping[str, Path], exact: bool) -> list[Difference]:
    """Return what differs between two sets of files, by their paths in the repository; a file or metric that one lacks differs.

    exact: files are equal bit for bit; where one is not, its metrics that differ are named. Else metrics are within their tolerances,
    other tables have the same form and finite numbers, pictures the same size, claims the same strength, and texts are there. Of a training
    that may leave the finite numbers (its history has the column `finite`) only the form is compared: it amplifies the last bit.
    """
    found = []
    unstable = {Path(name).parent for name, path in committed.items() if path.name == "history.csv" and _may_diverge(path)}
    for name in sorted({*committed, *got}):
        if name not in committed or name not in got:
            there = ["a file" if name in side else NOTHING for side in (committed, got)]
            found.append(Difference(name, there[0], there[1], "the same files"))
            continue
        apart = []
        if not exact:
            apart = _apart(name, committed[name], got[name], Path(name).parent not in unstable)
        elif committed[name].read_bytes() != got[name].read_bytes():
            named = _values_apart(name, committed[name], got[name], same=True)
            apart = named or [Difference(name, "these bytes", "others", "equal bit for bit")]
        found += apart or _not_finite(name, got[name])
    return found


def _may_diverge(history: Path) -> bool:
    return "finite" in history.read_text(encoding="utf-8").partition("\n")[0].split(",")


def _not_finite(name: str, path: Path) -> list[Difference]:
    """Return the metrics of a file that came out again and are no numbers."""
    if path.name not in METRICS:
        return []
    values = [(key, value) for key, value in _values(path) if value is None or (key == NOT_FINITE and value)]
    return [Difference(f"{name}: {key}", str(value), str(value), "finite") for key, value in values]


def _apart(name: str, committed: Path, got: Path, stable: bool) -> list[Difference]:
    """Return what differs between two files of different platforms."""
    if committed.suffix == ".png":
        first, second = _picture_size(committed), _picture_size(got)
        return [] if first == second else [Difference(name, first, second, "a picture of the same size")]
    if committed.suffix not in (".json", ".csv"):
        return [] if got.stat().st_size else [Difference(name, "a text", "an empty file", "a text")]
    return _values_apart(name, committed, got, same=False, stable=stable)


def _picture_size(path: Path) -> str:
    try:
        with Image.open(path) as picture:
            picture.load()
            return f"{picture.width} x {picture.height}"
    except (OSError, SyntaxError) as error:
        return f"not readable: {error}"


def _values_apart(name: str, committed: Path, got: Path, same: bool, stable: bool = True) -> list[Difference]:
    """Return the values that differ in two files: at all (`same`), or by more than their tolerances.

    Between platforms a list in a table that is none of metrics may be longer: of what was found, or of what would decide a claim.
    """
    try:
        first, second = dict(_values(committed)), dict(_values(got))
    except (ValueError, TypeError, IndexError) as error:
        return [Difference(name, "readable", f"not readable: {error}", "readable")]
    metrics = stable and (committed.name in METRICS or "/features/" in name or "/data/" in name)
    found = []
    for key in sorted({*first, *second}):
        of = Difference(f"{name}: {key}", _text(first, key), _text(second, key), "")
        if key not in first or key not in second:
            problem = "" if not same and not metrics and key.endswith("]") else "the same metrics"
        elif same:
            problem = "" if first[key] == second[key] else "equal bit for bit"
        else:
            problem = _problem(key, first[key], second[key], metrics)
        if problem:
            found.append(Difference(of.metric, of.committed, of.got, problem))
    return found


def _problem(key: str, committed: Any, got: Any, metric: bool) -> str:
    """Return what is expected of a value and not so, of another platform's result; nothing if all is well."""
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (committed, got)]
    if not all(numbers):
        expected = "the same text" if metric or key.endswith("strength") else "a value of the same kind"
        return "" if (committed == got if expected == "the same text" else numbers[0] == numbers[1]) else expected
    if not math.isfinite(got):
        return "finite"
    if not metric:
        return ""
    allowed = tolerance(key, committed)
    return "" if abs(got - committed) <= allowed else f"{allowed:.3g}"


def _values(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield every value of a JSON file by its path in it, or the last row of a CSV file by its column and facts of all rows."""
    if path.suffix == ".csv":
        table = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        rows = [{column: float(value) for column, value in row.items()} for row in table]
        yield "rows", len(rows)
        yield NOT_FINITE, sum(not all(map(math.isfinite, row.values())) for row in rows)
        yield from rows[-1].items()
    else:
        yield from _leaves(json.loads(path.read_text(encoding="utf-8")))


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        yield f"{place}[]", len(value)
        for index, item in enumerate(value):
            yield from _leaves(item, f"{place}[{index}]")
    else:
        yield place, value


def _text(values: Mapping[str, Any], key: str) -> str:
    return str(values[key]) if key in values else NOTHING


def table(found: Sequence[Difference], most: int = 5) -> str:
    """Return differences as a table in Markdown: metric, committed, got, tolerance; the first `most` of each file."""
    rows = [("metric", "committed", "got", "tolerance"), ("---",) * 4]
    for file, group in groupby(found, lambda row: row.metric.split(": ")[0]):
        of = list(group)
        rows += [(row.metric, row.committed, row.got, row.tolerance) for row in of[:most]]
        rows += [(f"{file}: and {len(of) - most} more", "", "", "")] if len(of) > most else []
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows)
