"""Sharpness, blocks and the power at period 2 of images whose Laplacian, steps and spectrum are known."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import laplace
from torch.nn.functional import conv_transpose2d, interpolate

from regen.evaluation.quality import pixels
from regen.evaluation.quality.pixels import blockiness, laplacian_variance, period_two_energy


def grey(values: np.ndarray) -> torch.Tensor:
    """Return one image (1, 1, H, W) of levels (H, W)."""
    return torch.from_numpy(np.asarray(values, dtype=np.uint8))[None, None]


def fields(height: int, width: int) -> np.ndarray:
    """Return rows + columns."""
    return np.add.outer(np.arange(height), np.arange(width))


def noise(count: int, channels: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=(count, channels, height, width), dtype=np.uint8)


def test_a_constant_image_and_a_ramp_have_no_sharpness() -> None:
    # Rounding in single precision: the sum of five products off by eps each.
    tolerance = (5 * torch.finfo(torch.float32).eps * 4) ** 2
    assert laplacian_variance(grey(np.full((6, 6), 200))) == pytest.approx(0, abs=tolerance)
    assert laplacian_variance(grey(5 * fields(8, 8))) == pytest.approx(0, abs=tolerance)
    # A parabola's Laplacian is constant too.
    assert laplacian_variance(grey(np.add.outer(np.arange(8) ** 2, np.arange(8) ** 2))) == pytest.approx(0, abs=tolerance)


def test_the_sharpness_of_a_checkerboard_and_of_a_point() -> None:
    # Laplacian 4 on black, -4 on white fields; within 6x6 there are as many of each.
    assert laplacian_variance(grey(255 * (fields(6, 6) % 2))) == pytest.approx(16, rel=1e-6)
    # Within 5x5 there are 5 and 4: mean 4/9.
    assert laplacian_variance(grey(255 * (fields(5, 5) % 2))) == pytest.approx(16 - (4 / 9) ** 2, rel=1e-6)
    point = np.zeros((5, 5))
    point[2, 2] = 51
    # -4 at the point, 1 at its four neighbours, 0 at the corners: mean 0; 51 levels are a fifth.
    assert laplacian_variance(grey(point)) == pytest.approx((16 + 4) / 9 / 25, rel=1e-6)


def test_the_sharpness_is_that_of_scipy_on_the_interior() -> None:
    images = noise(7, 3, 6, 9)
    mean = images.astype(float).mean(1) / 255
    expected = np.mean([laplace(image)[1:-1, 1:-1].var() for image in mean])
    assert laplacian_variance(torch.from_numpy(images)) == pytest.approx(expected, rel=1e-6)


def test_stripes_and_checkerboards_have_all_of_their_power_at_period_two() -> None:
    columns = np.tile(np.arange(8) % 2 * 255, (6, 1))
    # Half of the values are 1: sum of squares 24 over 6x8, of which the mean has 48 / 4 = 12 and the pattern the other 12.
    for image in (columns, columns.T, 255 * (fields(6, 8) % 2)):
        assert period_two_energy(grey(image)) == pytest.approx(12, rel=1e-6)


def test_other_patterns_have_no_power_at_period_two() -> None:
    stripes = np.tile([255, 255, 0, 0, 255, 255, 0, 0], (8, 1))
    for image in (np.full((8, 8), 255), stripes, stripes.T):
        assert period_two_energy(grey(image)) == pytest.approx(0, abs=1e-10)


def test_odd_sizes_have_no_period_two() -> None:
    assert period_two_energy(torch.zeros(2, 1, 5, 6, dtype=torch.uint8)) is None
    assert period_two_energy(torch.zeros(2, 1, 6, 5, dtype=torch.uint8)) is None


def test_the_power_at_period_two_is_that_of_alternating_sums() -> None:
    images = noise(9, 3, 6, 10)
    x = images.astype(float).mean(1) / 255
    along, across = np.where(np.arange(6) % 2, -1, 1)[:, None], np.where(np.arange(10) % 2, -1, 1)
    # Parseval along the other axis: sums of squares of what alternates along one, without its double at the corner.
    rows = ((along * x).sum(1) ** 2).sum(1) / 6
    columns = ((across * x).sum(2) ** 2).sum(1) / 10
    corner = (along * across * x).sum((1, 2)) ** 2 / 60
    assert period_two_energy(torch.from_numpy(images)) == pytest.approx((rows + columns - corner).mean(), rel=1e-5)


def test_white_noise_has_its_variance_at_every_frequency() -> None:
    images = torch.from_numpy(noise(400, 1, 8, 12))
    each = [period_two_energy(image[None]) for image in images]
    # H + W - 1 frequencies; 256 equal levels have the variance (256^2 - 1) / 12.
    expected = (256**2 - 1) / 12 / 255**2 * (8 + 12 - 1)
    assert abs(period_two_energy(images) - expected) < 4 * np.std(each, ddof=1) / math.sqrt(400)


def test_the_uneven_overlap_of_a_transposed_convolution_shows() -> None:
    # Weights of 1, 3x3, stride 2: a pixel gets 1, 2 or 4 inputs; 20 levels each.
    image = conv_transpose2d(torch.full((1, 1, 9, 9), 20.0), torch.ones(1, 1, 3, 3), stride=2, padding=1)[..., 2:-3, 2:-3]
    assert image.unique().tolist() == [20, 40, 80] and image.shape == (1, 1, 12, 12)
    # Sums that alternate along rows are H/2 (1 - 2) and H/2 (2 - 4) by turns, the corner's is H W / 4 (1 - 4 + 4), in units of 20 levels.
    expected = (2 * 12 * 12 / 8 * (1 + 4) - 12 * 12 / 16) * (20 / 255) ** 2
    assert period_two_energy(image.to(torch.uint8)) == pytest.approx(expected, rel=1e-5)


def enlarged(mode: str, images: np.ndarray) -> torch.Tensor:
    return interpolate(torch.from_numpy(images).float(), scale_factor=2, mode=mode).round().to(torch.uint8)


def test_repeated_pixels_are_all_blocks_wherever_these_begin() -> None:
    large = enlarged("nearest", noise(3, 1, 6, 8))
    for image in (large, large[..., 1:, :], large[..., :, 1:], large[..., 1:-1, 1:-1]):
        assert blockiness(image) == 1
    # Along one axis only: the other has no steps at all.
    assert blockiness(grey(np.tile(np.repeat([10, 200, 90, 40], 2), (6, 1)))) == 1


def test_ramps_and_checkerboards_have_no_blocks() -> None:
    assert blockiness(grey(5 * fields(8, 9))) == 0
    # Every step is one from black to white.
    assert blockiness(grey(255 * (fields(8, 6) % 2))) == 0


def test_constant_and_small_images_have_no_steps_to_compare() -> None:
    assert blockiness(grey(np.full((6, 6), 200))) is None
    assert blockiness(torch.from_numpy(noise(4, 1, 2, 6))) is None and blockiness(torch.from_numpy(noise(4, 1, 6, 2))) is None


def test_steps_of_known_size_have_their_contrast() -> None:
    # 1 within pairs of columns and 3 between them: (3 - 1) / (3 + 1).
    columns = np.array([0, 1, 4, 5, 8, 9, 12])
    for image in (np.tile(columns, (5, 1)), np.tile(columns, (5, 1)).T, 10 * np.tile(columns, (5, 1))):
        assert blockiness(grey(image)) == pytest.approx(0.5)
    # Rows of even steps of 2 add to what is above and below alike: (3 - 1) / (3 + 1 + 2 + 2).
    assert blockiness(grey(np.add.outer(2 * np.arange(7), columns))) == pytest.approx(0.25)


def test_blocks_are_those_of_a_loop_over_pairs() -> None:
    images = noise(9, 3, 6, 9)
    images[:, :, :, ::3] //= 5
    x = images.astype(float).mean(1)
    above = below = 0.0
    for steps in (np.abs(np.diff(x, axis=2)), np.abs(np.diff(x, axis=1)).swapaxes(1, 2)):
        even = np.mean([steps[..., i] for i in range(0, steps.shape[-1], 2)])
        odd = np.mean([steps[..., i] for i in range(1, steps.shape[-1], 2)])
        above, below = above + abs(even - odd), below + even + odd
    assert blockiness(torch.from_numpy(images)) == pytest.approx(above / below, rel=1e-9)


def test_nearest_has_more_blocks_than_bilinear_and_noise_next_to_none() -> None:
    small = noise(300, 1, 8, 8)
    # Between equal noise bilinear steps are 1/4 of a sum of two within blocks and 1/2 of one across: twice as large, so a third.
    assert blockiness(enlarged("bilinear", small)) == pytest.approx(1 / 3, abs=0.03)
    assert blockiness(enlarged("nearest", small)) == 1
    # Mean of |x - y| a third of the range, standard deviation 0.24: some 8,000 nearly independent steps of either kind along an axis.
    large = torch.from_numpy(noise(300, 1, 8, 8))
    assert blockiness(large) < 4 * 0.24 * math.sqrt(2 / 8000) / (2 / 3) * 2


@pytest.mark.parametrize("measure", [blockiness, laplacian_variance, period_two_energy])
def test_a_measure_in_blocks_of_images_is_the_same(measure: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(measure)
    images = torch.from_numpy(noise(25, 1, 6, 6))
    whole = measure(images)
    monkeypatch.setattr(pixels, "BLOCK", 10)
    assert measure(images) == pytest.approx(whole, rel=1e-12)
