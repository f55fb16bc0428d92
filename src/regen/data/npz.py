"""Images and labels from numpy arrays in one .npz file, which is never unpickled."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["ARRAYS", "read_npz"]

ARRAYS = "images.npz"
SETS = {"train": "train", "val": "validation", "test": "test"}
EXPECTED = (
    "'images' or 'train_images', 'val_images' and 'test_images', uint8 (N, H, W) or (N, H, W, C), with whole-numbered '..._labels' (N,)"
)


def read_npz(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return the sets of images (N, C, H, W) with labels (N,), named by their numbers; `all` where the file has one set.

    The arrays have the names of MedMNIST's (Yang et al. 2023, https://medmnist.com), or are `images` and `labels`. Labels may be missing.

    Raises
    ------
    UserError
        If the file is missing or truncated, holds Python objects, or other arrays.
    """
    path = raw / ARRAYS
    try:
        with np.load(path, allow_pickle=False) as content:
            found = {name: content[name] for name in content.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, AttributeError, NotImplementedError) as error:
        raise damaged(path, f"a .npz file with {EXPECTED}", error) from error
    if "images" in found:
        return {"all": _images(config, path, found, "")}
    sets = {key: _images(config, path, found, f"{name}_") for name, key in SETS.items() if f"{name}_images" in found}
    if "train" not in sets:
        raise damaged(path, f"a .npz file with {EXPECTED}", ", ".join(found) or "no arrays")
    return sets


def _images(config: DataConfig, path: Path, found: dict[str, NDArray[Any]], prefix: str) -> Images:
    pixels, labels = found[f"{prefix}images"], found.get(f"{prefix}labels")
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4):
        raise damaged(path, f"{prefix}images of uint8 (N, H, W) or (N, H, W, C)", f"{pixels.dtype} {pixels.shape}")
    images = torch.from_numpy(np.ascontiguousarray(pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)))
    if labels is None:
        return Images(images, torch.empty(len(images), 0))
    if labels.dtype.kind not in "iu" or labels.size != len(images):
        raise damaged(path, f"{prefix}labels of {len(images)} whole numbers", f"{labels.dtype} {labels.shape}")
    return Images(images, torch.from_numpy(labels.ravel().astype(np.int64)), [str(number) for number in range(config.classes or 0)])
