"""Draw the charts of one report, or of the variants of all (`all`), from the preset's results alone."""

from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.config.base import load
from regen.figures.charts.render import render_charts
from regen.params.schema import ReportConfig


def main(preset: str, part: str) -> None:
    """Write reports/<preset>/figures/charts/<part>/, its index.json included."""
    config = load(ReportConfig, Path("configs", preset, "report.json"))
    make_deterministic(config.threads)
    render_charts(config, part, Path())
