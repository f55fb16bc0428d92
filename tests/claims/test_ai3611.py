"""Verdicts on ai3611's claims, of results made up so that each is known."""

from typing import Any

import pytest
from written import RATIOS, Written

from regen.claims.checks import ai3611
from regen.claims.evidence import Missing
from regen.claims.finding import Number
from regen.config.training import Preparation

ONE, NOISE, STRONG = "ai3611-vae-z1-mnist", "ai3611-vae-z1-noise-mnist", "ai3611-vae-z1-noise01-mnist"
GAUSSIAN, BERNOULLI = "ai3611-vae-z20-mnist", "ai3611-bernvae-mnist"


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
    written.curves(ONE, [100.0, *[160.0] * 5])
    written.curves("ai3611-vae-z2-mnist", [200.0, *two])
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
    written.curves(ONE, [300.0, *[200.0] * 5, 50.0])
    written.curves(NOISE, [300.0, *[noise] * 5])
    written.curves(STRONG, [300.0, *[strong] * 5])
    assert ai3611.noise_changes_little(written.evidence).verdict == verdict


def test_that_noise_changes_little_is_said_of_the_mean_over_epochs(written: Written) -> None:
    # The last epoch is 10 % lower, the mean of five 2.2 %.
    written.curves(ONE, [200.0] * 5)
    written.curves(NOISE, [199.0, 199.5, 199.0, 200.5, 180.0])
    written.curves(STRONG, [199.0] * 5)
    found = ai3611.noise_changes_little(written.evidence)
    words = "validation loss by -2.20 % and reconstruction by -2.20 % over epochs 1 to 5, 2 % at most: no."
    assert words in found.why
    assert "below in 4 of 5 epochs): no." in found.why


def test_noise_must_lower_the_reconstruction_too(written: Written) -> None:
    written.curves(ONE, [200.0], kl=5.0)
    for variant in (NOISE, STRONG):
        written.curves(variant, [201.0], kl=3.0)
    found = ai3611.noise_changes_little(written.evidence)
    # -ELBO 205 -> 204, reconstruction 200 -> 201.
    assert found.verdict == "partly"
    assert found.why.count(": no.") == 2


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
    written.curves(BERNOULLI, [200.0, 300.0, last])
    variances(written, printed)
    found = ai3611.algorithm_one_trains(written.evidence)
    assert found.verdict == verdict
    ratio = next(number.value for number in found.numbers if number.label.startswith("gradient variance as printed over"))
    assert ratio == pytest.approx((printed / 2) ** 2)


def test_algorithm_one_shows_its_loss_without_the_probe(written: Written) -> None:
    written.curves(BERNOULLI, [200.0, 130.0])
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
    return f"by NLL most clearly {RATIOS[0.1]} and {RATIOS[2.0]}: reconstruction 156.0 and 157.0, NLL 162.0 and 157.0 nats"


UNSOUND = "One pair on which both agree does not make reconstruction a sound criterion."


def test_pairs_that_the_two_rank_differently_are_counted(written: Written) -> None:
    clearest = scored(written)
    # Another report's, and one of another seed, make no pair.
    written.metrics("vu4a-vae-mnist", recon_nats=1, nll_nats=999)
    written.metrics(RATIOS[10.0], 1, recon_nats=1, nll_nats=999)
    found = ai3611.rankings_agree(written.evidence)
    assert found.verdict == "reproduced"
    assert found.why.endswith(f" Of 10 pairs of this report's variants reconstruction and NLL rank 2 differently, {clearest}. {UNSOUND}")
    assert Number("pairs that reconstruction and NLL rank differently", 2) in found.numbers
    for ratio, exact in ((0.1, 157.6), (2.0, 156.2)):
        row = {"estimate": "quadrature", "nll_nats": exact, "difference_nats": 1.0, "n_images": 100}
        written.details(RATIOS[ratio], checks=[row])
    words = f"{clearest}, by quadrature on 100 images 157.6 and 156.2. {UNSOUND}"
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


@pytest.mark.parametrize("check", [ai3611.two_latents_reconstruct_better, ai3611.noise_changes_little])
def test_nothing_written_is_missing(written: Written, check: Any) -> None:
    with pytest.raises(Missing):
        check(written.evidence)
