"""Locks are written in batches, whole, as DVC would write them; what is wrong with one is told before anything runs."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import dumps_yaml
from toy import Toy, stage

from regen.runner import tables
from regen.runner.errors import RunnerError
from regen.runner.locks import check, spliced

ROOT = Path(__file__).parents[2]
LOCKS = [name for name in ("dvc.lock", "pipeline/probe/dvc.lock", "paper/dvc.lock") if (ROOT / name).exists()]


def entry(number: int) -> dict[str, Any]:
    return {
        "cmd": f"python a.py {number} " + "word " * 30 + "'q': \"x\"",
        "outs": [{"path": f"o/{number}", "hash": "md5", "md5": f"{number:032x}"}],
    }


def lock(names: list[str]) -> str:
    """Return a lock as DVC writes it."""
    return str(dumps_yaml({"schema": "2.0", "stages": {name: entry(len(name)) for name in names}}))


NAMES = ["a", "bb@x-0", "ccc", "1", "on", "dddd"]


@pytest.mark.parametrize("seed", range(6))
def test_batches_in_any_order_end_as_one_lock_in_the_plans_order(seed: int) -> None:
    order = list(NAMES)
    done = random.Random(seed).sample(order, len(order))
    text = ""
    for first in range(0, len(done), 2):
        text = spliced(text, {name: entry(len(name)) for name in done[first : first + 2]}, order)
    assert text == lock(order)


def test_entries_keep_their_places_and_other_stages_stay() -> None:
    text = lock(["z", "bb@x-0", "a", "gone"])
    new = spliced(text, {"a": entry(77), "ccc": entry(3)}, ["a", "bb@x-0", "ccc", "z"])
    assert list(yaml.safe_load(new)["stages"]) == ["z", "bb@x-0", "ccc", "a", "gone"]
    assert yaml.safe_load(new)["stages"]["a"] == entry(77)
    # As text, all that did not change is what it was.
    kept = {line for line in text.splitlines() if line not in lock(["a"]).splitlines()}
    assert kept <= set(new.splitlines())


def test_nothing_new_changes_nothing() -> None:
    text = "# by hand\n" + lock(["a"])
    assert spliced(text, {"a": entry(1)}, ["a"]) is text


@pytest.mark.parametrize(
    "text",
    [
        "schema: '2.0'\nstages: {a: {cmd: x}}\n",
        "schema: '2.0'\nstages:\n    a:\n        cmd: x\n",
        "schema: '2.0'\nstages:\n  a:\n    cmd: x\n# end\n",
        "stages:\n  a:\n    cmd: x\nschema: '2.0'\n",
        "schema: '2.0'\n",
        "schema: '2.0'\nstages: {}\n",
    ],
)
def test_a_lock_that_dvc_did_not_write_is_understood(text: str) -> None:
    old = yaml.safe_load(text).get("stages") or {}
    new = yaml.safe_load(spliced(text, {"b": entry(2)}, ["a", "b"]))
    assert new == {"schema": "2.0", "stages": {**old, "b": entry(2)}}


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_taken_out_of_a_real_lock_and_put_back_gives_the_same_file(name: str) -> None:
    text = (ROOT / name).read_text()
    stages = yaml.load(text, yaml.CSafeLoader)["stages"]
    order = list(stages)
    taken = random.Random(1).sample(order, min(5, len(order) - 1))
    rest = str(dumps_yaml({"schema": "2.0", "stages": {key: value for key, value in stages.items() if key not in taken}}))
    assert spliced(rest, {key: stages[key] for key in taken}, order) == text


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Path]]:
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> list[Path]:
        Path("dvc.lock").write_text(text)
        return [Path("dvc.lock")]

    return write


def test_an_empty_lock_is_removed_and_told(locked: Callable[[str], list[Path]]) -> None:
    told: list[str] = []
    assert check(locked("\n"), told.append)
    assert not Path("dvc.lock").exists() and len(told) == 1 and told[0].startswith("dvc.lock: empty, removed")


def test_a_whole_lock_is_left_alone(locked: Callable[[str], list[Path]]) -> None:
    told: list[str] = []
    assert not check(locked(lock(NAMES)), told.append) and not told
    assert Path("dvc.lock").read_text() == lock(NAMES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            lock(["a"]) + "<<<<<<< HEAD\n" + "=======\n>>>>>>> other\n",
            "dvc.lock: expected a lock, got one with the marks of a merge conflict; ",
        ),
        (lock(["a", "bb"])[: lock(["a", "bb"]).rindex("md5:") + 3], "dvc.lock: expected a whole lock, got one that is cut off or damaged"),
        ("schema: '2.0'\nstages:\n  a:\n", "dvc.lock: expected a whole lock, got one that is cut off or damaged"),
        ("\0" * 100, "dvc.lock: expected a whole lock, got one that is cut off or damaged"),
    ],
)
def test_a_lock_that_has_to_be_mended_is_one_line_and_nothing_is_deleted(locked: Callable[[str], list[Path]], text: str, said: str) -> None:
    paths = locked(text)
    with pytest.raises(RunnerError) as error:
        check(paths, lambda line: None)
    assert str(error.value).startswith(said) and "\n" not in str(error.value) and "git checkout" in str(error.value)
    assert Path("dvc.lock").read_text() == text


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        (lambda text: text + "<<<<<<< HEAD\n", 1, "merge conflict"),
        (lambda text: text[: text.index("md5: ") + 3], 1, "cut off or damaged"),
        (lambda text: "", 0, "dvc.lock: empty, removed"),
    ],
)
def test_a_bad_lock_is_told_before_anything_runs(
    toy: Callable[[dict[str, Any]], Toy], change: Callable[[str], str], status: int, said: str
) -> None:
    made = toy({"a": stage("in.txt", "a.txt"), "b": stage("a.txt", "b.txt")})
    assert made.run()[0] == 0
    text = Path("dvc.lock").read_text()
    Path("dvc.lock").write_text(change(text))
    before = Path("dvc.lock").read_text()
    ended, log = made.run()
    assert ended == status and said in log
    if status:
        assert log.count("\n") == 1 and Path("dvc.lock").read_text() == before
    else:
        assert "restored a" in log and Path("dvc.lock").read_text() == text


def test_a_full_disk_keeps_the_old_lock(toy: Callable[[dict[str, Any]], Toy], monkeypatch: pytest.MonkeyPatch) -> None:
    made = toy({"a": stage("in.txt", "a.txt")})
    assert made.run()[0] == 0
    old = Path("dvc.lock").read_text()
    Path("in.txt").write_text("other")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device", "dvc.lock")

    with monkeypatch.context() as broken:
        broken.setattr(tables.os, "fsync", full)
        status, log = made.run()
    assert status == 1 and "error: dvc.lock: not written: No space left on device" in log
    assert Path("dvc.lock").read_text() == old and not list(Path().glob(".*.tmp"))
    # What ran is not lost.
    status, log = made.run()
    assert status == 0 and "restored a" in log and Path("dvc.lock").read_text() != old
