"""How a report was made: a page from side files."""

import json
from pathlib import Path

import pytest

from regen.common.errors import UserError
from regen.report.made import made


def log(root: Path, name: str, **facts: object) -> None:
    path = root / "quick" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts))


def test_every_stage_is_a_row_and_seconds_are_summed(tmp_path: Path) -> None:
    shared = {"commit": "0123456789abcdef+changes", "device": "cpu", "versions": {"torch": "2.15.0"}}
    log(tmp_path, "lab1-vae-mnist/0/train", **shared, seconds=12.25, started="2026-01-02T03:04:05+00:00")
    log(tmp_path, "lab1-vae-mnist/0/evaluate", **shared, seconds=7.75, started="2026-01-03T00:00:00+00:00")
    log(tmp_path, "report", **shared | {"device": "cuda"}, seconds=None)
    page = made("quick", tmp_path / "quick")
    assert page.index("<code>lab1-vae-mnist/0</code></td><td>evaluate") < page.index("<code>lab1-vae-mnist/0</code></td><td>train")
    assert "<b>20</b> seconds in all" in page and "0123456789ab+changes" in page and "12.2" in page
    assert "<td>device</td><td>cuda</td>" in page and "<td>torch</td><td>2.15.0</td>" in page


def test_a_broken_side_file_ends_in_one_line(tmp_path: Path) -> None:
    log(tmp_path, "features/mnist/features", seconds=1.0)
    (tmp_path / "quick/list.json").write_text("[1]")
    with pytest.raises(UserError, match=r"list\.json: expected an object"):
        made("quick", tmp_path / "quick")


def test_without_side_files_the_page_says_so(tmp_path: Path) -> None:
    assert "there is no side file below <code>logs/quick</code>" in made("quick", tmp_path / "quick")
