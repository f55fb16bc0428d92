"""Draw the pictures of one trained variant, from the weights of its first seed."""

from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.config.base import load
from regen.figures.pictures.draw import draw
from regen.params.figures import DrawConfig


def main(preset: str, variant: str) -> None:
    """Write reports/<preset>/figures/<variant>/, its index.json included."""
    config = load(DrawConfig, Path("configs", preset, f"{variant}.draw.json"))
    make_deterministic(config.threads)
    draw(config, preset, Path())
