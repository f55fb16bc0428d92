"""Intervals over seeds, own and of other variants, against scipy's."""

import math

import numpy as np
import pytest
from scipy.stats import t
from support.written import Written

from regen.claims.interval import LEVEL, Interval, differences, of_seeds, spread
from regen.claims.reads import block_bootstrap, fcd, slope
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


def test_three_seeds_need_no_others_and_are_compared_in_pairs(written: Written) -> None:
    written.frechet(A, 100.0, 110.0, 90.0, 7.0)
    written.frechet(B, 99.0, 108.0, 89.0)
    found = spread(written.results, fcd(written.results), A, B)
    low, high = t.interval(0.95, 2, 4 / 3, np.std([1, 2, 1], ddof=1) / math.sqrt(3))
    assert (found.low, found.high, found.seeds) == (pytest.approx(low), pytest.approx(high), 3)


def test_the_bootstrap_of_a_slope_has_its_standard_error_and_widens_with_correlated_noise() -> None:
    epochs, random = np.arange(100), np.random.default_rng(1)
    white = [list(0.01 * epochs + random.normal(size=100)) for _ in range(20)]
    steps = [list(0.01 * epochs + np.repeat(random.normal(size=20), 5)) for _ in range(20)]
    widths = [np.mean([high - low for low, high in (block_bootstrap(curve, 300) for curve in curves)]) for curves in (white, steps)]
    # White noise of variance 1 has a standard error of sqrt(12 / n^3); of steps of five it is sqrt(5) times as large.
    exact = 2 * 1.96 * math.sqrt(12 / 100**3)
    assert widths[0] == pytest.approx(exact, rel=0.25) and 1.5 * exact < widths[1] < 2.3 * exact
    low, high = block_bootstrap(white[0])
    assert low < slope(white[0]) < high
