"""The Frechet distance of samples with given moments, and the kernel distance against its own definition."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import ortho_group

from regen.evaluation.quality.distances import frechet, kernel


def with_moments(count: int, mean: np.ndarray, covariance: np.ndarray, seed: int = 0) -> torch.Tensor:
    """Return features (count, F) whose own mean and covariance (count - 1 below the line) are these."""
    noise = np.random.default_rng(seed).normal(size=(count, len(mean)))
    noise -= noise.mean(0)
    white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise, rowvar=False).reshape(len(mean), -1))).T
    values, vectors = np.linalg.eigh(covariance)
    return torch.from_numpy(mean + white @ (vectors * np.sqrt(values.clip(0))).T)


def random_covariance(size: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


def test_gaussians_with_diagonal_covariances_have_the_closed_form() -> None:
    means, deviations = np.array([[1.0, -2, 0], [4, 2, 0.5]]), np.array([[1.0, 2, 3], [0.5, 2, 7]])
    one, other = (with_moments(count, means[i], np.diag(deviations[i] ** 2), i) for i, count in ((0, 50), (1, 80)))
    # |m1 - m2|^2 = 9 + 16 + 1/4; per dimension (s1 - s2)^2 = 1/4, 0, 16.
    assert frechet(one, other) == pytest.approx(9 + 16 + 0.25 + 0.25 + 0 + 16, rel=1e-10)
    assert frechet(other, one) == pytest.approx(41.5, rel=1e-10)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gaussians_with_any_covariances_have_the_closed_form(seed: int) -> None:
    first, second = random_covariance(6, seed), random_covariance(6, seed + 10)
    mean = np.arange(6.0)
    expected = (mean**2).sum() + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet(with_moments(40, mean, first, seed), with_moments(30, 0 * mean, second, seed + 20)) == pytest.approx(expected, rel=1e-8)


def test_one_feature_has_the_closed_form() -> None:
    one, other = with_moments(20, np.array([3.0]), np.array([[4.0]])), with_moments(30, np.array([-1.0]), np.array([[25.0]]))
    assert frechet(one, other) == pytest.approx((3 + 1) ** 2 + (2 - 5) ** 2, rel=1e-10)


def test_covariances_without_full_rank_have_the_closed_form() -> None:
    turned = ortho_group.rvs(5, random_state=0)
    for first, second in (([4, 1, 0, 0, 0], [1, 9, 0, 0, 0]), ([4, 1, 0, 0, 0], [0, 0, 1, 4, 0]), ([1, 4, 9, 0, 0], [0, 0, 0, 0, 0])):
        one, other = (with_moments(30, np.ones(5), turned @ np.diag(np.array(values, float)) @ turned.T) for values in (first, second))
        expected = ((np.sqrt(first) - np.sqrt(second)) ** 2).sum()
        # An eigenvalue 0 of the product is known to F eps |S1| |S2|, and its root to the root of that; at most F, twice in the sum.
        assert frechet(one, other) == pytest.approx(expected, abs=2 * 5 * math.sqrt(5 * np.finfo(float).eps * 9 * 9))


def test_equal_sets_are_at_no_distance() -> None:
    features = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 8)))
    scale = np.linalg.norm(np.cov(features.numpy(), rowvar=False), 2)
    assert frechet(features, features) == pytest.approx(0, abs=8 * 8 * np.finfo(float).eps * scale * 10)
    # Fewer features than dimensions: roots of eigenvalues 0, as above.
    assert frechet(features[:5], features[:5]) == pytest.approx(0, abs=2 * 8 * math.sqrt(8 * np.finfo(float).eps) * 5 * scale)


def test_single_precision_features_are_summed_in_double_precision() -> None:
    generator = np.random.default_rng(0)
    # A spread of 1e-3 on values near 1,000: single precision sums would lose it.
    one, other = (np.float32(1000 + generator.normal(size=(200, 3)) * scale) for scale in (1e-2, 2e-2))
    first, second = (np.cov(features.astype(float), rowvar=False) for features in (one, other))
    difference = one.astype(float).mean(0) - other.astype(float).mean(0)
    expected = difference @ difference + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet(torch.from_numpy(one), torch.from_numpy(other)) == pytest.approx(expected, rel=1e-6)


def by_definition(one: np.ndarray, other: np.ndarray) -> float:
    """Return the unbiased squared kernel distance of two sets (N, F) of equal length."""

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3)

    n = len(one)
    within = sum(k(features[i], features[j]) for features in (one, other) for i, j in itertools.permutations(range(n), 2))
    return within / (n * (n - 1)) - 2 * sum(k(x, y) for x in one for y in other) / n**2


@pytest.mark.parametrize(("count", "sizes"), [(40, [4] * 10), (21, [3] + [2] * 9), (41, [5] + [4] * 9), (25, [3] * 5 + [2] * 5)])
def test_the_kernel_distance_is_that_of_ten_blocks(count: int, sizes: list[int]) -> None:
    generator = np.random.default_rng(0)
    one, other = generator.normal(size=(count, 3)), generator.normal(size=(count, 3)) + 0.5
    ends = np.cumsum(sizes)
    assert ends[-1] == count
    values = [by_definition(one[end - size : end], other[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
    distance, error = kernel(torch.from_numpy(one), torch.from_numpy(other))
    # The ten values are kept in single precision.
    rounding = 10 * torch.finfo(torch.float32).eps * max(abs(value) for value in values)
    assert distance == pytest.approx(sum(values) / 10, abs=rounding)
    assert error == pytest.approx(np.std(values, ddof=1) / math.sqrt(10), abs=rounding)


def test_the_kernel_distance_of_two_points_is_exact() -> None:
    one, other = torch.tensor([[1.0, 3]]).expand(20, -1), torch.tensor([[2.0, -1]]).expand(20, -1)
    # x.x / 2 + 1 = 6, y.y / 2 + 1 = 3.5, x.y / 2 + 1 = 0.5.
    assert kernel(one, other) == (6**3 + 3.5**3 - 2 * 0.5**3, 0)


def test_the_kernel_distance_of_coins_has_its_population_value() -> None:
    generator = np.random.default_rng(0)
    found = [
        kernel(torch.from_numpy(generator.choice([-1.0, 1.0], size=(40, 1))), torch.zeros(40, 1, dtype=torch.float64))[0]
        for _ in range(200)
    ]
    # x x' is 1 or -1 with equal chances, so the mean kernel is 2^3 / 2 = 4 among coins; with or among zeros it is 1.
    assert abs(np.mean(found) - (4 + 1 - 2)) < 4 * np.std(found, ddof=1) / math.sqrt(len(found))


def test_equal_distributions_are_at_no_kernel_distance_on_average_and_the_standard_error_is_honest() -> None:
    generator = np.random.default_rng(1)
    pairs = [kernel(*(torch.from_numpy(generator.normal(size=(60, 4)) + 1) for _ in range(2))) for _ in range(300)]
    distances, errors = np.array(pairs).T
    assert abs(distances.mean()) < 4 * distances.std(ddof=1) / math.sqrt(len(distances))
    # Both estimate the variance of a distance: the mean square of its own standard error, and the spread over repetitions.
    squares, spread = errors**2, (distances - distances.mean()) ** 2
    assert abs(squares.mean() - spread.mean()) < 4 * math.sqrt((squares.var() + spread.var()) / len(distances))
