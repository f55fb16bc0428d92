"""A chapter: one source report, its claims, its numbers and figures beside this project's, and how its variants are set up."""

from functools import partial
from typing import Any

from regen.claims.reported import NOTHING, Reading, Reported, read_reported, reproduced
from regen.params.schema import ReportedVariant
from regen.report import tables, words
from regen.report.document import Block, Code, Column, Details, Inline, Listing, Notice, Paragraph, Section, Table, Text
from regen.report.likelihoods import convergence
from regen.report.pictures import Pictures
from regen.report.reading import Results
from regen.report.samples import samples
from regen.report.settings import settings_line
from regen.report.stability import jumps
from regen.report.verdicts import Claims
from regen.results import means

__all__ = ["chapter"]


def chapter(results: Results, report: str, claims: Claims, pictures: Pictures, warning: list[Notice]) -> Section:
    """Return the chapter of a source report."""
    source = results.config.reports[report]
    names = [name for name, variant in results.config.variants.items() if variant.report == report]
    year = f", {source.year}" if source.year else ""
    parts: list[tuple[str, str, list[Block]]] = [
        ("claims", "Claims", claims.entries_of(report)),
        ("reported", "Reported and reproduced", _reported(results, report)),
        ("figures", "Figures", pictures.of_report(report)),
        ("metrics", "Metrics on the test images", _metrics(results, report, names)),
        ("likelihoods", "Likelihood of the test images by K", _convergence(results, report, names)),
        ("samples", "Sample quality", samples(results, names, f"of {report}")),
        ("variants", "Variants", _variants(results, report, names)),
    ]
    sections = [Section(title, blocks, id=f"{report}-{part}") for part, title, blocks in parts]
    head = Paragraph(f"{source.author}{year}. {source.about}")
    return Section(f"{report}: {source.title}", [head, *warning, *sections], id=report, short=report)


def _reported(results: Results, report: str) -> list[Block]:
    """Return what the report prints and every reading of it, side by side."""
    ledger = [row for row in read_reported() if row.report == report]
    if not ledger:
        return [Paragraph("No number is held against this report.")]
    columns = [
        *tables.columns("reported"),
        *(Column(heading, numeric) for heading, numeric in (("value", True), ("unit", False), ("reading", False), ("read at", False))),
        *(Column(heading) for heading in ("seeds", "reproduced", "reproduced / reported")),
    ]
    body = [_reading(results, row, reading) for row in ledger for reading in row.readings]
    return [Table(f"Reported and reproduced numbers of {report}", columns, body, merged=3), *results.notices()]


def _reading(results: Results, row: Reported, reading: Reading) -> list[str]:
    where = f"results/{results.config.preset}/{reading.variant}"
    found = results.attempt(where, lambda: reproduced(results.config, reading, results.root), NOTHING)
    mean = found["mean"]
    between = f" ({tables.number(found['low'])} to {tables.number(found['high'])})" if found["seeds"] > 1 else ""
    return [
        *(row.quantity, f"{row.value:g}", row.unit, reading.label),
        _place(reading, found["epoch"]),
        str(found["seeds"]),
        f"{tables.number(mean)}{between}",
        "" if mean is None else tables.number(mean / row.value),
    ]


def _place(reading: Reading, epoch: int | None) -> str:
    """Say at which epoch a reading is taken, or of which images by the last weights."""
    if reading.at is not None:
        return {"min": "lowest epoch", "last": "last epoch"}.get(str(reading.at), f"epoch {epoch or reading.at}")
    return "training images" if reading.split == "train" else f"{reading.split or 'test'} images"


def _metrics(results: Results, report: str, names: list[str]) -> list[Block]:
    """Return the means over seeds of what was measured on the test images."""
    found = {name: results.metrics(name) for name in names}
    values = {name: results.attempt(f"results/{results.config.preset}/{name}", partial(means, runs), {}) for name, runs in found.items()}
    fields = tables.used(tables.METRICS, list(values.values()))
    variants = results.config.variants
    body = [
        [
            *(Code(name), f"{variants[name].dataset}, {variants[name].data_source}", str(len(found[name]))),
            *tables.cells(row, fields, "not defined" if row else words.WITHOUT_RESULT),
        ]
        for name, row in values.items()
    ]
    columns = [*tables.columns("variant", "data"), *tables.columns(fields=tables.SEEDS), *tables.columns(fields=fields)]
    note = (
        "Means over seeds, in nats an image: at one sample of q and in the variant's own likelihood; of a GAN, at one generated image a "
        "test image."
    )
    return [Paragraph(note), Table(f"Metrics of {report}", columns, body, sortable=True), *jumps(results, names), *results.notices()]


def _convergence(results: Results, report: str, names: list[str]) -> list[Block]:
    """Return -log p(x) by the number of importance samples, a table for each data and kind."""
    note = (
        "-log p(x) in nats on n test images, with the 1/K; a flow's is exact, at one uniform dequantisation. Effective samples and "
        "largest weight are at the largest K. Means over seeds; the comparison of all models has the intervals."
    )
    found: list[Block] = [_by_samples(report, table) for table in convergence(results, names)]
    return [Paragraph(note), *(found or [Paragraph("No likelihood: nothing that has one was run yet.")]), *results.notices()]


def _by_samples(report: str, table: dict[str, Any]) -> Section:
    fields = tables.used(tables.WEIGHTS, table["rows"])
    columns = [
        *tables.columns("variant", fields=(*tables.SEEDS, ("n_images", "n", "{:,.0f}"))),
        *(Column(label) for label in table["columns"]),
        *tables.columns(fields=fields),
    ]
    body = [
        [
            *(Code(row["variant"]), str(row["seeds"]), tables.written(row["n_images"], "{:,.0f}")),
            *(tables.written(row["values"].get(label), "{:.2f}") for label in table["columns"]),
            *tables.cells(row, fields),
        ]
        for row in table["rows"]
    ]
    kind = table["nll_kind"]
    said = f"-log p(x) is {words.KINDS.get(kind, 'of unknown kind: metrics.json is missing')}."
    title = f"{table['dataset']} ({table['data_source']}), {kind}"
    blocks: list[Block] = [Paragraph(said), Table(f"Likelihoods of {report} on {table['dataset']}, {kind}", columns, body, sortable=True)]
    form = ": {nll_nats:.2f} nats ({nll_nats_low:.2f} to {nll_nats_high:.2f}), n = {n_images:,.0f}."
    wide: list[Text] = [[Code(row["variant"]), form.format(**row["wide"])] for row in table["rows"] if row["wide"]]
    if wide:
        blocks += [Paragraph(words.FEW_IMAGES), Listing(wide)]
    return Section(title, blocks)


def _variants(results: Results, report: str, names: list[str]) -> list[Block]:
    """Return what is assumed throughout, and every variant's settings."""
    notes = results.config.reports[report].notes
    listing = Listing([_variant(name, results.config.variants[name]) for name in names])
    assumed: list[Block] = [Paragraph("Assumed throughout:"), Listing(notes)] if notes else []
    return [*assumed, Details("Settings of every variant", [listing])] if names else assumed


def _variant(name: str, variant: ReportedVariant) -> list[Inline]:
    settings = variant.model_dump()
    assumed = [f"{key.removeprefix('model.')} {_value(settings, key)}".strip() for key in variant.assumed]
    open_here = f" Assumed here, as the report leaves it open: {', '.join(assumed)}." if assumed else ""
    return [Code(name), f": {variant.title}. {settings_line(variant)}. Data: {variant.dataset}, {variant.data_source}.{open_here}"]


def _value(settings: Any, key: str) -> str:
    """Return a setting as text; of a whole section the name alone is enough."""
    for part in key.split("."):
        settings = settings[part]
    if isinstance(settings, dict):
        return str(settings.get("kind", ""))
    return "-".join(map(str, settings)) if isinstance(settings, list) else str(settings)
