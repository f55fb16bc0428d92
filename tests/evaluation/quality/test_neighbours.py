"""Precision, recall, density and coverage against their definitions, prdc and sets with known answers; nearest distances."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from prdc import compute_prdc
from scipy.spatial import cKDTree

from regen.evaluation.quality import distances
from regen.evaluation.quality.distances import density_and_coverage, nearest_distances, precision_and_recall


def sets(seed: int, real: int = 70, generated: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Return real and generated features of two dimensions, even in rectangles that overlap in part."""
    generator = np.random.default_rng(seed)
    return generator.uniform(size=(real, 2)), generator.uniform(size=(generated, 2)) * [1.5, 1] + [0.4, 0]


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]


def line(*places: float) -> torch.Tensor:
    """Return features of one dimension."""
    return torch.tensor(places, dtype=torch.float64)[:, None]


def radii(features: np.ndarray, k: int) -> list[float]:
    """Return the distance of each feature to the k-th nearest of the others."""
    return [sorted(float(np.linalg.norm(x - y)) for j, y in enumerate(features) if j != i)[k - 1] for i, x in enumerate(features)]


def covered(points: np.ndarray, centres: np.ndarray, k: int) -> float:
    """Return the share of points within the ball of a centre, which reaches to its k-th neighbour among the centres."""
    balls = list(zip(centres, radii(centres, k), strict=True))
    return float(np.mean([any(np.linalg.norm(point - centre) <= radius for centre, radius in balls) for point in points]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_precision_and_recall_are_as_defined_with_three_neighbours(seed: int) -> None:
    real, generated = sets(seed)
    precision, recall = precision_and_recall(*tensors(real, generated))
    expected = covered(generated, real, 3), covered(real, generated, 3)
    assert all(0.1 < share < 0.9 for share in expected) and expected[0] != expected[1]
    # The library has the shares in single precision.
    assert (precision, recall) == pytest.approx(expected, rel=1e-6)


def test_precision_and_recall_of_hand_made_sets() -> None:
    real = torch.from_numpy(np.random.default_rng(0).normal(size=(40, 4)))
    assert precision_and_recall(real, real) == (1, 1)
    assert precision_and_recall(real, real + 100) == (0, 0)
    # Two modes far apart, one of them never generated: every sample is good, half of the images are out of reach.
    assert precision_and_recall(torch.cat([real, real + 100]), torch.cat([real, real])) == (1, 0.5)
    assert precision_and_recall(torch.cat([real, real]), torch.cat([real, real + 100])) == (0.5, 1)


def test_precision_on_a_line_is_that_of_the_third_neighbour() -> None:
    # The ends 0 and 9 reach 3 far, all between reach 2 far.
    real = line(*range(10))
    generated = line(-2.9, 12.1, 5.5, 20)
    # -2.9 is within the ball of 0; 12.1 is 3.1 from 9. Four generated features reach as far as the farthest: all is in reach.
    assert precision_and_recall(real, generated) == (0.5, 1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_density_and_coverage_are_those_of_prdc(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    real, generated = sets(seed)
    expected = compute_prdc(real, generated, nearest_k=5)
    capsys.readouterr()
    found = density_and_coverage(*tensors(real, generated))
    assert found == pytest.approx((expected["density"], expected["coverage"]), rel=1e-12)
    assert 0.1 < found[1] < 0.95


def test_density_and_coverage_of_hand_made_sets() -> None:
    # To the fifth neighbour: 5 from the ends 0 and 9, 4 from 1 and 8, 3 from all between.
    real = line(*range(10))
    assert density_and_coverage(real, line(*[4.5] * 7)) == (10 / 5, 1)
    # -4.9 is in the ball of 0 only, -5.1 in none.
    assert density_and_coverage(real, line(-4.9)) == (1 / 5, 0.1)
    assert density_and_coverage(real, line(-4.9, -5.1, -5.2, 50)) == (1 / 20, 0.1)
    # Collapsed to one end: the balls of 0 to 3 hold -0.5, the one of 4 does not.
    assert density_and_coverage(real, line(*[-0.5] * 3)) == (3 / 5, 0.3)
    assert density_and_coverage(real, real + 100) == (0, 0)


def test_equal_sets_are_covered_and_each_ball_holds_k_features_and_its_own() -> None:
    # Whole numbers: rounding must not decide about a feature at the very end of a ball.
    real = torch.from_numpy(np.random.default_rng(0).integers(10000, size=(50, 3)).astype(float))
    assert density_and_coverage(real, real) == (pytest.approx(6 / 5), 1)


def test_the_nearest_distance_is_that_of_a_tree() -> None:
    features, others = sets(3)
    expected, _ = cKDTree(others).query(features)
    np.testing.assert_allclose(nearest_distances(*tensors(features, others)), expected, rtol=1e-7)


def test_a_copy_is_at_no_distance() -> None:
    features = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 30)).astype(np.float32)) + 3
    assert nearest_distances(features[:40], features).max().item() == 0


@pytest.mark.parametrize("measure", [density_and_coverage, precision_and_recall, nearest_distances], ids=lambda measure: measure.__name__)
def test_a_measure_in_blocks_of_rows_is_the_same(measure: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    real, generated = tensors(*sets(4))
    whole = measure(real, generated)
    monkeypatch.setattr(distances, "ROWS", 32)
    np.testing.assert_allclose(measure(real, generated), whole, rtol=1e-12)
