"""PNG and JPEG images from a zip archive that scripts/own.py packs from a folder."""

import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from regen.common.errors import UserError
from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["ARCHIVE", "DAMAGE", "layout", "pixels", "read_pictures"]

ARCHIVE = "images.zip"

SETS = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test"}

# What zipfile and Pillow raise on damaged bytes; RuntimeError covers a member that claims to be encrypted.
DAMAGE = (OSError, EOFError, RuntimeError, SyntaxError, ValueError, zipfile.BadZipFile, zlib.error, Image.DecompressionBombError)


def read_pictures(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return the sets of images (N, C, H, W): those of the folders train, validation and test, or `all`; folders below are classes.

    Labels (N,) are the places of the classes in alphabetical order; without `config.classes` folders say nothing.

    Raises
    ------
    UserError
        If the archive is missing or damaged, has other classes, or an image is none, or of another size where none is allowed.
    """
    path = raw / ARCHIVE
    try:
        with zipfile.ZipFile(path) as archive:
            sets = layout([name for name in archive.namelist() if not name.endswith("/")])
            if not sets:
                raise damaged(path, "a zip archive of PNG and JPEG images", "no images")
            classes = sorted({name for members in sets.values() for name in members.values()}) if config.classes is not None else []
            if config.classes is not None and (len(classes) != config.classes or "" in classes):
                named = ", ".join(name or "images in no folder" for name in classes)
                raise UserError(
                    f"{path}: expected a folder for each of {config.classes} classes (datasets.{config.dataset}.classes in params.yaml), "
                    f"got {len(classes)}: {named}; correct the number or the folders"
                )
            found = {}
            for key, members in sets.items():
                images = np.stack([_fitted(archive, member, config, path) for member in members])
                labels = torch.tensor([classes.index(name) for name in members.values()]) if classes else torch.empty(len(members), 0)
                found[key] = Images(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), labels, classes)
            return found
    except DAMAGE as error:
        raise damaged(path, "a zip archive of PNG and JPEG images", error) from error


def layout(members: list[str]) -> dict[str, dict[str, str]]:
    """Return set -> member -> class of paths such as `train/cats/1.png`, `cats/1.png` or `1.png`; the class is '' where no folder names it.

    The first folder is the set where all are sets' names, train and test among them; else the only set is `all`.
    """
    paths = {member: PurePosixPath(member) for member in sorted(members)}
    first = {path.parts[0] if len(path.parts) > 1 else "" for path in paths.values()}
    split = first <= set(SETS) and {"train", "test"} <= first
    sets: dict[str, dict[str, str]] = {}
    for member, path in paths.items():
        key, folders = (SETS[path.parts[0]], path.parts[1:-1]) if split else ("all", path.parts[:-1])
        sets.setdefault(key, {})[member] = "/".join(folders)
    return sets


def pixels(content: bytes, channels: int) -> Image.Image:
    """Return a PNG or JPEG image upright, grey or in colour, 8 bits a value: transparent pixels are white, 16 bits are scaled.

    Raises
    ------
    One of `DAMAGE`
        If it is none, or truncated.
    """
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
        image = ImageOps.exif_transpose(opened)
    if image.mode.startswith("I"):
        # 65,535 becomes 255; Pillow's own conversion clips.
        image = Image.fromarray(np.rint(np.asarray(image, dtype=np.float64) / 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert({1: "L", 3: "RGB"}[channels])


def _fitted(archive: zipfile.ZipFile, member: str, config: DataConfig, path: Path) -> NDArray[np.uint8]:
    """Return one image (H, W, C) of the data set's own shape."""
    channels, height, width = config.shape
    try:
        image = pixels(archive.read(member), channels)
    except DAMAGE as error:
        raise damaged(path, f"a PNG or JPEG image as member {member}", error) from error
    if image.size != (width, height):
        if config.fit == "exact":
            where = f"datasets.{config.dataset}.fit in params.yaml to crop or squash"
            raise UserError(f"{path}: expected {member} of {width}x{height} pixels, got {image.width}x{image.height}; set {where}")
        # The filters widen where an image shrinks; bilinear does not overshoot.
        if config.fit == "crop":
            image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
        else:
            image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(height, width, channels)
