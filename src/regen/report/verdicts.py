"""The verdicts on the claims: at a glance, as a table of all, and one by one in the chapters."""

from typing import Any

from regen.report import tables
from regen.report.document import Block, Code, Column, Inline, Judged, Link, Listing, Paragraph, Section, Strong, Table, Text
from regen.report.reading import Results
from regen.report.words import SHAPES, VERDICTS

__all__ = ["Claims"]

KINDS = {
    "number": "a printed number",
    "trend": "the shape of a curve",
    "ordering": "one against another",
    "quality": "a visual judgement, measured",
    "conjecture": "a conjecture of the report",
    "added": "a question of this project",
}


class Claims:
    """What reports/<preset>/claims.json says of every claim, in the order of the reports."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.path = f"reports/{results.config.preset}/claims.json"
        found = results.file(self.path)
        entries = found if isinstance(found, list) else []
        self.entries = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
        if found is not None and len(self.entries) < max(len(entries), 1):
            results.note(f"{self.path}: expected a list of claims with ids, got another form; run 'dvc repro' to make it again")
        self.missing = results.notices()

    def of(self, report: str) -> list[dict[str, Any]]:
        """Return the claims of a report."""
        return [entry for entry in self.entries if entry.get("report") == report]

    def section(self, seeds: Section | None) -> Section:
        """Return the counts of a report's verdicts, a row each, and the table of all claims; `seeds` tells what one seed may be worth."""
        blocks: list[Block] = [*self.missing]
        reports = [report for report in self.results.config.reports if self.of(report)]
        if reports:
            blocks += [self._counts(reports), *([self._one_seed(seeds)] if seeds else []), Paragraph(VERDICTS), self._all(reports)]
        return Section("Verdicts", blocks or [Paragraph("No claim was judged yet.")], id="verdicts", short="verdicts")

    def _one_seed(self, seeds: Section) -> Paragraph:
        judged = [entry for entry in self.entries if entry.get("verdict") in ("reproduced", "not reproduced", "partly")]
        count = sum(entry.get("seeds") == 1 for entry in judged)
        return Paragraph(
            [
                f"{len(judged)} claims have a verdict. {count} of these rest on one seed: see ",
                Link("what a seed changes", f"#{seeds.id}"),
                ".",
            ]
        )

    def _counts(self, reports: list[str]) -> Table:
        rows: list[list[Text]] = [[Link(report, f"#{report}"), *self._count(self.of(report))] for report in reports]
        total: list[list[Text]] = [["all", *self._count([entry for report in reports for entry in self.of(report)])]]
        columns = [Column("report", numeric=False), *(Column(f"{shape} {word}") for word, shape in SHAPES.items()), Column("claims")]
        return Table("Verdicts at a glance", columns, rows, foot=total)

    def _count(self, entries: list[dict[str, Any]]) -> list[str]:
        counts = [sum(entry.get("verdict") == word for entry in entries) for word in SHAPES]
        return [str(count) for count in (*counts, len(entries))]

    def _all(self, reports: list[str]) -> Table:
        rows: list[list[Text]] = [
            [Link(entry["id"], f"#{entry['id']}"), str(entry.get("statement", "")), _verdict(entry), str(entry.get("why") or "")]
            for report in reports
            for entry in self.of(report)
        ]
        columns = [Column(heading, numeric=False) for heading in ("claim", "statement", "verdict", "why")]
        return Table("All claims", columns, rows, sortable=True)

    def entries_of(self, report: str) -> list[Block]:
        """Return the claims of a report, one section each: verdict, numbers, and where they can be looked at."""
        sections = self.results.each(self.of(report), lambda entry: [_section(entry)], lambda entry: f"{self.path}: {entry['id']}")
        none = "It makes no claims." if self.entries else "No claim was judged yet."
        return [*(self.missing or sections or [Paragraph(none)]), *self.results.notices()]


def _verdict(entry: dict[str, Any]) -> Judged:
    return Judged(str(entry.get("verdict", "not judged")))


def _section(entry: dict[str, Any]) -> Section:
    """Return one claim."""
    seeds = entry.get("seeds")
    why: list[Inline] = [_verdict(entry), f": {entry['why']}" if entry.get("why") else ""]
    blocks: list[Block] = [Paragraph(why)]
    if numbers := entry.get("numbers"):
        blocks.append(
            Listing([[f"{one['label']}: ", Strong(_value(one.get("value"))), f" {one.get('unit') or ''}".rstrip()] for one in numbers])
        )
    kind = KINDS.get(entry.get("kind", ""), str(entry.get("kind", "")))
    asked = str(entry.get("test", "")).rstrip(".")
    test: list[Inline] = [f"Test ({kind}): {asked}{'' if asked.endswith('?') else '.'} Variants: "]
    test += [part for name in entry.get("variants", []) for part in (", ", Code(name))][1:]
    test.append("." if not seeds else f"; {seeds} seed{'s' if seeds > 1 else ''}.")
    blocks.append(Paragraph(test))
    if shown := entry.get("shown"):
        links = [part for anchor in shown for part in (", ", Link(anchor.replace("-", " "), f"#{anchor}"))][1:]
        blocks.append(Paragraph(["See ", *links, "."]))
    return Section(f"{entry['id']}: {entry['statement']}", blocks, id=entry["id"])


def _value(value: Any) -> str:
    return tables.number(value) if isinstance(value, int | float) or value is None else str(value)
