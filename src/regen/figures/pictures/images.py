"""Figures made of images: samples at the snapshots, reconstructions, the manifold of two latents."""

import math
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.special import ndtri

from regen.evaluation.quality.paths import POINTS, paths
from regen.evaluation.quality.reconstructions import reconstructions as reconstructed
from regen.figures.style import VERMILLION
from regen.images.batches import to_unit_interval
from regen.models.vae import LatentVariableModel

__all__ = [
    "Picture",
    "interpolations",
    "line",
    "neighbours",
    "panels",
    "plane",
    "prior_quantiles",
    "reconstructions",
    "sample_latents",
    "samples",
    "tile",
    "traversal",
]

GAP = 0.6
"""Grey of the lines between images: seen beside black and beside white."""

MARGIN, TITLE = 10, 22
"""Pixels between panels, and above a panel for each line of its title."""

PATH_TITLES = {
    "linear": "straight through the latents",
    "spherical": "on an arc through the latents",
    "pixels": "straight through the pixels",
}

PANEL, ROW, PLANE = 140, 300, 400
"""Least width in pixels of a panel of samples, of a row of reconstructions, of a plane of latents."""


class Picture(Figure):
    """A figure that knows where its images lie, for whoever shows one of them alone: `grids`, in PNG pixels from the top left."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.grids: list[dict[str, Any]] = []

    def tiled(self, title: str, place: tuple[int, int], scale: int, image: tuple[int, int], columns: list[str], rows: list[str]) -> None:
        """Note a grid of images of (height, width) whose first lies at `place` (left, top), with what its columns and rows are."""
        (left, top), (height, width) = place, image
        # One pixel of the canvas lies between two images.
        sizes = {
            "tile_width": scale * width,
            "tile_height": scale * height,
            "pitch_x": scale * (width + 1),
            "pitch_y": scale * (height + 1),
        }
        labels = {"columns": len(columns), "rows": len(rows), "column_labels": columns, "row_labels": rows}
        self.grids.append({"title": title, "left": left, "top": top, **sizes, **labels})


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
    figure_size: tuple[int, int], left: int, top: int, size: tuple[int, int], figure: Picture | None = None
) -> tuple[Picture, Axes]:
    """Return axes of `size` (width, height) pixels at (left, top) of a figure of `figure_size` pixels, made if there is none."""
    dpi = mpl.rcParams["figure.dpi"]
    if figure is None:
        figure = Picture(figsize=(figure_size[0] / dpi, figure_size[1] / dpi))
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


def _mosaic(canvases: dict[str, np.ndarray], columns: int, least: int) -> tuple[Picture, int, dict[str, tuple[int, int]]]:
    """Draw canvases of one size with their titles, `columns` in a row, each at least `least` pixels wide.

    Return the figure, its scale, and the place (left, top) of each canvas.
    """
    first = next(iter(canvases.values()))
    scale = _scale(first, least)
    height, width = scale * first.shape[0], scale * first.shape[1]
    rows = math.ceil(len(canvases) / columns)
    # Beside each other, "epoch 25: step 30/60" takes two lines.
    titles = {title: title.replace(": ", "\n") if columns > 1 else title for title in canvases}
    above = TITLE * max(title.count("\n") + 1 for title in titles.values())
    size = (columns * (width + MARGIN) + MARGIN, rows * (height + above) + MARGIN)
    figure, places = None, {}
    for index, (title, canvas) in enumerate(canvases.items()):
        row, column = divmod(index, columns)
        places[title] = (MARGIN + column * (width + MARGIN), above + row * (height + above))
        figure, axes = _pixel_axes(size, *places[title], (width, height), figure)
        _draw(axes, canvas)
        axes.set_title(titles[title], pad=4)
        axes.set_axis_off()
    assert figure is not None
    return figure, scale, places


@torch.no_grad()
def sample_latents(model: LatentVariableModel, count: int, seed: int) -> torch.Tensor:
    """Return `count` draws (count, d) of the prior, the same for every call with this seed."""
    torch.manual_seed(seed)
    return model.latents(count)


def panels(images: dict[str, torch.Tensor]) -> Picture:
    """Draw a square of images (N, C, H, W) a title, side by side."""
    side = math.isqrt(len(next(iter(images.values()))))
    canvases = {title: tile(values, side) for title, values in images.items()}
    figure, scale, places = _mosaic(canvases, columns=len(canvases), least=PANEL)
    for title, values in images.items():
        height, width = values.shape[-2:]
        figure.tiled(title, places[title], scale, (height, width), [""] * side, [""] * math.ceil(len(values) / side))
    return figure


@torch.no_grad()
def samples(models: dict[str, LatentVariableModel], seed: int, draws: bool, count: int = 25) -> Picture:
    """Draw `count` decoded prior samples a model, side by side: the means of p(x | z), or draws from it.

    `models` by title; all decode the same latents where their priors are the same.
    """
    images = {}
    for title, model in models.items():
        likelihood = model.decoder(sample_latents(model, count, seed))
        images[title] = likelihood.sample() if draws else likelihood.mean
    return panels(images)


def reconstructions(models: dict[str, Any], images: torch.Tensor) -> Picture:
    """Draw images uint8 (N, C, H, W) above a row a model, by title: what it makes of them."""
    rows = {"test images": to_unit_interval(images)} | {title: reconstructed(model, images) for title, model in models.items()}
    figure, scale, places = _mosaic({title: tile(values, len(images)) for title, values in rows.items()}, columns=1, least=ROW)
    height, width = images.shape[-2:]
    for title, place in places.items():
        figure.tiled(title, place, scale, (height, width), [f"image {index + 1}" for index in range(len(images))], [""])
    return figure


def interpolations(model: Any, seed: int, pairs: int = 2, points: int = POINTS) -> Picture:
    """Draw points between pairs of generated images, a row a pair, on every path of `paths`."""
    found = {PATH_TITLES[name]: to_unit_interval(images) for name, images in paths(model, pairs, seed, points).items()}
    figure, scale, places = _mosaic({title: tile(images.flatten(0, 1), points) for title, images in found.items()}, columns=1, least=ROW)
    shares = [f"{index / (points - 1):.2g} of the way" for index in range(points)]
    for title, images in found.items():
        height, width = images.shape[-2:]
        figure.tiled(title, places[title], scale, (height, width), shares, [f"pair {index + 1}" for index in range(pairs)])
    return figure


def neighbours(images: torch.Tensor, others: torch.Tensor, count: int = 3) -> Picture:
    """Draw images uint8 (N, C, H, W) in a row above rows of their nearest, second nearest, ... of others uint8 (M, C, H, W) by pixels."""
    flat = images.flatten(1).double()
    # Sums of whole numbers below 2^53: exact, whatever their order.
    squares = [(part * part).sum(1) - 2 * flat @ part.T for part in (block.flatten(1).double() for block in others.split(2000))]
    order = torch.cat(squares, dim=1).argsort(dim=1, stable=True)[:, :count]
    names = ["nearest training image", *(f"{ordinal} nearest" for ordinal in ("second", "third", "fourth")[: count - 1])]
    rows = {"samples": images, **{name: others[order[:, place]] for place, name in enumerate(names)}}
    figure, _, _ = _mosaic({title: tile(to_unit_interval(one), len(images)) for title, one in rows.items()}, columns=1, least=ROW)
    return figure


@torch.no_grad()
def traversal(model: Any, starts: torch.Tensor, rows: int = 3, end: float = 3.0) -> Picture:
    """Draw the images at nine values from -end to end of single latents, the `rows` latents that change the image at 0 most.

    Of each latent a row from 0 and, below it, one from each of `starts` (S, dim): there all other latents stay as they are.
    """
    dim, values = starts.shape[1], torch.linspace(-end, end, 9)
    at_zero = torch.stack([model.images(one) for one in torch.diag_embed(values[:, None].expand(-1, dim)).transpose(0, 1)])
    change = at_zero.var(1).flatten(1).mean(1)
    chosen = change.argsort(descending=True, stable=True)[:rows].tolist()
    # Where a latent moves, the start's own value of it gives way.
    moved = starts[None, :, None].expand(len(chosen), -1, len(values), -1).clone()
    for row, index in enumerate(chosen):
        moved[row, :, :, index] = values
    images = torch.cat([at_zero[chosen][:, None], model.images(moved.flatten(0, 2)).unflatten(0, moved.shape[:3])], dim=1)
    shown = [f"{value:g}" for value in values.tolist()]
    of = ["others 0", *(f"sample {number}" for number in range(1, len(starts) + 1))]
    names = [f"z{index + 1}, {one}" for index in chosen for one in of]
    figure, axes = _plane(images.flatten(0, 2), shown, names, "Latent traversal")
    height, width = images.shape[-2] + 1, images.shape[-1] + 1
    ticks = [f"$z_{{{index + 1}}}$" if place == 0 else f"{place}" for index in chosen for place in range(len(of))]
    axes.set_yticks((np.arange(len(ticks)) + 0.5) * height - 1, ticks)
    axes.set_xticks((np.arange(len(values)) + 0.5) * width - 1, shown)
    axes.set_xlabel("value of the latent")
    return figure


def prior_quantiles(count: int) -> torch.Tensor:
    """Return the quantiles (count,) of N(0, 1) in the middle of intervals of equal probability (Kingma and Welling, 2014, appendix A)."""
    return torch.from_numpy(ndtri((np.arange(count) + 0.5) / count)).float()


@torch.no_grad()
def line(model: LatentVariableModel, z: torch.Tensor) -> Picture:
    """Draw the decoder's means at rising values z (side^2,) of a one-dimensional latent, row by row.

    A frame holds those within two standard deviations of the prior.
    """
    side = math.isqrt(len(z))
    means = model.decoder(z[:, None]).mean
    ends = [f"z from {row[0]:.2f} to {row[-1]:.2f}" for row in z.view(side, side).tolist()]
    figure, axes = _plane(means, [f"{column + 1} of {side}" for column in range(side)], ends, "Images along z")
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
def plane(model: LatentVariableModel, values: torch.Tensor, what: str) -> Picture:
    """Draw the decoder's means where both of two latents take rising `values` (side,); `what` says what values they are."""
    side = len(values)
    # Rows from the top: z2 falls; columns from the left: z1 rises.
    second, first = torch.meshgrid(values.flip(0), values, indexing="ij")
    means = model.decoder(torch.stack([first.flatten(), second.flatten()], dim=1)).mean
    low, high = values[0].item(), values[-1].item()
    columns = [f"z1 = {value:.2f}" for value in values.tolist()]
    rows = [f"z2 = {value:.2f}" for value in values.flip(0).tolist()]
    figure, axes = _plane(means, columns, rows, "Images over z1 and z2")
    ticks = np.array([0.5, side / 2, side - 0.5]) * (means.shape[-1] + 1)
    axes.set_xticks(ticks - 0.5, [f"{low:.2f}", "0", f"{high:.2f}"])
    axes.set_yticks(np.array([0.5, side / 2, side - 0.5]) * (means.shape[-2] + 1) - 0.5, [f"{high:.2f}", "0", f"{low:.2f}"])
    axes.set_xlabel(f"$z_1$ ({what})")
    axes.set_ylabel(f"$z_2$ ({what})")
    return figure


def _plane(images: torch.Tensor, columns: list[str], rows: list[str], title: str) -> tuple[Picture, Axes]:
    """Return a figure with room for labels, and its axes, which show images of the latent space row by row."""
    canvas = tile(images, len(columns))
    scale = _scale(canvas, PLANE)
    height, width = scale * canvas.shape[0], scale * canvas.shape[1]
    place = (75, 10)
    figure, axes = _pixel_axes((width + 90, height + 65), *place, (width, height))
    _draw(axes, canvas)
    # A frame and ticks would lie over the outermost pixels.
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    size = (int(images.shape[-2]), int(images.shape[-1]))
    figure.tiled(title, place, scale, size, columns, rows)
    return figure, axes
