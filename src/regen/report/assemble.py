"""Everything that the report shows, gathered from files: no number is typed."""

from pathlib import Path
from typing import Any

from regen.common.files import read_json
from regen.params.schema import ReportConfig, ReportedVariant
from regen.report.likelihoods import compared, convergence
from regen.report.reported import read_reported, reproduced
from regen.report.settings import settings_line
from regen.results import feature_spaces, means, metrics, quality, quality_details

__all__ = ["assemble"]


def assemble(config: ReportConfig, root: Path) -> dict[str, Any]:
    """Return the report as plain values: the comparison of all models, a chapter a source report, and the data cards.

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
        "comparison": {**compared(config, root), "figures": _figures(config, "comparison", root)},
        "chapters": [_chapter(config, name, root) for name in config.reports],
        "cards": [read_json(path) for path in sorted((root / "results" / config.preset / "data").glob("*.json"))],
    }


def _chapter(config: ReportConfig, report: str, root: Path) -> dict[str, Any]:
    """Gather one source report: its variants, its numbers and its figures."""
    variants = {name: variant for name, variant in config.variants.items() if variant.report == report}
    return {
        "id": report,
        "source": config.reports[report].model_dump(),
        "variants": [_variant(name, variant, config, root) for name, variant in variants.items()],
        "likelihoods": convergence(config, variants, root),
        "qualities": _qualities(variants, config, root),
        "reported": [
            {**row.model_dump(), "readings": [{**reading.model_dump(), **reproduced(config, reading, root)} for reading in row.readings]}
            for row in read_reported()
            if row.report == report
        ],
        "figures": _figures(config, report, root),
    }


def _figures(config: ReportConfig, chapter: str, root: Path) -> list[dict[str, Any]]:
    """Return a chapter's figures with their captions."""
    index = root / "reports" / config.preset / "figures" / f"{chapter}.json"
    figures: list[dict[str, Any]] = read_json(index) if index.exists() else []
    return figures


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
        "metrics": means(runs),
    }


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
    return [{**means(measured), "seeds": len(measured), **({"top_class": classes} if classes else {})}]


def _paths(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the paths between generated images of a variant, over the seeds that have them."""
    measured = [run["paths"] for run in runs if "paths" in run]
    return [{**means(rows), "seeds": len(rows)} for rows in zip(*measured, strict=True)]


def _value(settings: Any, key: str) -> str:
    """Return a setting as text; of a whole section the name alone is enough."""
    for part in key.split("."):
        settings = settings[part]
    if isinstance(settings, dict):
        return str(settings.get("kind", ""))
    return "-".join(map(str, settings)) if isinstance(settings, list) else str(settings)
