"""How a report was made, as a page of its own: what varies from run to run and is in no tracked file."""

from pathlib import Path
from typing import Any

from regen.common.errors import UserError
from regen.common.files import read_json
from regen.report import tables
from regen.report.document import Block, Code, Column, Document, Link, Notice, Paragraph, Section, Table, Text
from regen.report.reading import MALFORMED

__all__ = ["made"]

SHARED = ("commit", "device", "threads", "processor", "system")
"""Facts of a stage that are usually the same for all of them."""

OWN = (
    ("started", "started", "{}"),
    ("short_commit", "commit", "{}"),
    ("device", "device", "{}"),
    ("seconds", "seconds", "{:.1f}"),
    ("cpu_seconds", "CPU seconds", "{:.1f}"),
    ("peak_memory_mb", "peak memory (MB)", "{:,.0f}"),
)


def made(preset: str, logs: Path) -> Document:
    """Return the document of the side files below `logs`, such as logs/<preset>/<variant>/<seed>/train.json.

    Side files that are malformed are named; without any the page says so.
    """
    stages: list[dict[str, Any]] = []
    problems: list[Block] = []
    for log in sorted(logs.rglob("*.json")):
        try:
            facts = read_json(log)
            head, changes, _ = str(facts.get("commit") or "").partition("+changes")
            stages.append({**facts, "stage": log.stem, "of": str(log.parent.relative_to(logs)), "short_commit": head[:12] + changes})
        except MALFORMED as error:
            said = str(error) if isinstance(error, UserError) else f"{log}: expected an object, got another form"
            problems.append(Notice("Missing.", said))
    introduction: list[Text] = [
        ["How the files of ", Link("report.html", "report.html"), f" (preset {preset}) were made on this machine."],
        "A stage that DVC found up to date, or took from its cache, has the side file of an earlier run or none.",
    ]
    if not stages:
        problems.append(Notice("Nothing was run here.", f"There is no side file below logs/{preset}."))
    sections = [] if not stages else [_summary(stages), _versions(stages), _stages(stages)]
    return Document(f"How the report was made: {preset}", [*map(Paragraph, introduction), *problems], sections)


def _summary(stages: list[dict[str, Any]]) -> Section:
    """Return the totals, and every value of the shared facts with the number of its stages."""
    seconds = sum(stage.get("seconds") or 0 for stage in stages)
    started = sorted(str(stage["started"]) for stage in stages if stage.get("started"))
    rows: list[list[Text]] = [["stages", str(len(stages)), ""], ["seconds in all", f"{seconds:,.0f}", ""]]
    if started:
        rows += [["first started", started[0], ""], ["last started", started[-1], ""]]
    for fact in SHARED:
        values = [str(stage[fact]) for stage in stages if stage.get(fact) is not None]
        rows += [[fact, value, str(values.count(value))] for value in dict.fromkeys(values)]
    columns = [*tables.columns("fact", "value"), Column("stages")]
    return Section("In short", [Table("Summary", columns, rows, merged=1)], id="summary", short="in short")


def _versions(stages: list[dict[str, Any]]) -> Section:
    """Return the versions of Python and of the packages; several where stages ran under several."""
    found: dict[str, dict[str, int]] = {}
    for stage in stages:
        for name, version in (stage.get("versions") or {}).items():
            counts = found.setdefault(name, {})
            counts[str(version)] = counts.get(str(version), 0) + 1
    rows: list[list[Text]] = [[Code(name), version, str(count)] for name in sorted(found) for version, count in found[name].items()]
    columns = [*tables.columns("package", "version"), Column("stages")]
    return Section("Versions", [Table("Versions", columns, rows, merged=1)], id="versions", short="versions")


def _stages(stages: list[dict[str, Any]]) -> Section:
    rows = [[Code(stage["of"]), stage["stage"], *tables.cells(stage, OWN)] for stage in stages]
    table = Table("Stages", [*tables.columns("of", "stage"), *tables.columns(fields=OWN)], rows, sortable=True)
    return Section("Stages", [table], id="stages", short="stages")
