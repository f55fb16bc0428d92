"""Worked answers: whole, in plain sentences, with formulas that typeset, and linked to tests and figures that exist."""

import re
from pathlib import Path

import pytest
from latex2mathml.converter import convert
from support.reading import functions

from regen.claims.answers import Answer, read_answers
from regen.common.errors import UserError
from regen.params.figures import anchors
from regen.params.reports import folders
from regen.params.schema import Params

ROOT = Path(__file__).parents[2]
ANSWERS = {name: read_answers(folder) for name, folder in folders(ROOT / "studies").items()}
ALL = [answer for answers in ANSWERS.values() for answer in answers]

GOOD = """
- id: lab1-q1
  where: Equation 1
  question: What is it?
  answer: [{text: This., formula: 'a=b'}]
  own: wrong
  remark: It says that.
  tests: ["tests/exact/test_bounds.py::test_a"]
"""


def test_every_report_has_three_to_twelve_numbered_in_their_order() -> None:
    assert {name for name, own in ANSWERS.items() if own} >= {"vu4a", "lab1", "davari", "ai3611", "uva3"}
    for report, answers in ((name, own) for name, own in ANSWERS.items() if own):
        assert 3 <= len(answers) <= 12, report
        assert [answer.id for answer in answers] == [f"{report}-q{number}" for number in range(1, len(answers) + 1)]


def test_named_tests_exist_and_those_written_for_answers_are_named() -> None:
    named = {node for answer in ALL for node in answer.tests}
    for node in named:
        path, _, name = node.partition("::")
        assert (ROOT / path).exists() and name in functions(path), node
    file = "tests/exact/test_worked_answers.py"
    assert {f"{file}::{name}" for name in functions(file) if name.startswith("test_")} <= named


def test_figures_exist(params: Params) -> None:
    known = {anchor for name, report in params.reports.items() for anchor in anchors(name, report.figures)}
    assert {place for answer in ALL for place in answer.figures} <= known


@pytest.mark.parametrize("answer", ALL, ids=lambda answer: answer.id)
def test_sentences_are_plain_and_formulas_typeset(answer: Answer) -> None:
    assert answer.question.endswith("?")
    for told in (answer.remark, *(step.text for step in answer.answer)):
        assert told == told.strip() and "  " not in told
        assert max(len(sentence.split()) for sentence in re.split(r"(?<=[.:;?]) ", told)) <= 34
    for step in answer.answer:
        typeset = convert(step.formula) if step.formula else ""
        # What the converter does not know it passes on as text.
        assert "\\" not in typeset and "merror" not in typeset


def test_a_study_needs_none(tmp_path: Path) -> None:
    assert read_answers(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD.replace('tests: ["tests/exact/test_bounds.py::test_a"]', ""), "'lab1-q1': a formula needs a test"),
        (GOOD.replace("  remark: It says that.\n", ""), "'lab1-q1': own = 'wrong' needs a remark"),
        (GOOD.replace("own: wrong", "own: maybe"), "maybe"),
        (GOOD.replace("[{text: This., formula: 'a=b'}]", "[]"), "answer"),
        (GOOD.replace("text: This.", "say: This."), "text: missing"),
        (GOOD.replace("tests/exact/test_bounds.py::test_a", "test_a"), "tests/"),
        (GOOD.replace("lab1-q1", "lab1-1"), "lab1-1"),
        (GOOD.replace("lab1-q1", "uva3-q1"), "'lab1-q<number>', once"),
        (2 * GOOD, "'lab1-q<number>', once"),
        ("- [}", "expected YAML"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    folder = tmp_path / "studies" / "lab1"
    folder.mkdir(parents=True)
    (folder / "answers.yaml").write_text(GOOD)
    assert [answer.id for answer in read_answers(folder)] == ["lab1-q1"]
    (folder / "answers.yaml").write_text(content)
    with pytest.raises(UserError) as caught:
        read_answers(folder)
    line = str(caught.value)
    assert "\n" not in line and "studies/lab1/answers.yaml" in line and said in line
