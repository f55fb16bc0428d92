"""What the pipeline wrote about a variant, read back: histories, metrics, weights."""

from pathlib import Path
from typing import Any

import pandas as pd

from regen.errors import UserError
from regen.files import read_json

__all__ = ["details", "histories", "metrics", "seeds", "snapshots"]


def seeds(folder: Path) -> list[int]:
    """Return the seeds that have results below `results/<preset>/<variant>`, in order; none is an empty list."""
    return sorted(int(entry.name) for entry in folder.glob("*") if entry.name.isdigit())


def histories(folder: Path) -> list[pd.DataFrame]:
    """Return one table an existing seed, one row an epoch.

    Raises
    ------
    UserError
        If a file is not the CSV that training writes.
    """
    tables = []
    for path in (folder / str(seed) / "history.csv" for seed in seeds(folder)):
        if not path.exists():
            continue
        try:
            table = pd.read_csv(path)
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: expected a history in CSV, got '{error}'; delete it and run 'dvc repro'") from error
        if "epoch" not in table or table.empty:
            raise UserError(f"{path}: expected a column epoch and a row an epoch, got {list(table)}; delete it and run 'dvc repro'")
        tables.append(table)
    return tables


def metrics(folder: Path) -> list[dict[str, Any]]:
    """Return metrics.json of every seed that has one."""
    return [read_json(path) for path in (folder / str(seed) / "metrics.json" for seed in seeds(folder)) if path.exists()]


def details(folder: Path) -> list[dict[str, Any]]:
    """Return details.json of every seed that has one."""
    return [read_json(path) for path in (folder / str(seed) / "details.json" for seed in seeds(folder)) if path.exists()]


def snapshots(folder: Path) -> dict[int, Path]:
    """Return the report's epoch -> file of weights in `models/<preset>/<variant>/<seed>`."""
    return {int(path.stem.removeprefix("epoch-")): path for path in sorted(folder.glob("epoch-*.safetensors"))}
