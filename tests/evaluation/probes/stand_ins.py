"""Subjects made by hand: what a probe asks of a variant, without files."""

from types import SimpleNamespace
from typing import Any

import torch

from regen.evaluation.probes.subject import Subject
from regen.images.images import Images


def subject(images: dict[str, Images] | None = None, **known: Any) -> Subject:
    """Return a subject with these images by split and whatever else the probe reads."""
    return SimpleNamespace(prepared=(images or {}).__getitem__, device=torch.device("cpu"), **known)  # type: ignore[return-value]


def described(images: torch.Tensor, labels: torch.Tensor | None = None) -> Images:
    return Images(images, torch.zeros(len(images), dtype=torch.int64) if labels is None else labels)
