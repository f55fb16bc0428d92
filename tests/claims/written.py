"""A results folder of the paper preset, written by hand: what a test does not write is not there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding
from regen.claims.registry import registered
from regen.params.schema import ReportConfig

__all__ = ["RATIOS", "Written", "numbers"]

RATIOS = {
    0.1: "ai3611-vae-z1-kl01-mnist",
    0.5: "ai3611-vae-z1-kl05-mnist",
    1.0: "ai3611-vae-z1-mnist",
    2.0: "ai3611-vae-z1-kl2-mnist",
    10.0: "ai3611-vae-z1-kl10-mnist",
}
"""Weight of the KL -> the variant of ai3611 that is trained with it."""


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

    def curves(self, variant: str, recon: Sequence[float], kl: float = 0.0, seed: int = 0) -> None:
        """Write history.csv with the validation's reconstruction, a KL that stays, and their sum."""
        self.history(variant, seed, val_recon_nats=recon, val_kl_nats=[kl] * len(recon), val_neg_elbo_nats=[value + kl for value in recon])

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

    def floors(self, data: str, sizes: Sequence[Sequence[int]]) -> None:
        """Write a data card with floors of test images of these sizes: as many nats as they are high, 232 for the mean image."""
        rows = [{"size": list(size), "split": "test", "floor_nats": float(size[1]), "mean_image_nats": 232.0} for size in sizes]
        self.card(data, floors=rows)

    def find(self, claim: str) -> Finding:
        """Return what the check of a claim finds."""
        return registered()[claim](self.evidence)


def numbers(finding: Finding) -> dict[str, Any]:
    """Return the label -> the number of a finding."""
    return {number.label: number.value for number in finding.numbers}
