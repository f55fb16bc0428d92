"""Rows of quality_details.json and scalars of a run, as the charts of measures read them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regen.common.errors import UserError
from regen.params.schema import ReportConfig
from regen.results import feature_spaces, metrics, quality, quality_details

__all__ = ["MEASURES", "finals", "of_images", "reference"]

MEASURES = {
    "neg_elbo_nats": ("-ELBO", "nats", ".1f"),
    "nll_nats": ("-log p(x)", "nats", ".1f"),
    "recon_nats": ("reconstruction error", "nats", ".1f"),
    "kl_nats": ("KL", "nats", ".2f"),
    "accuracy": ("accuracy", "", ".4f"),
    "frechet_classifier_distance": ("Frechet distance", "", ".4g"),
    "kernel_classifier_distance": ("kernel distance", "", ".4g"),
    "precision": ("precision", "", ".3f"),
    "recall": ("recall", "", ".3f"),
    "laplacian_variance": ("variance of the Laplacian", "", ".3g"),
    "checkerboard_energy": ("checkerboard energy", "", ".3g"),
    "blockiness": ("2x2 blockiness", "", ".3g"),
    "mean_confidence": ("classifier's confidence", "", ".3f"),
    "confident_share": ("share of confident images", "", ".3f"),
    "class_kl_nats": ("KL of classes to uniform", "nats", ".3f"),
}
"""Measure -> name, unit and format."""


def of_images(root: Path, config: ReportConfig, variant: str) -> dict[int, dict[str, dict[str, Any]]]:
    """Return the seed -> the rows of quality_details.json by the images that they are of.

    Raises
    ------
    UserError
        If a file has no list of rows.
    """
    found = {}
    for seed, details in quality_details(root, config, variant).items():
        rows = details.get("rows", []) if isinstance(details, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "images" in row for row in rows):
            path = root / "results" / config.preset / variant / str(seed) / "quality_details.json"
            raise UserError(f"{path}: expected 'rows', a list of measured images, got something else; delete it and run 'dvc repro'")
        found[seed] = {str(row["images"]): row for row in rows}
    return found


def finals(root: Path, config: ReportConfig, variant: str, measure: str, images: str | None) -> list[float]:
    """Return a measure of the trained variant, a value a seed that has it: of these images, or the scalar itself."""
    if images is not None:
        tables: list[Mapping[str, Any]] = [rows.get(images, {}) for rows in of_images(root, config, variant).values()]
    else:
        first, second = metrics(root, config, variant), quality(root, config, variant)
        tables = [{**second.get(seed, {}), **first.get(seed, {})} for seed in dict.fromkeys([*first, *second])]
    return [float(table[measure]) for table in tables if table.get(measure) is not None]


def reference(root: Path, config: ReportConfig, variant: str, measure: str) -> tuple[str, float] | None:
    """Return what real images have: the test images as the variant sees them, or the training images where it is a distance to these.

    What training images of another size than the data set's reach is not known: None.
    """
    settings = config.variants[variant]
    own = [rows["test images"] for rows in of_images(root, config, variant).values() if "test images" in rows]
    space = feature_spaces(root, config).get(settings.dataset, {}) if settings.images.size is None else {}
    floor = [row for row in space.get("floor", []) if row["images"] == "training images"]
    values = [(str(row["images"]), float(row[measure])) for row in (*own, *floor) if row.get(measure) is not None]
    return values[0] if values else None
