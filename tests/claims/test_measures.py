"""What checks measure, against values worked out by hand."""

import pytest
from written import Written

from regen.claims.evidence import Missing
from regen.claims.finding import Number
from regen.claims.measures import (
    curves_ordered,
    deviation,
    gathered,
    latest,
    likelihoods_ordered,
    ordered,
    share_reached,
    slope,
    span,
    within,
)


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
        [(True, "x, a above b, 6.00 against 4.00 (apart by 2.00 ± 1.00 nats over 2 seeds; of the seeds that both have)")],
        [Number("x, a", 6.0, "nats"), Number("x, b", 4.0, "nats")],
    )
    [(holds, words)], _ = ordered("x", a, "below", b)
    assert not holds
    assert words == "x, a below b, 6.00 against 4.00 (apart by 2.00 ± 1.00 over 2 seeds; of the seeds that both have)"


def test_with_one_seed_an_order_says_so() -> None:
    [(holds, words)], _ = ordered("x", ("a", {0: 1.0}), "below", ("b", {0: 1.5}))
    assert holds
    assert words == "x, a below b, 1.00 against 1.50 (apart by 0.500; one seed: no standard error)"


def test_the_last_five_epochs_up_to_one_or_as_many_as_there_are() -> None:
    curves = {0: [100.0, 1.0, 2.0, 3.0, 4.0, 10.0, 1000.0]}
    assert latest(curves, 6) == {0: 4.0}
    assert latest(curves, 3) == {0: pytest.approx(103 / 3)}
    assert latest(curves, 1) == {0: 100.0}
    assert [span(epoch) for epoch in (1, 3, 5, 6, 30)] == ["epoch 1", "epochs 1 to 3", "epochs 1 to 5", "epochs 2 to 6", "epochs 26 to 30"]


def test_a_curve_below_in_the_mean_must_be_below_in_every_epoch_too() -> None:
    # The first epoch and the last, each far on the other side, are outside.
    a, b = ("a", {0: [900.0, 1.0, 1.0, 1.0, 1.0, 6.0, 900.0]}), ("b", {0: [0.0, 2.0, 2.0, 2.0, 2.0, 5.0, 0.0]})
    [(holds, words)], numbers = curves_ordered("x", a, "below", b, 6, "nats")
    assert not holds
    assert words == "x, a below b, 2.00 against 2.60 (apart by 0.600 nats; one seed: no standard error; below in 4 of 5 epochs)"
    assert numbers == [Number("x, a", 2.0, "nats"), Number("x, b", 2.6, "nats"), Number("x, epochs with a below b", 4)]
    a[1][0][5] = 4.5
    assert curves_ordered("x", a, "below", b, 6)[0][0][0]
    # Equal in an epoch is not below.
    a[1][0][5] = 5.0
    assert not curves_ordered("x", a, "below", b, 6)[0][0][0]


def test_a_curve_below_in_every_epoch_must_be_below_beyond_the_standard_error_over_seeds() -> None:
    # Differences of 10 and -6: mean 2, standard error 8.
    a, b = ("a", {0: [0.0, 0.0], 1: [6.0, 6.0]}), ("b", {0: [10.0, 10.0], 1: [0.0, 0.0]})
    [(holds, words)], _ = curves_ordered("x", a, "below", b, 2)
    assert not holds
    assert words == "x, a below b, 3.00 against 5.00 (apart by 2.00 ± 8.00 over 2 seeds; below in 2 of 2 epochs)"


def test_the_mean_over_the_seeds_that_both_have_is_what_must_be_ahead_in_an_epoch() -> None:
    # Seed 1 is behind in the first epoch; the means are 1 and 2 ahead, those of the seeds 2 and 1.
    a, b = ("a", {0: [3.0, 1.0], 1: [-1.0, 3.0], 2: [-90.0, -90.0]}), ("b", {0: [0.0, 0.0], 1: [0.0, 0.0]})
    [(holds, words)], _ = curves_ordered("x", a, "above", b, 2)
    assert holds
    assert (
        words == "x, a above b, 1.50 against 0.00 (apart by 1.50 ± 0.500 over 2 seeds; of the seeds that both have; above in 2 of 2 epochs)"
    )


def test_one_epoch_is_told_as_one() -> None:
    assert curves_ordered("x", ("a", {0: [1.0]}), "above", ("b", {0: [0.0]}), 1)[0][0][1].endswith("; above in 1 of 1 epoch)")


def missing(what: str) -> None:
    raise Missing(what)


def test_cases_that_can_be_measured_are_shown_beside_what_lacks() -> None:
    number = Number("n", 1.0)
    found = gathered(lambda: ([(True, "a")], [number]), lambda: missing("y"), lambda: ([(False, "b")], [number]), lambda: missing("y"))  # type: ignore[arg-type,return-value]
    assert (found.verdict, found.numbers, found.lacking) == ("partly", [number], "y")


def test_no_case_at_all_is_missing() -> None:
    with pytest.raises(Missing, match="x; y"):
        gathered(lambda: missing("x"), lambda: missing("y"))  # type: ignore[arg-type,return-value]


def likelihoods(written: Written, gap: float, seeds: int = 1) -> bool:
    """Return whether a model is `gap` nats above another; the differences by image are gap - 1, gap + 1, gap - 1, gap + 1."""
    variants = "ext-vae-matched-mnist", "vu4a-flowvae-mnist"
    for variant, base in zip(variants, (100.0 + gap, 100.0), strict=True):
        for seed in range(seeds):
            written.metrics(variant, seed, nll_nats=base)
            spread = (-1, 1, -1, 1) if variant == variants[0] else (0, 0, 0, 0)
            written.details(variant, seed, per_image=[{"nll_nats": [base + one for one in spread]}])
    a, b = (("a", variants[0]), ("b", variants[1]))
    [(holds, _)], _ = likelihoods_ordered(written.evidence, "NLL", a, "above", b)
    [(other, _)], _ = likelihoods_ordered(written.evidence, "NLL", b, "above", a)
    assert not other
    return holds


def test_one_seed_orders_likelihoods_beyond_the_standard_error_over_images(written: Written) -> None:
    # The standard error of (-1, 1, -1, 1) is 1 / sqrt(3) = 0.577.
    assert likelihoods(written, 0.6)
    assert not likelihoods(written, 0.55)


def test_several_seeds_order_likelihoods_by_their_own_standard_error(written: Written) -> None:
    assert likelihoods(written, 0.55, seeds=2)
