"""Images and labels from gzipped idx files, the format of MNIST."""

import gzip
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import torch

from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["read_idx"]

PREFIXES = {"train": "train", "test": "t10k"}


def read_idx(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return `train` and `test` images (N, 1, H, W) with their labels (N,), named by their numbers.

    Files have the names of MNIST's. Of a user's own data the test images, and all labels, may be missing.
    Source: LeCun, Cortes and Burges 1998, http://yann.lecun.com/exdb/mnist/.

    Raises
    ------
    UserError
        If a file is missing, truncated or not an idx file.
    """
    from torchvision.datasets.mnist import read_image_file, read_label_file

    sets = {}
    for key, prefix in PREFIXES.items():
        names = [f"{prefix}-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1")]
        held = [config.status != "own" or name in config.files for name in names]
        if held[0]:
            images = _idx(raw / names[0], read_image_file)
            labels = _idx(raw / names[1], read_label_file) if held[1] else torch.empty(len(images), 0)
            sets[key] = Images(images.unsqueeze(1), labels, [str(number) for number in range(config.classes or 0)])
    return sets


def _idx(path: Path, parse: Callable[[str], torch.Tensor]) -> torch.Tensor:
    """Unpack a file and let torchvision parse it; its parser takes only the name of an unpacked file."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, "a gzipped idx file", error) from error
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "idx"
        unpacked.write_bytes(content)
        try:
            return parse(str(unpacked))
        except (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise damaged(path, "an idx file of unsigned bytes", error) from error
