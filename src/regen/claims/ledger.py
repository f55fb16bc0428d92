"""ledger.yaml: every claim of the reports with its operational test."""

from collections import Counter
from importlib.resources import files
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, model_validator

from regen.common.errors import UserError
from regen.config.base import Config, Name, parse

__all__ = ["Claim", "read_ledger"]

Names = Annotated[list[Name], Field(min_length=1)]


class Claim(Config):
    """One claim of a source report.

    `reported`: the numbers that it prints; `variants`: those that it is about; `later`: it needs runs beyond them; `shown`: anchors of
    figures ("vu4a-figure-3", "vu4a-added-1") and sections ("likelihoods", "samples") that show the evidence, if any do.
    """

    id: Name
    report: Name
    kind: Literal["number", "trend", "ordering", "quality", "conjecture", "added"]
    statement: str
    test: str
    reported: dict[Name, float] | None = None
    variants: Names
    later: bool = False
    shown: list[Annotated[str, Field(pattern=r"^([a-z0-9]+-(figure|added)-[1-9][0-9]*|likelihoods|samples)$")]] = []

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        if self.id.rsplit("-", 1)[0] != self.report:
            raise ValueError(f"id = '{self.id}': allowed: '{self.report}-' and a number")
        if (self.kind == "number") != (self.reported is not None):
            raise ValueError(f"{self.id}: allowed: 'reported' with kind 'number', and with that only")
        return self


class _Ledger(Config):
    claims: list[Claim]


def read_ledger() -> list[Claim]:
    """Return the claims in the order of the reports.

    Raises
    ------
    UserError
        If ledger.yaml has a bad value or an id twice.
    """
    source = files("regen.claims") / "ledger.yaml"
    claims = parse(_Ledger, {"claims": yaml.safe_load(source.read_text(encoding="utf-8"))}, "ledger.yaml").claims
    if twice := [name for name, count in Counter(claim.id for claim in claims).items() if count > 1]:
        raise UserError(f"ledger.yaml: '{twice[0]}' stands twice; allowed: each claim once")
    return claims
