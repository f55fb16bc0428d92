"""The report as blocks: what it says, without how Markdown or HTML write it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Block",
    "Code",
    "Column",
    "Details",
    "Document",
    "Figure",
    "Gallery",
    "Inline",
    "Judged",
    "Link",
    "Listing",
    "Notice",
    "Paragraph",
    "Picture",
    "Section",
    "Strong",
    "Table",
    "Text",
    "spans",
    "targets",
]


@dataclass(frozen=True)
class Code:
    """A name as it stands in a file."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Words that stand out."""

    text: str


@dataclass(frozen=True)
class Judged:
    """A verdict: a word and a shape of its own."""

    word: str


@dataclass(frozen=True)
class Link:
    """A way to `#id` in this document, or to a file by its relative path."""

    text: str
    address: str


Inline = str | Code | Strong | Judged | Link
Text = Inline | Sequence[Inline]
"""A string stands for itself: no character of it is markup."""


def spans(text: Text | None) -> list[Inline]:
    """Return the parts of a text; of nothing there is none."""
    if text is None:
        return []
    return [text] if isinstance(text, Inline) else list(text)


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: Text


@dataclass(frozen=True)
class Notice:
    """What a reader must know before the rest, or what is missing at this place."""

    title: str
    text: Text


@dataclass(frozen=True)
class Listing:
    """A list of short texts."""

    items: Sequence[Text]


@dataclass(frozen=True)
class Column:
    """A column's heading and whether it holds numbers."""

    heading: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table; `foot` stays below the rows however they are sorted, of the first `merged` columns a repeated cell is one."""

    label: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Text]]
    foot: Sequence[Sequence[Text]] = ()
    sortable: bool = False
    merged: int = 0

    def heights(self) -> list[int]:
        """Return for every row how many rows its merged cells span; 0 where they belong to the row above."""
        heights: list[int] = []
        for index, row in enumerate(self.rows):
            if self.merged and index and list(row[: self.merged]) == list(self.rows[index - 1][: self.merged]):
                first = max(place for place, height in enumerate(heights) if height)
                heights[first] += 1
                heights.append(0)
            else:
                heights.append(1)
        return heights


@dataclass(frozen=True)
class Picture:
    """A PNG beside the document.

    `points` are pixels (x, y) and what lies there; `grids` say where equal tiles lie: left, top, tile_width, tile_height, pitch_x, pitch_y,
    columns, rows, column_labels, row_labels, title.
    """

    file: str
    description: str
    size: tuple[int, int]
    name: Text = ""
    caption: Text = ""
    points: Sequence[dict[str, Any]] = ()
    grids: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class Figure:
    """Pictures that belong together under one title."""

    title: Text
    pictures: Sequence[Picture]
    caption: Text = ""
    id: str | None = None


@dataclass(frozen=True)
class Gallery:
    """Further figures, as links to their files."""

    figures: Sequence[Figure]


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; with an `id` it can be linked to, with a `short` name it is in the contents of the page."""

    title: str
    blocks: Sequence["Block"]
    id: str | None = None
    short: str | None = None


@dataclass(frozen=True)
class Details:
    """Blocks that are folded away until somebody wants them."""

    summary: str
    blocks: Sequence["Block"]


Block = Paragraph | Notice | Listing | Table | Figure | Gallery | Section | Details


@dataclass(frozen=True)
class Document:
    """A whole page; its top level is sections, after an introduction."""

    title: str
    introduction: Sequence[Block]
    sections: Sequence[Section] = field(default=())


def targets(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield every id that a link of the document may lead to."""
    for block in blocks:
        if isinstance(block, Section | Figure) and block.id is not None:
            yield block.id
        match block:
            case Section(blocks=below) | Details(blocks=below):
                yield from targets(below)
            case Gallery(figures=below):
                yield from targets(below)
