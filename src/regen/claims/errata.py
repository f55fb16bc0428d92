"""What is wrong in the source reports, and what shows it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from regen.claims.study import read_entries
from regen.common.errors import UserError
from regen.config.base import Config, parse

__all__ = ["RANKS", "Erratum", "read_errata"]

RANKS = ("conceptual", "numerical", "editorial")


class Formulas(Config):
    """The same place of a report in LaTeX: as printed, and as it should be."""

    printed: str = ""
    correct: str


class Erratum(Config):
    """One error of a source report: where it stands, what is printed, what is correct, why one falls for it, and what shows it.

    `rank`: conceptual (a wrong conclusion or idea), numerical (a wrong formula, sign, size or number), editorial. `inference`: only the
    authors' code could prove it. `tests`: node ids; `readings`: quantities of reported.yaml.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+-[0-9]+[a-z]?$")]
    rank: Literal["conceptual", "numerical", "editorial"]
    where: str
    printed: str
    correct: str
    formulas: Formulas | None = None
    why: str = ""
    inference: bool = False
    tests: list[str] = []
    claims: list[str] = []
    figures: list[str] = []
    readings: list[str] = []


class _Errata(Config):
    errata: list[Erratum]


def read_errata(folder: Path) -> list[Erratum]:
    """Return the errata of a report, conceptual ones first.

    Raises
    ------
    UserError
        If an entry is malformed, an id stands twice or is of another report, or a conceptual one has neither a test nor a figure.
    """
    file = folder / "errata.yaml"
    errata = parse(_Errata, {"errata": read_entries(file)}, str(file)).errata
    seen: set[str] = set()
    for one in errata:
        if one.id in seen or not one.id.startswith(f"{folder.name}-"):
            raise UserError(f"{file}: id = '{one.id}': allowed: '{folder.name}-<number><letter>', once")
        if one.rank == "conceptual" and not (one.tests or one.figures):
            raise UserError(f"{file}: '{one.id}': a conceptual error needs a test or a figure that shows it; add one")
        seen.add(one.id)
    return sorted(errata, key=lambda one: RANKS.index(one.rank))
