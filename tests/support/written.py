"""The one writer of results folders: what a test does not write is not there."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regen.params.schema import ReportConfig
from regen.results import Results

__all__ = ["Written"]


class Written:
    """What a test says that the pipeline has written below `root`; `results` reads it as the stages do, from the files of that moment."""

    def __init__(self, config: ReportConfig, root: Path) -> None:
        self.config = config
        self.root = root

    @property
    def results(self) -> Results:
        return Results(self.config, self.root)

    @property
    def folder(self) -> Path:
        return self.root / "results" / self.config.preset

    def text(self, path: str, text: str) -> None:
        """Write any file below results/<preset>."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def json(self, path: str, table: Any) -> None:
        """Write any JSON file; NaN is written as such, as a broken program might."""
        self.text(path, json.dumps(table))

    def history(self, variant: str, seed: int = 0, **columns: Sequence[float]) -> None:
        """Write history.csv: one row an epoch, the column `epoch` first."""
        lines = [["epoch", *columns], *([epoch, *row] for epoch, row in enumerate(zip(*columns.values(), strict=True), 1))]
        self.text(f"{variant}/{seed}/history.csv", "".join(",".join(map(str, line)) + "\n" for line in lines))

    def metrics(self, variant: str, seed: int = 0, **values: Any) -> None:
        self.json(f"{variant}/{seed}/metrics.json", values)

    def details(self, variant: str, seed: int = 0, **tables: list[dict[str, Any]]) -> None:
        """Write details.json: `splits=[{"split": "train", ...}]`, `likelihood=[{"importance_samples": 5, ...}]`."""
        self.json(f"{variant}/{seed}/details.json", tables)

    def quality(self, variant: str, seed: int = 0, **values: Any) -> None:
        self.json(f"{variant}/{seed}/quality.json", values)

    def rows(self, variant: str, rows: Mapping[str, Mapping[str, Any]], seed: int = 0, **paths: Mapping[str, float]) -> None:
        """Write quality_details.json: the name of the images -> their measures, the path -> its measures."""
        tables = {"rows": [{"images": images, **row} for images, row in rows.items()]}
        self.json(f"{variant}/{seed}/quality_details.json", {**tables, "paths": [{"path": path, **row} for path, row in paths.items()]})

    def frechet(self, variant: str, *distances: float, images: str = "samples") -> None:
        """Write quality_details.json with this Fréchet distance of one kind of images, one a seed from 0 on."""
        for seed, distance in enumerate(distances):
            self.rows(variant, {images: {"frechet_classifier_distance": distance}}, seed)

    def probe(self, name: str, **table: Any) -> None:
        self.json(f"probes/{name}.json", {"probe": name, **table})

    def card(self, dataset: str, floors: Sequence[dict[str, Any]] = (), share: float = 1.0, source: str = "official") -> None:
        """Write a data card: `share` of the declared images are there."""
        declared = {"train": 1000, "validation": 100, "test": 200}
        counts = {split: round(share * count) for split, count in declared.items()}
        self.json(f"data/{dataset}.json", {"data_source": source, "declared": declared, "counts": counts, "floors": list(floors)})
