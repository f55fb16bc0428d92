"""MNIST from its four gzipped idx files."""

import gzip
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import torch

from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["read_mnist"]


def read_mnist(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return `train` (60,000) and `test` (10,000) images (N, 1, 28, 28) with labels 0 to 9.

    Raises
    ------
    UserError
        If a file is missing, truncated or not an idx file.
    """
    from torchvision.datasets.mnist import read_image_file, read_label_file

    sets = {}
    for key, prefix in (("train", "train"), ("test", "t10k")):
        images = _idx(raw / f"{prefix}-images-idx3-ubyte.gz", read_image_file)
        labels = _idx(raw / f"{prefix}-labels-idx1-ubyte.gz", read_label_file)
        sets[key] = Images(images.unsqueeze(1), labels, [str(digit) for digit in range(10)])
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
