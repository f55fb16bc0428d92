"""A document as Markdown that a repository page shows."""

import re
from collections.abc import Sequence

from regen.report.document import (
    Block,
    Code,
    Details,
    Document,
    Figure,
    Gallery,
    Inline,
    Judged,
    Link,
    Listing,
    Notice,
    Paragraph,
    Section,
    Strong,
    Table,
    Text,
    spans,
    targets,
)
from regen.report.words import SHAPES

__all__ = ["markdown"]

SIDE_BY_SIDE = 3
"""Pictures of one figure in a row."""


def markdown(document: Document) -> str:
    """Return the document; pictures and links are relative to its folder."""
    known = set(targets(document.sections))
    contents = [Link(section.title, f"#{section.id}") for section in document.sections if section.short and section.id]
    parts = [
        f"# {_plain(document.title)}",
        *_blocks(document.introduction, 2, known),
        *(["\n".join(f"- {_text(link, known)}" for link in contents)] if contents else []),
        *_blocks(document.sections, 2, known),
    ]
    return "\n\n".join(parts) + "\n"


def _blocks(blocks: Sequence[Block], level: int, known: set[str]) -> list[str]:
    """Return paragraphs of Markdown, which blank lines keep apart."""
    return [part for block in blocks for part in _block(block, level, known)]


def _block(block: Block, level: int, known: set[str]) -> list[str]:
    match block:
        case Section():
            anchor = [f'<a id="{block.id}"></a>'] if block.id else []
            return [*anchor, f"{'#' * level} {_plain(block.title)}", *_blocks(block.blocks, level + 1, known)]
        case Paragraph():
            return [_line(block.text, known)]
        case Notice():
            return [f"> **{_plain(block.title)}** {_text(block.text, known)}"]
        case Listing():
            return ["\n".join(f"- {_line(item, known)}" for item in block.items)]
        case Table():
            return [_table(block, known)]
        case Figure():
            return _figure(block, known)
        case Gallery():
            pictures = [(figure, picture) for figure in block.figures for picture in figure.pictures]
            return [
                "\n".join(f"- {_text(figure.title, known)}: {_link(picture.description, picture.file)}" for figure, picture in pictures)
            ]
        case Details():
            return [f"<details><summary>{_plain(block.summary)}</summary>", *_blocks(block.blocks, level, known), "</details>"]


def _table(table: Table, known: set[str]) -> str:
    rows = [
        [("" if not height and place < table.merged else _cell(cell, known)) for place, cell in enumerate(row)]
        for row, height in zip(table.rows, table.heights(), strict=True)
    ]
    rows += [[_cell(cell, known) for cell in row] for row in table.foot]
    head = [_cell(column.heading, known) for column in table.columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---:" if column.numeric else "---" for column in table.columns], *rows])


def _figure(figure: Figure, known: set[str]) -> list[str]:
    images = [f"![{_label(picture.description)}]({picture.file})" for picture in figure.pictures]
    anchor = [f'<a id="{figure.id}"></a>'] if figure.id else []
    if len(images) > 1:
        rows = []
        for start in range(0, len(images), SIDE_BY_SIDE):
            shown = slice(start, start + SIDE_BY_SIDE)
            names = [_cell(picture.name, known) for picture in figure.pictures[shown]]
            rows.append("\n".join(f"| {' | '.join(row)} |" for row in (names, ["---"] * len(names), images[shown])))
        images = rows
    captions = [_text(text, known) for text in (figure.caption, *(picture.caption for picture in figure.pictures)) if text]
    return [*anchor, *images, " ".join([f"**{_text(figure.title, known)}.**", *captions])]


def _cell(text: Text, known: set[str]) -> str:
    return _text(text, known).replace("|", "\\|")


def _line(text: Text, known: set[str]) -> str:
    """Write a text that begins a line: no list, heading or quotation comes of it."""
    return re.sub(r"^(\s*)([#>+-])(?=\s|$|#|>)|^(\s*\d+)([.)])(?=\s)", r"\1\3\\\2\4", _text(text, known))


def _text(text: Text | None, known: set[str]) -> str:
    return "".join(_inline(span, known) for span in spans(text))


def _inline(span: Inline, known: set[str]) -> str:
    match span:
        case Code(text=text):
            fence = "``" if "`" in text else "`"
            return f"{fence}{' '.join(text.split())}{fence}"
        case Strong(text=text):
            return f"**{_plain(text)}**"
        case Judged(word=word):
            return f"{SHAPES.get(word, '?')} {_plain(word)}"
        case Link(text=text, address=address):
            return _plain(text) if address.startswith("#") and address[1:] not in known else _link(text, address)
        case _:
            return _plain(span)


def _link(text: str, address: str) -> str:
    return f"[{_label(text)}]({address.replace(' ', '%20')})"


def _label(text: str) -> str:
    """Return a text that stands between brackets."""
    return re.sub(r"(?<!\\)([\[\]])", r"\\\1", _plain(text))


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    text = re.sub(r"([\\`*<$])", r"\\\1", " ".join(text.split()) if "\n" in text else text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
    text = re.sub(r"&(?=#|\w+;)", r"\\&", text)
    return re.sub(r"\](?=[(\[:])|~(?=~)|(?<=~)~", r"\\\g<0>", text)
