"""Networks that say what is in an image: its class, or its factors."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from regen.config.model import Classifier as ClassifierConfig
from regen.config.model import Regressor as RegressorConfig
from regen.models.networks import encoder_network

__all__ = ["Classifier", "Labeller", "Regressor"]


class Labeller(nn.Module):
    """A network whose last layer is linear; what enters that layer are an image's features."""

    def __init__(self, config: ClassifierConfig | RegressorConfig, shape: list[int], out: int) -> None:
        super().__init__()
        self.network = encoder_network(config.network, shape, out, config.dropout)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map images x (B, C, H, W) in [0, 1] to the values before the last layer, (B, F)."""
        features: torch.Tensor = self.network[:-1](x)
        return features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images x (B, C, H, W) in [0, 1] to the last layer's values (B, out)."""
        out: torch.Tensor = self.network(x)
        return out


class Classifier(Labeller):
    """p(class | x): logits of the classes (lab1, section on supervised learning)."""

    def __init__(self, config: ClassifierConfig, shape: list[int]) -> None:
        super().__init__(config, shape, config.classes)

    def terms(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what training and evaluation report of each image, each (B,): -log p(label | x) and whether the largest logit is right."""
        logits = self(x)
        return {
            "cross_entropy_nats": cross_entropy(logits, labels, reduction="none"),
            "accuracy": (logits.argmax(1) == labels).float(),
        }


class Regressor(Labeller):
    """The factors (B, F) that an image was made from."""

    def __init__(self, config: RegressorConfig, shape: list[int]) -> None:
        super().__init__(config, shape, config.factors)

    def terms(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what training and evaluation report of each image, (B,): the mean squared error of its factors."""
        return {"squared_error": (self(x) - labels).square().mean(1)}
