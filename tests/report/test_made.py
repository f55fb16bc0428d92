"""How a report was made: a page from side files, whatever state they are in."""

import json
from pathlib import Path

from forms import Page, of, tables

from regen.report.html import html
from regen.report.made import made
from regen.report.markdown import markdown


def log(root: Path, name: str, **facts: object) -> None:
    path = root / "quick" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts))


def test_every_stage_is_a_row_and_seconds_are_summed(tmp_path: Path) -> None:
    shared = {"commit": "0123456789abcdef+changes", "device": "cpu", "versions": {"torch": "2.15.0"}}
    log(tmp_path, "lab1-vae-mnist/0/train", **shared, seconds=12.25, started="2026-01-02T03:04:05+00:00")
    log(tmp_path, "lab1-vae-mnist/0/evaluate", **shared, seconds=7.75, started="2026-01-03T00:00:00+00:00")
    log(tmp_path, "figures", **shared | {"device": "cuda"}, seconds=None)
    document = made("quick", tmp_path / "quick")
    for found in (tables(markdown(document)), Page(html(document, tmp_path)).tables):
        ((_, *rows),) = of(found, "stage")
        assert [row[:2] for row in rows] == [[".", "figures"], ["lab1-vae-mnist/0", "evaluate"], ["lab1-vae-mnist/0", "train"]]
        assert rows[2][2:6] == ["2026-01-02T03:04:05+00:00", "0123456789ab+changes", "cpu", "12.2"]
        ((_, *summary),) = of(found, "fact")
        assert ["seconds in all", "20", ""] in summary and ["device", "cuda", "1"] in summary
    assert "torch" in markdown(document)


def test_a_broken_side_file_is_named(tmp_path: Path) -> None:
    log(tmp_path, "features/mnist/features", seconds=1.0)
    (tmp_path / "quick/list.json").write_text("[1]")
    (tmp_path / "quick/half.json").write_text("{")
    text = markdown(made("quick", tmp_path / "quick"))
    assert "list.json: expected an object" in text and "half.json: expected JSON" in text and "features/mnist" in text


def test_without_side_files_the_page_says_so(tmp_path: Path) -> None:
    text = markdown(made("quick", tmp_path / "quick"))
    assert "There is no side file below logs/quick." in text and tables(text) == []
