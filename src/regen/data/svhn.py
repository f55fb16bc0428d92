"""SVHN's cropped digits (format 2) from MATLAB files."""

from pathlib import Path

import numpy as np
import torch

from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["read_svhn"]


def read_svhn(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return `train` and `test` images (N, 3, 32, 32) with labels 0 to 9.

    Source: Netzer et al. 2011, http://ufldl.stanford.edu/housenumbers/.

    Raises
    ------
    UserError
        If a file is missing, truncated or holds other arrays.
    """
    return {key: _digits(raw / f"{key}_32x32.mat") for key in ("train", "test")}


def _digits(path: Path) -> Images:
    from scipy.io import loadmat

    expected = "a MATLAB file with X (32, 32, 3, N) uint8 and y (N, 1) from 1 to 10"
    try:
        content = loadmat(str(path), variable_names=["X", "y"])
    except Exception as error:
        # scipy's parser has no error of its own: a damaged file ends in whatever it stumbles over.
        raise damaged(path, expected, error) from error
    if missing := [name for name in ("X", "y") if name not in content]:
        raise damaged(path, expected, f"no {' and no '.join(missing)}")
    pixels, labels = content["X"], content["y"]
    if pixels.dtype != np.uint8 or pixels.shape[:3] != (32, 32, 3) or pixels.ndim != 4 or labels.size != pixels.shape[3]:
        raise damaged(path, expected, f"X {pixels.shape} {pixels.dtype} and y {labels.shape}")
    if labels.size and not 1 <= labels.min() <= labels.max() <= 10:
        raise damaged(path, expected, f"y from {labels.min()} to {labels.max()}")
    images = torch.from_numpy(np.ascontiguousarray(pixels.transpose(3, 2, 0, 1)))
    # SVHN writes the digit 0 as class 10.
    return Images(images, torch.from_numpy(labels.ravel().astype(np.int64) % 10), [str(digit) for digit in range(10)])
