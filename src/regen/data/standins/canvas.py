"""A batch of colour pictures to paint on: soft-edged shapes, palettes.

Only sums, products, quotients and square roots: IEEE arithmetic rounds them alike on every machine.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Canvas", "blend"]

Array = NDArray[np.floating[Any]]


def blend(stops: list[tuple[int, int, int]], at: Array) -> Array:
    """Return colours (B, 3, 1, 1) at positions `at` (B, 1, 1) in [0, 1] along evenly spaced colour stops of 0 to 255."""
    positions = np.linspace(0, 1, len(stops))
    channels = [np.interp(at.ravel(), positions, channel) for channel in zip(*stops, strict=True)]
    return np.stack(channels, axis=1)[:, :, None, None].astype(np.float32)


class Canvas:
    """Pictures (B, 3, S, S) from 0 to 255; x runs right and y down, from -1 to 1. Every measure may be (B, 1, 1)."""

    def __init__(self, size: int, colour: Array) -> None:
        """Start with pictures of `size` pixels a side, all of one colour (B, 3, 1, 1)."""
        axis = ((np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1).astype(np.float32)
        self.x, self.y = axis[None, None, :], axis[None, :, None]
        self.pixel = np.float32(2 / size)
        self.picture = np.broadcast_to(colour, (len(colour), 3, size, size)).astype(np.float32)

    def ellipse(self, x: Array, y: Array, width: Array, height: Array, edge: float = 1.0) -> Array:
        """Return the coverage (B, S, S) of an ellipse with half axes `width`, `height`; `edge` is its blur in pixels."""
        radius = np.sqrt(((self.x - x) / width) ** 2 + ((self.y - y) / height) ** 2)
        return self.inside((1 - radius) * np.sqrt(width * height), edge)

    def inside(self, depth: Array, edge: float = 1.0) -> Array:
        """Return the coverage of the region where `depth`, the distance to its border, is positive."""
        coverage: Array = np.clip(depth / (edge * self.pixel) + np.float32(0.5), 0, 1)
        return coverage

    def paint(self, coverage: Array, colour: Array, light: Array | float = 1.0) -> None:
        """Lay a colour (B, 3, 1, 1), times the light (B, S, S), over the pictures."""
        shade = np.asarray(light, dtype=np.float32)
        lit = colour * (shade[:, None] if shade.ndim else shade)
        self.picture += coverage[:, None] * (lit - self.picture)

    def pixels(self) -> NDArray[np.uint8]:
        """Return the pictures as whole numbers."""
        return np.rint(np.clip(self.picture, 0, 255)).astype(np.uint8)
