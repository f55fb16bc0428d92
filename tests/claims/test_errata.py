"""The list of errata: whole, in order, and every link leads somewhere."""

import ast
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from regen.claims import errata
from regen.claims.errata import Erratum, read_errata
from regen.claims.reported import read_reported
from regen.common.errors import UserError
from regen.config.base import parse
from regen.params.schema import Params

ROOT = Path(__file__).parents[2]
# Entries of the list that the errata come from.
NUMBERED = {"vu4a": 10, "lab1": 9, "davari": 8, "ai3611": 5, "uva3": 10}


def links(kind: str) -> list[tuple[str, str]]:
    """Return the id of an erratum and where it leads, of all links of a kind."""
    return [(erratum.id, link[kind]) for erratum in read_errata() for link in erratum.shown_by if kind in link]  # type: ignore[index]


@cache
def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_entry_of_every_report_is_there_in_order(params: Params) -> None:
    found = read_errata()
    assert list(dict.fromkeys(erratum.report for erratum in found)) == list(NUMBERED)
    assert set(NUMBERED) <= set(params.reports)
    for report, count in NUMBERED.items():
        ids = [erratum.id for erratum in found if erratum.report == report]
        parts = [(int(match[1]), match[2]) for match in (re.search(r"-(\d+)([a-z])$", one) for one in ids) if match]
        # Numbers without a gap, letters from a on.
        assert sorted({number for number, _ in parts}) == list(range(1, count + 1)) and parts == sorted(parts)
        for number in range(1, count + 1):
            letters = "".join(letter for other, letter in parts if other == number)
            assert letters == "abcdefghijkl"[: len(letters)]


def test_every_entry_is_plain_sentences() -> None:
    for erratum in read_errata():
        for text in (erratum.wrong, erratum.right):
            assert text == text.strip() and text.endswith(".") and "  " not in text, erratum.id
            assert max(len(sentence.split()) for sentence in re.split(r"(?<=[.:;?]) ", text)) <= 32, erratum.id


def test_every_linked_test_exists() -> None:
    for erratum, node in links("test"):
        path, _, name = node.partition("::")
        assert name in functions(path), f"{erratum}: {node}"


def test_every_test_of_the_errata_is_linked() -> None:
    linked = {node for _, node in links("test")}
    for path in sorted((ROOT / "tests" / "exact" / "errata").glob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        assert {f"{file}::{name}" for name in functions(file) if name.startswith("test_")} <= linked


def test_every_linked_claim_exists() -> None:
    ledger = files("regen.claims") / "ledger.yaml"
    if not ledger.is_file():
        pytest.skip("no ledger of claims")
    claims = set(re.findall(r"\bid: ([a-z0-9]+-[0-9]+)\b", ledger.read_text(encoding="utf-8")))
    assert {claim for _, claim in links("claim")} <= claims


def test_every_linked_reading_exists() -> None:
    quantities = {reported.quantity: reported.report for reported in read_reported()}
    for erratum, quantity in links("reading"):
        assert erratum.startswith(f"{quantities[quantity]}-"), quantity


def test_every_linked_figure_exists_in_the_errata_own_report(params: Params) -> None:
    figures = pytest.importorskip("regen.params.figures", reason="figures have no anchors")
    anchors = {report: figures.anchors(report, source.figures) for report, source in params.reports.items()}
    for erratum, anchor in links("figure"):
        assert anchor in anchors[erratum.split("-")[0]], erratum


GOOD: dict[str, Any] = {"id": "one-1a", "report": "one", "where": "W", "wrong": "Wrong.", "right": "Right.", "shown_by": []}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "one-1"}, ["id", "one-1"]),
        ({"id": "two-1a"}, ["two-1a", "one-<number><letter>"]),
        ({"shown_by": [{"proof": "x"}]}, ["shown_by", "proof"]),
        ({"shown_by": [{}]}, ["shown_by"]),
        ({"shown_by": [{"test": "a", "claim": "b"}]}, ["shown_by"]),
    ],
)
def test_a_malformed_entry_is_refused_in_one_line(changes: dict[str, Any], said: list[str]) -> None:
    assert parse(Erratum, GOOD, "errata.yaml").inference is False
    with pytest.raises(UserError) as caught:
        parse(Erratum, {**GOOD, **changes}, "errata.yaml")
    line = str(caught.value)
    assert line.startswith("errata.yaml: ") and "\n" not in line and all(words in line for words in said)


def test_an_id_that_stands_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = "- {id: one-1a, report: one, where: W, wrong: Wrong., right: Right., shown_by: []}\n"
    (tmp_path / "errata.yaml").write_text(2 * entry, encoding="utf-8")
    monkeypatch.setattr(errata, "files", lambda package: tmp_path)
    with pytest.raises(UserError, match=r"errata\.yaml: .*one-1a"):
        read_errata()
