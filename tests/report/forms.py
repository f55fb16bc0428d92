"""The report's two forms, Markdown and HTML, taken apart for the tests."""

import re
from html.parser import HTMLParser
from pathlib import Path

from regen.params.schema import ReportConfig, ReportedVariant
from regen.report.assemble import assemble
from regen.report.html import html
from regen.report.markdown import markdown

__all__ = ["Page", "both", "chapters", "family_of", "of", "only", "seen", "tables"]

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """A page's elements, its text by section and the cells of its tables; fails on tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.sections: dict[str, str] = {}
        self.tables: list[list[list[str]]] = []
        self.section = "header"
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.elements.append((tag, values))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = values.get("id", "")
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "script"}.isdisjoint(self.open):
            self.sections[self.section] = self.sections.get(self.section, "") + data
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data


def family_of(variant: ReportedVariant) -> str:
    """Return what metrics a variant has: those of its family, of a GAN those of what its discriminator gives."""
    return "critic" if variant.model.family == "gan" and variant.model.output == "score" else variant.model.family


def only(config: ReportConfig, *names: str) -> ReportConfig:
    """Return the configuration with these variants alone."""
    return config.model_copy(update={"variants": {name: config.variants[name] for name in names}})


def both(config: ReportConfig, root: Path) -> tuple[str, str]:
    report = assemble(config, root)
    return markdown(report), html(report, root / "reports" / config.preset)


def chapters(text: str) -> dict[str, str]:
    """Return a Markdown text's chapters by heading, those of the reports by name."""
    parts = re.split(r"^## (.+)$", text, flags=re.M)
    return {heading.partition(":")[0]: body for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def tables(text: str) -> list[list[list[str]]]:
    """Return a Markdown text's tables: runs of lines that start with a bar; their cells as a reader sees them."""
    blocks = re.findall(r"(?:^\|.*\n?)+", text, flags=re.M)
    return [[[seen(cell) for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]] for line in block.splitlines()] for block in blocks]


def seen(text: str) -> str:
    """Return Markdown as a reader sees it: without marks of code, links, alignment and escapes."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text.strip(" `"))
    return "---" if text == "---:" else re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", text)


def of(found: list[list[list[str]]], heading: str) -> list[list[list[str]]]:
    """Return the tables with this heading, without the line below the headings."""
    return [[row for row in table if set(row) != {"---"}] for table in found if heading in table[0]]
