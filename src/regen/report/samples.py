"""Sample quality: two tables a data set, of all models or of those of a report, above the floor that its own training images set."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from regen.report import tables, words
from regen.report.document import Block, Code, Paragraph, Section, Table
from regen.report.reading import Results
from regen.results import means

__all__ = ["samples"]

NOT_RUN = "No samples: nothing that can sample was measured yet."


def samples(results: Results, names: Collection[str], of: str) -> list[Block]:
    """Return a section a data set: samples of these variants, means over seeds, the floor below them, and the paths between samples."""
    blocks: list[Block] = []
    for dataset, space in _spaces(results).items():
        chosen = [name for name in names if results.config.variants[name].dataset == dataset]
        blocks += results.attempt(
            f"results/{results.config.preset}/features/{dataset}.json",
            partial(_of_dataset, results, dataset, space, chosen, of),
            [],
        )
    return [*([Paragraph(words.DISTANCES), *blocks] if blocks else [Paragraph(NOT_RUN)]), *results.notices()]


def _spaces(results: Results) -> dict[str, Any]:
    """Return the data set -> what is known of the features in which its samples are compared, in the order of the variants."""
    folder = f"results/{results.config.preset}/features"
    datasets = dict.fromkeys(variant.dataset for variant in results.config.variants.values())
    files = {dataset: f"{folder}/{dataset}.json" for dataset in datasets}
    found = {dataset: results.file(file) for dataset, file in files.items() if (results.root / file).exists()}
    return {dataset: space for dataset, space in found.items() if space is not None}


def _of_dataset(results: Results, dataset: str, space: dict[str, Any], names: list[str], of: str) -> list[Block]:
    rows = results.each(
        names, lambda name: [{**row, "variant": name} for kind in ("samples", "draws") for row in _judged(results, name, kind)]
    )
    paths = results.each(names, lambda name: [{**row, "variant": name} for row in _paths(results, name)])
    failed = {
        name: run["sampler"] for name in names for run in reversed(results.quality(name)) if run.get("sampler") not in ("finite", "none")
    }
    if not rows and not failed:
        return []
    more, resized = _resized(results, list(dict.fromkeys(row["variant"] for row in rows)))
    floor = [{**row, "seeds": ""} for row in [*space["floor"], *more]]
    blocks: list[Block] = [Paragraph(_space(space))]
    if more:
        blocks.append(Paragraph([words.RESIZED, *[part for name in resized for part in (", ", Code(name))][1:], "."]))
    blocks += [Paragraph([Code(name), f": its samples are {state}."]) for name, state in failed.items()]
    blocks.append(_table(f"Sample quality {of} on {dataset}", tables.DISTANCES, rows, floor))
    classes = f" {words.CLASSES}" if space["labels"] == "classes" else ""
    blocks.append(Paragraph(f"{words.APPEARANCE}{classes}"))
    blocks.append(_table(f"What samples {of} on {dataset} look like", tables.APPEARANCE, rows, floor))
    if paths:
        fields = tables.used(tables.PATHS, paths)
        columns = [*tables.columns("variant", "path"), *tables.columns(fields=tables.SEEDS), *tables.columns(fields=fields)]
        body = [[Code(row["variant"]), row["path"], str(row["seeds"]), *tables.cells(row, fields, "not defined")] for row in paths]
        blocks += [Paragraph(words.PATHS), Table(f"Paths between generated images {of} on {dataset}", columns, body, sortable=True)]
    return [Section(f"{dataset} ({space['data_source']})", blocks)]


def _table(label: str, of: Sequence[tables.Field], rows: list[dict[str, Any]], floor: list[dict[str, Any]]) -> Table:
    """Return these columns of the rows, and below them of the floor's rows that have one of them."""
    fields = tables.used(of, [*rows, *floor])
    foot = [row for row in floor if any(key in row for key, *_ in of)]
    return Table(
        label,
        [*tables.columns("variant", "images"), *tables.columns(fields=tables.SEEDS), *tables.columns(fields=fields)],
        [[Code(row["variant"]), *_cells(row, fields)] for row in rows],
        foot=[["floor", *_cells(row, fields)] for row in foot],
        sortable=True,
    )


def _cells(row: dict[str, Any], fields: list[tables.Field]) -> list[Any]:
    return [row["images"], str(row["seeds"]), *tables.cells(row, fields, "not defined")]


def _judged(results: Results, name: str, images: str) -> list[dict[str, Any]]:
    """Return the row of the samples or draws of a variant, with those before training; none if they are finite at no seed."""
    found = [{row["images"]: row for row in run.get("rows", [])} for run in results.quality_details(name)]
    measured = []
    for table in found:
        row = {key: value for key, value in table.get(images, {}).items() if key != "class_counts"}
        if "frechet_classifier_distance" in row:
            before = table.get("before training" if images == "samples" else f"{images}, before training", {})
            sharp = table.get("test images", {}).get("laplacian_variance")
            measured.append({**row, "frechet_before": before.get("frechet_classifier_distance"), "sharpness_test": sharp})
    if not measured:
        return []
    # A class has no mean over seeds.
    classes = ", ".join(dict.fromkeys(str(row["top_class"]) for row in measured if "top_class" in row))
    return [{**means(measured), "seeds": len(measured), **({"top_class": classes} if classes else {})}]


def _paths(results: Results, name: str) -> list[dict[str, Any]]:
    """Return the rows of the paths between generated images of a variant, over the seeds that have them."""
    measured = [run["paths"] for run in results.quality_details(name) if "paths" in run]
    return [{**means(rows), "seeds": len(rows)} for rows in zip(*measured, strict=True)]


def _resized(results: Results, names: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the floor of training images that were brought to another size and back, and the variants of that size.

    The probe `reshape` measures them, at the size of its own variant.
    """
    path = f"results/{results.config.preset}/probes/reshape.json"
    probe = results.file(path) if (results.root / path).exists() else None
    if probe is None:
        return [], []
    kinds = {name: (variant.dataset, variant.images.size) for name, variant in results.config.variants.items()}
    measured = kinds[probe["variants"][0]]
    same = [name for name in names if kinds[name] == measured and measured[1] is not None]
    label = f"training images, {measured[1]}x{measured[1]}"
    rows = [row for row in probe["rows"] if (row["images"], row["reshape"]) == ("training images", "right")]
    return [{**row, "images": label} for row in rows if same], same


def _space(space: dict[str, Any]) -> str:
    """Describe the features in which samples are compared."""
    test = space["test"]
    count = f"{test['n_images']:,} test images"
    match space["labels"]:
        case "classes":
            network = f"a convolutional classifier of {space['labels_of']}, right on {test['accuracy']:.2%} of {count}"
        case "factors":
            network = f"a convolutional network of the images' factors, squared error {test['squared_error']:.3g} on {count}"
        case _:
            network = "a convolutional network with random weights, for the data set has no labels"
    return f"Compared with {space['n_images']:,} test images in the {space['n_features']} features of {network}. This is no FID."
