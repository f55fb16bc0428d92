"""What a check asks: bands, strength and its reasons, and what a missing or malformed result costs."""

import pytest
from support.written import Written

from regen.claims.case import Case, Part, Strength, text
from regen.claims.case import Test as Answer
from regen.claims.reads import fcd, late, value

A, B = "lab1-vae-mnist", "lab1-vae-gauss-mnist"


def asked(written: Written, *seeds: float, gives: str = "n") -> Part:
    written.frechet(A, *seeds)
    case = Case(written.results, frozenset(gives.split()))
    with case.part():
        case.level("Above?", fcd(case.results)(A), "above", (10, 20))
    return case.parts[0]


@pytest.mark.parametrize(
    ("seeds", "holds", "strength", "reasons"),
    [
        ((30, 30.5, 31), True, "firm", []),
        ((30, 31), True, "indicative", ["2 seeds"]),
        # Their mean is below the band, and one of them is not.
        ((5, 11), None, "indicative", ["2 seeds"]),
        ((15,), None, "indicative", ["1 seed"]),
        ((1, 1.1, 1.2), False, "firm", []),
        ((0, 30, 60), None, "firm", []),
    ],
)
def test_a_band_and_the_seeds(written: Written, seeds: tuple[float, ...], holds: bool | None, strength: str, reasons: list[str]) -> None:
    [test] = asked(written, *seeds).tests
    assert (test.holds, test.strength, test.reasons, test.variants) == (holds, strength, reasons, [A])


@pytest.mark.parametrize(
    ("tests", "holds", "strength"),
    [
        # All that hold are needed: the weakest counts. One that fails is enough: the strongest of these counts.
        ([(True, "firm"), (True, "indicative")], True, "indicative"),
        ([(True, "firm"), (True, "firm")], True, "firm"),
        ([(False, "indicative"), (False, "firm"), (True, "none")], False, "firm"),
        ([(False, "indicative"), (True, "firm")], False, "indicative"),
        ([(None, "firm"), (True, "none")], None, "none"),
        ([], None, "none"),
    ],
)
def test_a_part_is_as_strong_as_the_tests_that_it_rests_on(
    tests: list[tuple[bool | None, Strength]], holds: bool | None, strength: str
) -> None:
    def of(answer: bool | None, how: Strength) -> Answer:
        return Answer("", "observation", "", None, "", "", None, None, "", answer, how, [], reasons=[])

    part = Part("", "observation", tests=[of(*one) for one in tests])
    assert (part.holds, part.strength) == (holds, strength)


def test_fewer_images_and_fewer_epochs_are_indicative_and_stand_ins_are_nothing(written: Written) -> None:
    for seed in range(3):
        written.history(A, seed, val_neg_elbo_nats=[1.0, 2.0])
    declared = written.config.variants[A].training.epochs
    assert asked(written, 30, 30.5, 31).tests[0].reasons == [f"2 of {declared} epochs"]
    written.card("mnist", share=0.5)
    part = asked(written, 30, 30.5, 31)
    assert part.strength == "indicative" and "500 of 1,000 training images of mnist (official)" in part.tests[0].reasons
    written.card("mnist", source="stand-in")
    assert asked(written, 30, 30.5, 31).strength == "none"


def test_what_is_missing_or_malformed_costs_its_own_part_in_one_line(written: Written) -> None:
    written.metrics(A, nll_nats="many")
    written.text(f"{B}/0/metrics.json", "{")
    written.frechet(A, 1.0)
    written.frechet(B, 2.0)
    case = Case(written.results)
    for name, read in {"text": value(case.results, "nll_nats"), "no file": late(case.results, "val_neg_elbo_nats")}.items():
        with case.part(name):
            case.paired("Below?", read(A), "below", read(A))
    with case.part("no JSON"):
        value(case.results, "nll_nats")(B)
    with case.part("unknown"):
        value(case.results, "nll_nats")("no-such-variant")
    with case.part("no row"):
        next(row for row in case.results.quality_details(A)[0]["rows"] if row["images"] == "epoch 9")
    with case.part("fine"):
        case.paired("Below?", fcd(case.results)(A), "below", fcd(case.results)(B))
    lines = {part.name: part.missing for part in case.parts}
    assert lines["fine"] == [] and case.parts[-1].holds is True
    assert lines["text"] == [f"metrics.json of {A}, seed 0, has no number 'nll_nats'"] and lines["no file"] == [f"{A} has no history.csv"]
    assert lines["no row"] == ["a result cannot be read: StopIteration"]
    assert lines["unknown"] == ["no-such-variant is not in params.yaml"]
    assert len(lines["no JSON"]) == 1 and f"{B}/0/metrics.json" in lines["no JSON"][0] and "\n" not in lines["no JSON"][0]


def test_an_order_needs_an_error_and_a_pair_of_one_seed_needs_none(written: Written) -> None:
    written.frechet(A, 1.0)
    written.frechet(B, 2.0)
    case = Case(written.results)
    with case.part():
        case.ordered("Below?", fcd(case.results), A, "below", B)
        case.paired("Below?", fcd(case.results)(A), "below", fcd(case.results)(B))
    assert [(test.holds, test.why) for test in case.parts[0].tests] == [(None, "no error is known"), (True, "")]


def test_two_seeds_decide_where_they_agree(written: Written) -> None:
    case = Case(written.results)
    with case.part():
        case.level("Above?", {0: 5.0, 1: 11.0}, "above", (10, 20))
        case.level("Above?", {0: 12.0, 1: 18.0}, "above", (10, 20))
        case.paired("Below?", {0: 1.0, 1: 4.0}, "below", {0: 2.0, 1: 3.0})
        case.near("About 100?", {0: 96.0, 1: 104.0}, 100)
        case.near("About 100?", {0: 88.0, 1: 112.0}, 100)
    asked = [(test.holds, test.why) for test in case.parts[0].tests]
    assert asked == [
        (None, "the seeds do not agree"),
        (None, "between the ends of the cut"),
        (None, "the seeds do not agree"),
        (True, ""),
        (None, ""),
    ]


@pytest.mark.parametrize(
    ("values", "holds"), [((100, 101, 102), True), ((93, 93.1, 93.2), None), ((80, 81, 82), False), ((70, 100, 130), None)]
)
def test_near_a_printed_number(written: Written, values: tuple[float, ...], holds: bool | None) -> None:
    case = Case(written.results)
    with case.part():
        case.near("About 100?", dict(enumerate(values)), 100)
    assert [test.holds for test in case.parts[0].tests] == [holds]


def test_a_theorem_is_firm_and_chance_decides_in_one_direction(written: Written) -> None:
    case = Case(written.results)
    with case.part():
        case.fact("Yes?", 1.0, "1", True, theorem=True)
        case.chance("Rare?", 0.04, "binomial")
        case.chance("Rare?", 0.5, "binomial")
    assert [(test.holds, test.strength) for test in case.parts[0].tests] == [(True, "firm"), (True, "firm"), (None, "firm")]


def test_numbers_are_those_declared_and_written_to_the_digits_of_their_error(written: Written) -> None:
    case = Case(written.results, frozenset(["n"]))
    case.number("n", {0: 172.1, 1: 173.9, 2: 171.2}, "nats")
    assert case.numbers["n"].text == "172.4" and case.numbers["n"].value == pytest.approx(172.4)
    with pytest.raises(RuntimeError, match="'m' is given but not declared"):
        case.number("m", 1.0)
    assert [text(value) for value in (0.123456, 12.3456, 1234.5, float("inf"))] == ["0.123", "12.3", "1,234", "not finite"]
    assert [text(172.36, error) for error in (20.0, 2.0, 0.2)] == ["172", "172", "172.4"]
