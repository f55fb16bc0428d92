"""Blocks in both forms: what a text says is what a reader sees, whatever characters it has."""

from pathlib import Path

import pytest
from forms import Page, of, tables
from PIL import Image

from regen.report.document import (
    Code,
    Column,
    Details,
    Document,
    Figure,
    Gallery,
    Judged,
    Link,
    Listing,
    Notice,
    Paragraph,
    Picture,
    Section,
    Strong,
    Table,
)
from regen.report.html import html
from regen.report.markdown import markdown

NASTY = ("a | b", "x < y & z", "&lt;", "*bold*", "`code`", "_it_", "snake_case", "$1$", "~~gone~~", "[a](b)", "back\\slash", '"quoted"')


@pytest.mark.parametrize("text", NASTY)
def test_a_text_is_seen_as_it_is(text: str, tmp_path: Path) -> None:
    columns = [Column("name", numeric=False), Column("value")]
    table = Table("Label", columns, [[Strong(text), text]])
    document = Document(text, [], [Section(text, [table, Listing([text]), Notice("N.", text)])])
    ((_, row),) = of(Page(html(document, tmp_path)).tables, "name")
    assert row == [text, text]
    (in_markdown,) = of(tables(markdown(document)), "name")
    # The helper that reads tables takes marks of code and links away.
    escaped = {"[a](b)": "| [a\\](b) |", "`code`": "| \\`code\\` |"}
    assert escaped[text] in markdown(document) if text in escaped else in_markdown[1][1] == text
    # No character of a text opens a tag.
    assert "<y" not in markdown(document) and "\n- " in markdown(document)


@pytest.mark.parametrize(
    ("text", "written"), [("# no heading", "\\# no heading"), ("- no list", "\\- no list"), ("1. no list", "1\\. no list")]
)
def test_a_paragraph_is_no_other_block(text: str, written: str) -> None:
    assert f"\n\n{written}\n" in markdown(Document("T", [Paragraph(text)]))


def test_a_repeated_cell_is_one(tmp_path: Path) -> None:
    table = Table("L", [Column("a", False), Column("b"), Column("c")], [["x", "1", "2"], ["x", "1", "3"], ["y", "1", "4"]], merged=2)
    document = Document("T", [], [Section("S", [table])])
    assert table.heights() == [2, 0, 1]
    assert tables(markdown(document))[0][2:] == [["x", "1", "2"], ["", "", "3"], ["y", "1", "4"]]
    page = html(document, tmp_path)
    assert Page(page).tables[0][1:] == [["x", "1", "2"], ["3"], ["y", "1", "4"]]
    assert '<th scope="rowgroup" rowspan="2">x</th>' in page and '<td class="n" rowspan="2">1</td>' in page


def test_links_that_lead_nowhere_are_words(tmp_path: Path) -> None:
    text = [Link("here", "#there"), " ", Link("gone", "#nowhere"), " ", Link("file", "../a b.py")]
    document = Document("T", [], [Section("S", [Paragraph(text)], id="there")])
    assert "[here](#there) gone [file](../a%20b.py)" in markdown(document)
    page = html(document, tmp_path)
    assert '<a href="#there">here</a>' in page and "nowhere" not in page


def test_pictures_of_figures_are_embedded_and_further_ones_are_links(tmp_path: Path) -> None:
    Image.new("L", (3, 2)).save(tmp_path / "a.png")
    picture = Picture("a.png", "A [grey] picture.", (3, 2), name=Code("v"))
    figures = [Figure("One", [picture], id="one"), Figure("Two", [picture, picture], id="two")]
    document = Document("T", [], [Section("S", [*figures, Details("More", [Gallery([Figure("Three", [picture])])])])])
    page = html(document, tmp_path)
    assert page.count("data:image/png") == 3 and '<li>Three: <a href="a.png">A [grey] picture.</a></li>' in page
    text = markdown(document)
    assert text.count("![A \\[grey\\] picture.](a.png)") == 3 and "- Three: [A \\[grey\\] picture.](a.png)" in text


def test_an_unknown_verdict_is_shown(tmp_path: Path) -> None:
    document = Document("T", [], [Section("S", [Paragraph(Judged("odd"))])])
    assert "? odd" in markdown(document) and ">odd</span>" in html(document, tmp_path)
