"""Codes and latents as points of a plane."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from regen.figures.style import BLUE, CLASSES

__all__ = ["class_plane", "code_plane", "principal_plane"]


def code_plane(codes: torch.Tensor, labels: torch.Tensor, mixture: Any) -> Figure:
    """Draw codes (N, 2) and a mixture's components as ellipses of one and two standard deviations.

    Labels (N,) are classes, each in its colour; other labels, (N, F), are not shown.
    """
    figure = class_plane(codes, labels, "code 1", "code 2")
    axes = figure.axes[0]
    for mean, covariance in zip(mixture.means.numpy(), mixture.covariances.numpy(), strict=True):
        variances, directions = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(directions[1, 1], directions[0, 1]))
        for deviations, dash in ((1, "-"), (2, ":")):
            width, height = 2 * deviations * np.sqrt(variances[1]), 2 * deviations * np.sqrt(variances[0])
            axes.add_patch(Ellipse(mean, width, height, angle=angle, fill=False, linestyle=dash, linewidth=1.2))
    return figure


def class_plane(points: torch.Tensor, labels: torch.Tensor, across: str, up: str) -> Figure:
    """Draw points (N, 2) under the names of their axes, each class in its colour; labels that are no classes, (N, F), are not shown."""
    figure = Figure(figsize=(6.4, 5.2))
    axes = figure.add_subplot()
    if labels.ndim == 1:
        for label in labels.unique().tolist():
            chosen = points[labels == label]
            axes.scatter(chosen[:, 0], chosen[:, 1], s=6, color=CLASSES[label % len(CLASSES)], label=str(label), linewidths=0)
        axes.legend(title="class", markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5))
    else:
        axes.scatter(points[:, 0], points[:, 1], s=6, color=BLUE, linewidths=0)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure


def principal_plane(points: torch.Tensor) -> tuple[torch.Tensor, list[float]]:
    """Return points (N, d) on their first two principal components, (N, 2), and the shares of the variance that these have.

    The largest entry of a component is positive, for its sign is free.
    """
    centred = points.double() - points.double().mean(0)
    variances, directions = torch.linalg.eigh(centred.T @ centred)
    components = directions[:, [-1, -2]]
    components = components * components.gather(0, components.abs().argmax(0, keepdim=True)).sign()
    return centred @ components, [(variances[-place] / variances.sum()).item() for place in (1, 2)]
