"""ledger.yaml against params.yaml and the checks."""

from pathlib import Path

import pytest
from written import Written

from regen.claims.checks import vu4a_losses
from regen.claims.ledger import Claim, read_ledger
from regen.claims.registry import check, registered
from regen.common.errors import UserError
from regen.config.base import parse
from regen.params.figures import anchors
from regen.params.schema import ReportConfig
from regen.report.assemble import assemble

CLAIMS = {claim.id: claim for claim in read_ledger()}


def test_every_claim_of_the_five_reports_is_there() -> None:
    counts = {"vu4a": 22, "lab1": 7, "davari": 12, "ai3611": 5, "uva3": 16}
    assert list(CLAIMS) == [f"{report}-{number}" for report, count in counts.items() for number in range(1, count + 1)]
    later = {"vu4a-20", "vu4a-21", "vu4a-22", "lab1-5", "uva3-14", "uva3-16"}
    assert {claim.id for claim in CLAIMS.values() if claim.later} == later


def test_reports_and_variants_exist(paper: ReportConfig) -> None:
    assert {claim.report for claim in CLAIMS.values()} <= paper.reports.keys()
    assert {name for claim in CLAIMS.values() for name in claim.variants} <= paper.variants.keys()


def test_every_claim_that_can_be_judged_has_a_check_and_every_check_a_claim() -> None:
    assert set(registered()) == {claim.id for claim in CLAIMS.values() if not claim.later}


def test_what_shows_the_evidence_is_a_figure_or_section_of_the_report(paper: ReportConfig, tmp_path: Path) -> None:
    figures = {anchor for name, report in paper.reports.items() for anchor in anchors(name, report.figures)}
    (tmp_path / "results/paper/vu4a-vae-mnist/0").mkdir(parents=True)
    (tmp_path / "results/paper/vu4a-vae-mnist/0/metrics.json").write_text("{}")
    sections = {section.id for section in assemble(paper, tmp_path).sections}
    assert {place for claim in CLAIMS.values() for place in claim.shown} <= figures | sections


def test_the_printed_numbers_are_those_of_the_checks() -> None:
    assert CLAIMS["vu4a-1"].reported == {"train": vu4a_losses.TRAIN, "val": vu4a_losses.VALIDATION}


def changed(**changes: object) -> dict[str, object]:
    return {**CLAIMS["vu4a-3"].model_dump(), **changes}


@pytest.mark.parametrize(
    "changes",
    [{"report": "uva3"}, {"variants": []}, {"kind": "number"}, {"reported": {"train": 1.0}}, {"kind": "guess"}, {"shown": ["Figure 3"]}],
)
def test_a_bad_claim_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UserError):
        parse(Claim, changed(**changes), "ledger.yaml")


def test_one_check_a_claim(written: Written) -> None:
    registered()
    with pytest.raises(ValueError, match="vu4a-3: allowed: one check a claim"):
        check("vu4a-3")(lambda evidence: written.find("vu4a-3"))
