"""Worked answers to the questions that a source report answers, or leaves out."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regen.claims.study import read_entries
from regen.common.errors import UserError
from regen.config.base import Config, parse

__all__ = ["Answer", "read_answers"]

Text = Annotated[str, Field(min_length=1)]
Node = Annotated[str, Field(pattern=r"^tests/[a-z0-9_/]+\.py::test_[a-z0-9_]+$")]


class Step(Config):
    """A few sentences, and the formula in LaTeX that they lead to."""

    text: Text
    formula: str = ""


class Answer(Config):
    """A question in this project's words, where the report poses or answers it, and the answer step by step.

    `own` is what the report's own answer is, `remark` what is wrong or left out in it. `tests` are node ids that show the formulas.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+-q[1-9][0-9]*$")]
    where: Text
    question: Text
    answer: Annotated[list[Step], Field(min_length=1)]
    own: Literal["right", "partly right", "wrong", "left out"]
    remark: str = ""
    tests: list[Node] = []
    errata: list[str] = []
    claims: list[str] = []
    figures: list[str] = []

    @model_validator(mode="after")
    def _shown(self) -> Self:
        if any(step.formula for step in self.answer) and not self.tests:
            raise ValueError(f"'{self.id}': a formula needs a test that shows it; add one to tests")
        if self.own in ("partly right", "wrong") and not self.remark:
            raise ValueError(f"'{self.id}': own = '{self.own}' needs a remark that says what is not right; add one")
        return self


class _Answers(Config):
    answers: list[Answer]


def read_answers(folder: Path) -> list[Answer]:
    """Return the worked answers of a report in their order; none where there is no answers.yaml.

    Raises
    ------
    UserError
        If an entry is malformed, has a formula without a test, or an id stands twice or is of another report.
    """
    file = folder / "answers.yaml"
    answers = parse(_Answers, {"answers": read_entries(file)}, str(file)).answers
    seen: set[str] = set()
    for one in answers:
        if one.id in seen or not one.id.startswith(f"{folder.name}-"):
            raise UserError(f"{file}: id = '{one.id}': allowed: '{folder.name}-q<number>', once")
        seen.add(one.id)
    return answers
