"""Larochelle's fixed binarisation of MNIST, from text of zeros and ones."""

from pathlib import Path

import numpy as np
import torch

from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["read_binarized_mnist"]

PIXELS = 28 * 28


def read_binarized_mnist(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return `train`, `validation` and `test` images (N, 1, 28, 28) of values 0 and 255, without labels.

    Source: Larochelle and Murray 2011, http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/.

    Raises
    ------
    UserError
        If a file is missing or is not rows of 784 zeros and ones.
    """
    names = {"train": "train", "validation": "valid", "test": "test"}
    return {key: _rows(raw / f"binarized_mnist_{name}.amat") for key, name in names.items()}


def _rows(path: Path) -> Images:
    expected = f"rows of {PIXELS} zeros and ones"
    try:
        text = path.read_bytes()
    except OSError as error:
        raise damaged(path, expected, error) from error
    pixels = np.frombuffer(text.translate(None, b" \r\n"), dtype=np.uint8) - ord("0")
    # Unsigned: a character below '0' wraps to a large value.
    if pixels.size == 0 or pixels.max() > 1:
        raise damaged(path, expected, "no text" if pixels.size == 0 else "other characters")
    if pixels.size % PIXELS:
        raise damaged(path, expected, f"{pixels.size // PIXELS} rows and {pixels.size % PIXELS} values")
    images = torch.from_numpy(pixels * np.uint8(255)).reshape(-1, 1, 28, 28)
    return Images(images, torch.empty(len(images), 0))
