"""Layouts of images, from decoders that paint what they are given."""

from statistics import NormalDist
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from painted import model, shown
from scipy.stats import norm
from torch.distributions import Bernoulli, Independent, Normal

from regen.figures.pictures.images import (
    line,
    panels,
    plane,
    prior_quantiles,
    reconstructions,
    sample_latents,
    samples,
    tile,
)
from regen.figures.style import apply_style

GAP = 0.6


def test_tile_lays_images_out_row_by_row() -> None:
    images = torch.stack([torch.full((1, 2, 3), value) for value in (0.1, 0.2, 0.3, 0.4)])
    g = GAP
    expected = [
        [0.1, 0.1, 0.1, g, 0.2, 0.2, 0.2, g, 0.3, 0.3, 0.3],
        [0.1, 0.1, 0.1, g, 0.2, 0.2, 0.2, g, 0.3, 0.3, 0.3],
        [g, g, g, g, g, g, g, g, g, g, g],
        [0.4, 0.4, 0.4, g, g, g, g, g, g, g, g],
        [0.4, 0.4, 0.4, g, g, g, g, g, g, g, g],
    ]
    assert tile(images, 3)[..., 0] == pytest.approx(np.array(expected))


def test_tile_keeps_rows_columns_and_colours_and_cuts_values() -> None:
    image = torch.tensor([[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6], [0.7, 0.8]], [[-1.0, 0.0], [1.0, 2.0]]])
    canvas = tile(image[None], 1)

    assert canvas.shape == (2, 2, 3)
    # Row 0, column 1; then row 1, column 0.
    assert canvas[0, 1] == pytest.approx([0.2, 0.6, 0.0])
    assert canvas[1, 0] == pytest.approx([0.3, 0.7, 1.0])
    assert (canvas[0, 0, 2], canvas[1, 1, 2]) == (0, 1)


def test_quantiles_of_the_manifold() -> None:
    seen = []

    def decode(z: torch.Tensor) -> Any:
        seen.append(z)
        return SimpleNamespace(mean=torch.zeros(len(z), 1, 2, 2))

    plane(model(decode), prior_quantiles(20), "quantiles")
    (z,) = seen
    # The middles of 20 intervals of equal probability, from two implementations.
    expected = [NormalDist().inv_cdf((index + 0.5) / 20) for index in range(20)]
    assert expected == pytest.approx(norm.ppf(np.linspace(0.025, 0.975, 20)))
    assert sorted(set(z[:, 0].tolist())) == pytest.approx(expected, abs=1e-6)
    assert sorted(set(z[:, 1].tolist())) == pytest.approx(expected, abs=1e-6)
    assert len({(first, second) for first, second in z.tolist()}) == 400


def test_the_manifold_rises_to_the_right_and_upwards() -> None:
    def decode(z: torch.Tensor) -> Any:
        # Red is z1, green is z2; [-3, 3] becomes [0, 1].
        colour = torch.stack([z[:, 0], z[:, 1], torch.zeros(len(z))], dim=1) / 6 + 0.5
        return SimpleNamespace(mean=colour[:, :, None, None].expand(-1, -1, 2, 2))

    apply_style()
    figure = plane(model(decode), prior_quantiles(20), "quantiles")
    z = (shown(figure)[::3, ::3] - 0.5) * 6
    expected = [NormalDist().inv_cdf((index + 0.5) / 20) for index in range(20)]

    for index in range(20):
        assert z[index, :, 0] == pytest.approx(expected, abs=1e-5)
        assert z[:, index, 1] == pytest.approx(expected[::-1], abs=1e-5)
    axes = figure.axes[0]
    # Row 0 is at the top, and the labels say the same.
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["-1.96", "0", "1.96"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1.96", "0", "-1.96"]
    assert "z_1" in axes.get_xlabel() and "z_2" in axes.get_ylabel()


def test_latents_are_draws_of_the_prior_and_repeat() -> None:
    z = sample_latents(model(None, dim=3), 5000, seed=1)
    torch.manual_seed(77)

    assert z.shape == (5000, 3)
    assert torch.equal(sample_latents(model(None, dim=3), 5000, seed=1), z)
    assert not torch.equal(sample_latents(model(None, dim=3), 5000, seed=2), z)
    assert (z.mean().item(), z.std().item()) == pytest.approx((0, 1), abs=0.05)


def test_samples_decode_the_same_latents_at_every_snapshot() -> None:
    seen: list[torch.Tensor] = []

    def decode(z: torch.Tensor) -> Independent:
        seen.append(z)
        # Probabilities that the index of the sample fixes.
        probs = (torch.arange(25.0) / 24)[:, None, None, None].expand(-1, 1, 2, 2)
        return Independent(Bernoulli(probs), 3)

    means = samples({"before training": model(decode), "epoch 40": model(decode)}, seed=5, draws=False)
    draws = samples({"before training": model(decode)}, seed=5, draws=True)

    assert len(seen) == 3 and all(torch.equal(z, sample_latents(model(None), 25, 5)) for z in seen)
    assert [axes.get_title() for axes in means.axes] == ["before training", "epoch 40"]
    # Five rows of five, in the order of the latents; each image is 2 pixels and a gap.
    assert shown(means)[::3, ::3] == pytest.approx((np.arange(25) / 24).reshape(5, 5))
    assert set(np.unique(shown(draws)[::3, ::3])) == {0, 1}
    assert (shown(draws)[0, 0], shown(draws)[-1, -1]) == (0, 1)


def test_reconstructions_stand_below_their_images() -> None:
    x = torch.tensor([51, 102, 153, 204], dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
    # A posterior with the image's grey as its mean; decoders that invert it, or give it back.
    encode = lambda images: Independent(Normal(images[:, 0, 0, :1], 1.0), 1)  # noqa: E731
    invert = lambda z: SimpleNamespace(mean=(1 - z)[:, :, None, None].expand(-1, 1, 2, 2))  # noqa: E731
    repeat = lambda z: SimpleNamespace(mean=z[:, :, None, None].expand(-1, 1, 2, 2))  # noqa: E731
    figure = reconstructions({"epoch 1": model(invert, encode=encode), "epoch 2": model(repeat, encode=encode)}, x)

    assert [axes.get_title() for axes in figure.axes] == ["test images", "epoch 1", "epoch 2"]
    rows = [shown(figure, axes)[0, ::3] for axes in range(3)]
    assert rows[0] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert rows[1] == pytest.approx([0.8, 0.6, 0.4, 0.2])
    assert rows[2] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_bernoulli_latents_are_reconstructed_at_their_likelier_values() -> None:
    seen = []

    def decode(z: torch.Tensor) -> Any:
        seen.append(z)
        return SimpleNamespace(mean=z.mean(1)[:, None, None, None].expand(-1, 1, 2, 2))

    # Image 0 has both latents off, image 1 the first of them on, image 2 both.
    q = Independent(Bernoulli(torch.tensor([[0.2, 0.49], [0.51, 0.1], [0.9, 0.8]])), 1)
    figure = reconstructions({"epoch 1": model(decode, encode=lambda images: q)}, torch.zeros(3, 1, 2, 2, dtype=torch.uint8))

    assert torch.equal(seen[0], torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]))
    assert shown(figure, 1)[0, ::3] == pytest.approx([0, 0.5, 1])


def test_an_auto_encoder_is_reconstructed_at_its_codes() -> None:
    codes = torch.tensor([[0.2], [0.7]])
    repeat = lambda z: SimpleNamespace(mean=z[:, :, None, None].expand(-1, 1, 2, 2))  # noqa: E731
    figure = reconstructions({"epoch 1": model(repeat, encode=lambda images: codes)}, torch.zeros(2, 1, 2, 2, dtype=torch.uint8))
    assert shown(figure, 1)[0, ::3] == pytest.approx([0.2, 0.7])


def test_panels_stand_side_by_side_in_their_order() -> None:
    images = {title: torch.full((25, 3, 2, 2), value) for title, value in (("one", 0.25), ("two", 0.5), ("three", 0.75))}
    figure = panels(images)

    assert [axes.get_title() for axes in figure.axes] == ["one", "two", "three"]
    assert [shown(figure, axes).shape for axes in range(3)] == [(14, 14, 3)] * 3
    assert [shown(figure, axes)[0, 0].tolist() for axes in range(3)] == [[0.25] * 3, [0.5] * 3, [0.75] * 3]
    lefts = [axes.get_position().x0 for axes in figure.axes]
    assert lefts == sorted(lefts) and len({axes.get_position().y0 for axes in figure.axes}) == 1


def drawn_along_z() -> Figure:
    """Return the line of a decoder whose images are 4 wide and 2 high and have z from -5 to 5 as their grey."""
    apply_style()
    decoder = model(lambda z: SimpleNamespace(mean=(z / 10 + 0.5)[:, :, None, None].expand(-1, 1, 2, 4)), dim=1)
    return line(decoder, torch.linspace(-5, 5, 256))


def test_the_line_goes_from_minus_5_to_5_row_by_row() -> None:
    figure = drawn_along_z()
    z = (shown(figure)[::3, ::5] - 0.5) * 10

    assert z.shape == (16, 16)
    # 256 values, 255 equal steps.
    assert z.flatten() == pytest.approx([-5 + 10 * index / 255 for index in range(256)], abs=1e-5)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert [label.replace("\N{MINUS SIGN}", "-") for label in labels] == [f"{-5 + 10 * 16 * row / 255:.1f}" for row in range(16)]
    # A label stands at the middle of its row: 2 pixels of 3, the first of them 0.
    assert figure.axes[0].get_yticks() == pytest.approx([3 * row + 0.5 for row in range(16)])
    assert figure.axes[0].get_ylim()[0] > figure.axes[0].get_ylim()[1]


def test_the_frame_holds_what_lies_within_two_standard_deviations() -> None:
    frames = [patch for patch in drawn_along_z().axes[0].patches if isinstance(patch, Rectangle)]
    # |-5 + 10 index / 255| <= 2 is index from 76.5 to 178.5.
    for index in range(256):
        row, column = divmod(index, 16)
        top, left = 3 * row, 5 * column
        pixels = [(left + x, top + y) for x in range(4) for y in range(2)]
        inside = [
            frame
            for frame in frames
            if all(frame.get_x() < x < frame.get_x() + frame.get_width() for x, _ in pixels)
            and all(frame.get_y() < y < frame.get_y() + frame.get_height() for _, y in pixels)
        ]
        touched = [
            frame
            for frame in frames
            if any(
                frame.get_x() < x < frame.get_x() + frame.get_width() and frame.get_y() < y < frame.get_y() + frame.get_height()
                for x, y in pixels
            )
        ]
        assert len(inside) == len(touched) == (77 <= index <= 178)
    assert not any(frame.get_fill() for frame in frames)
