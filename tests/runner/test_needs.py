"""What a stage's `meta: {runner: ...}` may say."""

from typing import Any

import pytest

from regen.runner.errors import RunnerError
from regen.runner.needs import Needs


def test_nothing_written_is_nothing_needed() -> None:
    assert Needs.read(None, "a") == Needs.read({}, "a") == Needs((), False, (), (), (), {}, False)


def test_what_is_written_is_read() -> None:
    written = {
        "preload": ["json", "csv"],
        "here": True,
        "code": ["src"],
        "keep": ["c"],
        "bring": ["l"],
        "resources": {"gpu": 0.5},
        "gate": True,
    }
    assert Needs.read(written, "a") == Needs(("json", "csv"), True, ("src",), ("c",), ("l",), {"gpu": 0.5}, gate=True)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"preloads": []}, "unknown key 'preloads'; allowed: bring, code, gate, here, keep, preload, resources"),
        ({"preload": "json"}, "preload: expected a list of texts, got 'json'"),
        ({"keep": [""]}, "keep: expected a list of texts, got ['']"),
        ({"here": "yes"}, "here: expected true or false, got 'yes'"),
        ({"gate": 1}, "gate: expected true or false, got 1"),
        ({"resources": {"gpu": 0}}, "resources: expected a mapping of names to amounts above 0, got {'gpu': 0}"),
        ({"resources": {"gpu": True}}, "resources: expected a mapping of names to amounts above 0, got {'gpu': True}"),
        (["json"], "expected a mapping, got ['json']"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(written: Any, said: str) -> None:
    with pytest.raises(RunnerError) as error:
        Needs.read(written, "train@x")
    assert str(error.value).startswith("train@x: meta: runner: ") and str(error.value).endswith(said)
