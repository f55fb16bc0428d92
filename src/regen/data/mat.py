"""Images and labels from MATLAB files, the format of SVHN's cropped digits (format 2)."""

from pathlib import Path

import numpy as np
import torch

from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["read_mat"]


def read_mat(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return `train` and `test` images (N, C, H, W) with labels (N,); the last class is label 0.

    Without `config.classes` labels are as they are written, from 1. Files have the names of SVHN's, `train_HxW.mat` and `test_HxW.mat`. Of
    a user's own data the test images may be missing.
    Source: Netzer et al. 2011, http://ufldl.stanford.edu/housenumbers/.

    Raises
    ------
    UserError
        If a file is missing, truncated or holds other arrays.
    """
    size = "x".join(map(str, config.shape[1:]))
    names = {key: f"{key}_{size}.mat" for key in ("train", "test")}
    return {
        key: _images(config, raw / name) for key, name in names.items() if key == "train" or config.status != "own" or name in config.files
    }


def _images(config: DataConfig, path: Path) -> Images:
    from scipy.io import loadmat

    (channels, height, width), classes = config.shape, config.classes
    most = "" if classes is None else f" to {classes}"
    expected = f"a MATLAB file with X ({height}, {width}, {channels}, N) uint8 and y (N, 1) from 1{most}"
    try:
        content = loadmat(str(path), variable_names=["X", "y"])
    except MemoryError:
        raise
    except Exception as error:
        # scipy's parser has no error of its own: a damaged file ends in whatever it stumbles over.
        raise damaged(path, expected, error) from error
    if missing := [name for name in ("X", "y") if name not in content]:
        raise damaged(path, expected, f"no {' and no '.join(missing)}")
    pixels, labels = content["X"], content["y"]
    if pixels.dtype != np.uint8 or pixels.shape[:3] != (height, width, channels) or pixels.ndim != 4 or labels.size != pixels.shape[3]:
        raise damaged(path, expected, f"X {pixels.shape} {pixels.dtype} and y {labels.shape}")
    if labels.size and classes is not None and not 1 <= labels.min() <= labels.max() <= classes:
        raise damaged(path, expected, f"y from {labels.min()} to {labels.max()}")
    images = torch.from_numpy(np.ascontiguousarray(pixels.transpose(3, 2, 0, 1)))
    # SVHN writes the digit 0 as class 10.
    numbers = torch.from_numpy(labels.ravel().astype(np.int64))
    return Images(images, numbers if classes is None else numbers % classes, [str(number) for number in range(classes or 0)])
