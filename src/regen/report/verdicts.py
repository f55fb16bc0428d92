"""What reports/<preset>/claims.json says of every claim and every erratum."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from regen.common.errors import UserError
from regen.common.files import read_json
from regen.results import Missing

__all__ = ["OUTCOMES", "STRENGTHS", "Verdicts", "reason"]

OUTCOMES = {"reproduced": "✓", "partly": "◐", "not reproduced": "✗", "undecided": "?"}
"""An outcome and the sign that tells it without colour."""

STRENGTHS = {
    "firm": "the report's data and schedule, at least three seeds, and an interval that excludes the alternative; settings that the "
    "report leaves open are chosen here, where the outcome does not turn on them; or it follows by proof, whatever the seeds",
    "indicative": "one of these is missing; the card says which",
    "none": "stand-in images, or not run yet",
}

Table = Mapping[str, Any]


def reason(claim: Table) -> str:
    """Return one thing that keeps a claim from being firm; empty of one that is firm.

    First what runs are short of (data, epochs, seeds), without the part that it concerns; "not measured" says nothing without its part.
    """
    reasons: list[str] = claim["reasons"]
    short = {said: str(why) for one in claim["parts"] for why in one["reasons"] for said in (why, f"{one['part']}: {why}")}
    return next((short[why] for why in reasons if why in short), next(iter(reasons), ""))


class Verdicts:
    """The claims and errata of all reports.

    Raises
    ------
    UserError
        If claims.json is missing or has another form.
    """

    def __init__(self, root: Path, preset: str) -> None:
        path = root / "reports" / preset / "claims.json"
        found = read_json(path)
        try:
            self.claims: list[Table] = found["claims"]
            self.errata: list[Table] = found["errata"]
            self.counts: Table = found["counts"]
            self.chance: Table = found["chance"]
            self._by_id = {claim["id"]: claim for claim in self.claims}
            self._errata = {erratum["id"]: erratum for erratum in self.errata}
        except (KeyError, TypeError) as error:
            raise UserError(f"{path}: expected claims, errata and their counts, got none of {error}; run 'dvc repro'") from error

    def of(self, report: str) -> list[Table]:
        """Return the claims of a report."""
        return [claim for claim in self.claims if claim["report"] == report]

    def errata_of(self, report: str) -> list[Table]:
        """Return the errata of a report, by rank."""
        return [erratum for erratum in self.errata if erratum["report"] == report]

    def claim(self, name: str) -> Table | None:
        """Return a claim, None if there is none of that name."""
        return self._by_id.get(name)

    def erratum(self, name: str) -> Table | None:
        """Return an erratum, None if there is none of that name."""
        return self._errata.get(name)

    def reported(self, claim: str, key: str) -> float:
        """Return a number that a report prints; raises Missing if the claim has none of that name."""
        value = (self._by_id.get(claim) or {}).get("reported", {}).get(key)
        if not isinstance(value, int | float):
            raise Missing(f"{claim} reports no number '{key}'")
        return float(value)

    @cached_property
    def reports(self) -> list[str]:
        """The reports that make claims, in order."""
        return list(dict.fromkeys(claim["report"] for claim in self.claims))
