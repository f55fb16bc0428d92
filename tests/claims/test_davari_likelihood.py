"""Verdicts on davari's claims about losses and likelihoods, of results made up so that each is known."""

from typing import Any

import pytest
from written import Written

from regen.claims.checks import davari_likelihood as davari
from regen.claims.evidence import Missing

VAE, IWAE = "davari-vae-deconv-celeba", "davari-iwae5-deconv-celeba"


def training(written: Written, objective: list[float], elbo: list[float]) -> None:
    written.history(VAE, train_neg_elbo_nats=[7000.0, 6800.0, 6700.0, 6600.0])
    written.history(IWAE, train_objective_nats=objective, train_neg_elbo_nats=elbo)


LOWER, HIGHER = [6990.0, 6790.0, 6690.0, 6590.0], [7010.0, 6810.0, 6710.0, 6610.0]


@pytest.mark.parametrize(
    ("objective", "elbo", "verdict", "yes"),
    [
        (LOWER, LOWER, "reproduced", 3),
        (LOWER, HIGHER, "partly", 2),
        ([7010.0, *LOWER[1:]], HIGHER, "partly", 1),
        ([5000.0] * 4, HIGHER, "partly", 1),
        (HIGHER, HIGHER, "not reproduced", 0),
    ],
    ids=["lower by both", "lower by its own bound", "not in the first epoch", "much lower", "higher"],
)
def test_the_training_loss_is_lower_throughout_by_either_bound(
    written: Written, objective: list[float], elbo: list[float], verdict: str, yes: int
) -> None:
    training(written, objective, elbo)
    found = davari.lower_throughout(written.evidence)
    assert found.verdict == verdict
    assert found.why.count(": yes.") == yes


def test_the_share_of_epochs_is_counted(written: Written) -> None:
    training(written, [7010.0, 6790.0, 6690.0, 6590.0], HIGHER)
    found = davari.lower_throughout(written.evidence)
    assert {number.label: number.value for number in found.numbers}["share of epochs with the lower training objective"] == 0.75
    assert "3 of 4" in found.why


def likelihood(values: dict[int, float]) -> list[dict[str, Any]]:
    return [{"importance_samples": samples, "n_images": 200, "nll_nats": value} for samples, value in values.items()]


@pytest.mark.parametrize(
    ("validation", "final", "verdict"),
    [(90.0, 80.0, "reproduced"), (90.0, 86.0, "partly"), (120.0, 80.0, "partly"), (120.0, 86.0, "not reproduced")],
)
def test_the_validation_loss_by_its_mean_and_by_the_final_likelihood(
    written: Written, validation: float, final: float, verdict: str
) -> None:
    # The VAE's mean is 100, though it is lower at the end.
    written.history(VAE, val_neg_elbo_nats=[150.0, 50.0])
    written.history(IWAE, val_neg_elbo_nats=[validation, validation])
    written.details(VAE, likelihood=likelihood({5: 88.0, 2000: 85.0}))
    # A K that one of them lacks does not compare.
    written.details(IWAE, likelihood=likelihood({5: 70.0, 2000: final, 5000: 1.0}))
    found = davari.validation_lower(written.evidence)
    assert found.verdict == verdict
    assert "K = 2,000" in found.why


@pytest.mark.parametrize(("most", "told"), [(2000, True), (5000, False)])
def test_the_final_likelihoods_have_a_standard_error_over_the_images_of_the_same_k(written: Written, most: int, told: bool) -> None:
    for variant, values in ((IWAE, [84.0, 89.0, 97.0]), (VAE, [80.0, 90.0, 85.0])):
        nll = sum(values) / 3
        written.history(variant, val_neg_elbo_nats=[100.0])
        written.metrics(variant, nll_nats=nll, importance_samples=most)
        own = {5: 99.0, 2000: nll, **({5000: 1.0} if most == 5000 and variant == IWAE else {})}
        images = [{"importance_samples": most, "nll_nats": values}]
        written.details(variant, likelihood=likelihood(own), per_image=images)
    found = davari.validation_lower(written.evidence)
    # Differences 4, -1, 12: mean 5, standard deviation 6.557, over the root of 3 images 3.786.
    assert "Test NLL with K = 2,000, the IWAE below the VAE, 90.0 against 85.0 (apart by 5.00 nats" in found.why
    assert ("standard error over 3 images 3.79 nats" in found.why) == told


def printed(written: Written, nll: float, mse: float, variants: tuple[str, ...] = (VAE, IWAE)) -> None:
    for variant in variants:
        written.metrics(variant, nll_nats=nll, importance_samples=2000)
        written.splits(variant, test={"mse_per_pixel": mse, "kl_nats": 38.0})


@pytest.mark.parametrize(
    ("nll", "mse", "verdict"),
    [
        # 7,100 log2(e) / 4,096 = 2.5008.
        (7100.0, 0.02, "reproduced"),
        # Squared error 12,288 x 0.005 + 38 + 7,033.2 = 7,132.7, while 9,000 nats are 3.17 bits a position and 1.06 a dimension.
        (9000.0, 0.005, "partly"),
        (9000.0, 0.1, "not reproduced"),
        # 7,194.1 nats, 0.9 % above 7133; but of both 7,033.2 are a constant: 160.9 nats against 99.8.
        (9000.0, 0.01, "not reproduced"),
        # 105.4 and 104.1 nats: 5.6 % and 4.4 % above 99.78.
        (9000.0, 0.005483, "not reproduced"),
        (9000.0, 0.005382, "partly"),
    ],
)
def test_the_printed_likelihood_is_held_against_every_reading(written: Written, nll: float, mse: float, verdict: str) -> None:
    printed(written, nll, mse)
    found = davari.printed_likelihood(written.evidence)
    assert found.verdict == verdict
    values = {number.label: number.value for number in found.numbers}
    # The sum in place of the mean of 2,000 weights: log 2000 = 7.6009 less; a dimension: 12,288 of them; 0.693147 nats a bit.
    assert values["VAE, cross-entropy, without the 1/K, as printed"] == pytest.approx(nll - 7.6009, abs=1e-3)
    assert values["IWAE, with the 1/K, a dimension (3 x 64 x 64)"] == pytest.approx(nll / 12288 / 0.693147, rel=1e-5)
    assert values["IWAE, -ELBO under a Gaussian of variance 1/2: squared error + KL + (D / 2) log pi"] == pytest.approx(
        12288 * mse + 38 + 6144 * 1.1447299, rel=1e-6
    )
    gaussian = "VAE, -ELBO under a Gaussian of variance 1/2: squared error + KL + (D / 2) log pi"
    assert f"{gaussian}) 7,033.2 are a constant" in found.why
    assert found.why.endswith(f"above it the report has 99.8 nats, this reading {12288 * mse + 38:,.1f}.")
    assert values[f"above the constant, report, {gaussian}"] == pytest.approx(99.78, abs=5e-3)
    assert values[f"above the constant, {gaussian}"] == pytest.approx(12288 * mse + 38, abs=1e-3)
    assert sum(number.unit in ("nats", "bits") for number in found.numbers) == 17


def test_the_printed_likelihood_needs_both_models(written: Written) -> None:
    printed(written, 7100.0, 0.02, (VAE,))
    with pytest.raises(Missing, match=IWAE):
        davari.printed_likelihood(written.evidence)


@pytest.mark.parametrize(
    ("of_iwae", "of_vae", "verdict"),
    [(95.0, 98.0, "reproduced"), (105.0, 98.0, "partly"), (105.0, 102.0, "not reproduced"), (80.0, 102.0, "not reproduced")],
    ids=["both", "one", "neither", "below the likelihood itself"],
)
def test_five_samples_are_tighter_on_the_weights_of_both(written: Written, of_iwae: float, of_vae: float, verdict: str) -> None:
    for variant, five in ((IWAE, of_iwae), (VAE, of_vae)):
        written.details(variant, likelihood=likelihood({1: 100.0, 5: five, 2000: 90.0}))
    found = davari.tighter(written.evidence)
    assert found.verdict == verdict and found.why.endswith("this is a theorem in the mean over draws (Burda et al., 2016).")


def curve(step: float, epochs: int) -> list[float]:
    """A curve whose differences are in turn +step and -step."""
    return [100.0 + step * (epoch % 2) for epoch in range(epochs)]


@pytest.mark.parametrize(
    ("of_iwae", "of_vae", "verdict"),
    [(3.0, 2.0, "reproduced"), (3.0, 0.5, "partly"), (0.5, 0.5, "not reproduced")],
)
def test_the_validation_error_is_jumpy_against_the_training_error(written: Written, of_iwae: float, of_vae: float, verdict: str) -> None:
    for variant, step in ((IWAE, of_iwae), (VAE, of_vae)):
        # The first 40 epochs jump far more in training: they are not looked at.
        written.history(
            variant,
            train_neg_elbo_nats=[*curve(50.0, 40), *curve(1.0, 100)],
            val_neg_elbo_nats=[*curve(0.0, 40), *curve(step, 100)],
        )
    found = davari.jumpy(written.evidence)
    assert found.verdict == verdict
    numbers = {number.label: number.value for number in found.numbers}
    assert numbers["validation over training, the IWAE"] == pytest.approx(of_iwae)
    assert numbers["validation over training, the VAE"] == pytest.approx(of_vae)


def test_a_steady_fall_is_no_jump(written: Written) -> None:
    for variant in (IWAE, VAE):
        written.history(variant, train_neg_elbo_nats=curve(1.0, 10), val_neg_elbo_nats=[100.0 - 9 * epoch for epoch in range(10)])
    assert davari.jumpy(written.evidence).verdict == "not reproduced"


def test_two_epochs_have_no_spread(written: Written) -> None:
    for variant in (IWAE, VAE):
        written.history(variant, train_neg_elbo_nats=[2.0, 1.0], val_neg_elbo_nats=[2.0, 1.0])
    with pytest.raises(Missing, match="2 of the three epochs"):
        davari.jumpy(written.evidence)


@pytest.mark.parametrize("value", [float("nan"), ""])
def test_an_epoch_without_a_number_is_missing(written: Written, value: Any) -> None:
    written.history(IWAE, train_neg_elbo_nats=[2.0, 1.0], train_objective_nats=[value, 1.0])
    written.history(VAE, train_neg_elbo_nats=[2.0, 1.0])
    with pytest.raises(Missing, match="not finite"):
        davari.lower_throughout(written.evidence)
