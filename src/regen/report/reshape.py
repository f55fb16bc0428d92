"""What a wrong reshape for plotting makes of right images."""

import numpy as np

from regen.report.pictures import Pictures, Thumbnail

__all__ = ["misread", "reshaped"]


def misread(image: np.ndarray) -> np.ndarray:
    """Return an image (H, W, 3) whose values, stored as (3, H, W), were read as (H, W, 3)."""
    return np.ascontiguousarray(image.transpose(2, 0, 1)).reshape(image.shape)


def reshaped(pictures: Pictures, variant: str) -> tuple[tuple[Thumbnail, str], ...]:
    """Return a variant's samples as they are and as they are misread, with captions; nothing where they were not drawn."""
    found = pictures.samples(variant)
    if found is None:
        return ()
    tiles = pictures.tiles(*found)
    columns = found[1].columns
    right = pictures.save(_laid_out(tiles, columns), f"{variant}-right.png", "Samples of the GAN, axes in the right order: digits")
    wrong = pictures.save(
        _laid_out([misread(one) for one in tiles], columns),
        f"{variant}-wrong.png",
        "The same samples, axes in the wrong order: each shows nine small, coloured, interleaved copies",
    )
    return ((right, "right axis order"), (wrong, "wrong axis order"))


def _laid_out(tiles: list[np.ndarray], columns: int) -> np.ndarray:
    """Lay tiles (H, W, 3) out on a grid with a grey line between."""
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 153, dtype=np.uint8)
    for index, image in enumerate(tiles):
        row, column = divmod(index, columns)
        canvas[row * (height + 1) : row * (height + 1) + height, column * (width + 1) : column * (width + 1) + width] = image
    return canvas
