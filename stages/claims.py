"""Write reports/<preset>/claims.json: the verdict on every claim of the reports, with its tests and numbers, and the errata."""

from pathlib import Path

from regen.claims.judge import judge
from regen.common.files import write_json
from regen.config.base import load
from regen.params.schema import ReportConfig


def main(preset: str) -> None:
    """Judge what is there; what is not leaves its own test undecided."""
    config = load(ReportConfig, Path("configs", preset, "report.json"))
    write_json(Path("reports", preset, "claims.json"), judge(config, Path()))
