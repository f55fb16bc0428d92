"""Paths between images against hand formulas, and their smoothness where the features are the pixels."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from regen.config.base import parse
from regen.config.model import Gan
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.paths import PATHS, linear, path_measures, paths, spherical
from regen.models.build import build

SHAPE = [1, 4, 4]
T = torch.linspace(0, 1, 10)


def latents(seed: int, count: int = 6, dim: int = 5) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def test_a_straight_path_weighs_its_ends() -> None:
    start, end = latents(0).unflatten(1, (5, 1)), latents(1).unflatten(1, (5, 1))
    path = linear(start, end, T)
    assert path.shape == (10, 6, 5, 1)
    for k in range(10):
        np.testing.assert_allclose(path[k], (9 - k) / 9 * start.numpy() + k / 9 * end.numpy(), atol=1e-6)
    assert path[0].equal(start) and path[-1].equal(end)


def test_an_arc_keeps_the_norm_of_unit_vectors_and_its_angle_grows_evenly() -> None:
    start, end = (torch.nn.functional.normalize(latents(seed).double()) for seed in (0, 1))
    path = spherical(start, end, T.double()).numpy()
    whole = np.arccos((start * end).sum(1).numpy())
    np.testing.assert_allclose(np.linalg.norm(path, axis=-1), 1, rtol=1e-12)
    for k in range(10):
        # Single precision points in time.
        np.testing.assert_allclose(np.arccos((path[k] * start.numpy()).sum(1).clip(-1, 1)), whole * k / 9, atol=1e-6)


def test_an_arc_turns_by_shoemakes_formula_and_its_length_changes_evenly() -> None:
    start, end = latents(0), 3 * latents(1)
    path = spherical(start, end, T)
    assert path.shape == (10, 6, 5)
    for index, (a, b) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        angle = math.acos(sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b))
        for k in range(10):
            first, second = math.sin((1 - k / 9) * angle) / math.sin(angle), math.sin(k / 9 * angle) / math.sin(angle)
            length = (1 - k / 9) * math.hypot(*a) + k / 9 * math.hypot(*b)
            expected = [length * (first * x / math.hypot(*a) + second * y / math.hypot(*b)) for x, y in zip(a, b, strict=True)]
            np.testing.assert_allclose(path[k, index], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(path[0], start)
    torch.testing.assert_close(path[-1], end)


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, -0.5, 0.0])
def test_parallel_and_opposite_vectors_have_a_finite_arc(factor: float) -> None:
    start = latents(2)
    path = spherical(start, factor * start, T)
    assert path.isfinite().all()
    # At most as long as the longer end but for rounding.
    assert (path.norm(dim=-1) <= max(1, abs(factor)) * start.norm(dim=-1) * 1.001).all()
    torch.testing.assert_close(path[0], start)
    torch.testing.assert_close(path[-1], factor * start)
    if factor > 0:
        torch.testing.assert_close(path, linear(start, factor * start, T))


def test_no_arc_leaves_the_circle_of_its_farther_end() -> None:
    # Of two latents many pairs are nearly opposite, where a weighted sum of ends of unequal length is thrown far out.
    start, end = latents(3, 20000, 2), latents(4, 20000, 2)
    assert (spherical(start, end, T).norm(dim=-1) <= torch.maximum(start.norm(dim=-1), end.norm(dim=-1)) * 1.001).all()


def test_one_latent_has_straight_arcs() -> None:
    start, end = latents(0, 200, 1), latents(1, 200, 1)
    torch.testing.assert_close(spherical(start, end, T), linear(start, end, T))


@pytest.fixture
def gan() -> Any:
    network = {"kind": "mlp", "hidden": [8], "activation": "relu"}
    settings = {"family": "gan", "latent_dim": 3, "generator": network, "discriminator": network, "output": "probability"}
    torch.manual_seed(0)
    return build(parse(Gan, settings, "test"), SHAPE).eval()


def test_paths_join_two_generated_images_each_in_its_own_way(gan: Any) -> None:
    found = paths(gan, 4, 7)
    assert tuple(found) == PATHS == ("linear", "spherical", "pixels")
    assert all(images.shape == (4, 10, *SHAPE) and images.dtype == torch.uint8 for images in found.values())
    torch.manual_seed(7)
    z = torch.randn(8, 3).double()
    model = gan.double()

    def levels(path: torch.Tensor) -> np.ndarray:
        with torch.no_grad():
            return (model.generator(path) + 1).numpy() * 255 / 2

    for pair in range(4):
        a, b = z[pair], z[pair + 4]
        angle = torch.arccos(a @ b / a.norm() / b.norm())
        for k in range(10):
            t = k / 9
            turned = (torch.sin((1 - t) * angle) * a / a.norm() + torch.sin(t * angle) * b / b.norm()) / torch.sin(angle)
            arc = ((1 - t) * a.norm() + t * b.norm()) * turned
            expected = {
                "linear": levels((1 - t) * a + t * b),
                "spherical": levels(arc),
                "pixels": (1 - t) * levels(a) + t * levels(b),
            }
            for name, level in expected.items():
                # Rounded to whole levels, after single precision.
                np.testing.assert_allclose(found[name][pair, k].numpy(), level, atol=0.5 + 1e-3)


def test_paths_depend_on_their_seed_alone(gan: Any) -> None:
    first = paths(gan, 4, 7)
    torch.manual_seed(123)
    assert all(images.equal(first[name]) for name, images in paths(gan, 4, 7).items())
    assert not any(images.equal(first[name]) for name, images in paths(gan, 4, 8).items())


def path_of(*levels: list[int]) -> torch.Tensor:
    """Return paths (N, points, 1, 4, 4): so many levels each, of the first pixel; the others are black."""
    images = torch.zeros(len(levels), len(levels[0]), *SHAPE, dtype=torch.uint8)
    images[:, :, 0, 0, 0] = torch.tensor(levels, dtype=torch.uint8)
    return images


STRAIGHT, LEAP = [20 * k for k in range(10)], [0] * 9 + [180]
DETOUR = [0, 20, 40, 60, 80, 60, 40, 20, 40, 60]
ROUND_TRIP = [0, 20, 40, 60, 80, 80, 60, 40, 20, 0]
STILL = [50] * 10


@pytest.mark.parametrize(
    ("levels", "length", "largest"),
    [
        ([STRAIGHT], 1, 1 / 9),
        ([STRAIGHT[::-1]], 1, 1 / 9),
        ([LEAP], 1, 1),
        # Nine steps of 20 to get from 0 to 60.
        ([DETOUR], 3, 1 / 9),
        ([STRAIGHT, LEAP, DETOUR], 5 / 3, (1 / 9 + 1 + 1 / 9) / 3),
        # Ends that look the same have no length; the others keep theirs.
        ([STILL], None, None),
        ([ROUND_TRIP], None, None),
        ([STILL, DETOUR, ROUND_TRIP], 3, 1 / 9),
    ],
    ids=["straight", "backwards", "leap", "detour", "mean", "still", "round trip", "some still"],
)
def test_the_length_and_the_largest_step_of_a_path(
    levels: list[list[int]], length: float | None, largest: float | None, pixel_space: Callable[[list[int]], FeatureSpace]
) -> None:
    found = path_measures(path_of(*levels), pixel_space(SHAPE))
    expected = (length, largest) if length is None else pytest.approx((length, largest), rel=1e-6)
    assert (found["length"], found["largest_step"]) == expected


def test_the_confidence_along_a_path(pixel_space: Callable[[list[int]], FeatureSpace]) -> None:
    # Logits 10 x / 255 of the first class, 0 of the other nine.
    def confidence(level: int) -> float:
        return math.exp(level / 25.5) / (math.exp(level / 25.5) + 9)

    found = path_measures(path_of(STRAIGHT, DETOUR[::-1], STILL), pixel_space(SHAPE))
    each = [[confidence(level) for level in levels] for levels in (STRAIGHT, DETOUR, STILL)]
    assert found["mean_confidence"] == pytest.approx(np.mean(each), rel=1e-6)
    assert found["least_confidence"] == pytest.approx(np.mean([min(values) for values in each]), rel=1e-6)


def test_a_space_without_classes_has_no_confidence(pixel_space: Callable[[list[int]], FeatureSpace]) -> None:
    space = FeatureSpace(pixel_space(SHAPE).model, SHAPE, "factors")
    found = path_measures(path_of(STRAIGHT), space)
    assert (found["mean_confidence"], found["least_confidence"]) == (None, None)
    assert found["length"] == pytest.approx(1, rel=1e-6)
