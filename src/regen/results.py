"""What the pipeline wrote about a variant, read back for the configured seeds: histories, metrics, weights."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import pandas as pd

from regen.common.errors import UserError
from regen.common.files import read_json
from regen.params.schema import ReportConfig

__all__ = [
    "Quantity",
    "details",
    "feature_spaces",
    "grouped",
    "histories",
    "mean_rows",
    "means",
    "metrics",
    "quality",
    "quality_details",
    "quantity_of",
]


class Quantity(NamedTuple):
    """A column of history.csv that a model is judged by, without its `train_` or `val_`."""

    column: str
    label: str
    unit: str
    form: str


QUANTITIES = (
    Quantity("neg_elbo_nats", "Negative ELBO", "nats", ".1f"),
    Quantity("nll_nats", "Negative log-likelihood", "nats", ".1f"),
    Quantity("cross_entropy_nats", "Cross-entropy", "nats", ".4f"),
    Quantity("recon_nats", "Reconstruction error", "nats", ".1f"),
)
"""The first of these that a history has is its headline."""


def quantity_of(histories: list[pd.DataFrame]) -> Quantity | None:
    """Return the headline of these histories; None without histories or without one of `QUANTITIES`."""
    return next((one for one in QUANTITIES if histories and all(f"val_{one.column}" in history for history in histories)), None)


def _present(root: Path, config: ReportConfig, variant: str, file: str) -> dict[int, Path]:
    """Return the seed -> path of a file; what an earlier list of seeds left behind is not looked at."""
    paths = {seed: root / "results" / config.preset / variant / str(seed) / file for seed in config.variants[variant].seeds}
    return {seed: path for seed, path in paths.items() if path.exists()}


def histories(root: Path, config: ReportConfig, variant: str) -> dict[int, pd.DataFrame]:
    """Return the seed -> one table, one row an epoch.

    Raises
    ------
    UserError
        If a file is not the CSV that training writes.
    """
    return {seed: _history(path) for seed, path in _present(root, config, variant, "history.csv").items()}


def _history(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected a history in CSV, got '{error}'; delete it and run 'dvc repro'") from error
    numeric = all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes)
    if "epoch" not in table or table.empty or not numeric:
        columns = ", ".join(map(str, table))
        raise UserError(f"{path}: expected a column 'epoch' and a row of numbers an epoch, got '{columns}'; delete it and run 'dvc repro'")
    return table


def metrics(root: Path, config: ReportConfig, variant: str) -> dict[int, dict[str, Any]]:
    """Return the seed -> the scalars of metrics.json.

    Raises
    ------
    UserError
        If a file is not one flat object of numbers and texts.
    """
    return {seed: _flat(path) for seed, path in _present(root, config, variant, "metrics.json").items()}


def quality(root: Path, config: ReportConfig, variant: str) -> dict[int, dict[str, Any]]:
    """Return the seed -> the scalars of quality.json; raises as `metrics` does."""
    return {seed: _flat(path) for seed, path in _present(root, config, variant, "quality.json").items()}


def quality_details(root: Path, config: ReportConfig, variant: str) -> dict[int, dict[str, Any]]:
    """Return the seed -> the tables of quality_details.json."""
    return {seed: read_json(path) for seed, path in _present(root, config, variant, "quality_details.json").items()}


def feature_spaces(root: Path, config: ReportConfig) -> dict[str, dict[str, Any]]:
    """Return the data set -> what is known of the features in which its samples are compared."""
    folder = root / "results" / config.preset / "features"
    return {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}


def _flat(path: Path) -> dict[str, Any]:
    table = read_json(path)
    if not isinstance(table, dict) or any(isinstance(value, list | dict) for value in table.values()):
        raise UserError(f"{path}: expected one flat object of numbers and texts, got nested values; delete it and run 'dvc repro'")
    return table


def details(root: Path, config: ReportConfig, variant: str) -> dict[int, dict[str, Any]]:
    """Return the seed -> the tables of details.json."""
    return {seed: read_json(path) for seed, path in _present(root, config, variant, "details.json").items()}


def mean_rows(root: Path, config: ReportConfig, variant: str, table: str, *keys: str) -> list[dict[str, Any]]:
    """Return the rows of a table of details.json, told apart by the values under `keys`, each the mean over its `seeds`."""
    return grouped(details(root, config, variant).values(), table, *keys)


def grouped(runs: Iterable[dict[str, Any]], table: str, *keys: str) -> list[dict[str, Any]]:
    """Return the rows of a table of these runs, told apart by the values under `keys`, each the mean over its `seeds`."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in runs:
        for row in run.get(table, []):
            groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return [{**means(rows), "seeds": len(rows)} for rows in groups.values()]


def means(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over seeds of every number; a number that one seed lacks has none, a text is the first seed's."""
    result: dict[str, Any] = {}
    for key, first in (runs[0] if runs else {}).items():
        values = [run[key] for run in runs if run.get(key) is not None]
        result[key] = first if isinstance(first, str) else fmean(values) if len(values) == len(runs) else None
    return result
