"""The notebook as a page: every cell in its order, the code to the character."""

import json
from html.parser import HTMLParser
from pathlib import Path

from regen.params.schema import ReportConfig
from regen.report.notebook import cells
from regen.report.site import write_report

ROOT = Path(__file__).parents[2]


class Code(HTMLParser):
    """The text of every block of code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self.inside = True
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.blocks[-1] += data


def test_the_page_has_the_notebooks_code_to_the_character(config: ReportConfig, root: Path) -> None:
    write_report(config, root)
    notebook = json.loads((ROOT / "docs/trained_models.ipynb").read_text(encoding="utf-8"))
    page = (root / "reports/quick/site/use.html").read_text(encoding="utf-8")
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert Code(page).blocks == sources and any("\n\n\n" in source for source in sources)
    texts = [line[3:] for cell in notebook["cells"] for line in "".join(cell["source"]).splitlines() if line.startswith("## ")]
    assert texts and all(f"<h2>{text}</h2>" in page for text in texts)
    assert 'href="use.html"' in (root / "reports/quick/site/models.html").read_text(encoding="utf-8")


def test_texts_are_markdown_and_bring_no_elements_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "one.ipynb"
    texts = ["# A title\n\n`code` and <script>alert(1)</script>", "- an item"]
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": [text]} for text in texts]}))
    first, second = (cell.shown for cell in cells(path))
    assert first == ('<h1 class="smaller">A title</h1>\n<p><code>code</code> and &lt;script&gt;alert(1)&lt;/script&gt;</p>')
    assert second == "<ul>\n<li>an item</li>\n</ul>"
