"""The pictures of the report: numbered figures in their source's order, then what else was drawn."""

import struct
from typing import Any

from regen.params.figures import ALL, ReportFigure, anchors, charts_of
from regen.report.document import Block, Code, Details, Figure, Gallery, Inline, Notice, Picture, Section, spans
from regen.report.reading import Results

__all__ = ["Pictures"]

SHARED = ("prior_sampling", "latents")
"""Charts of the variants of all reports."""


class Pictures:
    """What was drawn for a preset, read from the folders' index.json."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.folder = f"reports/{results.config.preset}"
        self._indices: dict[str, list[dict[str, Any]]] = {}
        self._shown: set[str] = set()

    def of_all(self) -> list[Block]:
        """Return the charts of the variants of all reports."""
        if not (self.results.root / self.folder / f"figures/charts/{ALL}/index.json").exists():
            return []
        blocks: list[Block] = []
        for entry in self._index("charts"):
            if entry.get("name") in SHARED:
                blocks += [Figure(str(entry.get("title", "")), [picture]) for picture in self._pictures("charts", [entry])]
        return [*blocks, *self.results.notices()]

    def of_report(self, report: str) -> list[Block]:
        """Return the figures of a report under their anchors, and its further pictures by variant, folded away."""
        config = self.results.config
        figures = config.reports[report].figures
        names = [name for name, variant in config.variants.items() if variant.report == report]
        blocks: list[Block] = []
        named = list(zip(anchors(report, figures), figures, strict=True))
        for anchor, figure in sorted(named, key=lambda one: one[1].number is None):
            blocks += self._figure(anchor, figure)
            blocks += self.results.notices()
        further = [block for name in names for block in self._further(name)]
        if further:
            blocks.append(Details("Further pictures, variant by variant", further))
        return [*blocks, *self.results.notices()] or [Notice("Missing.", "No figure: nothing was drawn yet.")]

    def _figure(self, anchor: str, figure: ReportFigure) -> list[Block]:
        """Return a numbered figure with the pictures that exist."""
        if figure.chart is not None:
            wanted = charts_of(anchor, figure)
            entries = {entry.get("name"): entry for entry in self._index("charts")}
            for name in wanted:
                if name not in entries:
                    self.results.note(
                        f"{self.folder}/figures/charts: {figure.number or 'added figure'}, '{figure.title}': no chart '{name}'"
                    )
            found = self._pictures("charts", [entries[name] for name in wanted if name in entries])
        else:
            found = [picture for name in figure.variants for picture in self._of_kinds(name, figure.pictures)]
        if not found:
            return []
        self._shown |= {picture.file for picture in found}
        title = f"{figure.number}. {figure.title}" if figure.number else f"{figure.title} (added)"
        return [Figure(title, found, caption=figure.note or "", id=anchor)]

    def _of_kinds(self, name: str, kinds: list[Any]) -> list[Picture]:
        entries = self._index(name)
        found = []
        for kind in kinds:
            of_kind = [entry for entry in entries if entry.get("kind") == kind]
            if not of_kind:
                self.results.note(f"{self.folder}/figures/{name}: no picture '{kind}'")
            found += self._pictures(name, of_kind)
        return found

    def _further(self, name: str) -> list[Block]:
        """Return what was drawn of a variant and stands in no figure of its report."""
        own = [entry for entry in self._index("charts") if entry.get("variants") == [name] and entry.get("name") not in SHARED]
        titled = [
            (str(entry.get("title", "")), picture)
            for folder, entries in (("charts", own), (name, self._index(name)))
            for entry in entries
            for picture in self._pictures(folder, [entry])
            if picture.file not in self._shown
        ]
        figures = [Figure(title, [picture]) for title, picture in titled]
        return [Section(name, [Gallery(figures)])] if figures else []

    def _pictures(self, folder: str, entries: list[dict[str, Any]]) -> list[Picture]:
        return self.results.each(entries, lambda entry: [self._picture(folder, entry)], lambda _: f"{self.folder}/figures/{folder}")

    def _picture(self, folder: str, entry: dict[str, Any]) -> Picture:
        file = f"figures/{folder}/{entry['file']}"
        grids = entry.get("grids") or entry.get("grid") or []
        # The names of many variants say less than a chart's own legend.
        names = [folder] if folder != "charts" else list(entry.get("variants", []))
        return Picture(
            file,
            str(entry["description"]),
            self._size(file),
            name=[Code(names[0])] if len(names) == 1 else "",
            caption=_sentence(str(entry.get("caption", ""))),
            points=entry.get("points") or [],
            grids=[grids] if isinstance(grids, dict) else grids,
        )

    def _size(self, file: str) -> tuple[int, int]:
        """Return width and height of a PNG, from its header."""
        with (self.results.root / self.folder / file).open("rb") as stream:
            head = stream.read(24)
        if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:
            raise ValueError(f"{file} is no PNG")
        width, height = struct.unpack(">II", head[16:24])
        return width, height

    def _index(self, folder: str) -> list[dict[str, Any]]:
        """Return what is said of the pictures in a folder; nothing, noted once, where there is none. `charts`: of all reports."""
        if folder == "charts":
            parts = [(part, entry) for part in (*self.results.config.reports, ALL) for entry in self._index(f"charts/{part}")]
            return [{**entry, "file": f"{part}/{entry['file']}"} if "file" in entry else entry for part, entry in parts]
        if folder not in self._indices:
            found = self.results.file(f"{self.folder}/figures/{folder}/index.json")
            self._indices[folder] = [entry for entry in found or [] if isinstance(entry, dict)] if isinstance(found, list) else []
        return self._indices[folder]


def _sentence(text: str) -> list[Inline]:
    return spans(text if not text or text.endswith((".", "?")) else f"{text}.")
