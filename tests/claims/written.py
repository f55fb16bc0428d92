"""A results folder of the paper preset, written by hand: what a test does not write is not there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding
from regen.claims.registry import registered
from regen.params.schema import ReportConfig

__all__ = ["Written"]


class Written:
    """What a test says that the pipeline has written below `root`; `evidence` reads it as the stage does."""

    def __init__(self, config: ReportConfig, root: Path) -> None:
        self.config = config
        self.root = root
        self.evidence = Evidence(config, root)

    @property
    def folder(self) -> Path:
        return self.root / "results" / self.config.preset

    def json(self, path: str, table: Any) -> None:
        """Write any JSON file below results/<preset>; NaN is written as such, as a broken program might."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(table))

    def history(self, variant: str, seed: int = 0, **columns: Sequence[float]) -> None:
        """Write history.csv: one row an epoch, the column `epoch` first."""
        lines = [["epoch", *columns], *([epoch, *row] for epoch, row in enumerate(zip(*columns.values(), strict=True), 1))]
        file = self.folder / variant / str(seed) / "history.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(",".join(map(str, line)) + "\n" for line in lines))

    def metrics(self, variant: str, seed: int = 0, **values: Any) -> None:
        self.json(f"{variant}/{seed}/metrics.json", values)

    def details(self, variant: str, seed: int = 0, **tables: list[dict[str, Any]]) -> None:
        """Write details.json: `splits=[{"split": "train", ...}]`, `likelihood=[{"importance_samples": 5, ...}]`."""
        self.json(f"{variant}/{seed}/details.json", tables)

    def splits(self, variant: str, seed: int = 0, **splits: dict[str, float]) -> None:
        """Write details.json with `train={"recon_nats": 80.0, ...}` and so on."""
        self.details(variant, seed, splits=[{"split": split, **values} for split, values in splits.items()])

    def quality(self, variant: str, seed: int = 0, **values: Any) -> None:
        self.json(f"{variant}/{seed}/quality.json", values)

    def rows(self, variant: str, rows: dict[str, dict[str, Any]], seed: int = 0, paths: dict[str, dict[str, float]] | None = None) -> None:
        """Write quality_details.json: the name of the images -> their measures, the path -> its measures."""
        tables = {"rows": [{"images": images, **row} for images, row in rows.items()]}
        tables["paths"] = [{"path": path, **row} for path, row in (paths or {}).items()]
        self.json(f"{variant}/{seed}/quality_details.json", tables)

    def frechet(self, variant: str, seed: int = 0, **distances: float) -> None:
        """Write quality_details.json with these Frechet distances; `epoch_25` is the row "epoch 25"."""
        self.rows(variant, {images.replace("_", " "): {"frechet_classifier_distance": value} for images, value in distances.items()}, seed)

    def probe(self, name: str, **table: Any) -> None:
        self.json(f"probes/{name}.json", {"probe": name, **table})

    def card(self, dataset: str, floors: Sequence[dict[str, Any]] = (), share: float = 1.0, source: str = "official") -> None:
        """Write a data card: `share` of the declared images are there."""
        declared = {"train": 1000, "validation": 100, "test": 200}
        counts = {split: round(share * count) for split, count in declared.items()}
        self.json(f"data/{dataset}.json", {"data_source": source, "declared": declared, "counts": counts, "floors": list(floors)})

    def find(self, claim: str) -> Finding:
        """Return what the check of a claim finds."""
        return registered()[claim](self.evidence)
