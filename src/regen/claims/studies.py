"""All studies read at once, to refuse what does not fit before anything runs."""

from pathlib import Path

from regen.claims.errata import read_errata
from regen.claims.reported import read_reported
from regen.claims.study import STUDIES, folders, read_claims
from regen.common.errors import UserError

__all__ = ["check_studies"]


def check_studies(studies: Path = STUDIES) -> None:
    """Read every report's claims, errata and printed numbers.

    Raises
    ------
    UserError
        If one is malformed, a claim has no check or a check no claim, a sentence names a number that its check does not give, an erratum
        names a claim or a printed number that is not there.
    """
    known = folders(studies)
    claims = {claim.id for folder in known.values() for claim in read_claims(folder)}
    for folder in known.values():
        quantities = {row.quantity for row in read_reported(folder)}
        for erratum in read_errata(folder):
            if stray := [name for name in erratum.claims if name not in claims] + [
                one for one in erratum.readings if one not in quantities
            ]:
                raise UserError(
                    f"{folder / 'errata.yaml'}: '{erratum.id}': '{stray[0]}' is no claim and no printed number; name one that is"
                )
