"""Write reports/<preset>/claims.json: the verdict on every claim of the reports, with its numbers."""

from pathlib import Path

from regen.claims.evidence import Evidence
from regen.claims.judge import judge
from regen.claims.ledger import read_ledger
from regen.claims.registry import registered
from regen.common.files import write_json
from regen.config.base import load
from regen.params.schema import ReportConfig


def main(preset: str) -> None:
    """Judge what is there; a claim whose results are not is not judged."""
    config = load(ReportConfig, Path("configs", preset, "report.json"))
    claims = [claim for claim in read_ledger() if claim.report in config.reports]
    write_json(Path("reports", preset, "claims.json"), judge(claims, registered(), Evidence(config, Path())))
