"""What checks measure, against values worked out by hand."""

import pytest

from regen.claims.evidence import Missing
from regen.claims.finding import Number
from regen.claims.measures import deviation, gathered, ordered, share_reached, slope, within


def test_share_of_the_drop() -> None:
    # From 10 to 2; by epoch 3 the lowest was 4, though epoch 3 itself is at 6.
    assert share_reached([10, 4, 6, 2, 3], 3) == pytest.approx(0.75)
    assert share_reached([10, 4, 6, 2, 3], 9) == 1.0
    assert share_reached([1, 2, 3], 2) == 0.0


def test_slope_of_a_line_and_of_points_beside_it() -> None:
    assert slope([3, 5, 7, 9]) == pytest.approx(2.0)
    assert slope([0, 3, 0]) == pytest.approx(0.0)
    with pytest.raises(Missing, match="two epochs"):
        slope([1.0])


def test_deviation_is_relative_to_the_size_of_the_mean() -> None:
    assert deviation([-9.0, -10.0, -11.0]) == pytest.approx(0.1)


def test_within_a_share_of_the_reported_value() -> None:
    assert within(110.0, 100.0, 0.1) and within(-1.5, -1.4, 0.1)
    assert not within(111.0, 100.0, 0.1)


def test_an_order_compares_the_seeds_that_both_have() -> None:
    a, b = ("a", {0: 5.0, 1: 7.0, 2: 1000.0}), ("b", {1: 4.0, 0: 4.0})
    # Differences 1 and 3: mean 2, standard error 1.
    assert ordered("x", a, "above", b, "nats") == (
        [(True, "x, a above b, 6.00 against 4.00 (apart by 2.00 ± 1.00 nats over 2 seeds)")],
        [Number("x, a", 6.0, "nats"), Number("x, b", 4.0, "nats")],
    )
    [(holds, words)], _ = ordered("x", a, "below", b)
    assert not holds
    assert words == "x, a below b, 6.00 against 4.00 (apart by 2.00 ± 1.00 over 2 seeds)"


def test_with_one_seed_an_order_says_so() -> None:
    [(holds, words)], _ = ordered("x", ("a", {0: 1.0}), "below", ("b", {0: 1.5}))
    assert holds
    assert words == "x, a below b, 1.00 against 1.50 (apart by 0.500; one seed: no standard error)"


def missing(what: str) -> None:
    raise Missing(what)


def test_cases_that_can_be_measured_are_shown_beside_what_lacks() -> None:
    number = Number("n", 1.0)
    found = gathered(lambda: ([(True, "a")], [number]), lambda: missing("y"), lambda: ([(False, "b")], [number]), lambda: missing("y"))  # type: ignore[arg-type,return-value]
    assert (found.verdict, found.numbers, found.lacking) == ("partly", [number], "y")


def test_no_case_at_all_is_missing() -> None:
    with pytest.raises(Missing, match="x; y"):
        gathered(lambda: missing("x"), lambda: missing("y"))  # type: ignore[arg-type,return-value]
