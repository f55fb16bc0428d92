"""Write the site of a preset, reports/<preset>/site/, and the report in short, reports/<preset>/report.md."""

from pathlib import Path

from regen.config.base import load
from regen.params.schema import ReportConfig
from regen.report.site import write_report


def main(preset: str) -> None:
    """Write both from the results, the pictures and the verdicts."""
    write_report(load(ReportConfig, Path("configs", preset, "report.json")), Path())
