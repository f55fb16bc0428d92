"""An MLP classifier."""

import math
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from regen.models.networks import mlp

__all__ = ["Classifier"]


class Classifier(nn.Module):
    """p(class | x): linear layers with dropout before the last one (lab1, section on supervised learning)."""

    def __init__(self, config: Any, shape: list[int]) -> None:
        super().__init__()
        *hidden, last = mlp([math.prod(shape), *config.hidden, config.classes], config.activation)
        self.network = nn.Sequential(*hidden, nn.Dropout(config.dropout), last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images x (B, C, H, W) in [0, 1] to logits (B, classes)."""
        logits: torch.Tensor = self.network(x.flatten(1))
        return logits

    def terms(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what training and evaluation report of each image, each (B,): -log p(label | x) and whether the largest logit is right."""
        logits = self(x)
        return {
            "cross_entropy_nats": cross_entropy(logits, labels, reduction="none"),
            "accuracy": (logits.argmax(1) == labels).float(),
        }
