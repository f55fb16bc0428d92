"""Intervals over seeds, own and of other variants, against scipy's."""

import math

import numpy as np
import pytest
from scipy.stats import linregress, t
from support.written import Written

from regen.claims.interval import LEVEL, Interval, differences, of_seeds, spread
from regen.claims.reads import fcd, measure, slope_interval
from regen.results import Missing

A, B, OTHER, FLOW = "uva3-vae-z20-mnist", "uva3-vae-z2-mnist", "lab1-vae-mnist", "uva3-realnvp-mnist"


def test_three_seeds_have_students_interval() -> None:
    values = [3.0, 5.0, 10.0]
    low, high = t.interval(LEVEL, 2, np.mean(values), np.std(values, ddof=1) / math.sqrt(3))
    found = of_seeds(dict(enumerate(values)))
    assert (found.low, found.high) == pytest.approx((low, high)) and found.source == "3 seeds"
    assert of_seeds({0: 3.0, 1: 5.0}).half is None
    with pytest.raises(Missing):
        differences({0: 1.0}, {1: 1.0})


@pytest.mark.parametrize(
    ("mean", "half", "cut", "above"),
    [
        (5, 1, (0, 0), True),
        (5, 6, (0, 0), None),
        (-5, 1, (0, 0), False),
        (5, 1, (3, 4.5), None),
        (5, None, (3, 4.5), True),
        (5, 1, (7, 9), False),
    ],
)
def test_a_cut_is_a_band_and_an_interval_has_to_leave_it(
    mean: float, half: float | None, cut: tuple[float, float], above: bool | None
) -> None:
    assert Interval(mean, half, 3, "").above(*cut) is above


def test_with_one_seed_the_error_is_the_relative_spread_of_other_variants(written: Written) -> None:
    written.frechet(A, 100.0)
    written.frechet(B, 80.0)
    alone = spread(written.results, fcd(written.results), A, B)
    assert (alone.mean, alone.half) == (20.0, None)
    others = [190.0, 200.0, 210.0, 198.0]
    written.frechet(OTHER, *others)
    # A family or a data set of too few degrees of freedom borrows from all, but never less than its own.
    written.frechet(FLOW, 50.0, 60.0)
    results = written.results
    found = spread(results, fcd(results), A, B)
    share = np.std(others, ddof=1) / np.mean(others)
    both = math.sqrt((3 * share**2 + np.var([50 / 55, 60 / 55], ddof=1)) / 4)
    assert found.half == pytest.approx(t.ppf(0.975, 4) * max(share, both) * math.hypot(100, 80))
    assert found.source == "1 seed, spread of 6 runs of other variants" and A in results.read and OTHER not in results.read


def half_of(
    written: Written, others: dict[str, tuple[float, ...]], absolute: bool = False, read: str = "frechet_classifier_distance"
) -> float:
    """Return the half width of A (100) against B (80), one seed each or as `others` says."""
    for variant, values in {A: (100.0,), B: (80.0,), **others}.items():
        for seed, number in enumerate(values):
            written.rows(variant, {"samples": {read: number}}, seed)
    found = spread(written.results, measure(written.results, read), A, B, absolute)
    assert found.half is not None
    return found.half


def test_an_error_that_is_borrowed_is_no_less_than_that_of_the_own_family(written: Written) -> None:
    wild, calm = (100.0, 140.0, 60.0, 100.0), (50.0, 50.5)
    share = np.std(wild, ddof=1) / 100
    assert half_of(written, {OTHER: wild, FLOW: calm}) == pytest.approx(t.ppf(0.975, 4) * share * math.hypot(100, 80))


def pooled(*groups: tuple[float, ...]) -> float:
    """Return the standard deviation of one run, pooled over groups with means of their own."""
    return math.sqrt(sum((len(runs) - 1) * np.var(runs, ddof=1) for runs in groups) / sum(len(runs) - 1 for runs in groups))


@pytest.mark.parametrize("stranger", [FLOW, "vu4a-vae-svhn"])
def test_enough_runs_of_the_own_family_and_data_set_need_no_others(written: Written, stranger: str) -> None:
    others = (190.0, 200.0, 210.0, 200.0), (97.0, 103.0)
    share = pooled(*(tuple(value / np.mean(runs) for value in runs) for runs in others))
    found = half_of(written, {OTHER: others[0], "lab1-vae-z2-mnist": others[1], stranger: (50.0, 100.0)})
    assert found == pytest.approx(t.ppf(0.975, 4) * share * math.hypot(100, 80))


@pytest.mark.parametrize("values", [(-300.0, -20.0, 40.0), (0.0, 9.0)])
def test_what_is_not_above_zero_lends_no_share(written: Written, values: tuple[float, ...]) -> None:
    others = (190.0, 200.0, 210.0, 200.0), (97.0, 103.0)
    share = pooled(*(tuple(value / np.mean(runs) for value in runs) for runs in others))
    found = half_of(written, {OTHER: others[0], "lab1-vae-z2-mnist": others[1], "vu4a-vae-mnist": values})
    assert found == pytest.approx(t.ppf(0.975, 4) * share * math.hypot(100, 80))


def test_what_may_fail_lends_no_error(written: Written) -> None:
    others = (190.0, 200.0, 210.0, 200.0), (97.0, 103.0)
    share = pooled(*(tuple(value / np.mean(runs) for value in runs) for runs in others))
    found = half_of(written, {OTHER: others[0], "lab1-vae-z2-mnist": others[1], "ext-vae-rate1e2-mnist": (200.0, 900.0, 210.0)})
    assert found == pytest.approx(t.ppf(0.975, 4) * share * math.hypot(100, 80))


def test_the_error_of_a_share_is_absolute_and_smaller_with_two_seeds(written: Written) -> None:
    groups = {A: (0.5, 0.6), B: (0.3, 0.35), OTHER: (0.5, 0.6, 0.7, 0.6)}
    # A difference of two runs has the deviation sqrt(2) times, a mean of two 1 / sqrt(2) times.
    assert half_of(written, groups, absolute=True, read="precision") == pytest.approx(t.ppf(0.975, 5) * pooled(*groups.values()))


def test_three_seeds_need_no_others_and_are_compared_in_pairs(written: Written) -> None:
    written.frechet(A, 100.0, 110.0, 90.0, 7.0)
    written.frechet(B, 99.0, 108.0, 89.0)
    found = spread(written.results, fcd(written.results), A, B)
    low, high = t.interval(0.95, 2, 4 / 3, np.std([1, 2, 1], ddof=1) / math.sqrt(3))
    assert (found.low, found.high, found.seeds) == (pytest.approx(low), pytest.approx(high), 3)


def test_the_interval_of_a_trend_is_that_of_scipy_over_ten_means_and_holds_the_slope_95_times_of_100() -> None:
    random = np.random.default_rng(1)
    curve = list(0.01 * np.arange(50) + random.normal(size=50))
    line = linregress(np.arange(2, 50, 5), np.reshape(curve, (10, 5)).mean(1))
    half = t.ppf(0.975, 8) * line.stderr
    assert slope_interval(curve) == pytest.approx((line.slope - half, line.slope + half))
    with pytest.raises(Missing, match="three epochs"):
        slope_interval([1.0, 2.0])
    # Of noise that is alike over five epochs, too, which a line through the epochs themselves would take for a trend.
    for noise in (random.normal(size=(600, 50)), np.repeat(random.normal(size=(600, 10)), 5, axis=1)):
        held = np.mean([low <= 0 <= high for low, high in map(slope_interval, noise)])
        assert abs(held - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 600)
