"""Figures made of images: samples at the snapshots, reconstructions, the manifold of two latents."""

import math

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm

from regen.models.vae import LatentVariableModel

__all__ = ["manifold", "reconstructions", "sample_latents", "samples", "tile"]

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


@torch.no_grad()
def samples(models: dict[str, LatentVariableModel], seed: int, draws: bool) -> Figure:
    """Draw 25 decoded prior samples a model, side by side: the means of p(x | z), or draws from it.

    `models` by title; all decode the same latents where their priors are the same.
    """
    figure = Figure(figsize=(1.9 * len(models) + 0.2, 2.2))
    for axes, (title, model) in zip(np.atleast_1d(figure.subplots(1, len(models))), models.items(), strict=True):
        likelihood = model.decoder(sample_latents(model, 25, seed))
        _show(axes, tile(likelihood.sample() if draws else likelihood.mean, 5), title)
    return figure


@torch.no_grad()
def reconstructions(models: dict[str, LatentVariableModel], x: torch.Tensor) -> Figure:
    """Draw images x (N, C, H, W) in [0, 1] above a row a model, by title: the decoder's means at the means of q."""
    rows = {"test images": x} | {title: model.decoder(model.encoder(x).mean).mean for title, model in models.items()}
    figure = Figure(figsize=(0.62 * len(x), 0.88 * len(rows)))
    for axes, (title, images) in zip(figure.subplots(len(rows), 1), rows.items(), strict=True):
        _show(axes, tile(images, len(x)), title)
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
