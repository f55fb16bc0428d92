"""docs/trained_models.ipynb as a page: its texts and its code in their order. It has no outputs: they are made where it is run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

import regen
from regen.common.files import read_json

__all__ = ["Cell", "cells"]

NOTEBOOK = Path(regen.__file__).parents[2] / "docs" / "trained_models.ipynb"


@dataclass(frozen=True)
class Cell:
    """A cell: its kind, `markdown` or `code`, and what a page shows of it."""

    kind: str
    shown: Markup


def cells(path: Path = NOTEBOOK) -> Iterator[Cell]:
    """Yield the cells of a notebook."""
    for cell in read_json(path)["cells"]:
        kind, source = cell["cell_type"], "".join(cell["source"])
        yield Cell(kind, _code(source) if kind == "code" else _text(source))


def _text(source: str) -> Markup:
    """Return Markdown as HTML; HTML in it is shown as text."""
    markdown = MarkdownIt("commonmark", {"html": False})
    tokens = markdown.parse(source)
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h1":
            token.attrSet("class", "smaller")
    return Markup(markdown.renderer.render(tokens, markdown.options, {}).strip())


def _code(source: str) -> Markup:
    """Return code escaped. Empty lines are written as a reference, for the site drops those of its pages."""
    return Markup(str(escape(source)).replace("\n\n", "\n&#10;"))
