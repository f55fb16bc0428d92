"""CelebA's aligned faces, straight from the zip archive, squashed to a square."""

import io
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from regen.data.pictures import DAMAGE
from regen.images.images import Images, damaged
from regen.params.schema import DataConfig

__all__ = ["read_celeba"]

PARTITIONS = {"train": "0", "validation": "1", "test": "2"}
ARCHIVE = "img_align_celeba.zip"
PARTITION_FILE = "list_eval_partition.txt"


def read_celeba(config: DataConfig, raw: Path) -> dict[str, Images]:
    """Return the first `config.split` images of each official partition, (N, 3, H, W), without labels.

    A subset's archive lacks most members: there, the first of those that it holds. The whole aligned frame
    (178x218) is squashed, not cropped; an image that has the wanted size already is not resampled.
    Source: Liu et al. 2015, http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html.

    Raises
    ------
    UserError
        If a file is missing or truncated, or an official archive lacks a member.
    """
    partitions = _partitions(raw / PARTITION_FILE)
    path = raw / ARCHIVE
    try:
        with zipfile.ZipFile(path) as archive:
            present = set(archive.namelist())
            sets = {}
            for key, names in partitions.items():
                members = [f"img_align_celeba/{name}" for name in names]
                if config.status == "subset":
                    members = [member for member in members if member in present]
                members = members[: getattr(config.split, key)]
                sets[key] = _images(archive, members, config, path)
            return sets
    except DAMAGE as error:
        raise damaged(path, "a zip archive of JPEG images", error) from error


def _partitions(path: Path) -> dict[str, list[str]]:
    """Return the file names of each partition in file order."""
    expected = "lines such as '000001.jpg 0' with partition 0, 1 or 2"
    names: dict[str, list[str]] = {number: [] for number in PARTITIONS.values()}
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, expected, error) from error
    for line in lines:
        match line.split():
            case [name, number] if number in names:
                names[number].append(name)
            case _:
                raise damaged(path, expected, line)
    return {key: names[number] for key, number in PARTITIONS.items()}


def _images(archive: zipfile.ZipFile, members: list[str], config: DataConfig, path: Path) -> Images:
    """Decode members into one tensor (N, 3, H, W)."""
    _, height, width = config.shape
    pixels = np.empty((len(members), height, width, 3), dtype=np.uint8)
    for row, member in enumerate(members):
        try:
            with Image.open(io.BytesIO(archive.read(member))) as image:
                # Pillow widens the filter when it shrinks (antialiasing); bilinear, as torchvision's Resize, does not overshoot.
                pixels[row] = np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR))
        except KeyError as error:
            raise damaged(path, f"member {member}", "no such member") from error
        except DAMAGE as error:
            raise damaged(path, f"a JPEG image as member {member}", error) from error
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    return Images(images, torch.empty(len(images), 0))
