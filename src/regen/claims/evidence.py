"""The results that a claim is judged by, read for its variants and seeds; what is not there raises `Missing`."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from regen import results
from regen.common.files import read_json
from regen.params.schema import ReportConfig, ReportedVariant

__all__ = ["Evidence", "Missing"]


class Missing(Exception):  # noqa: N818 (a state of the results, no mistake)
    """A result that a check needs and that is not there: str(it) says which, without a full stop."""


class Evidence:
    """The results of one preset below `root`, one value a seed; files are read anew at every call.

    `fewest`: of what was read the variant -> its least number of seeds; a probe, which is of the first seed alone, by its own name.
    """

    def __init__(self, config: ReportConfig, root: Path) -> None:
        self.config = config
        self.root = root
        self.fewest: dict[str, int] = {}

    def variant(self, variant: str) -> ReportedVariant:
        """Return the settings of a variant; raises Missing if params.yaml has none of that name."""
        if variant not in self.config.variants:
            raise Missing(f"{variant} is not in params.yaml")
        return self.config.variants[variant]

    def size(self, variant: str) -> str:
        """Return the height and the width of a variant's images: "28x28"."""
        return "x".join(map(str, self.variant(variant).shape[1:]))

    def history(self, variant: str) -> dict[int, pd.DataFrame]:
        """Return the seed -> one table, one row an epoch, in the order of the epochs."""
        return self._runs(variant, results.histories(self.root, self._known(variant), variant), "history.csv")

    def epochs(self, variant: str) -> int:
        """Return the number of epochs that all seeds of a variant have."""
        return min(len(table) for table in self.history(variant).values())

    def metrics(self, variant: str) -> dict[int, dict[str, Any]]:
        """Return the seed -> the scalars of metrics.json."""
        return self._runs(variant, results.metrics(self.root, self._known(variant), variant), "metrics.json")

    def details(self, variant: str) -> dict[int, dict[str, Any]]:
        """Return the seed -> the tables of details.json."""
        return self._runs(variant, results.details(self.root, self._known(variant), variant), "details.json")

    def quality(self, variant: str) -> dict[int, dict[str, Any]]:
        """Return the seed -> the scalars of quality.json."""
        return self._runs(variant, results.quality(self.root, self._known(variant), variant), "quality.json")

    def column(self, variant: str, name: str) -> dict[int, list[float]]:
        """Return the seed -> a column of history.csv, one finite number an epoch."""
        columns = {}
        for seed, table in self.history(variant).items():
            if name not in table:
                raise Missing(f"history.csv of {variant}, seed {seed}, has no column '{name}'")
            columns[seed] = [float(value) for value in table[name]]
            if not all(map(math.isfinite, columns[seed])):
                raise Missing(f"'{name}' in history.csv of {variant}, seed {seed}, is not finite in every epoch")
        return columns

    def value(self, variant: str, key: str) -> dict[int, float]:
        """Return the seed -> a number of metrics.json."""
        return {seed: self._number(table, key, f"metrics.json of {variant}, seed {seed},") for seed, table in self.metrics(variant).items()}

    def split(self, variant: str, key: str, split: Literal["train", "validation", "test"]) -> dict[int, float]:
        """Return the seed -> a mean over the images of a split, of the last epoch's weights, from details.json."""
        return self._listed(variant, self.details(variant), "splits", {"split": split}, key)

    def likelihood(self, variant: str, key: str, **where: Any) -> dict[int, float]:
        """Return the seed -> a number of the likelihood table of details.json, in the row with these values (`importance_samples=5`)."""
        return self._listed(variant, self.details(variant), "likelihood", where, key)

    def estimate(self, variant: str, key: str, estimate: str) -> dict[int, float]:
        """Return the seed -> a number of another estimate of the likelihood, "quadrature" or such, from the checks of details.json."""
        return self._listed(variant, self.details(variant), "checks", {"estimate": estimate}, key)

    def per_image(self, variant: str) -> dict[int, list[float]]:
        """Return the seed -> -log p(x) of every image that `nll_nats` is the mean of, in nats, from details.json."""
        tables = {seed: details.get("per_image") for seed, details in self.details(variant).items()}
        if not all(tables.values()):
            raise Missing(f"details.json of {variant} has no likelihoods by image")
        return {seed: [float(value) for value in table[-1]["nll_nats"]] for seed, table in tables.items() if table}

    def row(self, variant: str, images: str) -> dict[int, dict[str, Any]]:
        """Return the seed -> the row of quality_details.json with this `images`: "samples", "epoch 25", "before training", ..."""
        return {
            seed: self._only(variant, seed, tables, "rows", {"images": images}) for seed, tables in self._quality_details(variant).items()
        }

    def measure(self, variant: str, images: str, key: str) -> dict[int, float]:
        """Return the seed -> one number of that row: "frechet_classifier_distance", "laplacian_variance", ..."""
        return self._listed(variant, self._quality_details(variant), "rows", {"images": images}, key)

    def path(self, variant: str, path: Literal["linear", "spherical", "pixels"], key: str) -> dict[int, float]:
        """Return the seed -> a number of the paths between generated images: "mean_confidence", "largest_step", ..."""
        return self._listed(variant, self._quality_details(variant), "paths", {"path": path}, key)

    def probe(self, name: str) -> dict[str, Any]:
        """Return what a probe wrote."""
        table = self._table(f"probes/{name}.json", f"the result of the probe {name}")
        self.fewest[name] = 1
        return table

    def card(self, dataset: str) -> dict[str, Any]:
        """Return the data card of a data set."""
        return self._table(f"data/{dataset}.json", f"the data card of {dataset}")

    def floor(self, variant: str, split: Literal["train", "validation", "test"]) -> dict[str, float]:
        """Return `floor_nats` and `mean_image_nats` of the images as this variant sees them, a split of its data set."""
        settings = self.variant(variant)
        for row in self.card(settings.dataset).get("floors", []):
            if row.get("size") == settings.shape and row.get("split") == split:
                where = f"the card of {settings.dataset}"
                return {key: self._number(row, key, where) for key in ("floor_nats", "mean_image_nats")}
        size = "x".join(map(str, settings.shape))
        raise Missing(f"the card of {settings.dataset} has no entropy floor of its {split} images at {size}")

    def _table(self, file: str, what: str) -> dict[str, Any]:
        path = self.root / "results" / self.config.preset / file
        table = read_json(path) if path.exists() else None
        if not isinstance(table, dict):
            raise Missing(f"{what} is {'no table' if path.exists() else 'not there'}")
        return table

    def _known(self, variant: str) -> ReportConfig:
        self.variant(variant)
        return self.config

    def _quality_details(self, variant: str) -> dict[int, dict[str, Any]]:
        return self._runs(variant, results.quality_details(self.root, self._known(variant), variant), "quality_details.json")

    def _runs(self, variant: str, runs: dict[int, Any], file: str) -> dict[int, Any]:
        if not runs:
            raise Missing(f"{variant} has no {file}")
        self.fewest[variant] = min(len(runs), self.fewest.get(variant, len(runs)))
        return runs

    def _listed(self, variant: str, runs: dict[int, dict[str, Any]], table: str, where: Mapping[str, Any], key: str) -> dict[int, float]:
        chosen = ", ".join(map(str, where.values()))
        found = {seed: self._only(variant, seed, tables, table, where) for seed, tables in runs.items()}
        return {seed: self._number(row, key, f"'{chosen}' in the {table} of {variant}, seed {seed},") for seed, row in found.items()}

    @staticmethod
    def _only(variant: str, seed: int, tables: dict[str, Any], table: str, where: Mapping[str, Any]) -> dict[str, Any]:
        for row in tables.get(table, []):
            if all(row.get(name) == value for name, value in where.items()):
                return dict(row)
        chosen = ", ".join(map(str, where.values()))
        raise Missing(f"the {table} of {variant}, seed {seed}, have none of '{chosen}'")

    @staticmethod
    def _number(table: Mapping[str, Any], key: str, where: str) -> float:
        value = table.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Missing(f"{where} has no number '{key}'")
        return float(value)
