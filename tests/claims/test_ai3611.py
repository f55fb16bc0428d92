"""Verdicts on ai3611's claims, of results made up so that each is known."""

from typing import Any

import pytest
from written import Written

from regen.claims.checks import ai3611
from regen.claims.evidence import Missing
from regen.claims.finding import Number
from regen.config.training import Preparation

ONE, NOISE, STRONG = "ai3611-vae-z1-mnist", "ai3611-vae-z1-noise-mnist", "ai3611-vae-z1-noise01-mnist"
GAUSSIAN, BERNOULLI = "ai3611-vae-z20-mnist", "ai3611-bernvae-mnist"
RATIOS = {
    0.1: "ai3611-vae-z1-kl01-mnist",
    0.5: "ai3611-vae-z1-kl05-mnist",
    1.0: ONE,
    2.0: "ai3611-vae-z1-kl2-mnist",
    10.0: "ai3611-vae-z1-kl10-mnist",
}


def curves(written: Written, variant: str, recon: list[float], kl: float = 0.0, seed: int = 0) -> None:
    written.history(variant, seed, val_recon_nats=recon, val_kl_nats=[kl] * len(recon), val_neg_elbo_nats=[value + kl for value in recon])


@pytest.mark.parametrize(
    ("two", "verdict"),
    [
        ([139.0] * 5, "reproduced"),
        ([161.0] * 5, "not reproduced"),
        ([139.0] * 3 + [161.0] + [139.0], "not reproduced"),
        ([161.0] * 4 + [139.0], "not reproduced"),
    ],
    ids=["below", "above", "above in one epoch", "below in the last alone"],
)
def test_two_latents_by_the_last_five_reconstructions(written: Written, two: list[float], verdict: str) -> None:
    curves(written, ONE, [100.0, *[160.0] * 5])
    curves(written, "ai3611-vae-z2-mnist", [200.0, *two])
    assert ai3611.two_latents_reconstruct_better(written.evidence).verdict == verdict


@pytest.mark.parametrize(
    ("noise", "strong", "verdict"),
    [
        (199.0, 198.0, "reproduced"),
        (201.0, 198.0, "partly"),
        (190.0, 190.0, "partly"),
        (210.0, 220.0, "not reproduced"),
    ],
    ids=["both help a little", "one does harm", "both help much", "both do much harm"],
)
def test_noise_is_judged_up_to_the_epoch_that_all_have(written: Written, noise: float, strong: float, verdict: str) -> None:
    # The clean run goes on, to where all of them would be much worse.
    curves(written, ONE, [300.0, *[200.0] * 5, 50.0])
    curves(written, NOISE, [300.0, *[noise] * 5])
    curves(written, STRONG, [300.0, *[strong] * 5])
    assert ai3611.noise_changes_little(written.evidence).verdict == verdict


def test_that_noise_changes_little_is_said_of_the_mean_over_epochs(written: Written) -> None:
    # The last epoch is 10 % lower, the mean of five 2.2 %.
    curves(written, ONE, [200.0] * 5)
    curves(written, NOISE, [199.0, 199.5, 199.0, 200.5, 180.0])
    curves(written, STRONG, [199.0] * 5)
    found = ai3611.noise_changes_little(written.evidence)
    words = "validation loss by -2.20 % and reconstruction by -2.20 % over epochs 1 to 5, 2 % at most: no."
    assert words in found.why
    assert "below in 4 of 5 epochs): no." in found.why


def test_noise_must_lower_the_reconstruction_too(written: Written) -> None:
    curves(written, ONE, [200.0], kl=5.0)
    for variant in (NOISE, STRONG):
        curves(written, variant, [201.0], kl=3.0)
    found = ai3611.noise_changes_little(written.evidence)
    # -ELBO 205 -> 204, reconstruction 200 -> 201.
    assert found.verdict == "partly"
    assert found.why.count(": no.") == 2


def ratios(
    written: Written, recon: dict[float, float], kl: dict[float, float], nll: dict[float, float], distance: dict[float, float]
) -> None:
    for ratio, variant in RATIOS.items():
        curves(written, variant, [500.0, *[recon[ratio]] * 5], kl[ratio])
        written.metrics(variant, nll_nats=nll[ratio])
        written.frechet(variant, samples=distance[ratio])


def lowest_at(ratio: float) -> dict[float, float]:
    return {other: 100.0 + abs(index - list(RATIOS).index(ratio)) for index, other in enumerate(RATIOS)}


NO_KL = dict.fromkeys(RATIOS, 0.0)


def test_half_is_best_by_every_score(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    assert ai3611.half_is_best(written.evidence).verdict == "reproduced"


def test_half_is_best_by_some_scores(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(1.0), lowest_at(0.5))
    found = ai3611.half_is_best(written.evidence)
    assert found.verdict == "partly"
    assert found.why.count(": yes.") == 3
    assert "weight 1, the best other, " in found.why


def test_half_is_best_by_none(written: Written) -> None:
    ratios(written, lowest_at(2.0), NO_KL, lowest_at(1.0), lowest_at(0.1))
    assert ai3611.half_is_best(written.evidence).verdict == "not reproduced"


def test_each_weight_scores_its_own_loss(written: Written) -> None:
    # Own losses 200.1, 150 + 0.5 * 100 = 200, 201, 202, 210; at weight 1 they are 201, 250, 201, 201, 201.
    recon = {0.1: 200.0, 0.5: 150.0, 1.0: 200.0, 2.0: 200.0, 10.0: 200.0}
    kl = {ratio: 100.0 if ratio == 0.5 else 1.0 for ratio in RATIOS}
    ratios(written, recon, kl, lowest_at(1.0), lowest_at(1.0))
    found = ai3611.half_is_best(written.evidence)
    numbers = {number.label: number.value for number in found.numbers}
    own = [numbers[f"validation loss at its own weight over epochs 2 to 6, weight {ratio:g}"] for ratio in RATIOS]
    assert own == pytest.approx([200.1, 200.0, 201.0, 202.0, 210.0])
    assert numbers["validation -ELBO over epochs 2 to 6, weight 0.5"] == pytest.approx(250)
    assert [part.endswith("yes") for part in found.why.split(". ")[:2]] == [True, False]


def test_a_longer_run_is_read_up_to_the_epoch_of_the_others_and_its_likelihood_does_not_decide(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    curves(written, ONE, [500.0, *[101.0] * 5, 1.0])
    written.metrics(ONE, nll_nats=1.0)
    written.frechet(ONE, samples=1.0, epoch_6=101.0)
    found = ai3611.half_is_best(written.evidence)
    assert found.verdict == "reproduced"
    assert "Test NLL after epoch 6, weight 0.5 below weight 0.1, the best other that ran as long, 100.0 against 101.0" in found.why
    assert found.why.endswith(" The test NLL of weight 1, 1.00 nats, is of 7 epochs and does not decide.")


def test_the_likelihood_has_its_standard_error_over_images_and_the_quadratures_beside_it(written: Written) -> None:
    nll = {0.1: 104.0, 0.5: 102.0, 1.0: 105.0, 2.0: 101.0, 10.0: 109.0}
    ratios(written, lowest_at(0.5), NO_KL, nll, lowest_at(0.5))
    # Weight 2 is lower by importance sampling and higher by quadrature. Differences by image are 2, 0, 2, 0: standard error 1 / sqrt(3).
    for ratio, exact, above, spread in ((0.5, 90.0, 3.5, (1, -1, 1, -1)), (2.0, 91.5, -0.25, (0, 0, 0, 0))):
        checks = [{"estimate": "importance sampling", "nll_nats": exact + above, "n_images": 100}]
        checks.append({"estimate": "quadrature", "nll_nats": exact, "difference_nats": above, "n_images": 100})
        of_image = [nll[ratio] + one for one in spread]
        written.details(RATIOS[ratio], checks=checks, per_image=[{"nll_nats": of_image}])
    found = ai3611.half_is_best(written.evidence)
    assert found.verdict == "partly"
    assert "below weight 2, the best other, 102.0 against 101.0 (apart by 1.00 nats; one seed: no standard error; standard" in found.why
    assert "standard error over 4 images 0.577 nats): no." in found.why
    assert found.why.endswith(
        " By quadrature, exact but for its grid, the NLL of 100 test images is 90.0 nats at weight 0.5 and 91.5 nats at weight 2, from "
        "which importance sampling is off by +3.50 and -0.250 nats; this does not decide either."
    )
    assert Number("test NLL by quadrature, 100 images, weight 2", 91.5, "nats") in found.numbers


def test_without_another_run_as_long_no_likelihood_decides(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    curves(written, RATIOS[0.5], [500.0, *[100.0] * 6])
    written.frechet(RATIOS[0.5], samples=100.0, epoch_6=100.0)
    found = ai3611.half_is_best(written.evidence)
    assert found.lacking == "no other weight ran for 7 epochs as 0.5 did"
    assert "Test NLL" not in found.why and found.why.count("does not decide") == 4


def test_a_rival_that_is_no_obstacle_in_the_mean_may_be_one_in_an_epoch(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    # Higher in the mean than the best other, which is 101, and in one epoch below the 100 of weight 0.5.
    curves(written, RATIOS[10.0], [500.0, 103.0, 103.0, 103.0, 103.0, 99.0])
    found = ai3611.half_is_best(written.evidence)
    words = "Validation -ELBO over epochs 2 to 6, weight 0.5 below weight 10, 100.0 against 102.2 (apart by 2.20 nats; one seed: no "
    assert f"{words}standard error; below in 4 of 5 epochs): no." in found.why
    assert found.verdict == "partly"


def variances(written: Written, printed: float) -> None:
    rows = [
        {"state": state, "estimator": name, "samples": 1, "gradient_standard_deviation": value, "repeats": 100}
        for state in ("before training", "final")
        for name, value in (("no_baseline", 5.0), ("running_average", 2.0), ("as_printed", printed))
    ]
    written.probe("estimator_variance", rows=rows)


@pytest.mark.parametrize(
    ("last", "printed", "verdict"),
    [(130.0, 1.0, "reproduced"), (130.0, 60.0, "partly"), (220.0, 1.0, "partly"), (220.0, 60.0, "not reproduced")],
)
def test_algorithm_one_by_its_loss_and_its_variance(written: Written, last: float, printed: float, verdict: str) -> None:
    curves(written, BERNOULLI, [200.0, 300.0, last])
    variances(written, printed)
    found = ai3611.algorithm_one_trains(written.evidence)
    assert found.verdict == verdict
    ratio = next(number.value for number in found.numbers if number.label.startswith("gradient variance as printed over"))
    assert ratio == pytest.approx((printed / 2) ** 2)


def test_algorithm_one_shows_its_loss_without_the_probe(written: Written) -> None:
    curves(written, BERNOULLI, [200.0, 130.0])
    found = ai3611.algorithm_one_trains(written.evidence)
    assert "estimator_variance" in found.lacking
    assert "apart by 70.0" in found.why


@pytest.mark.parametrize(
    ("bernoulli", "verdict"),
    [((120.0, 124.0), "reproduced"), ((80.0, 90.0), "reproduced"), ((80.0, 124.0), "not reproduced"), ((120.0, 90.0), "not reproduced")],
)
def test_the_rankings_agree_if_one_kind_is_first_in_both(written: Written, bernoulli: tuple[float, float], verdict: str) -> None:
    written.metrics(GAUSSIAN, recon_nats=100.0, nll_nats=110.0)
    written.metrics(BERNOULLI, recon_nats=bernoulli[0], nll_nats=bernoulli[1])
    assert ai3611.rankings_agree(written.evidence).verdict == verdict


def test_a_tie_is_no_agreement(written: Written) -> None:
    # Differences of +2 and -2: the mean is 0, the standard error is not.
    for seed, step in ((0, 2.0), (1, -2.0)):
        written.metrics(GAUSSIAN, seed, recon_nats=100.0, nll_nats=110.0)
        written.metrics(BERNOULLI, seed, recon_nats=100.0 + step, nll_nats=110.0 + step)
    found = ai3611.rankings_agree(written.evidence)
    assert found.verdict == "not reproduced"
    assert "neither first by NLL" in found.why


def test_what_the_latents_carry_is_told_where_it_is_known(written: Written) -> None:
    written.metrics(GAUSSIAN, recon_nats=100.0, nll_nats=110.0, kl_nats=21.4)
    written.metrics(BERNOULLI, recon_nats=120.0, nll_nats=124.0)
    assert "carry" not in ai3611.rankings_agree(written.evidence).why
    written.metrics(BERNOULLI, recon_nats=120.0, nll_nats=124.0, kl_nats=12.9)
    sentence = "20 Bernoulli latents carry at most 20 log 2 = 13.9 nats, here 12.9; the Gaussian ones carry 21.4."
    # Of the claim's pair alone nothing is counted.
    assert ai3611.rankings_agree(written.evidence).why.endswith(f": yes. {sentence}")


SCORES = {GAUSSIAN: (75, 92), BERNOULLI: (119, 124), RATIOS[0.1]: (156, 162), RATIOS[0.5]: (155.5, 158), RATIOS[2.0]: (157, 157)}
"""Reconstruction and NLL: of the ten pairs two differ, 0.1 and 0.5 each against 2, the first by 5 nats, the second by 1."""


def scored(written: Written) -> str:
    for variant, (recon, nll) in SCORES.items():
        written.metrics(variant, recon_nats=recon, nll_nats=nll)
    return f"by NLL most clearly {RATIOS[0.1]} (156.0 and 162.0 nats) and {RATIOS[2.0]} (157.0 and 157.0 nats)"


def test_pairs_that_the_two_rank_differently_are_counted(written: Written) -> None:
    clearest = scored(written)
    # Another report's, and one of another seed, make no pair.
    written.metrics("vu4a-vae-mnist", recon_nats=1, nll_nats=999)
    written.metrics(RATIOS[10.0], 1, recon_nats=1, nll_nats=999)
    found = ai3611.rankings_agree(written.evidence)
    assert found.verdict == "reproduced"
    assert found.why.endswith(f" Of 10 pairs of this report's variants reconstruction and NLL rank 2 differently, {clearest}.")
    assert Number("pairs that reconstruction and NLL rank differently", 2) in found.numbers
    for ratio, exact in ((0.1, 157.6), (2.0, 156.2)):
        row = {"estimate": "quadrature", "nll_nats": exact, "difference_nats": 1.0, "n_images": 100}
        written.details(RATIOS[ratio], checks=[row])
    words = f"{clearest}, whose NLL by quadrature on 100 images is 157.6 and 156.2."
    assert ai3611.rankings_agree(written.evidence).why.endswith(words)


def test_pairs_of_other_images_are_not_counted(written: Written) -> None:
    other = written.config.variants[RATIOS[2.0]]
    binary = other.model_copy(update={"images": Preparation(binarisation="fixed")})
    config = written.config.model_copy(update={"variants": {**written.config.variants, RATIOS[2.0]: binary}})
    changed = Written(config, written.root)
    scored(changed)
    assert ai3611.rankings_agree(changed.evidence).why.endswith(
        "Of 6 pairs of this report's variants reconstruction and NLL rank none differently."
    )


def test_a_pair_within_its_standard_error_is_not_ranked_differently(written: Written) -> None:
    scored(written)
    # Against weight 0.1, the NLL is lower by 5 and higher by 7; against 0.5, lower by 1 and higher by 11.
    for variant, (recon, nll) in SCORES.items():
        written.metrics(variant, 1, recon_nats=recon, nll_nats=nll + (12 if variant == RATIOS[2.0] else 0))
    assert "rank none differently" in ai3611.rankings_agree(written.evidence).why


@pytest.mark.parametrize("check", [ai3611.two_latents_reconstruct_better, ai3611.noise_changes_little, ai3611.half_is_best])
def test_nothing_written_is_missing(written: Written, check: Any) -> None:
    with pytest.raises(Missing):
        check(written.evidence)
