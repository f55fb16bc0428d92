"""Draw the figures that compare variants, from their tables."""

from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.config.base import load
from regen.figures.comparison import render_comparison
from regen.params.schema import ReportConfig
from regen.stage import run


def main(preset: str) -> None:
    """Write reports/<preset>/figures/comparison/ and the index of its captions, comparison.json."""
    config = load(ReportConfig, Path("configs", preset, "report.json"))
    make_deterministic(config.threads)
    render_comparison(config, Path())


if __name__ == "__main__":
    run(main, "preset")
