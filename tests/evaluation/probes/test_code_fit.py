import math
from itertools import combinations
from types import SimpleNamespace

import pytest
import torch
from sklearn.mixture import GaussianMixture
from stand_ins import described, subject

from regen.config.probes import CodeFit
from regen.evaluation.probes.code_fit import code_fit, fitted, mmd2, permutation_test


def drawn(count: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def looped(
    first: list[list[float]], second: list[list[float]], bandwidth: float, scales: tuple[float, ...] = (1 / 8, 1 / 4, 1 / 2, 1)
) -> float:
    """Gretton et al. (2012), equation 3, sum by sum."""

    def k(x: list[float], y: list[float]) -> float:
        square = sum((a - b) ** 2 for a, b in zip(x, y, strict=True))
        return sum(math.exp(-square / (2 * (scale * bandwidth) ** 2)) for scale in scales) / len(scales)

    def within(points: list[list[float]]) -> float:
        pairs = [k(x, y) for i, x in enumerate(points) for j, y in enumerate(points) if i != j]
        return sum(pairs) / len(pairs)

    across = [k(x, y) for x in first for y in second]
    return within(first) + within(second) - 2 * sum(across) / len(across)


def median_distance(points: list[list[float]]) -> float:
    distances = sorted(math.dist(x, y) for x, y in combinations(points, 2))
    return distances[(len(distances) - 1) // 2]


def test_the_statistic_is_the_double_loops() -> None:
    first, second = drawn(7, 0), drawn(5, 1, 0.5)
    found = permutation_test(first, second, 3, 0)
    bandwidth = median_distance(torch.cat([first, second]).tolist())
    assert found["bandwidth"] == pytest.approx(bandwidth)
    assert found["mmd2"] == pytest.approx(looped(first.tolist(), second.tolist(), bandwidth))


def test_every_column_is_an_arrangement_of_its_own() -> None:
    points = drawn(6, 3)
    kernel = torch.exp(-torch.cdist(points, points).square() / 2).fill_diagonal_(0)
    members = torch.tensor([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 0, 0]], dtype=torch.float64).T
    first, second = mmd2(kernel, members).tolist()
    assert first == pytest.approx(looped(points[:3].tolist(), points[3:].tolist(), 1.0, (1.0,)))
    assert second == pytest.approx(looped(points[[1, 3]].tolist(), points[[0, 2, 4, 5]].tolist(), 1.0, (1.0,)))


def test_the_p_value_is_that_of_all_arrangements() -> None:
    first, second = drawn(4, 0), drawn(4, 2, 0.8)
    both = torch.cat([first, second]).tolist()
    bandwidth = median_distance(both)
    every = [set(chosen) for chosen in combinations(range(8), 4)]
    values = [looped([both[i] for i in one], [both[i] for i in range(8) if i not in one], bandwidth) for one in every]
    exact = sum(value >= values[0] - 1e-12 for value in values) / len(values)
    found = permutation_test(first, second, 4000, 0)["p_value"]
    assert 0.02 < exact < 0.9 and found == pytest.approx(exact, abs=0.03)


def test_the_same_distribution_is_accepted_and_another_refused() -> None:
    assert permutation_test(drawn(100, 0), drawn(100, 1), 199, 0)["p_value"] > 0.05
    assert permutation_test(drawn(100, 0), drawn(100, 1, 1.0), 199, 0)["p_value"] == 1 / 200


def test_codes_that_are_all_the_same_prove_nothing() -> None:
    found = permutation_test(torch.ones(5, 2), torch.ones(5, 2), 19, 0)
    assert math.isnan(found["mmd2"]) and found["p_value"] == 1


def clusters(count: int, share: float, seed: int) -> torch.Tensor:
    codes = drawn(count, seed)
    codes[: round(share * count), 0] += 100
    return codes


def test_fixed_weights_of_clusters_far_apart_cost_their_divergence() -> None:
    codes = clusters(1000, 0.8, 0)
    free, fixed = (fitted(codes, 2, equal, 1) for equal in (False, True))
    assert sorted(free.weights_) == pytest.approx([0.2, 0.8]) and fixed.weights_.tolist() == [0.5, 0.5]
    # log p differs by the logarithm of the weights alone: KL((0.8, 0.2), (0.5, 0.5)) = 0.1927 nats.
    assert fixed.score(codes.numpy()) - free.score(codes.numpy()) == pytest.approx(-0.19274, abs=1e-4)
    assert fixed.means_ == pytest.approx(free.means_, abs=1e-6)


def test_estimated_weights_are_those_of_the_library() -> None:
    codes = torch.cat([drawn(300, 0), 2.5 * drawn(100, 1) + 2])
    whole = GaussianMixture(2, tol=1e-4, max_iter=1000, random_state=3).fit(codes.numpy())
    stepped = fitted(codes, 2, False, 3)
    assert stepped.weights_ == pytest.approx(whole.weights_, abs=1e-3)
    assert stepped.score(codes.numpy()) == pytest.approx(whole.score(codes.numpy()), abs=1e-5)


def test_a_mixture_that_fits_and_weights_that_matter() -> None:
    sets = {"train": clusters(500, 0.8, 0), "test": clusters(200, 0.8, 1)}
    images = {name: described(torch.arange(len(codes))) for name, codes in sets.items()}
    by_size = {len(codes): codes for codes in sets.values()}
    model = SimpleNamespace(
        codes=lambda images: by_size[len(images)], latents=lambda n: clusters(n, 0.8, 2), mixture=SimpleNamespace(weights=torch.ones(2))
    )
    given = [subject(images, model=model)]
    found = code_fit(CodeFit(codes=150, permutations=99, initialisations=2), given, 0)
    assert (found["n_images"], found["permutations"], [test["n"] for test in found["tests"]]) == (200, 99, [30, 60, 150])
    assert found["tests"][-1]["p_value"] > 0.05
    # Of other codes each: no two have the same median distance.
    assert len({test["bandwidth"] for test in found["tests"]}) == 3
    free, fixed = found["rows"]
    assert (free["weights"], fixed["weights"], free["initialisations"]) == ("estimated", "equal", 2)
    assert (free["lowest_weight"], free["highest_weight"], fixed["lowest_weight"]) == pytest.approx((0.2, 0.8, 0.5))
    # On held-out codes of the same shares the cost is the same, and 0.8 log(0.5 / 0.8) + 0.2 log(0.5 / 0.2) a code.
    assert found["test_difference_nats"] == pytest.approx(-0.19274, abs=1e-4)
    assert fixed["test_log_likelihood_nats"] - free["test_log_likelihood_nats"] == pytest.approx(found["test_difference_nats"])
    spread = (math.log(0.5 / 0.2) - math.log(0.5 / 0.8)) * math.sqrt(0.8 * 0.2 / 199)
    assert found["test_difference_standard_error"] == pytest.approx(spread, rel=1e-3)
    # More codes than there are: all are taken.
    assert code_fit(CodeFit(codes=1000, permutations=9, initialisations=1), given, 0)["tests"][-1]["n"] == 200
