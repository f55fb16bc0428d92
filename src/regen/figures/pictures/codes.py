"""The plane of an auto-encoder's codes."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from regen.figures.style import BLUE, CLASSES

__all__ = ["code_plane"]


def code_plane(codes: torch.Tensor, labels: torch.Tensor, mixture: Any) -> Figure:
    """Draw codes (N, 2) and a mixture's components as ellipses of one and two standard deviations.

    Labels (N,) are classes, each in its colour; other labels, (N, F), are not shown.
    """
    figure = Figure(figsize=(6.4, 5.2))
    axes = figure.add_subplot()
    if labels.ndim == 1:
        for label in labels.unique().tolist():
            chosen = codes[labels == label]
            axes.scatter(chosen[:, 0], chosen[:, 1], s=6, color=CLASSES[label % len(CLASSES)], label=str(label), linewidths=0)
        axes.legend(title="class", markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5))
    else:
        axes.scatter(codes[:, 0], codes[:, 1], s=6, color=BLUE, linewidths=0)
    for mean, covariance in zip(mixture.means.numpy(), mixture.covariances.numpy(), strict=True):
        variances, directions = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(directions[1, 1], directions[0, 1]))
        for deviations, dash in ((1, "-"), (2, ":")):
            width, height = 2 * deviations * np.sqrt(variances[1]), 2 * deviations * np.sqrt(variances[0])
            axes.add_patch(Ellipse(mean, width, height, angle=angle, fill=False, linestyle=dash, linewidth=1.2))
    axes.set_xlabel("code 1")
    axes.set_ylabel("code 2")
    return figure
