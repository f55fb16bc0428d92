"""Whether a latent representation is good for pretraining: a linear classifier of few labels upon it (uva3, question 1.1)."""

import math
from typing import Any

import numpy as np
import torch

from regen.common.determinism import derive_seed
from regen.common.errors import UserError
from regen.config.probes import LinearProbe
from regen.evaluation.probes.subject import Subject
from regen.images.batches import to_unit_interval

__all__ = ["accuracy", "balanced", "linear_probe", "posterior_means"]

STRENGTHS = [0.01, 0.1, 1.0, 10.0]
"""Inverse strengths of the L2 penalty that three-fold cross-validation within the labelled images chooses from."""


def linear_probe(settings: LinearProbe, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return the test accuracy of logistic regression on pixels, on posterior means, and on those of the untrained encoder.

    Every input has the same labelled images, the same number of every class. It is centred by the training images and scaled by one number.
    """
    (subject,) = subjects
    train, test = subject.prepared("train"), subject.prepared("test")
    both = [train.images, test.images]
    inputs = {
        "raw pixels": [to_unit_interval(images).flatten(1) for images in both],
        "posterior means": [posterior_means(subject.model, images) for images in both],
        "posterior means, untrained": [posterior_means(subject.untrained, images) for images in both],
    }
    rows = []
    for labels in settings.labels:
        draws = [balanced(train.labels, labels, derive_seed(seed, "labelled", labels, draw)) for draw in range(settings.draws)]
        for name, (x, x_test) in inputs.items():
            mean, scale = x.mean(0), x.std().clamp_min(1e-12)  # of constant means nothing is left
            known, asked = (x - mean) / scale, (x_test - mean) / scale
            found = np.array([accuracy(known[chosen], train.labels[chosen], asked, test.labels) for chosen in draws])
            error = found.std(ddof=1) / math.sqrt(len(found))
            rows.append({"input": name, "labels": labels, "accuracy": found.mean(), "standard_error": error, "draws": len(found)})
    return {"n_images": len(test), "rows": rows}


@torch.no_grad()
def posterior_means(model: Any, images: torch.Tensor) -> torch.Tensor:
    """Return the means of q(z | x), (N, d), of images uint8 (N, C, H, W)."""
    return torch.cat([model.encoder(to_unit_interval(block)).mean for block in images.split(1000)])


def balanced(labels: torch.Tensor, count: int, seed: int, probe: str = "linear_probe") -> torch.Tensor:
    """Return the indices of `count` images, as many of every class, by their labels (N,); `probe` is who asks.

    Raises
    ------
    UserError
        If the labels are no classes, or a class has too few images.
    """
    classes = labels.unique().tolist() if labels.ndim == 1 else []
    each = count // max(1, len(classes))
    if not classes or each * len(classes) != count or each < 3 or int(labels.bincount()[classes].min()) < each:
        problem = f"expected at least 3 labelled images of every class, as many of each, got {count} of {len(classes)} classes"
        raise UserError(f"{probe}: {problem} in {len(labels)} images; change probes.{probe} in params.yaml")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).to(labels.device)
    return torch.cat([order[labels[order] == one][:each] for one in classes])


def accuracy(x: torch.Tensor, labels: torch.Tensor, x_test: torch.Tensor, test_labels: torch.Tensor) -> float:
    """Return the share of test labels (M,) that logistic regression on inputs x (N, F) and labels (N,) finds from x_test (M, F)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": STRENGTHS}, cv=3)
    search.fit(x.cpu().double().numpy(), labels.cpu().numpy())
    return float(search.score(x_test.cpu().double().numpy(), test_labels.cpu().numpy()))
