"""The whole report as one document, gathered from files: no number is typed."""

from pathlib import Path
from typing import Any

from regen.common.errors import UserError
from regen.params.schema import ReportConfig
from regen.report import tables
from regen.report.chapter import chapter
from regen.report.comparison import confirmed, likelihood_section
from regen.report.document import Block, Code, Document, Inline, Link, Notice, Paragraph, Section, Table
from regen.report.errata import errata
from regen.report.pictures import Pictures
from regen.report.reading import Results
from regen.report.samples import samples
from regen.report.seeds import seeds
from regen.report.verdicts import Claims

__all__ = ["assemble"]

CARD = ("data set", "source", "what it is", "training", "validation", "test", "shape", "mean", "checksums")
NUMBERS = ("training", "validation", "test", "mean")


def assemble(config: ReportConfig, root: Path) -> Document:
    """Return the report of what the pipeline wrote below `root`: the front page, a chapter a source report, the errata, and the data.

    What is missing or malformed costs its own place alone, which says so.

    Raises
    ------
    UserError
        If no variant has any result.
    """
    results = Results(config, root)
    folder = f"results/{config.preset}"
    runs = ((name, seed) for name, variant in config.variants.items() for seed in variant.seeds)
    if not any(any((root / folder / name / str(seed)).glob("*.*")) for name, seed in runs):
        raise UserError(f"{root / folder}: expected the results of a variant, got none; run 'dvc repro' to make them")
    warning = _warning(config)
    claims, pictures = Claims(results), Pictures(results)
    spread = seeds(results)
    front = [
        claims.section(spread),
        likelihood_section(results),
        Section("Sample quality", samples(results, config.variants, "of all models"), id="samples", short="samples"),
        *([spread] if spread else []),
    ]
    chapters = [chapter(results, report, claims, pictures, warning) for report in config.reports]
    behind = confirmed(results, pictures)
    wrong = [
        Section(f"{name}: {source.title}", blocks, id=f"{name}-errata")
        for name, source in config.reports.items()
        if (blocks := errata(results, name))
    ]
    return Document(
        "Generative-model reports, regenerated",
        [_about(config), *warning],
        [
            *front,
            *chapters,
            Section("Errata", wrong, id="errata", short="errata"),
            *([behind] if behind else []),
            _data(results),
            _made(config),
        ],
    )


def _about(config: ReportConfig) -> Paragraph:
    text: list[Inline] = [
        "Five small studies of VAEs, flows and GANs, run again from raw images: what each reported, what comes out, and which of its "
        "claims hold. Preset ",
        Code(config.preset),
        ". Every number was read from the files in ",
        Code(f"results/{config.preset}/"),
        ", every picture drawn from the trained weights.",
    ]
    return Paragraph(text)


def _warning(config: ReportConfig) -> list[Notice]:
    """Return what must be known before any number of a preset on stand-in data is read."""
    if "stand-in" not in {variant.data_source for variant in config.variants.values()}:
        return []
    short = " and its training is cut short" if any(variant.max_steps is not None for variant in config.variants.values()) else ""
    proves = f") proves the pipeline: its images are stand-ins made on this machine{short}. "
    return [
        Notice(
            "Stand-in data.",
            ["This preset (", Code(config.preset), proves, "No number here says anything about the reports, and no claim is judged."],
        )
    ]


def _data(results: Results) -> Section:
    """Return the data cards."""
    folder = f"results/{results.config.preset}/data"
    files = [f"{folder}/{path.name}" for path in sorted((results.root / folder).glob("*.json"))]
    rows = results.each(files, lambda file: [] if (card := results.file(file)) is None else [_card(card)], str)
    blocks: list[Block] = []
    if rows:
        blocks.append(Table("Data cards", [column for name in CARD for column in _column(name)], rows))
    return Section("Data", [*(blocks or [Paragraph("No data card was written yet.")]), *results.notices()], id="data", short="data")


def _column(name: str) -> list[Any]:
    return tables.columns(fields=((name, name, "{:g}"),)) if name in NUMBERS else tables.columns(name)


def _card(card: dict[str, Any]) -> list[str]:
    counts = [str(card["counts"][split]) for split in ("train", "validation", "test")]
    shape = "x".join(map(str, card["shape"]))
    return [
        *(card["dataset"], card["data_source"], card["description"]),
        *counts,
        shape,
        tables.number(card["mean"]),
        card["checksum_state"],
    ]


def _made(config: ReportConfig) -> Section:
    """Return where the versions, the device and the time of every stage are written."""
    text: list[Inline] = [
        "Versions, device, commit and time of every stage are in ",
        Link("made.html", "made.html"),
        " and ",
        Link("made.md", "made.md"),
        " beside this file, written on the machine that made it. They vary from run to run and are not in git.",
    ]
    return Section("How it was made", [Paragraph(text)], id="made", short="how it was made")
