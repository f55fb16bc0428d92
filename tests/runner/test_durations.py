"""What stages took before says how long is left and which chains are long."""

import json
from pathlib import Path

import pytest

from regen.runner.durations import expected, left, ranks
from regen.runner.progress import spell
from regen.runner.tables import Table, write_whole


def test_a_new_stage_is_expected_to_take_what_its_kind_took() -> None:
    before = {"train@a": 10.0, "train@b": 30.0, "report": 2.0}
    assert expected(["train@a", "train@new", "draw@new"], before) == {"train@a": 10.0, "train@new": 20.0, "draw@new": 14.0}
    assert expected(["train@a"], {}) == expected(["train@a"], {"train@a": "long"}) == {}


UPSTREAM = {"a": set[str](), "b": {"a"}, "c": {"a"}, "d": {"c"}}
SECONDS = {"a": 1.0, "b": 10.0, "c": 2.0, "d": 3.0}


def test_a_chain_is_as_long_as_its_longest_branch() -> None:
    assert ranks(list("abcd"), UPSTREAM, SECONDS) == {"a": 11.0, "b": 10.0, "c": 5.0, "d": 3.0}


def test_what_is_left_is_bounded_by_the_slots_and_by_the_longest_chain() -> None:
    chains = ranks(list("abcd"), UPSTREAM, SECONDS)
    assert left(SECONDS, chains, 1) == 16.0
    assert left(SECONDS, chains, 2) == 11.0
    assert left({}, chains, 2) == 0.0


@pytest.mark.parametrize(("seconds", "said"), [(0.04, "0.0 s"), (12.34, "12.3 s"), (245, "4 min 5 s"), (7800, "2 h 10 min")])
def test_durations_are_spelled(seconds: float, said: str) -> None:
    assert spell(seconds) == said


@pytest.mark.parametrize("text", ["", "[1]", '{"a": 1', "\0"])
def test_a_memory_that_cannot_be_read_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.json").write_text(text)
    assert Table(tmp_path / "t.json").entries == {}


def test_two_who_write_lose_nothing(tmp_path: Path) -> None:
    one, two = Table(tmp_path / "x/t.json"), Table(tmp_path / "x/t.json")
    one.update({"a": 1})
    two.update({"b": 2})
    assert json.loads((tmp_path / "x/t.json").read_text()) == {"a": 1, "b": 2}


def test_a_file_is_written_through_its_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]
