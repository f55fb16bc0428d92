"""Verdicts on ai3611's claims, of results made up so that each is known."""

from typing import Any

import pytest
from written import Written

from regen.claims.checks import ai3611
from regen.claims.evidence import Missing

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


@pytest.mark.parametrize(("two", "verdict"), [(139.0, "reproduced"), (161.0, "not reproduced")])
def test_two_latents_by_the_last_reconstruction(written: Written, two: float, verdict: str) -> None:
    curves(written, ONE, [100.0, 160.0])
    curves(written, "ai3611-vae-z2-mnist", [200.0, two])
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
def test_noise_is_judged_at_the_epoch_that_all_have(written: Written, noise: float, strong: float, verdict: str) -> None:
    # The clean run goes on, to where all of them would be much worse.
    curves(written, ONE, [300.0, 200.0, 50.0])
    curves(written, NOISE, [300.0, noise])
    curves(written, STRONG, [300.0, strong])
    assert ai3611.noise_changes_little(written.evidence).verdict == verdict


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
        curves(written, variant, [500.0, recon[ratio]], kl[ratio])
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
    own = [numbers[f"validation loss at its own weight after epoch 2, weight {ratio:g}"] for ratio in RATIOS]
    assert own == pytest.approx([200.1, 200.0, 201.0, 202.0, 210.0])
    assert numbers["validation -ELBO after epoch 2, weight 0.5"] == pytest.approx(250)
    assert [part.endswith("yes") for part in found.why.split(". ")[:2]] == [True, False]


def test_a_longer_run_is_read_at_the_epoch_of_the_others(written: Written) -> None:
    ratios(written, lowest_at(0.5), NO_KL, lowest_at(0.5), lowest_at(0.5))
    curves(written, ONE, [500.0, 101.0, 1.0])
    written.frechet(ONE, samples=1.0, epoch_2=101.0)
    found = ai3611.half_is_best(written.evidence)
    assert found.verdict == "reproduced"
    # There is no likelihood of a snapshot.
    assert "that of weight 1 after 3" in found.why


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


@pytest.mark.parametrize("check", [ai3611.two_latents_reconstruct_better, ai3611.noise_changes_little, ai3611.half_is_best])
def test_nothing_written_is_missing(written: Written, check: Any) -> None:
    with pytest.raises(Missing):
        check(written.evidence)
