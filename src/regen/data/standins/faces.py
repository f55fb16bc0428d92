"""The stand-in for CelebA: drawn faces whose factors are known."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from regen.common.determinism import derive_seed
from regen.data.standins.canvas import Array, Canvas, blend
from regen.images.images import Images

__all__ = ["COUNTS", "FACTORS", "draw_faces", "faces"]

SIZE = 64
COUNTS = {"train": 1000, "validation": 200, "test": 200}
FACTORS = ["pose", "hair_length", "hair_colour", "skin", "smile", "background", "clothes", "light"]
"""`pose` (turn of the head) and `light` (side it comes from) are in [-1, 1], left to right; the others in [0, 1]."""

HAIR = [(28, 22, 20), (62, 40, 28), (120, 62, 34), (150, 104, 58), (214, 178, 116), (196, 192, 188)]
SKIN = [(246, 212, 190), (232, 184, 152), (206, 150, 114), (160, 104, 74), (104, 66, 48)]
BACKGROUND = [(22, 22, 26), (92, 60, 48), (58, 84, 116), (112, 140, 112), (186, 168, 150), (238, 238, 236)]
CLOTHES = [(24, 26, 34), (120, 30, 38), (44, 66, 120), (150, 140, 130), (240, 240, 238)]
EYE = (54, 38, 30)
WHITE = (238, 232, 226)
CHUNK = 100


def faces(seed: int, counts: Mapping[str, int] = COUNTS, size: int = SIZE) -> dict[str, Images]:
    """Return `train`, `validation` and `test`, (N, 3, size, size), N of `counts`, with the factors (N, 8) that each face was drawn from."""
    sets = {}
    for name, count in counts.items():
        generator = np.random.default_rng(derive_seed(seed, "stand-in", "faces", name))
        factors = generator.random((count, len(FACTORS)), dtype=np.float32)
        for signed in ("pose", "light"):
            factors[:, FACTORS.index(signed)] = 2 * factors[:, FACTORS.index(signed)] - 1
        pixels = np.concatenate([draw_faces(factors[start : start + CHUNK], size) for start in range(0, count, CHUNK)])
        sets[name] = Images(torch.from_numpy(pixels), torch.from_numpy(factors), FACTORS)
    return sets


def draw_faces(factors: NDArray[np.float32], size: int = SIZE) -> NDArray[np.uint8]:
    """Draw one face (3, size, size) a row of factors (N, 8); the same factors always give the same face.

    Measures follow CelebA's aligned frame squashed to a square: eyes at mid-height, 0.22 from the middle.
    """
    pose, length, hair, skin, smile, background, clothes, light = (factors[:, i, None, None] for i in range(len(FACTORS)))
    head = _Head(pose, light)
    hair_colour, skin_colour = blend(HAIR, hair), blend(SKIN, skin)
    canvas = Canvas(size, blend(BACKGROUND, background))
    canvas.picture *= 1.08 - 0.22 * canvas.y[:, None]
    _back(canvas, head, length, hair_colour)
    _body(canvas, head, skin_colour, blend(CLOTHES, clothes))
    _face(canvas, head, length, skin_colour)
    _features(canvas, head, skin_colour, hair_colour)
    _mouth(canvas, head, smile, skin_colour)
    _fringe(canvas, head, length, hair_colour)
    return canvas.pixels()


class _Head:
    """A head turned about its vertical axis and lit from one side."""

    def __init__(self, pose: Array, light: Array) -> None:
        tangent = np.float32(0.55) * pose
        self.pose, self.light = pose, light
        self.cosine = 1 / np.sqrt(1 + tangent**2)
        self.sine = tangent * self.cosine

    def at(self, x: float, y: float) -> tuple[Array, Array]:
        """Return where a point of the face appears, and how far a width there is foreshortened."""
        depth = np.float32((0.55**2 - x**2 - 0.4 * (y - 0.1) ** 2) ** 0.5)
        # The aligned frame follows the eyes, so the face as a whole moves back by half.
        appears = x * self.cosine + depth * self.sine - np.float32(0.28) * self.sine
        return appears, np.clip(self.cosine - x / depth * self.sine, 0.35, 1.1)

    def shade(self, across: Array, down: Array) -> Array:
        """Return the light on a bulge with normal (`across`, `down`): a lamp high on one side, and the room's own light."""
        front = np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
        lit: Array = np.clip(0.5 * self.light * across - 0.35 * down + 0.75 * front, 0, 1)
        return np.float32(0.62) + np.float32(0.5) * lit


def _back(canvas: Canvas, head: _Head, length: Array, colour: Array) -> None:
    """Paint the hair behind the head: a cap, and down to the shoulders as it grows longer."""
    middle = np.float32(-0.1) * head.sine
    bottom = -0.05 + 0.95 * length
    width = 0.44 + 0.1 * length + 0.04 * canvas.y
    side = np.minimum(width - np.abs(canvas.x - middle), np.minimum(bottom - canvas.y, canvas.y + 0.25))
    strands = 0.7 + 0.25 * np.abs(((canvas.x * 6 + canvas.y) % 1) * 2 - 1)
    canvas.paint(canvas.inside(side, 3.0), colour, strands)


def _body(canvas: Canvas, head: _Head, skin: Array, clothes: Array) -> None:
    """Paint shoulders, neck and neckline."""
    zero, shift = np.zeros_like(head.pose), np.float32(0.06) * head.sine
    light = 1 + 0.25 * head.light * canvas.x - 0.2 * np.abs(canvas.x)
    canvas.paint(canvas.ellipse(zero, zero + 1.2, zero + 0.82, zero + 0.44, 2.0), clothes, light)
    neck = np.minimum(0.19 - np.abs(canvas.x - shift), 0.84 - canvas.y)
    canvas.paint(canvas.inside(np.minimum(neck, canvas.y - 0.3), 2.0), skin, 0.72 + 0.9 * head.light * (canvas.x - shift))
    canvas.paint(canvas.ellipse(shift, zero + 0.83, zero + 0.2, zero + 0.13, 2.0), skin, 0.85)


def _face(canvas: Canvas, head: _Head, length: Array, skin: Array) -> None:
    """Paint ears, which longer hair hides, and the face itself, an ellipse that narrows to the chin."""
    zero = np.zeros_like(head.pose)
    middle, wide = np.float32(0.12) * head.sine, 0.39 - 0.02 * np.abs(head.pose)
    for side in (-1, 1):
        ear = canvas.ellipse(middle + side * (wide - 0.01), zero + 0.1, 0.06 * np.clip(1 - side * head.pose, 0.3, 1.2), zero + 0.12)
        canvas.paint(ear * np.clip(1 - 2 * length, 0, 1), skin, 0.78)
    across, down = (canvas.x - middle) / (wide - 0.14 * np.clip(canvas.y - 0.15, 0, 1)), (canvas.y - 0.12) / 0.56
    depth = (1 - np.sqrt(across**2 + down**2)) * 0.45
    canvas.paint(canvas.inside(depth, 1.5), skin, head.shade(0.9 * across, 0.8 * down))


def _features(canvas: Canvas, head: _Head, skin: Array, hair: Array) -> None:
    """Paint brows, eyes and nose."""
    zero = np.zeros_like(head.pose)
    eye, white = blend([EYE, EYE], zero), blend([WHITE, WHITE], zero)
    for side in (-1, 1):
        x, scale = head.at(0.21 * side, 0.02)
        canvas.paint(0.35 * canvas.ellipse(x, zero + 0.0, 0.13 * scale, zero + 0.09, 5.0), skin, 0.6)
        canvas.paint(canvas.ellipse(x, zero + 0.03, 0.085 * scale, zero + 0.04), white, 0.9)
        canvas.paint(canvas.ellipse(x, zero + 0.028, 0.042 * scale, zero + 0.045), eye)
        bend = 0.8 * (canvas.x - x) ** 2
        canvas.paint(0.8 * canvas.ellipse(x, zero - 0.01 + bend * 3, 0.095 * scale, zero + 0.014), eye)
        canvas.paint(0.75 * canvas.ellipse(x, zero - 0.105 + bend * 2, 0.12 * scale, zero + 0.022, 1.3), hair, 0.6)
    x, scale = head.at(0.0, 0.24)
    x = x + 0.12 * head.sine
    canvas.paint(0.3 * canvas.ellipse(x + 0.05 * head.sine - 0.05 * head.light, zero + 0.14, 0.035 * scale, zero + 0.14, 3.0), skin, 0.6)
    canvas.paint(0.5 * canvas.ellipse(x, zero + 0.27, 0.085 * scale, zero + 0.022, 2.5), skin, 0.5)
    canvas.paint(0.35 * canvas.ellipse(x, zero + 0.2, 0.03 * scale, zero + 0.05, 3.0), skin, 1.2)


def _mouth(canvas: Canvas, head: _Head, smile: Array, skin: Array) -> None:
    """Paint lips whose corners rise with the smile, and teeth when it opens."""
    zero = np.zeros_like(head.pose)
    x, scale = head.at(0.0, 0.42)
    width = (0.14 + 0.05 * smile) * scale
    line = 0.43 - (1.6 * smile - 0.3) * ((canvas.x - x) ** 2 - 0.01)
    lips = skin * np.array([0.8, 0.5, 0.48], dtype=np.float32)[None, :, None, None]
    opening = 0.045 * np.clip(smile * 1.6 - 0.5, 0, 1)
    canvas.paint(canvas.ellipse(x, line, width, 0.04 + 1.1 * opening, 1.3), lips)
    canvas.paint(canvas.ellipse(x, line, 0.85 * width, 0.008 + opening, 1.3), blend([EYE, WHITE], np.clip(smile * 3 - 0.8, 0, 1)))
    canvas.paint(0.25 * canvas.ellipse(x, zero + 0.54, 0.1 * scale, zero + 0.02, 3.0), skin, 0.6)


def _fringe(canvas: Canvas, head: _Head, length: Array, colour: Array) -> None:
    """Paint the hair on top of the head, down to a hairline that parts at one side."""
    middle = np.float32(-0.06) * head.sine
    across, down = (canvas.x - middle) / (0.46 + 0.06 * length), (canvas.y + 0.06) / 0.56
    cap = (1 - np.sqrt(across**2 + down**2)) * 0.5
    parting = canvas.x - 0.14 * head.sine - 0.1
    hairline = -0.3 + (1.5 + 0.8 * length) * parting**2 - canvas.y
    gloss = 0.25 * np.clip(1 - np.abs(down + 0.55) * 4, 0, 1) * (1 + head.light * across)
    strands = 0.12 * np.abs(((across * 5 + parting * down * 4) % 1) * 2 - 1)
    light = head.shade(0.8 * across, 0.8 * down) - 0.15 + gloss + strands
    canvas.paint(canvas.inside(np.minimum(cap, hairline), 2.0), colour, light)
