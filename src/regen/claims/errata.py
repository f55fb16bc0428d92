"""What is wrong in the source reports, and what shows it."""

from importlib.resources import files
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, model_validator

from regen.config.base import Config, Name, parse

__all__ = ["Erratum", "read_errata"]

Shown = Annotated[dict[Literal["test", "claim", "reading", "figure"], str], Field(min_length=1, max_length=1)]
"""One link: a test's node id, a claim's id, the quantity of a reported number, or the anchor of a figure."""


class Erratum(Config):
    """One error of a source report: where it stands, what is wrong, what is right, and what shows it.

    `id` is the report, the number in the list of errata and a letter. `inference`: only the students' code could prove it.
    `shown_by` is empty where reading is enough.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+-[0-9]+[a-z]$")]
    report: Name
    where: str
    wrong: str
    right: str
    inference: bool = False
    shown_by: list[Shown]

    @model_validator(mode="after")
    def _of_its_report(self) -> Self:
        if not self.id.startswith(f"{self.report}-"):
            raise ValueError(f"id = '{self.id}': allowed with report '{self.report}': {self.report}-<number><letter>")
        return self


class _Errata(Config):
    errata: list[Erratum]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [erratum.id for erratum in self.errata]
        if doubled := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"id = '{doubled[0]}': allowed: once")
        return self


def read_errata() -> list[Erratum]:
    """Read errata.yaml.

    Raises
    ------
    UserError
        If an entry is malformed or an id stands twice.
    """
    source = files("regen.claims") / "errata.yaml"
    return parse(_Errata, {"errata": yaml.safe_load(source.read_text(encoding="utf-8"))}, "errata.yaml").errata
