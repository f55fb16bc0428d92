"""Differences over seeds, and verdicts of claims with several parts."""

import math

import pytest

from regen.claims.evidence import Missing
from regen.claims.finding import difference, from_parts, text


def test_the_standard_error_is_that_of_the_mean_of_the_paired_differences() -> None:
    # Differences 1, 2, 3: mean 2, standard deviation 1.
    found = difference({0: 11.0, 1: 22.0, 2: 33.0}, {0: 10.0, 1: 20.0, 2: 30.0})
    assert found.mean == 2.0
    assert found.standard_error == pytest.approx(1 / math.sqrt(3))
    assert found.seeds == 3 and found.holds
    assert found.apart("nats") == "apart by 2.00 ± 0.577 nats over 3 seeds"


def test_a_difference_within_its_standard_error_does_not_hold() -> None:
    # Differences 5, -3: mean 1, standard error 4.
    found = difference({0: 5.0, 1: -3.0}, {0: 0.0, 1: 0.0})
    assert found.mean == 1.0 and found.standard_error == pytest.approx(4.0)
    assert not found.holds


def test_with_one_seed_the_sign_decides_and_the_words_say_so() -> None:
    assert difference({0: 2.0}, {0: 1.5}).holds
    assert not difference({0: 1.0}, {0: 1.5}).holds
    assert difference({0: 2.0}, {0: 1.5}).apart() == "apart by 0.500; one seed: no standard error"


def test_only_seeds_that_both_have_are_compared() -> None:
    found = difference({0: 3.0, 1: 100.0}, {0: 1.0, 2: 0.0})
    assert (found.mean, found.standard_error, found.seeds) == (2.0, None, 1)


def test_no_seed_in_common_is_missing() -> None:
    with pytest.raises(Missing, match="no seed in common"):
        difference({0: 1.0}, {1: 1.0})


@pytest.mark.parametrize(
    ("holding", "verdict"),
    [([True, True], "reproduced"), ([False, False], "not reproduced"), ([True, False], "partly"), ([False, True], "partly")],
)
def test_parts(holding: list[bool], verdict: str) -> None:
    found, why = from_parts([(holds, f"part {place} at {place}.5") for place, holds in enumerate(holding)])
    assert found == verdict
    assert why == " ".join(f"Part {place} at {place}.5: {'yes' if holds else 'no'}." for place, holds in enumerate(holding))


def test_no_parts_are_a_mistake_of_the_check() -> None:
    with pytest.raises(ValueError, match="one part"):
        from_parts([])


@pytest.mark.parametrize(
    ("value", "written"), [(0.00849, "0.00849"), (1911.26, "1,911.3"), (-105.25, "-105.2"), (99.0, "99.0"), (math.nan, "not finite")]
)
def test_numbers_as_text(value: float, written: str) -> None:
    assert text(value) == written
