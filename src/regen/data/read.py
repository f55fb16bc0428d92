"""Raw files, or an embedded stand-in, as uint8 tensors."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from regen.common.errors import UserError
from regen.data.binarized_mnist import read_binarized_mnist
from regen.data.celeba import read_celeba
from regen.data.checksums import checksum_like
from regen.data.idx import read_idx
from regen.data.mat import read_mat
from regen.data.npz import read_npz
from regen.data.pictures import read_pictures
from regen.data.standins import faces, glyphs
from regen.data.standins.digits import binarized_digits, digits
from regen.data.standins.street import street
from regen.images.images import Images, damaged
from regen.params.schema import DataConfig, Kind

__all__ = ["Images", "read"]

READERS: dict[Kind, Callable[[DataConfig, Path], dict[str, Images]]] = {
    "mnist": read_idx,
    "binarized_mnist": read_binarized_mnist,
    "svhn": read_mat,
    "celeba": read_celeba,
    "pictures": read_pictures,
    "idx": read_idx,
    "mat": read_mat,
    "npz": read_npz,
}


def read(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return a data set's own sets of images, of shape `config.shape`.

    Keys are `train` and `test`, and `validation` where the source has one (CelebA, binarised MNIST, stand-ins); of a user's own data
    `all` where nothing divides them. Without `config.classes` there are no classes.

    Raises
    ------
    UserError
        If a raw file is missing or damaged, or holds images of another shape, other values, or labels that are no class.
    """
    _verify(config, raw)
    sets = _stand_in(config) if config.status == "stand-in" else READERS[config.kind](config, raw)
    return {key: _checked(config, raw, key, images) for key, images in sets.items()}


def _stand_in(config: DataConfig) -> dict[str, Images]:
    """Return as much of a stand-in as is wanted: each image is drawn after the one before, so fewer are the first of more."""

    def counts(most: Mapping[str, int]) -> dict[str, int]:
        limits = config.max_images.model_dump() if config.max_images else most
        return {name: min(count, limits[name]) for name, count in most.items()}

    match config.kind:
        case "mnist":
            return digits(config.seed, counts(glyphs.COUNTS))
        case "binarized_mnist":
            return binarized_digits(config.seed, counts(glyphs.COUNTS))
        case "svhn":
            return street(config.seed, counts(glyphs.COUNTS))
        case _:
            return faces.faces(config.seed, counts(faces.COUNTS), config.shape[-1])


def _checked(config: DataConfig, raw: Path, key: str, images: Images) -> Images:
    """Return a set of images as it is, without classes where the data set is to have none, or refuse it."""
    pixels, labels = images.images, images.labels
    where = f"datasets.{config.dataset} in params.yaml"
    if (shape := list(pixels.shape[1:])) != config.shape:
        raise UserError(f"{raw}: expected '{key}' images of shape {config.shape}, got {shape}; correct 'shape' of {where}")
    if len(labels) != len(pixels):
        counts = f"expected {len(pixels)} '{key}' labels, got {len(labels)}"
        raise UserError(f"{raw}: {counts}; delete the folder and run 'dvc repro' to fetch it again")
    if config.values == "binary" and ((pixels != 0) & (pixels != 255)).any():
        raise UserError(f"{raw}: expected '{key}' images of values 0 and 255, got others; correct 'values' of {where}")
    if labels.ndim != 1:
        if config.classes is not None:
            raise UserError(f"{raw}: expected '{key}' labels of {config.classes} classes, got none; set 'classes: null' of {where}")
        return images
    if config.classes is None:
        return Images(pixels, torch.empty(len(pixels), 0))
    if len(labels) and not 0 <= labels.min() <= labels.max() < config.classes:
        found = f"{labels.min()} to {labels.max()}"
        raise UserError(f"{raw}: expected '{key}' labels from 0 to {config.classes - 1}, got {found}; correct 'classes' of {where}")
    return images


def _verify(config: DataConfig, raw: Path) -> None:
    """Refuse bytes that changed since they were fetched: a flipped pixel parses, and some headers crash scipy's parser."""
    for name, expected in config.files.items():
        try:
            got = checksum_like(expected, raw / name)
        except OSError as error:
            raise damaged(raw / name, expected, error) from error
        if got != expected:
            raise damaged(raw / name, expected, got)
