"""The features in which images are compared."""

from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import interpolate

from regen.common.errors import UserError
from regen.common.files import read_tensors
from regen.config.base import parse
from regen.config.features import Labeller
from regen.models.build import build

__all__ = ["FeatureSpace", "comparable"]

BATCH = 500
"""Images at once: their activations stay in the processor's cache."""


def comparable(images: torch.Tensor, shape: list[int]) -> torch.Tensor:
    """Return images uint8 (N, C, H, W) as floats in [0, 1] of another shape (C, H, W): channels averaged, resized bilinearly."""
    values = images.float() / 255
    if values.shape[1] != shape[0]:
        values = values.mean(1, keepdim=True).expand(-1, shape[0], -1, -1)
    if list(values.shape[2:]) != shape[1:]:
        values = interpolate(values, (shape[1], shape[2]), mode="bilinear", antialias=True)
    return values


class FeatureSpace:
    """What a labeller sees in images of `shape` before its last layer; `labels` says what it learned: classes, factors or nothing."""

    def __init__(self, model: Any, shape: list[int], labels: str) -> None:
        self.model = model.eval()
        self.shape = shape
        self.labels = labels

    @classmethod
    def read(cls, path: Path, device: torch.device) -> "FeatureSpace":
        """Read what the stage `features` wrote.

        Raises
        ------
        UserError
            If the file is missing or broken, or its weights do not fit its note.
        """
        tensors, note = read_tensors(path)
        saved = parse(Labeller, note, str(path))
        model = build(saved.model, saved.shape)
        try:
            model.load_state_dict(tensors)
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip()
            raise UserError(f"{path}: expected the weights of its network, got: {first}; delete it and run 'dvc repro' again") from None
        return cls(model.to(device), saved.shape, saved.labels)

    @torch.no_grad()
    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features (N, F) of images uint8 (N, C, H, W)."""
        return torch.cat([self.model.features(comparable(block, self.shape)) for block in images.split(BATCH)])

    @torch.no_grad()
    def probabilities(self, features: torch.Tensor) -> torch.Tensor | None:
        """Return p(class | image) (N, classes) of features (N, F); None where the labels are no classes."""
        if self.labels != "classes":
            return None
        probabilities: torch.Tensor = self.model.network[-1](features).softmax(1)
        return probabilities
