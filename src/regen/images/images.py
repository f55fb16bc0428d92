"""A set of images with its labels, and the one error for a damaged raw file."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from regen.common.errors import UserError

__all__ = ["Images", "damaged"]


@dataclass(frozen=True, eq=False)
class Images:
    """One set of images: `images` uint8 (N, C, H, W), `labels` int64 (N,) classes or float32 (N, F) factors.

    `label_names` has one name a class, or one a factor; a data set without labels has F = 0 and no names.
    """

    images: torch.Tensor
    labels: torch.Tensor
    label_names: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def take(self, index: torch.Tensor | slice) -> "Images":
        """Return the images and labels at `index`, in that order."""
        return Images(self.images[index], self.labels[index], self.label_names)

    def to(self, device: torch.device) -> "Images":
        """Return the same images on a device."""
        return Images(self.images.to(device), self.labels.to(device), self.label_names)


def damaged(path: Path, expected: str, got: Exception | str) -> UserError:
    """Return the error for a raw file that is missing or cannot be read as what it should be."""
    if isinstance(got, FileNotFoundError):
        return UserError(f"{path}: expected {expected}, got nothing there; run 'dvc repro' to fetch it")
    reason = getattr(got, "strerror", None) or str(got) or type(got).__name__
    return UserError(f"{path}: expected {expected}, got '{' '.join(reason.split())}'; delete the file and run 'dvc repro' to mend it")
