"""Verdicts on ai3611's claim about the weight of the KL, of results made up so that each is known."""

import pytest
from written import RATIOS, Written

from regen.claims.checks import ai3611_weights
from regen.claims.evidence import Missing
from regen.claims.finding import Number


def ratios(
    written: Written, recon: dict[float, float], kl: dict[float, float], nll: dict[float, float], distance: dict[float, float]
) -> None:
    for ratio, variant in RATIOS.items():
        written.curves(variant, [500.0, *[recon[ratio]] * 5], kl[ratio])
        written.metrics(variant, nll_nats=nll[ratio])
        written.frechet(variant, samples=distance[ratio])


def lowest_at(ratio: float) -> dict[float, float]:
    return {other: 100.0 + abs(index - list(RATIOS).index(ratio)) for index, other in enumerate(RATIOS)}


NO_KL = dict.fromkeys(RATIOS, 0.0)


def test_half_is_best_by_every_score(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    assert ai3611_weights.half_is_best(written.evidence).verdict == "reproduced"


def test_half_is_best_by_some_scores(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(1.0), lowest_at(0.5))
    found = ai3611_weights.half_is_best(written.evidence)
    assert found.verdict == "partly"
    assert found.why.count(": yes.") == 3
    assert "weight 1, the best other, " in found.why


def test_half_is_best_by_none(written: Written) -> None:
    ratios(written, lowest_at(2.0), NO_KL, lowest_at(1.0), lowest_at(0.1))
    assert ai3611_weights.half_is_best(written.evidence).verdict == "not reproduced"


def test_each_weight_scores_its_own_loss(written: Written) -> None:
    # Own losses 200.1, 150 + 0.5 * 100 = 200, 201, 202, 210; at weight 1 they are 201, 250, 201, 201, 201.
    recon = {0.1: 200.0, 0.5: 150.0, 1.0: 200.0, 2.0: 200.0, 10.0: 200.0}
    kl = {ratio: 100.0 if ratio == 0.5 else 1.0 for ratio in RATIOS}
    ratios(written, recon, kl, lowest_at(1.0), lowest_at(1.0))
    found = ai3611_weights.half_is_best(written.evidence)
    numbers = {number.label: number.value for number in found.numbers}
    own = [numbers[f"validation loss at its own weight over epochs 2 to 6, weight {ratio:g}"] for ratio in RATIOS]
    assert own == pytest.approx([200.1, 200.0, 201.0, 202.0, 210.0])
    assert numbers["validation -ELBO over epochs 2 to 6, weight 0.5"] == pytest.approx(250)
    assert [part.endswith("yes") for part in found.why.split(". ")[:2]] == [True, False]


def test_a_longer_run_is_read_up_to_the_epoch_of_the_others_and_its_likelihood_does_not_decide(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    written.curves(RATIOS[1.0], [500.0, *[101.0] * 5, 1.0])
    written.metrics(RATIOS[1.0], nll_nats=1.0)
    written.frechet(RATIOS[1.0], samples=1.0, epoch_6=101.0)
    found = ai3611_weights.half_is_best(written.evidence)
    assert found.verdict == "reproduced"
    assert "Test NLL after epoch 6, weight 0.5 below weight 0.1, the best other that ran as long, 100.0 against 101.0" in found.why
    assert " The test NLL of weight 1, 1.00 nats, is of 7 epochs and does not decide." in found.why
    assert found.why.endswith("At its own weight the smaller one has the lower optimum: that losses are lowest there shows nothing.")


def test_the_likelihood_has_its_standard_error_over_images_and_the_quadratures_beside_it(written: Written) -> None:
    nll = {0.1: 104.0, 0.5: 102.0, 1.0: 105.0, 2.0: 101.0, 10.0: 109.0}
    ratios(written, lowest_at(0.5), NO_KL, nll, lowest_at(0.5))
    # Weight 2 is lower by importance sampling and higher by quadrature. Differences by image are 2, 0, 2, 0: standard error 1 / sqrt(3).
    for ratio, exact, above, spread in ((0.5, 90.0, 3.5, (1, -1, 1, -1)), (2.0, 91.5, -0.25, (0, 0, 0, 0))):
        checks = [{"estimate": "importance sampling", "nll_nats": exact + above, "n_images": 100}]
        checks.append({"estimate": "quadrature", "nll_nats": exact, "difference_nats": above, "n_images": 100})
        of_image = [nll[ratio] + one for one in spread]
        written.details(RATIOS[ratio], checks=checks, per_image=[{"nll_nats": of_image}])
    found = ai3611_weights.half_is_best(written.evidence)
    assert found.verdict == "partly"
    assert "below weight 2, the best other, 102.0 against 101.0 (apart by 1.00 nats; one seed: no standard error; standard" in found.why
    assert "standard error over 4 images 0.577 nats): no." in found.why
    assert (
        " By quadrature, exact but for its grid, the NLL of 100 test images is 90.0 nats at weight 0.5 and 91.5 nats at weight 2, from "
        "which importance sampling is off by +3.50 and -0.250 nats. Where that is more than the two differ by, importance sampling does "
        "not order them." in found.why
    )
    assert Number("test NLL by quadrature, 100 images, weight 2", 91.5, "nats") in found.numbers


def test_without_another_run_as_long_no_likelihood_decides(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    written.curves(RATIOS[0.5], [500.0, *[100.0] * 6])
    written.frechet(RATIOS[0.5], samples=100.0, epoch_6=100.0)
    found = ai3611_weights.half_is_best(written.evidence)
    assert found.lacking == "no other weight ran for 7 epochs as 0.5 did"
    assert "Test NLL" not in found.why and found.why.count("does not decide") == 4


def test_a_rival_that_is_no_obstacle_in_the_mean_may_be_one_in_an_epoch(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    # Higher in the mean than the best other, which is 101, and in one epoch below the 100 of weight 0.5.
    written.curves(RATIOS[10.0], [500.0, 103.0, 103.0, 103.0, 103.0, 99.0])
    found = ai3611_weights.half_is_best(written.evidence)
    words = "Validation -ELBO over epochs 2 to 6, weight 0.5 below weight 10, 100.0 against 102.2 (apart by 2.20 nats; one seed: no "
    assert f"{words}standard error; below in 4 of 5 epochs): no." in found.why
    assert found.verdict == "partly"


def test_nothing_written_is_missing(written: Written) -> None:
    with pytest.raises(Missing):
        ai3611_weights.half_is_best(written.evidence)
