"""Which classes a set of images covers, in a classifier's eyes."""

import math
from typing import Any

import torch

__all__ = ["class_measures"]

COVERED = 0.1
"""A class counts as covered from this part of its share under the uniform distribution."""


def class_measures(probabilities: torch.Tensor) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the scalars and the histogram of the likeliest classes, from p(class | image) (N, classes).

    `digits_covered`: classes with at least a tenth of 1 / classes; `class_kl_nats`: KL(histogram, uniform).
    """
    classes = probabilities.shape[1]
    counts = torch.bincount(probabilities.argmax(1), minlength=classes)
    shares = counts.double() / counts.sum()
    scalars = {
        "digits_covered": int((shares >= COVERED / classes).sum()),
        "class_kl_nats": math.log(classes) + torch.special.xlogy(shares, shares).sum().item(),
        "top_class_share": shares.max().item(),
        "mean_confidence": probabilities.max(1).values.mean(dtype=torch.float64).item(),
    }
    return scalars, {"top_class": int(shares.argmax()), "class_counts": counts.tolist()}
