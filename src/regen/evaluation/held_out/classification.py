"""Which class a classifier takes for which."""

from typing import Any

import torch

from regen.config.variant import EvaluateConfig
from regen.images.batches import batches
from regen.images.images import Images
from regen.models.classifier import Classifier

__all__ = ["confusion"]


@torch.no_grad()
def confusion(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the confusion matrix of the test images, a row a true class, a column a predicted one; nothing for other models."""
    if not isinstance(model, Classifier):
        return {}, {}
    from sklearn.metrics import confusion_matrix

    predicted = torch.cat([model(x).argmax(1) for x, _ in batches(images["test"], 1000)])
    settings: Any = config.model
    matrix = confusion_matrix(images["test"].labels.cpu().numpy(), predicted.cpu().numpy(), labels=range(settings.classes))
    return {}, {"confusion": matrix.tolist()}
