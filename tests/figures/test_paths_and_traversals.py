"""What lies between generated images, and what single latents do, of generators that paint what they are given."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from regen.figures.pictures.images import interpolations, traversal
from regen.figures.style import apply_style


def generator(images: Callable[[torch.Tensor], torch.Tensor], dim: int) -> Any:
    """Return what the figures use of a generator of N(0, I); `asked` collects the latents whose images were wanted."""
    asked: list[torch.Tensor] = []

    def seen(z: torch.Tensor) -> torch.Tensor:
        asked.append(z)
        return images(z)

    return SimpleNamespace(latents=lambda count: torch.randn(count, dim), images=seen, asked=asked)


def paint(z: torch.Tensor) -> torch.Tensor:
    """Return images (N, 3, 2, 3) whose red is a bent function of the first latent, whose green is one of the second."""
    colour = torch.stack([z[:, 0].sigmoid(), z[:, 1].sigmoid() ** 2, torch.full((len(z),), 0.25)], dim=1)
    return colour[:, :, None, None].expand(-1, -1, 2, 3)


def rows(figure: Figure, panel: int) -> np.ndarray:
    """Return the colours (4, 10, 3) of a panel of four paths of ten images, each 2 high and 3 wide with a gap of 1."""
    canvas = np.asarray(figure.axes[panel].images[0].get_array())
    assert canvas.shape == (4 * 3 - 1, 10 * 4 - 1, 3)
    return canvas[::3, ::4]


@pytest.fixture
def drawn() -> tuple[Figure, torch.Tensor, torch.Tensor]:
    """Return the interpolation of a painter and the latents (4, 2) of the four pairs."""
    one = generator(paint, dim=2)
    figure = interpolations(one, seed=5, pairs=4)
    torch.manual_seed(5)
    # Of eight draws the first four are the starts.
    z = torch.randn(8, 2)
    return figure, z[:4], z[4:]


def test_every_path_begins_and_ends_with_the_same_pair(drawn: tuple[Figure, torch.Tensor, torch.Tensor]) -> None:
    figure, start, end = drawn
    assert len(figure.axes) == 3
    assert len({axes.get_title() for axes in figure.axes}) == 3
    for panel in range(3):
        colours = rows(figure, panel)
        # Half a level of 255: a path is rounded to what a picture file holds.
        for column, z in ((0, start), (-1, end)):
            assert colours[:, column] == pytest.approx(paint(z)[:, :, 0, 0].numpy(), abs=0.5 / 255 + 1e-6)
    # The pairs are pairs of different images.
    assert (np.abs(rows(figure, 0)[:, 0] - rows(figure, 0)[:, -1]).max(-1) > 0.01).all()


def test_through_the_pixels_colours_change_evenly(drawn: tuple[Figure, torch.Tensor, torch.Tensor]) -> None:
    figure, start, end = drawn
    (panel,) = [index for index, axes in enumerate(figure.axes) if "pixels" in axes.get_title()]
    colours, first, last = rows(figure, panel), paint(start)[:, :, 0, 0].numpy(), paint(end)[:, :, 0, 0].numpy()
    for index in range(10):
        assert colours[:, index] == pytest.approx(first + (last - first) * index / 9, abs=0.5 / 255 + 1e-6)
    # Ten points have no middle: the two beside it lie evenly about the mean of the ends; twice half a level of rounding, halved.
    assert (colours[:, 4] + colours[:, 5]) / 2 == pytest.approx((first + last) / 2, abs=0.5 / 255 + 1e-6)


def test_straight_through_the_latents_the_latents_change_evenly(drawn: tuple[Figure, torch.Tensor, torch.Tensor]) -> None:
    figure, start, end = drawn
    (panel,) = [index for index, axes in enumerate(figure.axes) if axes.get_title() == "straight through the latents"]
    colours = rows(figure, panel)
    for index in range(10):
        z = start + (end - start) * index / 9
        assert colours[:, index] == pytest.approx(paint(z)[:, :, 0, 0].numpy(), abs=0.5 / 255 + 1e-6)


def test_on_the_arc_the_angle_changes_evenly() -> None:
    """Latents are a point of the plane: its direction turns evenly, and its length, where both ends have length 1, stays."""
    one = generator(paint, dim=2)
    one.latents = lambda count: torch.nn.functional.normalize(torch.randn(count, 2, generator=torch.Generator().manual_seed(8)))
    figure = interpolations(one, seed=5, pairs=4)
    # The last that it was asked for are the points of the arc, (10 points, 4 pairs).
    z = one.asked[-1].unflatten(0, (10, 4)).numpy()
    angles = np.unwrap(np.arctan2(z[..., 1], z[..., 0]), axis=0)

    assert np.linalg.norm(z, axis=-1) == pytest.approx(np.ones((10, 4)), abs=1e-5)
    turns = np.diff(angles, axis=0)
    assert turns == pytest.approx(np.broadcast_to(turns.mean(0), turns.shape), abs=1e-4)
    assert np.abs(turns.sum(0)).max() <= np.pi
    assert "arc" in figure.axes[1].get_title()
    assert rows(figure, 1) == pytest.approx(
        paint(torch.from_numpy(z).flatten(0, 1))[:, :, 0, 0].numpy().reshape(10, 4, 3).swapaxes(0, 1), abs=0.5 / 255 + 1e-6
    )


def test_pairs_are_the_same_in_every_run_and_of_their_seed() -> None:
    def shown(seed: int) -> np.ndarray:
        return rows(interpolations(generator(paint, dim=2), seed, pairs=4), 0)

    first = shown(5)
    torch.manual_seed(77)
    assert np.array_equal(shown(5), first) and not np.array_equal(shown(6), first)


def two_matter(z: torch.Tensor) -> torch.Tensor:
    """Return grey images (N, 1, 2, 2): by 0.15 a unit of the fifth latent above a half, by 0.05 a unit of the third; no other matters."""
    grey = 0.5 + 0.15 * z[:, 4] + 0.05 * z[:, 2]
    return grey[:, None, None, None].expand(-1, 1, 2, 2)


def test_latents_that_change_the_image_most_come_first() -> None:
    one = generator(two_matter, dim=7)
    apply_style()
    start = torch.full((1, 7), 9.0)
    start[0, 4], start[0, 2] = 0.25, -1.0
    figure = traversal(one, start, rows=3)
    axes = figure.axes[0]
    grey = np.asarray(axes.images[0].get_array())

    # Six rows of nine images of 2 x 2.
    assert grey.shape == (6 * 3 - 1, 9 * 3 - 1)
    values = np.arange(-3, 3.1, 0.75)
    # From 0 to 0.95: nothing is cut. Below each row from 0 the one from the start, less the start's own value of what moves.
    fifth, third, none = 0.5 + 0.15 * values, 0.5 + 0.05 * values, np.full(9, 0.5)
    expected = np.stack([fifth, fifth - 0.05, third, third + 0.0375, none, none + 0.0375 - 0.05])
    assert grey[::3, ::3] == pytest.approx(expected, abs=1e-6)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    # Counted from 1; of those that change nothing the first.
    assert labels == ["$z_{5}$", "1", "$z_{3}$", "1", "$z_{1}$", "1"]
    assert [float(label.get_text().replace("\N{MINUS SIGN}", "-")) for label in axes.get_xticklabels()] == pytest.approx(values)
    # A label stands at the middle of its images: 2 pixels of 3, the first of them 0.
    assert axes.get_yticks() == pytest.approx([0.5, 3.5, 6.5, 9.5, 12.5, 15.5])
    assert axes.get_xticks() == pytest.approx([3 * column + 0.5 for column in range(9)])
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_all_other_latents_are_zero_or_those_of_the_start() -> None:
    one = generator(two_matter, dim=7)
    starts = torch.arange(14.0).view(2, 7) + 10
    traversal(one, starts, rows=2)
    z, moved = torch.cat(one.asked).split([7 * 9, 2 * 2 * 9])

    for latent, rows in zip((4, 2), moved.view(2, 2, 9, 7), strict=True):
        kept = [index for index in range(7) if index != latent]
        assert torch.equal(rows[:, :, kept], starts[:, None, kept].expand(-1, 9, -1))
        assert torch.equal(rows[:, :, latent], torch.linspace(-3, 3, 9).expand(2, -1))
    expected = {(latent, value) for latent in range(7) for value in np.arange(-3, 3.1, 0.75) if value}
    assert {(int(row.nonzero()), row[row != 0].item()) for row in z if row.any()} == expected
    assert int((~z.any(1)).sum()) == 7


@pytest.mark.parametrize(("dim", "shown"), [(1, 1), (4, 4), (5, 5), (12, 5)])
def test_no_more_latents_are_drawn_than_there_are(dim: int, shown: int) -> None:
    figure = traversal(generator(lambda z: z.sum(1)[:, None, None, None].expand(-1, 1, 2, 2), dim), torch.zeros(1, dim), rows=5)
    assert len(figure.axes[0].get_yticks()) == 2 * shown
