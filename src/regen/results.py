"""What the pipeline wrote, read back for the configured seeds: missing is normal, malformed stops with one line."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd

from regen.common.errors import UserError
from regen.common.files import read_json
from regen.params.schema import ReportConfig, ReportedVariant

__all__ = ["Missing", "Results", "headline", "number"]


HEADLINES = ("neg_elbo_nats", "nll_nats", "cross_entropy_nats", "recon_nats")
"""Columns of history.csv, without their `train_` or `val_`: the first that a history has is what its model is judged by."""


def headline(histories: list[pd.DataFrame]) -> str | None:
    """Return the first of `HEADLINES` that all of these histories have; None without one, or without histories."""
    return next((name for name in HEADLINES if histories and all(f"val_{name}" in history for history in histories)), None)


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


def _flat(path: Path) -> dict[str, Any]:
    table = read_json(path)
    if not isinstance(table, dict) or any(isinstance(value, list | dict) for value in table.values()):
        raise UserError(f"{path}: expected one flat object of numbers and texts, got nested values; delete it and run 'dvc repro'")
    return table


T = TypeVar("T")
Split = Literal["train", "validation", "test"]


class Missing(Exception):  # noqa: N818 (a state of the results, no mistake)
    """A result that is not there: str(it) says which, without a full stop."""


class Results:
    """The results of one preset below `root`, each file read once.

    Tables of all seeds are empty where nothing is there; a single number raises `Missing`. A malformed file raises a UserError of one line:
    a history that is not the CSV that training writes, metrics that are not one flat object of numbers and texts.
    `read` collects the variants and probes that were asked for.
    """

    def __init__(self, config: ReportConfig, root: Path) -> None:
        self.config = config
        self.root = root
        self.read: dict[str, None] = {}
        self._tables: dict[tuple[str, str], Any] = {}

    def variant(self, variant: str) -> ReportedVariant:
        """Return the settings of a variant; raises Missing if params.yaml has none of that name."""
        self.read[variant] = None
        if variant not in self.config.variants:
            raise Missing(f"{variant} is not in params.yaml")
        return self.config.variants[variant]

    def histories(self, variant: str) -> dict[int, pd.DataFrame]:
        """Return the seed -> one table, one row an epoch."""
        return self._of(variant, "history.csv", _history)

    def metrics(self, variant: str) -> dict[int, dict[str, Any]]:
        """Return the seed -> the scalars of metrics.json."""
        return self._of(variant, "metrics.json", _flat)

    def details(self, variant: str) -> dict[int, dict[str, Any]]:
        """Return the seed -> the tables of details.json."""
        return self._of(variant, "details.json", read_json)

    def quality(self, variant: str) -> dict[int, dict[str, Any]]:
        """Return the seed -> the scalars of quality.json."""
        return self._of(variant, "quality.json", _flat)

    def quality_details(self, variant: str) -> dict[int, dict[str, Any]]:
        """Return the seed -> the tables of quality_details.json."""
        return self._of(variant, "quality_details.json", read_json)

    def column(self, variant: str, name: str) -> dict[int, list[float]]:
        """Return the seed -> a column of history.csv, one finite number an epoch; raises Missing where a seed has none."""
        columns = {}
        for seed, table in _some(self.histories(variant), f"{variant} has no history.csv").items():
            if name not in table:
                raise Missing(f"history.csv of {variant}, seed {seed}, has no column '{name}'")
            columns[seed] = [float(value) for value in table[name]]
            if not all(map(math.isfinite, columns[seed])):
                raise Missing(f"'{name}' in history.csv of {variant}, seed {seed}, is not finite in every epoch")
        return columns

    def epochs(self, variant: str) -> int:
        """Return the number of epochs that every seed of a variant has."""
        return min(map(len, _some(self.histories(variant), f"{variant} has no history.csv").values()))

    def value(self, variant: str, key: str) -> dict[int, float]:
        """Return the seed -> a number of metrics.json."""
        runs = _some(self.metrics(variant), f"{variant} has no metrics.json")
        return {seed: number(table, key, f"metrics.json of {variant}, seed {seed},") for seed, table in runs.items()}

    def split(self, variant: str, key: str, split: Split) -> dict[int, float]:
        """Return the seed -> a mean over the images of a split, of the last epoch's weights, from details.json."""
        return self._listed(variant, "details.json", "splits", {"split": split}, key)

    def likelihood(self, variant: str, key: str, **where: Any) -> dict[int, float]:
        """Return the seed -> a number of the likelihood table of details.json, in the row with these values (`importance_samples=5`)."""
        return self._listed(variant, "details.json", "likelihood", where, key)

    def estimate(self, variant: str, key: str, estimate: str) -> dict[int, float]:
        """Return the seed -> a number of another estimate of the likelihood, "quadrature" or such, from the checks of details.json."""
        return self._listed(variant, "details.json", "checks", {"estimate": estimate}, key)

    def measure(self, variant: str, images: str, key: str) -> dict[int, float]:
        """Return the seed -> one number of the row of quality_details.json of these images: "samples", "epoch 25", "test images"."""
        return self._listed(variant, "quality_details.json", "rows", {"images": images}, key)

    def path(self, variant: str, path: Literal["linear", "spherical", "pixels"], key: str) -> dict[int, float]:
        """Return the seed -> a number of the paths between generated images: "mean_confidence", "largest_step", ..."""
        return self._listed(variant, "quality_details.json", "paths", {"path": path}, key)

    def probe(self, name: str) -> dict[str, Any]:
        """Return what a probe wrote, which is of the first seed."""
        self.read[name] = None
        found: dict[str, Any] = self._table(f"probes/{name}.json", f"the result of the probe {name}")
        self.read |= dict.fromkeys(found.get("variants", []))
        return found

    def card(self, dataset: str) -> dict[str, Any]:
        """Return the data card of a data set."""
        return self._table(f"data/{dataset}.json", f"the data card of {dataset}")

    def features(self) -> dict[str, dict[str, Any]]:
        """Return the data set -> what is known of the features in which its samples are compared."""
        folder = self.root / "results" / self.config.preset / "features"
        return {path.stem: self._table(f"features/{path.name}", path.stem) for path in sorted(folder.glob("*.json"))}

    def floor(self, variant: str, split: Split) -> dict[str, float]:
        """Return `floor_nats` and `mean_image_nats` of the images of a split as this variant sees them."""
        settings = self.variant(variant)
        for row in self.card(settings.dataset).get("floors", []):
            seen = row.get("size"), row.get("split"), row.get("luminance", False)
            if seen == (settings.shape, split, settings.images.luminance):
                return {key: number(row, key, f"the card of {settings.dataset}") for key in ("floor_nats", "mean_image_nats")}
        size = "x".join(map(str, settings.shape))
        raise Missing(f"the card of {settings.dataset} has no entropy floor of its {split} images at {size}")

    def _table(self, file: str, what: str) -> dict[str, Any]:
        path = self.root / "results" / self.config.preset / file
        if not path.exists():
            raise Missing(f"{what} is not there")
        found = self._once((file, ""), lambda: read_json(path))
        if not isinstance(found, dict):
            raise UserError(f"{path}: expected an object, got another form; delete it and run 'dvc repro'")
        return found

    def _of(self, variant: str, file: str, read: Callable[[Path], T]) -> dict[int, T]:
        """Return the seed -> a file as it was read; what an earlier list of seeds left behind is not looked at."""
        seeds, folder = self.variant(variant).seeds, self.root / "results" / self.config.preset / variant

        def present() -> dict[int, T]:
            return {seed: read(path) for seed in seeds if (path := folder / str(seed) / file).exists()}

        found: dict[int, T] = self._once((variant, file), present)
        return found

    def _once(self, key: tuple[str, str], make: Callable[[], Any]) -> Any:
        if key not in self._tables:
            self._tables[key] = make()
        return self._tables[key]

    def _listed(self, variant: str, file: str, table: str, where: Mapping[str, Any], key: str) -> dict[int, float]:
        chosen = ", ".join(map(str, where.values()))
        found = {}
        runs = self.details(variant) if file == "details.json" else self.quality_details(variant)
        for seed, tables in _some(runs, f"{variant} has no {file}").items():
            rows = tables.get(table, []) if isinstance(tables, dict) else None
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                path = self.root / "results" / self.config.preset / variant / str(seed) / file
                raise UserError(f"{path}: expected '{table}', a list of rows, got another form; delete it and run 'dvc repro'")
            row = next((row for row in rows if all(row.get(name) == value for name, value in where.items())), None)
            if row is None:
                raise Missing(f"the {table} of {variant}, seed {seed}, have none of '{chosen}'")
            found[seed] = number(row, key, f"'{chosen}' in the {table} of {variant}, seed {seed},")
        return found


def number(table: Mapping[str, Any], key: str, where: str = "a probe") -> float:
    """Return a finite number of a table or row; raises Missing if there is none."""
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Missing(f"{where} has no number '{key}'")
    return float(value)


def _some(runs: dict[int, T], otherwise: str) -> dict[int, T]:
    if not runs:
        raise Missing(otherwise)
    return runs
