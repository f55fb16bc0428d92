"""Figures made of images: samples at the snapshots, reconstructions, the manifold of two latents."""

import math
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.stats import norm
from torch.distributions import Distribution

from regen.figures.style import VERMILLION
from regen.models.vae import LatentVariableModel

__all__ = ["line", "manifold", "panels", "reconstructions", "sample_latents", "samples", "tile"]

GAP = 0.6
"""Grey of the lines between images: seen beside black and beside white."""


def tile(images: torch.Tensor, columns: int) -> np.ndarray:
    """Lay images (N, C, H, W) in [0, 1] out on a grid with a 1-pixel gap: (rows * (H + 1) - 1, columns * (W + 1) - 1, C)."""
    count, channels, height, width = images.shape
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), GAP, dtype=np.float32)
    for index, image in enumerate(images.clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()):
        row, column = divmod(index, columns)
        canvas[row * (height + 1) : row * (height + 1) + height, column * (width + 1) : column * (width + 1) + width] = image
    return canvas


def _show(axes: Axes, canvas: np.ndarray, title: str) -> None:
    """Draw a canvas without ticks."""
    axes.imshow(canvas.squeeze(-1) if canvas.shape[-1] == 1 else canvas, vmin=0, vmax=1)
    axes.set_title(title)
    axes.set_axis_off()


@torch.no_grad()
def sample_latents(model: LatentVariableModel, count: int, seed: int) -> torch.Tensor:
    """Return `count` draws (count, d) of the prior, the same for every call with this seed."""
    torch.manual_seed(seed)
    z: torch.Tensor = model.prior().sample(torch.Size([count]))
    return z


def panels(images: dict[str, torch.Tensor]) -> Figure:
    """Draw 25 images (25, C, H, W) a title, side by side."""
    figure = Figure(figsize=(1.9 * len(images) + 0.2, 2.2))
    for axes, (title, values) in zip(np.atleast_1d(figure.subplots(1, len(images))), images.items(), strict=True):
        _show(axes, tile(values, 5), title)
    return figure


@torch.no_grad()
def samples(models: dict[str, LatentVariableModel], seed: int, draws: bool) -> Figure:
    """Draw 25 decoded prior samples a model, side by side: the means of p(x | z), or draws from it.

    `models` by title; all decode the same latents where their priors are the same.
    """
    images = {}
    for title, model in models.items():
        likelihood = model.decoder(sample_latents(model, 25, seed))
        images[title] = likelihood.sample() if draws else likelihood.mean
    return panels(images)


@torch.no_grad()
def reconstructions(models: dict[str, Any], x: torch.Tensor) -> Figure:
    """Draw images x (N, C, H, W) in [0, 1] above a row a model, by title: the decoder's means at the codes of x."""
    rows = {"test images": x} | {title: model.decoder(_codes(model.encoder(x))).mean for title, model in models.items()}
    figure = Figure(figsize=(0.62 * len(x), 0.88 * len(rows)))
    for axes, (title, images) in zip(figure.subplots(len(rows), 1), rows.items(), strict=True):
        _show(axes, tile(images, len(x)), title)
    return figure


def _codes(encoded: torch.Tensor | Distribution) -> torch.Tensor:
    """Return codes (N, d): an auto-encoder's own, the means of a Gaussian q, the likelier values of a Bernoulli q."""
    if isinstance(encoded, torch.Tensor):
        return encoded
    return encoded.mean if encoded.has_rsample else encoded.mean.round()


@torch.no_grad()
def line(model: LatentVariableModel, side: int = 16, end: float = 5.0) -> Figure:
    """Draw the decoder's means at side^2 values of a one-dimensional z from -end to end, row by row (ai3611, Figure 5).

    A frame holds those within two standard deviations of the prior.
    """
    z = torch.linspace(-end, end, side * side)
    means = model.decoder(z[:, None]).mean
    figure = Figure(figsize=(5.2, 5.2), layout="compressed")
    axes = figure.add_subplot()
    canvas = tile(means, side)
    axes.imshow(canvas.squeeze(-1) if canvas.shape[-1] == 1 else canvas, vmin=0, vmax=1)
    height, width = means.shape[-2] + 1, means.shape[-1] + 1
    for row in range(side):
        inside = [column for column in range(side) if abs(z[row * side + column]) <= 2]
        if inside:
            corner = (inside[0] * width - 1, row * height - 1)
            axes.add_patch(Rectangle(corner, len(inside) * width, height, fill=False, edgecolor=VERMILLION, linewidth=0.8))
    axes.set_yticks((np.arange(side) + 0.5) * height - 1, [f"{value:.1f}" for value in z[::side].tolist()])
    axes.set_xticks([])
    axes.set_ylabel("first $z$ of the row")
    axes.grid(False)
    return figure


@torch.no_grad()
def manifold(model: LatentVariableModel, side: int = 20) -> Figure:
    """Draw the decoder's means at side x side quantiles of a two-latent prior (Kingma and Welling, 2014, appendix A)."""
    quantiles = torch.from_numpy(norm.ppf((np.arange(side) + 0.5) / side)).float()
    # Rows from the top: z2 falls; columns from the left: z1 rises.
    second, first = torch.meshgrid(quantiles.flip(0), quantiles, indexing="ij")
    means = model.decoder(torch.stack([first.flatten(), second.flatten()], dim=1)).mean
    figure = Figure(figsize=(5.2, 5.2), layout="compressed")
    axes = figure.add_subplot()
    low, high = quantiles[0].item(), quantiles[-1].item()
    canvas = tile(means, side)
    axes.imshow(canvas.squeeze(-1) if canvas.shape[-1] == 1 else canvas, vmin=0, vmax=1)
    ticks = np.array([0.5, side / 2, side - 0.5]) * canvas.shape[1] / side
    axes.set_xticks(ticks, [f"{low:.2f}", "0", f"{high:.2f}"])
    axes.set_yticks(ticks, [f"{high:.2f}", "0", f"{low:.2f}"])
    axes.set_xlabel("$z_1$ (quantiles of the prior)")
    axes.set_ylabel("$z_2$ (quantiles of the prior)")
    axes.grid(False)
    return figure
