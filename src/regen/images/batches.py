"""Batches from images held in memory as uint8: no workers, no copies of the data set."""

from collections.abc import Iterator
from pathlib import Path

import torch

from regen.common.errors import UserError
from regen.common.files import read_tensors
from regen.images.images import Images

__all__ = ["batches", "images_of", "to_levels", "to_unit_interval"]


def images_of(folder: Path, split: str) -> Images:
    """Return one split (`train`, `validation` or `test`) that `split` wrote.

    Raises
    ------
    UserError
        If the file is missing or broken, or holds anything but images uint8 (N, C, H, W), N > 0, with as many labels.
    """
    path = folder / f"{split}.safetensors"
    tensors, _ = read_tensors(path)
    images, labels = tensors.get("images", torch.empty(0)), tensors.get("labels", torch.empty(0))
    if len(images) == 0:
        raise UserError(f"{path}: expected at least one image, got none; delete it and run 'dvc repro' again")
    if images.dtype != torch.uint8 or images.ndim != 4 or len(labels) != len(images):
        got = f"{images.dtype} {list(images.shape)} with {len(labels)} labels"
        raise UserError(f"{path}: expected uint8 images (N, C, H, W) with a label each, got {got}; delete it and run 'dvc repro' again")
    return Images(images, labels)


def to_unit_interval(images: torch.Tensor) -> torch.Tensor:
    """Map uint8 images (B, C, H, W) to floats in [0, 1]."""
    return images.float().div_(255)


def to_levels(images: torch.Tensor) -> torch.Tensor:
    """Round images in [0, 1] to the uint8 that a picture file would hold."""
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)


def batches(images: Images, batch_size: int, generator: torch.Generator | None = None) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield float batches (B, C, H, W) in [0, 1] with their labels (B, ...); the last may be smaller.

    With a generator the order is a fresh permutation drawn from it (on the CPU, so that it does not depend on the
    device); without, the order is that of the images.
    """
    if generator is None:
        for block, labels in zip(images.images.split(batch_size), images.labels.split(batch_size), strict=True):
            yield to_unit_interval(block), labels
        return
    for index in torch.randperm(len(images), generator=generator).to(images.images.device).split(batch_size):
        # Copies whole images; indexing with brackets goes byte by byte.
        yield to_unit_interval(images.images.index_select(0, index)), images.labels.index_select(0, index)
