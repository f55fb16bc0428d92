"""All studies read at once, to refuse what does not fit before anything runs."""

from collections.abc import Collection
from pathlib import Path

from regen.claims.answers import read_answers
from regen.claims.errata import read_errata
from regen.claims.reported import read_reported
from regen.claims.study import read_claims
from regen.common.errors import UserError
from regen.params.schema import Params

__all__ = ["check_studies"]


def check_studies(params: Params, studies: Path) -> None:
    """Read every report's claims, errata, printed numbers and worked answers.

    Raises
    ------
    UserError
        If one is malformed, a claim has no check or a check no claim, a sentence names a number that its check does not give, a claim or a
        reading names a variant or a probe that is not in params.yaml, an erratum a claim or a printed number that is not there, an answer
        a claim or an erratum that is not there.
    """
    variants = {name for group in params.variants.values() for name in group}
    runs = variants | set(params.probes.named())
    claims = {report: read_claims(studies / report) for report in params.reports}
    ids = {claim.id for own in claims.values() for claim in own}
    errata = {erratum.id for report in claims for erratum in read_errata(studies / report)}
    for report, own in claims.items():
        folder = studies / report
        for claim in own:
            where = f"{folder / 'claims.yaml'}: '{claim.id}'"
            _check_known(f"{where}: variants", claim.variants, variants, "variant", "names below 'variants' in params.yaml")
            _check_known(f"{where}: decides", claim.decides, runs, "variant or probe", "names below 'variants' and 'probes' in params.yaml")
        reported = read_reported(folder)
        for row in reported:
            read = [reading.variant for reading in row.readings]
            where = f"{folder / 'reported.yaml'}: '{row.quantity}': variant"
            _check_known(where, read, variants, "variant", "names below 'variants' in params.yaml")
        quantities = {row.quantity for row in reported}
        for erratum in read_errata(folder):
            where = f"{folder / 'errata.yaml'}: '{erratum.id}'"
            _check_known(f"{where}: claims", erratum.claims, ids, "claim", "ids of claims")
            _check_known(f"{where}: readings", erratum.readings, quantities, "printed number", "quantities of reported.yaml")
        for answer in read_answers(folder):
            where = f"{folder / 'answers.yaml'}: '{answer.id}'"
            _check_known(f"{where}: claims", answer.claims, ids, "claim", "ids of claims")
            _check_known(f"{where}: errata", answer.errata, errata, "erratum", "ids of errata")


def _check_known(where: str, names: Collection[str], known: Collection[str], what: str, allowed: str) -> None:
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"{where}: unknown {what} '{unknown[0]}'; allowed: {allowed}")
