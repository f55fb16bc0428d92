"""When a finding counts: real data, as many images as the report's, the whole schedule, every result there."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from written import Written

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number
from regen.claims.judge import judge
from regen.claims.ledger import Claim, read_ledger
from regen.claims.registry import registered
from regen.common.errors import UserError

VAE, SVHN = "vu4a-vae-mnist", "vu4a-vae-svhn"
FOUND = Finding("reproduced", "It holds.", [Number("x", 1.5, "nats")])

Row = dict[str, Any]


def claim(*variants: str, **changes: Any) -> Claim:
    fields = {"id": "vu4a-3", "report": "vu4a", "kind": "trend", "statement": "s", "test": "t", "shown": ["samples"]}
    return Claim(**{**fields, "variants": list(variants), **changes})


def verdict(written: Written, of: Claim, check: Callable[[Evidence], Finding] | None = lambda _: FOUND) -> Row:
    (row,) = judge([of], {} if check is None else {of.id: check}, written.evidence)
    return row


def complete(written: Written, variant: str, seeds: int = 1, epochs: int = 50) -> None:
    for seed in range(seeds):
        written.history(variant, seed, train_neg_elbo_nats=[1.0] * epochs)


def test_a_finding_on_complete_results_counts(written: Written) -> None:
    written.card("mnist")
    complete(written, VAE, seeds=2)
    row = verdict(written, claim(VAE))
    assert row == {
        "id": "vu4a-3",
        "report": "vu4a",
        "kind": "trend",
        "statement": "s",
        "test": "t",
        "reported": None,
        "variants": [VAE],
        "shown": ["samples"],
        "verdict": "reproduced",
        "why": "It holds.",
        "numbers": [{"label": "x", "value": 1.5, "unit": "nats"}],
        "seeds": 2,
    }


def test_the_least_number_of_seeds_is_told(written: Written) -> None:
    written.card("mnist")
    complete(written, VAE, seeds=3)
    complete(written, "vu4a-vae-mnist-gauss", seeds=2)
    assert verdict(written, claim(VAE, "vu4a-vae-mnist-gauss"))["seeds"] == 2


def test_a_seed_that_is_trained_and_not_evaluated_does_not_count(written: Written) -> None:
    written.card("mnist")
    complete(written, VAE, seeds=3)
    for seed in (0, 1):
        written.metrics(VAE, seed, nll_nats=1.0)
    check = lambda evidence: replace(FOUND, numbers=[Number("x", len(evidence.value(VAE, "nll_nats")))])  # noqa: E731
    [row] = judge([claim(VAE)], {"vu4a-3": check}, written.evidence)
    assert (row["seeds"], row["numbers"][0]["value"]) == (2, 2)
    # What another variant tells beside it decides nothing.
    written.metrics(SVHN, 0, nll_nats=1.0)
    noting = lambda evidence: replace(FOUND, numbers=[Number("x", len(evidence.value(SVHN, "nll_nats")))])  # noqa: E731
    assert judge([claim(VAE)], {"vu4a-3": noting}, written.evidence)[0]["seeds"] == 3


def test_what_rests_on_a_probe_rests_on_one_seed(written: Written) -> None:
    written.card("mnist")
    complete(written, VAE, seeds=3)
    written.json("probes/code_fit.json", {"rows": []})
    claims = [claim(VAE), claim(VAE, id="vu4a-5")]
    probing, other = (lambda evidence: replace(FOUND, numbers=[Number("x", len(evidence.probe("code_fit")))]), lambda _: FOUND)
    # A probe that one claim reads says nothing of the next.
    assert [row["seeds"] for row in judge(claims, {"vu4a-3": probing, "vu4a-5": other}, written.evidence)] == [1, 3]


def test_stand_in_data_judge_nothing(written: Written) -> None:
    written.card("mnist", source="stand-in")
    complete(written, VAE)
    row = verdict(written, claim(VAE))
    assert (row["verdict"], row["why"]) == ("not judged", "The data are stand-ins, which judge nothing.")
    assert row["numbers"] == [{"label": "x", "value": 1.5, "unit": "nats"}]
    written.card("svhn")
    assert verdict(written, claim(VAE, SVHN))["why"] == f"The data of {VAE} are stand-ins, which judge nothing."


def test_fewer_epochs_at_any_seed_are_named_and_what_they_show_too(written: Written) -> None:
    written.card("mnist")
    complete(written, VAE, seeds=2)
    written.history(VAE, 1, train_neg_elbo_nats=[1.0] * 49)
    row = verdict(written, claim(VAE))
    assert row["verdict"] == "not judged"
    assert row["why"] == f"The training ran 49 of the report's 50 epochs of {VAE}. As far as measured, reproduced: It holds."


def test_every_shorter_training_is_named(written: Written) -> None:
    written.card("mnist")
    gauss, flow = "vu4a-vae-mnist-gauss", "vu4a-flowvae-mnist"
    for name, epochs in ((VAE, 10), (gauss, 49), (flow, 10)):
        complete(written, name)
        written.history(name, 0, train_neg_elbo_nats=[1.0] * epochs)
    expected = f"The training ran 10 of the report's 50 epochs of {VAE} and {flow} and 49 of the report's 50 epochs of {gauss}. "
    assert verdict(written, claim(VAE, gauss, flow))["why"].startswith(expected)


def test_fewer_images_are_named_and_what_they_show_too(written: Written) -> None:
    written.card("svhn", share=0.2, source="grey")
    complete(written, SVHN)
    row = verdict(written, claim(SVHN))
    assert row["verdict"] == "not judged"
    assert row["why"] == (
        "The data of svhn (grey) are fewer than the report's: 200 of 1,000 training images. As far as measured, reproduced: It holds."
    )


def test_data_from_elsewhere_with_as_many_images_count_and_are_named(written: Written) -> None:
    written.card("svhn", source="grey")
    complete(written, SVHN)
    row = verdict(written, claim(SVHN))
    assert row["verdict"] == "reproduced"
    assert row["why"] == "It holds. The data of svhn are no official files (grey) but as many images."


def test_a_card_without_the_reports_counts_judges_nothing(written: Written) -> None:
    written.json("data/mnist.json", {"data_source": "official", "counts": {"train": 1}})
    complete(written, VAE)
    assert verdict(written, claim(VAE))["why"].startswith("Missing: the data card of mnist does not say how many images its report used.")


def test_results_that_are_not_there_are_named(written: Written) -> None:
    written.card("mnist")
    written.card("svhn")
    complete(written, VAE)
    row = verdict(written, claim(VAE, SVHN, "vu4a-vae-svhn-gauss"))
    assert (row["verdict"], row["seeds"]) == ("not judged", 0)
    assert row["why"].startswith(f"There are no results of {SVHN} and vu4a-vae-svhn-gauss.")


def test_a_variant_that_params_yaml_no_longer_has_is_named(written: Written) -> None:
    row = verdict(written, claim("vu4a-vae-lsun"))
    assert (row["verdict"], row["why"], row["seeds"]) == ("not judged", "Missing: vu4a-vae-lsun is not in params.yaml.", 0)


def raising(error: Exception) -> Callable[[Evidence], Finding]:
    def check(_: Evidence) -> Finding:
        raise error

    return check


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Missing("the probe x has no result"), "Missing: the probe x has no result."),
        (KeyError("rows"), "A result cannot be read: KeyError 'rows'."),
        (ZeroDivisionError("division by zero"), "A result cannot be read: ZeroDivisionError division by zero."),
        (UserError("a.json: expected JSON, got 'x'"), "A result cannot be read: a.json: expected JSON, got 'x'."),
    ],
)
def test_a_check_that_cannot_be_carried_out_is_no_verdict(written: Written, error: Exception, why: str) -> None:
    written.card("mnist")
    complete(written, VAE)
    row = verdict(written, claim(VAE), raising(error))
    assert (row["verdict"], row["why"], row["numbers"]) == ("not judged", why, [])


def test_a_finding_that_lacks_a_part_is_no_verdict_but_shown(written: Written) -> None:
    written.card("mnist")
    complete(written, VAE)
    row = verdict(written, claim(VAE), lambda _: Finding("partly", "One holds.", [], lacking="x has no y"))
    assert (row["verdict"], row["why"]) == ("not judged", "Missing: x has no y. As far as measured, partly: One holds.")


def test_a_claim_without_a_check_is_not_judged(written: Written) -> None:
    written.card("mnist")
    complete(written, VAE)
    row = verdict(written, claim(VAE), None)
    assert (row["verdict"], row["why"]) == ("not judged", "There is no check of this claim.")


def test_a_claim_that_needs_further_runs_is_open(written: Written) -> None:
    row = verdict(written, claim(VAE, later=True), None)
    assert row["verdict"] == "open"
    assert "later" not in row


@pytest.mark.parametrize("text", ["", "epoch\n", "epoch,train_neg_elbo_nats\n1,many\n", "\x00"])
def test_a_broken_history_is_no_crash(written: Written, text: str) -> None:
    written.card("mnist")
    complete(written, VAE)
    (written.folder / VAE / "0" / "history.csv").write_text(text)
    row = verdict(written, claim(VAE), lambda evidence: Finding("reproduced", str(evidence.history(VAE))))
    assert row["verdict"] == "not judged"


@pytest.mark.parametrize("name", registered())
def test_every_check_says_what_is_missing_where_nothing_is_there(written: Written, name: str) -> None:
    with pytest.raises(Missing):
        written.find(name)


def test_no_check_crashes_on_tables_of_another_form(written: Written) -> None:
    for variant in written.config.variants:
        written.history(variant, step=[1.0])
        for file in ("metrics", "details", "quality", "quality_details"):
            written.json(f"{variant}/0/{file}.json", {"rows": [1], "splits": None} if "details" in file else {"x": None})
    for name in (
        "linear_probe",
        "code_fit",
        "estimator_variance",
        "early_gradients",
        "prior_cost",
        "reshape",
        "midpoints",
        "single_latents",
    ):
        written.json(f"probes/{name}.json", {"rows": [{}]})
    for dataset in ("mnist", "binarized_mnist", "svhn", "celeba"):
        written.card(dataset)
    rows = judge(read_ledger(), registered(), written.evidence)
    assert {row["verdict"] for row in rows} == {"not judged", "open"}
    assert json.dumps(rows, allow_nan=False)
