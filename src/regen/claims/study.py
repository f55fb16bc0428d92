"""The folders below studies/: what a source report claims, in statements that results can confirm or refute."""

import string
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

import regen
from regen.claims.check import declared
from regen.common.errors import UserError
from regen.config.base import Config, Name, parse
from regen.params.reading import read_yaml

__all__ = ["OTHERWISE", "OUTCOMES", "STUDIES", "Claim", "Explanation", "Sentences", "fields", "read_claims", "read_entries"]

STUDIES = Path(regen.__file__).parents[2] / "studies"
"""Of the tree whose code runs."""

OUTCOMES = ("reproduced", "partly", "not reproduced", "undecided")
OTHERWISE = "otherwise"
MOST_WORDS = 30

Sentences = dict[str, str | list[str]]
"""Outcome (or "otherwise") -> a template, or several of which the first counts whose numbers are all there."""


class Explanation(Config):
    """The explanation that a report gives of what it saw; `at_most`: results can make it possible, or show that it holds."""

    statement: str
    at_most: Literal["holds", "possible"] = "holds"
    sentences: Sentences = {}

    @model_validator(mode="after")
    def _of_verdicts(self) -> Self:
        _check_sentences(self.sentences, ("holds", "does not hold", "possible", "untested"))
        return self


class Claim(Config):
    """One claim of a source report.

    `reported`: the numbers that it prints; `variants`: those that it is about; `decides`: variants and probes whose run would decide it;
    `differs`: settings that are not the report's, or that it leaves open, and on which the outcome may turn;
    `notes`: sentences on how it was judged, which may name numbers of the check; one whose numbers are not there is left out;
    `figures`: anchors that show the evidence.
    """

    id: Name
    kind: Literal["claim", "conjecture", "recommendation", "theorem", "question"]
    where: str
    statement: str
    reported: dict[Name, float] = {}
    variants: list[Name] = []
    decides: list[Name] = []
    differs: str = ""
    sentences: Sentences
    explanation: Explanation | None = None
    notes: list[str] = []
    figures: list[Annotated[str, Field(pattern=r"^([a-z0-9]+-(figure|table|added)-[1-9][0-9]*[a-z]?|likelihoods|samples)$")]] = []

    @model_validator(mode="after")
    def _of_outcomes(self) -> Self:
        _check_sentences(self.sentences, OUTCOMES)
        for note in self.notes:
            _check_template(note, "notes")
        return self

    def names(self) -> set[str]:
        """Return the names of numbers in its sentences and notes."""
        told = [self.sentences, *([self.explanation.sentences] if self.explanation else [])]
        templates = [*self.notes, *(template for sentences in told for template in _templates(sentences))]
        return {name for template in templates for name in fields(template)}


class _Claims(Config):
    claims: list[Claim]


def fields(template: str) -> list[str]:
    """Return the names in braces."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def _templates(sentences: Sentences) -> list[str]:
    return [one for value in sentences.values() for one in ([value] if isinstance(value, str) else value)]


def _check_sentences(sentences: Sentences, verdicts: tuple[str, ...]) -> None:
    if unknown := [key for key in sentences if key not in (*verdicts, OTHERWISE)]:
        raise ValueError(f"sentences.{unknown[0]}: allowed: {', '.join((*verdicts, OTHERWISE))}")
    for template in _templates(sentences):
        _check_template(template, "sentences")
        if (count := len(template.split())) > MOST_WORDS:
            raise ValueError(f"sentences: {count} words in '{template[:40]}...'; allowed: at most {MOST_WORDS}")


def _check_template(template: str, key: str) -> None:
    try:
        fields(template)
    except ValueError as error:
        raise ValueError(f"{key}: '{template}': allowed: names in braces; {error}") from None


def read_entries(file: Path) -> object:
    """Return the entries of a study's YAML file; none where the study lacks the file.

    Raises
    ------
    UserError
        If it cannot be read or is no YAML.
    """
    return read_yaml(file) if file.exists() else []


def read_claims(folder: Path) -> list[Claim]:
    """Return the claims of a report in their order.

    Raises
    ------
    UserError
        If claims.yaml has a bad value, an id twice or of another report, a claim without a check, or a number in a sentence or a note that
        its check does not give, or checks.py a check without a claim.
    """
    file = folder / "claims.yaml"
    claims = parse(_Claims, {"claims": read_entries(file)}, str(file)).claims
    gives = declared(folder / "checks.py")
    seen: set[str] = set()
    for claim in claims:
        if claim.id in seen:
            raise UserError(f"{file}: '{claim.id}' stands twice; allowed: each claim once")
        if claim.id.rsplit("-", 1)[0] != folder.name:
            raise UserError(f"{file}: id = '{claim.id}': allowed: '{folder.name}-' and a number")
        if claim.id not in gives:
            raise UserError(f"{file}: '{claim.id}' has no check in {folder / 'checks.py'}; add '@check(\"{claim.id}\")'")
        if unknown := sorted(claim.names() - gives[claim.id]):
            known = ", ".join(sorted(gives[claim.id]))
            raise UserError(f"{file}: '{claim.id}': unknown number '{unknown[0]}' in a sentence or a note; allowed: {known}")
        seen.add(claim.id)
    if stray := [name for name in gives if name not in seen]:
        raise UserError(f"{folder / 'checks.py'}: '{stray[0]}' is no claim of {file}; remove the check or add the claim")
    return claims
