"""A document as one HTML page with its pictures, style and script in it; further pictures are links to the files beside it."""

import base64
import json
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from regen.report.document import Document, Inline, Link, Picture, Section, Text, spans, targets
from regen.report.words import SHAPES

__all__ = ["html"]


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def html(document: Document, folder: Path) -> str:
    """Return the page; pictures are read from below `folder`, the folder that the page will lie in.

    Raises
    ------
    OSError
        If a picture cannot be read.
    """
    known = set(targets(document.sections))

    def resolved(text: Text | None) -> list[Inline]:
        """Return a text whose links lead somewhere."""
        return [
            span.text if isinstance(span, Link) and span.address.startswith("#") and span.address[1:] not in known else span
            for span in spans(text)
        ]

    def embedded(picture: Picture) -> str:
        """Return the picture as the address of an `img`."""
        return "data:image/png;base64," + base64.b64encode((folder / picture.file).read_bytes()).decode()

    environment = Environment(
        loader=PackageLoader("regen.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"spans": resolved, "kind": lambda value: type(value).__name__, "compact": _compact, "embedded": embedded}
    templates = files("regen.report") / "templates"
    style, script = (Markup((templates / name).read_text(encoding="utf-8")) for name in ("report.css", "report.js"))
    contents = [section for section in document.sections if isinstance(section, Section) and section.short and section.id]
    return environment.get_template("page.html.j2").render(document=document, contents=contents, shapes=SHAPES, style=style, script=script)
