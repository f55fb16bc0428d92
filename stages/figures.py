"""Draw all charts of a preset from its results alone."""

from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.config.base import load
from regen.figures.charts.render import render_charts
from regen.params.schema import ReportConfig
from regen.stage import run


def main(preset: str) -> None:
    """Write reports/<preset>/figures/charts/, its index.json included."""
    config = load(ReportConfig, Path("configs", preset, "report.json"))
    make_deterministic(config.threads)
    render_charts(config, Path())


if __name__ == "__main__":
    run(main, "preset")
