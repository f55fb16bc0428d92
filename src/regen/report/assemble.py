"""Everything that the report shows, gathered from files: no number is typed."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from regen.common.files import read_json
from regen.params.schema import ReportConfig, ReportedVariant
from regen.report.reported import read_reported, reproduced
from regen.report.settings import settings_line
from regen.results import details, feature_spaces, metrics, quality, quality_details

__all__ = ["assemble"]


def assemble(config: ReportConfig, root: Path) -> dict[str, Any]:
    """Return the report as plain values: a chapter a source report, and the data cards.

    Raises
    ------
    UserError
        If a file that exists cannot be read.
    """
    sources = {variant.data_source for variant in config.variants.values()}
    return {
        "preset": config.preset,
        "stand_in": "stand-in" in sources,
        "shortened": any(variant.max_steps is not None for variant in config.variants.values()),
        "chapters": [_chapter(config, name, root) for name in config.reports],
        "cards": [read_json(path) for path in sorted((root / "results" / config.preset / "data").glob("*.json"))],
    }


def _chapter(config: ReportConfig, report: str, root: Path) -> dict[str, Any]:
    """Gather one source report: its variants, its numbers and its figures."""
    index = root / "reports" / config.preset / "figures" / f"{report}.json"
    variants = {name: variant for name, variant in config.variants.items() if variant.report == report}
    return {
        "id": report,
        "source": config.reports[report].model_dump(),
        "variants": [_variant(name, variant, config, root) for name, variant in variants.items()],
        "likelihoods": _likelihoods(variants, config, root),
        "qualities": _qualities(variants, config, root),
        "reported": [
            {**row.model_dump(), "readings": [{**reading.model_dump(), **reproduced(config, reading, root)} for reading in row.readings]}
            for row in read_reported()
            if row.report == report
        ],
        "figures": read_json(index) if index.exists() else [],
    }


def _variant(name: str, variant: ReportedVariant, config: ReportConfig, root: Path) -> dict[str, Any]:
    """Describe a variant; its metrics are means over the seeds that have results."""
    runs = list(metrics(root, config, name).values())
    settings = variant.model_dump()
    return {
        "name": name,
        "title": variant.title,
        "dataset": variant.dataset,
        "data_source": variant.data_source,
        "settings": settings_line(variant),
        "assumed": [f"{key.removeprefix('model.')} {_value(settings, key)}".strip() for key in variant.assumed],
        "seeds": len(runs),
        "metrics": _means(runs),
    }


def _likelihoods(variants: dict[str, ReportedVariant], config: ReportConfig, root: Path) -> list[dict[str, Any]]:
    """Return one table for each data (as prepared) and kind of -log p(x): values of different kind or data never share one."""
    tables: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for name, variant in variants.items():
        kinds = [run.get("nll_kind", "unknown") for run in metrics(root, config, name).values()]
        # One row of the protocol, all seeds: the same K on the same images. Not every model has a likelihood.
        for rows in zip(*(run.get("likelihood", []) for run in details(root, config, name).values()), strict=True):
            key = (_prepared(variant), variant.data_source, kinds[0] if kinds else "unknown")
            tables.setdefault(key, []).append({"variant": name, "seeds": len(rows), **_means(rows)})
    for table in tables.values():
        table.sort(key=lambda row: (row["n_images"], row["importance_samples"]))
    return [{"dataset": key[0], "data_source": key[1], "nll_kind": key[2], "rows": rows} for key, rows in sorted(tables.items())]


def _qualities(variants: dict[str, ReportedVariant], config: ReportConfig, root: Path) -> list[dict[str, Any]]:
    """Return one table a data set: its variants' samples, means over seeds, above the floor, which its own training images set."""
    tables = []
    for dataset, space in feature_spaces(root, config).items():
        rows: list[dict[str, Any]] = []
        paths: list[dict[str, Any]] = []
        failed: dict[str, str] = {}
        for name in (name for name, variant in variants.items() if variant.dataset == dataset):
            states = [run["sampler"] for run in quality(root, config, name).values() if run["sampler"] not in ("finite", "none")]
            failed |= {name: states[0]} if states else {}
            runs = list(quality_details(root, config, name).values())
            rows += [{**row, "variant": name} for images in ("samples", "draws") for row in _judged(runs, images)]
            paths += [{**row, "variant": name} for row in _paths(runs)]
        if rows or failed:
            floor = [{**row, "variant": "floor", "seeds": ""} for row in space["floor"]]
            tables.append({"dataset": dataset, "space": space, "rows": rows, "floor": floor, "paths": paths, "failed": failed})
    return tables


def _judged(runs: list[dict[str, Any]], images: str) -> list[dict[str, Any]]:
    """Return the row of the samples or draws of a variant; none if they are finite at no seed.

    What stands beside the samples for the model before training is measured on samples too, so draws have none.
    """
    tables = [{row["images"]: row for row in run.get("rows", [])} for run in runs]
    measured = []
    for table in tables:
        row = {key: value for key, value in table.get(images, {}).items() if key != "class_counts"}
        if "frechet_classifier_distance" in row:
            before = table.get("before training", {}) if images == "samples" else {}
            sharp = table.get("test images", {}).get("laplacian_variance")
            measured.append({**row, "frechet_before": before.get("frechet_classifier_distance"), "sharpness_test": sharp})
    if not measured:
        return []
    # A class has no mean over seeds.
    classes = ", ".join(dict.fromkeys(str(row["top_class"]) for row in measured if "top_class" in row))
    return [{**_means(measured), "seeds": len(measured), **({"top_class": classes} if classes else {})}]


def _paths(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the paths between generated images of a variant, over the seeds that have them."""
    measured = [run["paths"] for run in runs if "paths" in run]
    return [{**_means(rows), "seeds": len(rows)} for rows in zip(*measured, strict=True)]


def _prepared(variant: ReportedVariant) -> str:
    """Name the images that a variant is measured on."""
    size, binarisation = variant.images.size, variant.images.binarisation
    return variant.dataset + (f", {size}x{size}" if size is not None else "") + (", binarised" if binarisation is not None else "")


def _means(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over seeds of every number; a number that one seed lacks has none, a text is the first seed's."""
    means: dict[str, Any] = {}
    for key, first in (runs[0] if runs else {}).items():
        values = [run[key] for run in runs if run.get(key) is not None]
        means[key] = first if isinstance(first, str) else fmean(values) if len(values) == len(runs) else None
    return means


def _value(settings: Any, key: str) -> str:
    """Return a setting as text; of a whole section the name alone is enough."""
    for part in key.split("."):
        settings = settings[part]
    if isinstance(settings, dict):
        return str(settings.get("kind", ""))
    return "-".join(map(str, settings)) if isinstance(settings, list) else str(settings)
