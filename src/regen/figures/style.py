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

__all__ = ["BLUE", "CLASSES", "DASHES", "GREEN", "LINES", "MARKERS", "PURPLE", "VERMILLION", "apply_style", "save"]

# Okabe and Ito's palette: told apart with every kind of colour vision, and in grey.
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
CLASSES = (BLUE, VERMILLION, GREEN, PURPLE, "#E69F00", "#56B4E9", "#F0E442", "#000000", "#8B4513", "#999999")
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


def save(figure: Figure, path: Path, plot: bool = False) -> None:
    """Write a PNG of the same pixels in as few bytes as it takes: grey if they are, by a palette if 256 colours do; atomically.

    Never transparent, and no software tag. A plot of more colours, all shades between a few, has the 256 that come nearest.
    """
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    grey = (pixels == pixels[..., :1]).all()
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels))
    if not grey and image.getcolors(256) is not None:
        image = _indexed(pixels)
    elif not grey and plot:
        image = image.quantize(256, dither=Image.Dither.NONE)
    with replacing(path) as temporary:
        image.save(temporary, format="png", optimize=True, dpi=(figure.dpi, figure.dpi))


def _indexed(pixels: np.ndarray) -> Image.Image:
    """Return pixels (H, W, 3) of at most 256 colours as an image with a palette of just these."""
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    colours, places = np.unique(packed, return_inverse=True)
    image = Image.fromarray(places.reshape(packed.shape).astype(np.uint8), mode="P")
    image.putpalette(np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8).tobytes())
    return image
