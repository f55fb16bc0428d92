"""Pictures as they are saved: every pixel is whole, and every tile lies where its grid says."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from painted import model, shown
from PIL import Image

from regen.figures.pictures.images import (
    Picture,
    interpolations,
    line,
    panels,
    plane,
    prior_quantiles,
    reconstructions,
    traversal,
)
from regen.figures.style import apply_style, save


@pytest.mark.parametrize("size", [28, 32, 64])
def test_every_pixel_of_an_image_is_a_whole_number_of_pixels_of_the_figure(size: int, tmp_path: Path) -> None:
    # A checkerboard of period 2: where a row or column is lost or doubled, equal neighbours appear.
    board = (torch.arange(size)[:, None] + torch.arange(size)).remainder(2).float().expand(25, 1, size, size)
    decoder = model(lambda z: SimpleNamespace(mean=board[:1].expand(len(z), -1, -1, -1)), encode=lambda x: torch.zeros(len(x), 2))
    apply_style()
    for name, figure in {
        "panels": panels({"one": board, "two": board}),
        "reconstructions": reconstructions({"a": decoder}, board[:12].mul(255).to(torch.uint8)),
        "manifold": plane(decoder, prior_quantiles(20), "quantiles"),
        "interpolations": interpolations(decoder, seed=0),
        "traversal": traversal(decoder, torch.zeros(1, 2)),
    }.items():
        canvas = shown(figure)
        save(figure, tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as image:
            pixels = np.asarray(image.convert("L"), dtype=float) / 255
        box = figure.axes[0].get_position()
        left, top = round(box.x0 * pixels.shape[1]), round((1 - box.y1) * pixels.shape[0])
        scale = round(box.width * pixels.shape[1]) // canvas.shape[1]
        assert scale >= 1
        drawn = pixels[top : top + scale * canvas.shape[0], left : left + scale * canvas.shape[1]]
        np.testing.assert_allclose(drawn, np.kron(canvas, np.ones((scale, scale))), atol=0.01, err_msg=name)


def grey(z: torch.Tensor) -> SimpleNamespace:
    """Return images (N, 1, 3, 5) with a grey of their own in every pixel, by their first latent."""
    pattern = torch.linspace(0, 0.4, 15).view(1, 1, 3, 5)
    return SimpleNamespace(mean=(z[:, :1].sigmoid() * 0.6)[:, :, None, None] + pattern)


TRAVERSED = torch.linspace(-3, 3, 9)


def pictured(kind: str) -> tuple[Picture, torch.Tensor]:
    """Return a picture and the images (rows, columns, 1, 3, 5) of its first grid."""
    apply_style()
    if kind == "square":
        values = torch.linspace(-5, 5, 16)
        return plane(model(grey), values, "even steps"), grey(values.repeat(16)[:, None]).mean.view(16, 16, 1, 3, 5)
    if kind == "line":
        z = torch.linspace(-5, 5, 256)
        return line(model(grey, dim=1), z), grey(z[:, None]).mean.view(16, 16, 1, 3, 5)
    if kind == "panels":
        values = grey(torch.linspace(-2, 2, 25)[:, None]).mean
        return panels({"before": values, "after": values.flip(0)}), values.view(5, 5, 1, 3, 5)
    if kind == "reconstructions":
        images = grey(torch.linspace(-2, 2, 12)[:, None]).mean.mul(255).to(torch.uint8)
        decoder = model(grey, encode=lambda x: torch.zeros(len(x), 2))
        return reconstructions({"a": decoder}, images), images.float().div(255)[None]
    if kind == "traversal":
        # The second latent does nothing: its rows are as the first of the start is, 0 or 1.
        moved, zero, one = grey(TRAVERSED[:, None]).mean, grey(torch.zeros(9, 1)).mean, grey(torch.ones(9, 1)).mean
        return traversal(model(grey), torch.tensor([[1.0, 2.0]])), torch.stack([moved, moved, zero, one])
    picture = interpolations(model(grey), seed=3, points=11)
    torch.manual_seed(3)
    start, end = torch.randn(4, 2).chunk(2)
    z = torch.stack([start + (end - start) * index / 10 for index in range(11)], dim=1)
    return picture, grey(z.flatten(0, 1)).mean.view(2, 11, 1, 3, 5)


@pytest.mark.parametrize(
    ("kind", "columns", "rows"),
    [
        ("square", ["z1 = -5.00", "z1 = 5.00"], ["z2 = 5.00", "z2 = -5.00"]),
        ("line", ["1 of 16", "16 of 16"], ["z from -5.00 to -4.41", "z from 4.41 to 5.00"]),
        ("traversal", ["-3", "3"], ["z1, others 0", "z2, sample 1"]),
        ("panels", ["", ""], ["", ""]),
        ("reconstructions", ["image 1", "image 12"], ["", ""]),
        ("interpolation", ["0 of the way", "1 of the way"], ["pair 1", "pair 2"]),
    ],
)
def test_a_tile_cut_out_of_the_png_is_the_image(kind: str, columns: list[str], rows: list[str], tmp_path: Path) -> None:
    picture, images = pictured(kind)
    save(picture, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as image:
        pixels = np.asarray(image.convert("L"), dtype=float) / 255
    grid = picture.grids[0]

    assert len(picture.grids) == {"interpolation": 3, "panels": 2, "reconstructions": 2}.get(kind, 1)
    assert (grid["rows"], grid["columns"]) == tuple(images.shape[:2]) == (len(grid["row_labels"]), len(grid["column_labels"]))
    assert [grid["column_labels"][0], grid["column_labels"][-1]] == columns and [grid["row_labels"][0], grid["row_labels"][-1]] == rows
    scale = grid["tile_width"] // 5
    assert (grid["tile_width"], grid["tile_height"]) == (5 * scale, 3 * scale) and scale >= 1
    # The frame of the line lies on the gaps; where these are wide, it is as thin as ever.
    for row in range(grid["rows"]):
        for column in range(grid["columns"]):
            left, top = grid["left"] + column * grid["pitch_x"], grid["top"] + row * grid["pitch_y"]
            tile_ = pixels[top : top + grid["tile_height"], left : left + grid["tile_width"]]
            expected = np.kron(images[row, column, 0].numpy(), np.ones((scale, scale)))
            np.testing.assert_allclose(tile_, expected, atol=0.012, err_msg=f"{kind}, row {row}, column {column}")
