"""Write reports/<preset>/report.md and report.html."""

from pathlib import Path

from regen.common.files import write_text
from regen.config.base import load
from regen.params.schema import ReportConfig
from regen.report.assemble import assemble
from regen.report.html import html
from regen.report.markdown import markdown


def main(preset: str) -> None:
    """Write both forms of one document."""
    folder = Path("reports", preset)
    report = assemble(load(ReportConfig, Path("configs", preset, "report.json")), Path())
    write_text(folder / "report.md", markdown(report))
    write_text(folder / "report.html", html(report, folder))
