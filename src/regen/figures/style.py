"""One look for every figure, and files that are the same bits in every run."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from regen.common.files import replacing

mpl.use("agg")

__all__ = ["BLUE", "CLASSES", "DASHES", "GREEN", "LINES", "MARKERS", "VERMILLION", "apply_style", "save"]

# Okabe and Ito's palette: told apart with every kind of colour vision, and in grey.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
CLASSES = (BLUE, VERMILLION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000", "#8B4513", "#999999")
"""Ten colours for classes: the palette's eight, brown and grey."""

LINES = tuple(colour for colour in CLASSES if colour != "#F0E442")
"""Those of them that a thin line on white can have."""
DASHES = ("-", "--", "-.", ":")
MARKERS = "osD^v"
"""What tells lines and dots apart beside their colours."""


def apply_style() -> None:
    """Set matplotlib's defaults for all figures of the project."""
    mpl.rcdefaults()
    mpl.rcParams.update(
        {
            "figure.dpi": 110,
            "figure.figsize": (6.4, 3.6),
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "axes.grid": True,
            "axes.titlesize": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.alpha": 0.3,
            "image.cmap": "gray",
            "image.interpolation": "nearest",
            "legend.frameon": False,
        }
    )


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of the same pixels in as few bytes as it takes: grey if they are, never transparent; no software tag; atomically."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    grey = (pixels == pixels[..., :1]).all()
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels))
    with replacing(path) as temporary:
        image.save(temporary, format="png", optimize=True, dpi=(figure.dpi, figure.dpi))
