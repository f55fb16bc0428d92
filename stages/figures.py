"""Draw all figures of one source report."""

from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.config.base import load
from regen.figures.render import render
from regen.params.schema import ReportConfig
from regen.stage import run


def main(preset: str, report: str) -> None:
    """Write reports/<preset>/figures/<report>/ and the index of its captions, <report>.json."""
    config = load(ReportConfig, Path("configs", preset, "report.json"))
    make_deterministic(config.threads)
    render(config, report, Path())


if __name__ == "__main__":
    run(main, "preset", "report")
