"""Figures made of images: samples at the snapshots, reconstructions, the manifold of two latents."""

import math
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.stats import norm
from torch.distributions import Distribution

from regen.evaluation.quality.paths import paths
from regen.figures.style import VERMILLION
from regen.images.batches import to_unit_interval
from regen.models.vae import LatentVariableModel

__all__ = ["interpolations", "line", "manifold", "panels", "reconstructions", "sample_latents", "samples", "tile", "traversal"]

GAP = 0.6
"""Grey of the lines between images: seen beside black and beside white."""

MARGIN, TITLE = 10, 26
"""Pixels between panels, and above a panel for its title."""

PATH_TITLES = {
    "linear": "straight through the latents",
    "spherical": "on an arc through the latents",
    "pixels": "straight through the pixels",
}

PANEL, ROW, PLANE = 200, 760, 560
"""Least width in pixels of a panel of samples, of a row of reconstructions, of a plane of latents."""


def tile(images: torch.Tensor, columns: int) -> np.ndarray:
    """Lay images (N, C, H, W) in [0, 1] out on a grid with a 1-pixel gap: (rows * (H + 1) - 1, columns * (W + 1) - 1, C)."""
    count, channels, height, width = images.shape
    rows = math.ceil(count / columns)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), GAP, dtype=np.float32)
    for index, image in enumerate(images.clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()):
        row, column = divmod(index, columns)
        canvas[row * (height + 1) : row * (height + 1) + height, column * (width + 1) : column * (width + 1) + width] = image
    return canvas


def _pixel_axes(
    figure_size: tuple[int, int], left: int, top: int, size: tuple[int, int], figure: Figure | None = None
) -> tuple[Figure, Axes]:
    """Return axes of `size` (width, height) pixels at (left, top) of a figure of `figure_size` pixels, made if there is none."""
    dpi = mpl.rcParams["figure.dpi"]
    if figure is None:
        figure = Figure(figsize=(figure_size[0] / dpi, figure_size[1] / dpi))
        figure.set_layout_engine("none")
    (width, height), (full_width, full_height) = size, figure_size
    rectangle = (left / full_width, 1 - (top + height) / full_height, width / full_width, height / full_height)
    return figure, figure.add_axes(rectangle)


def _draw(axes: Axes, canvas: np.ndarray) -> None:
    axes.imshow(canvas.squeeze(-1) if canvas.shape[-1] == 1 else canvas, vmin=0, vmax=1, aspect="auto")
    axes.grid(False)


def _scale(canvas: np.ndarray, least: int) -> int:
    """Return how many pixels of the figure a pixel of the canvas takes: a whole number, so that none is lost or doubled."""
    return -(-least // int(canvas.shape[1]))


def _mosaic(canvases: dict[str, np.ndarray], columns: int, least: int) -> Figure:
    """Draw canvases of one size with their titles, `columns` in a row, each at least `least` pixels wide."""
    first = next(iter(canvases.values()))
    scale = _scale(first, least)
    height, width = scale * first.shape[0], scale * first.shape[1]
    rows = math.ceil(len(canvases) / columns)
    size = (columns * (width + MARGIN) + MARGIN, rows * (height + TITLE) + MARGIN)
    figure = None
    for index, (title, canvas) in enumerate(canvases.items()):
        row, column = divmod(index, columns)
        figure, axes = _pixel_axes(size, MARGIN + column * (width + MARGIN), TITLE + row * (height + TITLE), (width, height), figure)
        _draw(axes, canvas)
        axes.set_title(title)
        axes.set_axis_off()
    assert figure is not None
    return figure


@torch.no_grad()
def sample_latents(model: LatentVariableModel, count: int, seed: int) -> torch.Tensor:
    """Return `count` draws (count, d) of the prior, the same for every call with this seed."""
    torch.manual_seed(seed)
    return model.latents(count)


def panels(images: dict[str, torch.Tensor]) -> Figure:
    """Draw 25 images (25, C, H, W) a title, side by side."""
    return _mosaic({title: tile(values, 5) for title, values in images.items()}, columns=len(images), least=PANEL)


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
    return _mosaic({title: tile(images, len(x)) for title, images in rows.items()}, columns=1, least=ROW)


def _codes(encoded: torch.Tensor | Distribution) -> torch.Tensor:
    """Return codes (N, d): an auto-encoder's own, the means of a Gaussian q, the likelier values of a Bernoulli q."""
    if isinstance(encoded, torch.Tensor):
        return encoded
    return encoded.mean if encoded.has_rsample else encoded.mean.round()


def interpolations(model: Any, seed: int, pairs: int = 2) -> Figure:
    """Draw ten points between pairs of generated images, a row a pair, on every path of `paths`."""
    found = {PATH_TITLES[name]: to_unit_interval(images) for name, images in paths(model, pairs, seed).items()}
    return _mosaic({title: tile(images.flatten(0, 1), images.shape[1]) for title, images in found.items()}, columns=1, least=ROW)


@torch.no_grad()
def traversal(model: Any, dim: int, rows: int = 6, end: float = 3.0) -> Figure:
    """Draw the images at nine values from -end to end of single latents, all others at 0; the `rows` latents that change the image most."""
    values = torch.linspace(-end, end, 9)
    z = torch.diag_embed(values[:, None].expand(-1, dim)).transpose(0, 1)
    images = torch.stack([model.images(one) for one in z])
    change = images.var(1).flatten(1).mean(1)
    chosen = change.argsort(descending=True, stable=True)[:rows].tolist()
    figure, axes = _plane(tile(images[chosen].flatten(0, 1), len(values)))
    height, width = images.shape[-2] + 1, images.shape[-1] + 1
    axes.set_yticks((np.arange(len(chosen)) + 0.5) * height - 1, [f"$z_{{{index + 1}}}$" for index in chosen])
    axes.set_xticks((np.arange(len(values)) + 0.5) * width - 1, [f"{value:g}" for value in values.tolist()])
    axes.set_xlabel("value of the latent")
    return figure


@torch.no_grad()
def line(model: LatentVariableModel, side: int = 16, end: float = 5.0) -> Figure:
    """Draw the decoder's means at side^2 values of a one-dimensional z from -end to end, row by row (ai3611, Figure 5).

    A frame holds those within two standard deviations of the prior.
    """
    z = torch.linspace(-end, end, side * side)
    means = model.decoder(z[:, None]).mean
    canvas = tile(means, side)
    figure, axes = _plane(canvas)
    height, width = means.shape[-2] + 1, means.shape[-1] + 1
    for row in range(side):
        inside = [column for column in range(side) if abs(z[row * side + column]) <= 2]
        if inside:
            corner = (inside[0] * width - 1, row * height - 1)
            axes.add_patch(Rectangle(corner, len(inside) * width, height, fill=False, edgecolor=VERMILLION, linewidth=0.8))
    axes.set_yticks((np.arange(side) + 0.5) * height - 1, [f"{value:.1f}" for value in z[::side].tolist()])
    axes.set_xticks([])
    axes.set_ylabel("first $z$ of the row")
    return figure


@torch.no_grad()
def manifold(model: LatentVariableModel, side: int = 20) -> Figure:
    """Draw the decoder's means at side x side quantiles of a two-latent prior (Kingma and Welling, 2014, appendix A)."""
    quantiles = torch.from_numpy(norm.ppf((np.arange(side) + 0.5) / side)).float()
    # Rows from the top: z2 falls; columns from the left: z1 rises.
    second, first = torch.meshgrid(quantiles.flip(0), quantiles, indexing="ij")
    means = model.decoder(torch.stack([first.flatten(), second.flatten()], dim=1)).mean
    low, high = quantiles[0].item(), quantiles[-1].item()
    canvas = tile(means, side)
    figure, axes = _plane(canvas)
    ticks = np.array([0.5, side / 2, side - 0.5]) * canvas.shape[1] / side
    axes.set_xticks(ticks, [f"{low:.2f}", "0", f"{high:.2f}"])
    axes.set_yticks(ticks, [f"{high:.2f}", "0", f"{low:.2f}"])
    axes.set_xlabel("$z_1$ (quantiles of the prior)")
    axes.set_ylabel("$z_2$ (quantiles of the prior)")
    return figure


def _plane(canvas: np.ndarray) -> tuple[Figure, Axes]:
    """Return a figure with room for labels, and its axes, which show a canvas of the latent space."""
    scale = _scale(canvas, PLANE)
    height, width = scale * canvas.shape[0], scale * canvas.shape[1]
    figure, axes = _pixel_axes((width + 90, height + 65), 75, 10, (width, height))
    _draw(axes, canvas)
    return figure, axes
