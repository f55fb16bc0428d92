"""Raw files, or an embedded stand-in, as uint8 tensors."""

from collections.abc import Callable
from pathlib import Path

from regen.common.errors import UserError
from regen.data.binarized_mnist import read_binarized_mnist
from regen.data.celeba import read_celeba
from regen.data.checksums import checksum_like
from regen.data.mnist import read_mnist
from regen.data.standins.digits import binarized_digits, digits
from regen.data.standins.faces import faces
from regen.data.standins.street import street
from regen.data.svhn import read_svhn
from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["Images", "read"]

READERS: dict[str, Callable[[DataConfig, Path], dict[str, Images]]] = {
    "mnist": read_mnist,
    "binarized_mnist": read_binarized_mnist,
    "svhn": read_svhn,
    "celeba": read_celeba,
}

STANDINS: dict[str, Callable[[int], dict[str, Images]]] = {
    "mnist": digits,
    "binarized_mnist": binarized_digits,
    "svhn": street,
    "celeba": faces,
}


def read(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return a data set's own sets of images, of shape `config.shape`.

    Keys are `train` and `test`; `validation` too where the source has one (CelebA, binarised MNIST, stand-ins).

    Raises
    ------
    UserError
        If the data set has no reader, or a raw file is missing, damaged or of another shape.
    """
    _verify(config, raw)
    known = STANDINS if config.status == "stand-in" else READERS
    if config.dataset not in known:
        raise UserError(f"params.yaml: datasets.{config.dataset}: no reader for source '{config.source}'; allowed: {', '.join(known)}")
    sets = STANDINS[config.dataset](config.seed) if config.status == "stand-in" else READERS[config.dataset](config, raw)
    for key, images in sets.items():
        shape = list(images.images.shape[1:])
        if shape != config.shape:
            where = f"datasets.{config.dataset}.shape in params.yaml"
            raise UserError(f"{raw}: expected '{key}' images of shape {config.shape}, got {shape}; correct {where}")
        if len(images.labels) != len(images):
            counts = f"expected {len(images)} '{key}' labels, got {len(images.labels)}"
            raise UserError(f"{raw}: {counts}; delete the folder and run 'dvc repro' to fetch it again")
    return sets


def _verify(config: DataConfig, raw: Path) -> None:
    """Refuse bytes that changed since they were fetched: a flipped pixel parses, and some headers crash scipy's parser."""
    for name, expected in config.files.items():
        try:
            got = checksum_like(expected, raw / name)
        except OSError as error:
            raise damaged(raw / name, expected, error) from error
        if got != expected:
            raise damaged(raw / name, expected, got)
