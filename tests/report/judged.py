"""The files of sample quality, made up for the tests of the report."""

import json
import re
from pathlib import Path
from typing import Any

from forms import Page, both, of, tables

from regen.params.schema import ReportConfig

__all__ = ["APPEARANCE", "BEFORE", "DISTANCES", "GAN", "PATHS", "SAMPLES", "VAE", "chapter_of", "describe", "judge", "shown", "write"]

Row = dict[str, Any]

GAN, VAE = "vu4a-gan-mnist", "vu4a-vae-mnist"
SPACE: Row = {
    "dataset": "mnist",
    "data_source": "stand-in",
    "labels": "classes",
    "labels_of": "mnist",
    "n_features": 128,
    "n_images": 1000,
    "test": {"n_images": 1200, "accuracy": 0.96875, "cross_entropy_nats": 0.25},
    "floor": [
        {
            "images": "training images",
            "frechet_classifier_distance": 0.0078125,
            "precision": 0.9375,
            "top_class": 1,
            "class_counts": [1, 2],
        },
        {"images": "test images", "mean_confidence": 0.8125, "class_counts": [2, 1]},
    ],
}
# Key, heading and, of a number that is the same in binary, how it is written.
Measures = list[tuple[str, str, float, str]]
DISTANCES: Measures = [
    ("frechet_classifier_distance", "Frechet distance", 377.625, "377.62"),
    ("kernel_classifier_distance", "kernel distance", 80.75, "80.75"),
    ("kernel_standard_error", "standard error", 9.5, "9.5"),
    ("precision", "precision", 0.375, "0.375"),
    ("recall", "recall", 0.125, "0.125"),
    ("density", "density", 0.625, "0.625"),
    ("coverage", "coverage", 0.5, "0.500"),
    ("nearest_train_ratio", "nearest training image", 1.625, "1.625"),
]
APPEARANCE: Measures = [
    ("digits_covered", "classes covered", 4, "4"),
    ("class_kl_nats", "KL to uniform classes (nats)", 1.5, "1.500"),
    ("top_class", "most frequent class", 3, "3"),
    ("top_class_share", "its share", 0.75, "0.750"),
    ("mean_confidence", "confidence", 0.25, "0.250"),
    ("confident_share", "confident", 0.0625, "0.062"),
    ("laplacian_variance", "sharpness", 0.8125, "0.8125"),
    ("checkerboard_energy", "period-2 energy", 9.25, "9.250"),
    ("blockiness", "2x2 blockiness", 0.875, "0.875"),
]
SCALARS: Row = {key: value for key, _, value, _ in DISTANCES + APPEARANCE}
BEFORE: Row = {"images": "before training", "frechet_classifier_distance": 1436.5, "mean_confidence": 0.0625}
SAMPLES: Row = {"images": "samples", **SCALARS, "class_counts": [0, 0, 0, 75]}
PATHS: list[Row] = [
    {"path": "linear", "length": 1.75, "largest_step": 0.25, "mean_confidence": 0.5, "least_confidence": 0.375},
    {"path": "pixels", "length": 1.25, "largest_step": 0.125, "mean_confidence": 0.75, "least_confidence": 0.625},
]


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def judge(root: Path, name: str, rows: list[Row], seed: int = 0, sampler: str = "finite", **more: Any) -> None:
    """Write what the stage `quality` writes of one variant and seed."""
    scalars = {key: value for key, value in rows[0].items() if key in SCALARS and key != "top_class"} if rows else {}
    write(root / f"results/quick/{name}/{seed}/quality.json", {**scalars, "data_source": "stand-in", "sampler": sampler})
    write(root / f"results/quick/{name}/{seed}/quality_details.json", {"rows": rows, **more} if rows else {})


def describe(root: Path, dataset: str = "mnist", **changes: Any) -> None:
    """Write what the stage `features` writes of one data set."""
    write(root / f"results/quick/features/{dataset}.json", {**SPACE, "dataset": dataset, **changes})


def chapter_of(config: ReportConfig, *names: str) -> ReportConfig:
    """Return the configuration with these variants of one report alone."""
    report = config.variants[names[0]].report
    variants = {name: config.variants[name] for name in names}
    return config.model_copy(update={"variants": variants, "reports": {report: config.reports[report]}})


def shown(config: ReportConfig, root: Path, heading: str = "Frechet distance") -> list[list[dict[str, str]]]:
    """Return the rows of each table with a heading, cells by heading; Markdown and HTML have the same."""
    text, page = both(config, root)
    if config.reports:
        # The front page has the samples of all models; here the chapters are read.
        text = re.sub(r"^## Sample quality\n.*?(?=^## )", "", text, flags=re.M | re.S)
        page = re.sub(r'<section id="samples".*?</section>', "", page, flags=re.S)
    in_markdown, in_page = of(tables(text), heading), of(Page(page).tables, heading)
    assert in_markdown == in_page
    return [[dict(zip(table[0], row, strict=True)) for row in table[1:]] for table in in_markdown]
