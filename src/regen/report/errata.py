"""What is wrong in a source report, what is right, and what shows it."""

from functools import cache
from typing import Any

from regen.claims.errata import read_errata
from regen.report.document import Block, Inline, Link, Paragraph, Section, Strong
from regen.report.reading import Results

__all__ = ["errata"]

INFERENCE = "An inference: only the authors' code could prove it."


def errata(results: Results, report: str) -> list[Block]:
    """Return the errata of a report, one section each; none if none is known."""
    entries = results.attempt("src/regen/claims/errata.yaml", _entries, ())
    own = [entry for entry in entries if entry["report"] == report]
    blocks: list[Block] = results.each(own, lambda entry: [_section(entry)], lambda entry: f"errata: {entry['id']}")
    return [*blocks, *results.notices()]


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    return tuple(entry.model_dump() for entry in read_errata())


def _section(entry: dict[str, Any]) -> Section:
    name = f"erratum-{entry['id'].removeprefix('erratum-')}"
    blocks: list[Block] = [
        Paragraph([Strong("In the report:"), f" {entry['wrong']}"]),
        Paragraph([Strong("Right:"), f" {entry['right']}", f" {INFERENCE}" if entry.get("inference") else ""]),
    ]
    if entry.get("shown_by"):
        links = [part for one in entry["shown_by"] for part in (", ", *_link(one, entry["report"]))][1:]
        blocks.append(Paragraph(["Shown by ", *links, "."]))
    place = entry.get("where")
    return Section(f"{name.replace('erratum-', 'Erratum ')}{f', {place}' if place else ''}", blocks, id=name)


def _link(shown: dict[str, Any], report: str) -> list[Inline]:
    """Return the way to a test of the repository, a claim, a reported number or a figure."""
    kind, value = next((key, value) for key, value in shown.items() if value is not None)
    match kind:
        case "test":
            file, _, name = value.partition("::")
            return ["the test ", Link(name or file, f"../../{file}")]
        case "claim":
            return ["the claim ", Link(value, f"#{value}")]
        case "reading":
            return ["the reported number ", Link(value, f"#{report}-reported")]
        case "figure":
            return [Link(value.replace("-", " "), f"#{value}")]
        case _:
            return [f"{kind} {value}"]
