"""Verdicts on lab1's claims, of results made up so that each is known."""

from typing import Any

import pytest
from written import Written

from regen.claims.checks import lab1
from regen.claims.evidence import Missing

LAPLACIAN = "laplacian_variance"


def judged(check: Any, written: Written) -> str:
    return str(check(written.evidence).verdict)


@pytest.mark.parametrize(
    ("mixture", "verdict"),
    [(119.0, "reproduced"), (81.0, "reproduced"), (121.0, "not reproduced"), (79.0, "not reproduced")],
)
def test_the_mixture_is_as_good_within_a_fifth_of_the_vae_either_way(written: Written, mixture: float, verdict: str) -> None:
    written.frechet("lab1-aegmm-mnist", samples=mixture)
    written.frechet("lab1-vae-z2-mnist", samples=100.0)
    # A seed that the other lacks says nothing of the pair.
    written.frechet("lab1-vae-z2-mnist", 1, samples=1000.0)
    assert judged(lab1.as_good_as_the_vae, written) == verdict
    assert "one seed" in lab1.as_good_as_the_vae(written.evidence).why


@pytest.mark.parametrize(("p_value", "verdict"), [(0.002, "reproduced"), (0.01, "not reproduced"), (0.4, "not reproduced")])
def test_the_mixture_misfits_if_its_samples_are_told_from_codes(written: Written, p_value: float, verdict: str) -> None:
    # Fewer codes tell less: the most of them decide.
    tests = [{"n": 400, "p_value": 0.5, "mmd2": 0.001}, {"n": 2000, "p_value": p_value, "mmd2": 0.004}]
    written.probe("code_fit", tests=tests, permutations=999, rows=[])
    assert judged(lab1.mixture_misfits, written) == verdict
    assert "with 400 of each p = 0.500" in lab1.mixture_misfits(written.evidence).why


@pytest.mark.parametrize(("sharpness", "verdict"), [(0.05, "reproduced"), (0.3, "not reproduced")])
def test_means_are_blurred_if_less_sharp_than_real_images(written: Written, sharpness: float, verdict: str) -> None:
    written.rows("lab1-vae-mnist", {"samples": {LAPLACIAN: sharpness}, "test images": {LAPLACIAN: 0.2}})
    found = lab1.blurred(written.evidence)
    assert found.verdict == verdict
    assert [number.value for number in found.numbers] == pytest.approx([sharpness, 0.2, 500 * sharpness])


@pytest.mark.parametrize(
    ("gaussian", "gap", "verdict"),
    [(400.0, 6.0, "reproduced"), (400.0, 4.0, "partly"), (200.0, 6.0, "partly"), (200.0, 4.0, "not reproduced")],
)
def test_the_latent_space_is_organised_by_distance_and_by_gap(written: Written, gaussian: float, gap: float, verdict: str) -> None:
    written.frechet("lab1-vae-z2-mnist", samples=300.0)
    # N(0, I) is no fit to an auto-encoder's codes: it does not decide.
    written.frechet("lab1-aegmm-mnist", **{"codes from N(0, I)": 100.0, "codes from one Gaussian": gaussian})
    written.splits("lab1-vae-z2-mnist", train={"recon_nats": 140.0}, validation={"recon_nats": 145.0}, test={"recon_nats": 1.0})
    written.splits("lab1-aegmm-mnist", train={"recon_nats": 130.0}, validation={"recon_nats": 130.0 + gap}, test={"recon_nats": 1.0})
    assert judged(lab1.organised, written) == verdict
    assert "codes from the mixture" not in lab1.organised(written.evidence).why


@pytest.mark.parametrize(("mixture", "told"), [(250.0, "250.0, below"), (350.0, "350.0, above")])
def test_what_the_mixture_makes_of_the_codes_is_told_beside_it(written: Written, mixture: float, told: str) -> None:
    written.frechet("lab1-vae-z2-mnist", samples=300.0)
    distances = {"codes from N(0, I)": 100.0, "codes from one Gaussian": 400.0, "samples": mixture}
    written.frechet("lab1-aegmm-mnist", **distances)
    found = lab1.organised(written.evidence)
    assert found.why.endswith(f"With codes from the mixture the auto-encoder has {told} the VAE.")


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [(0.03, "reproduced"), (0.01, "not reproduced"), (-0.03, "not reproduced")],
    ids=["gain", "within its error", "loss"],
)
def test_fixing_the_weights_helps_beyond_the_standard_error(written: Written, gain: float, verdict: str) -> None:
    rows = [{"weights": "estimated", "test_log_likelihood_nats": -5.65}, {"weights": "equal", "test_log_likelihood_nats": -5.65 + gain}]
    written.probe("code_fit", test_difference_nats=gain, test_difference_standard_error=0.02, rows=rows)
    assert judged(lab1.fixed_weights_fit_better, written) == verdict


@pytest.mark.parametrize(
    ("gaussian", "bernoulli", "verdict"),
    [
        ((0.04, 0.05), 0.15, "reproduced"),
        ((0.04, 0.05), 0.07, "partly"),
        ((0.16, 0.17), 0.15, "not reproduced"),
        ((0.05, 0.24), 0.15, "not reproduced"),
    ],
    ids=["most of the blur", "the lesser part of it", "sharper", "within the standard error"],
)
def test_the_squared_error_blurs(written: Written, gaussian: tuple[float, float], bernoulli: float, verdict: str) -> None:
    for seed, sharpness in enumerate(gaussian):
        written.rows("lab1-vae-gauss-mnist", {"samples": {LAPLACIAN: sharpness}}, seed)
        written.rows("lab1-vae-mnist", {"samples": {LAPLACIAN: bernoulli}, "test images": {LAPLACIAN: 0.2}}, seed)
    assert lab1.blur_of_the_squared_error(written.evidence).verdict == verdict


def test_the_share_of_the_blur_is_of_the_seeds_that_both_have(written: Written) -> None:
    written.rows("lab1-vae-gauss-mnist", {"samples": {LAPLACIAN: 0.05}})
    written.rows("lab1-vae-mnist", {"samples": {LAPLACIAN: 0.08}, "test images": {LAPLACIAN: 0.2}})
    written.rows("lab1-vae-mnist", {"samples": {LAPLACIAN: 9.0}, "test images": {LAPLACIAN: 9.0}}, 1)
    # 0.03 of the 0.15 that are missing.
    assert (
        "The Gaussian VAE's means lie 0.150 below real images, 0.200; the Bernoulli VAE's make up 20.0 % of that"
        in lab1.blur_of_the_squared_error(written.evidence).why
    )


def test_what_a_fixed_scale_leaves_the_latents_is_told(written: Written) -> None:
    for variant, sharpness, kl in (("lab1-vae-gauss-mnist", 0.05, 6.9), ("lab1-vae-mnist", 0.08, 25.4)):
        written.rows(variant, {"samples": {LAPLACIAN: sharpness}, "test images": {LAPLACIAN: 0.2}})
        written.metrics(variant, kl_nats=kl)
    why = lab1.blur_of_the_squared_error(written.evidence).why
    assert "leaves its latents 6.90 nats, where the Bernoulli VAE's carry 25.4: the form of the error is not told from its scale." in why


@pytest.mark.parametrize("value", [None, float("nan"), "0.1"])
def test_a_measure_that_is_no_number_is_missing(written: Written, value: Any) -> None:
    written.rows("lab1-vae-mnist", {"samples": {LAPLACIAN: value}, "test images": {LAPLACIAN: 0.2}})
    with pytest.raises(Missing, match="lab1-vae-mnist"):
        lab1.blurred(written.evidence)


def test_variants_without_a_seed_in_common_are_not_compared(written: Written) -> None:
    written.frechet("lab1-aegmm-mnist", 1, samples=100.0)
    written.frechet("lab1-vae-z2-mnist", 0, samples=100.0)
    with pytest.raises(Missing, match="no seed in common"):
        lab1.as_good_as_the_vae(written.evidence)


def test_a_probe_without_a_number_is_missing(written: Written) -> None:
    written.probe("code_fit", tests=[{"n": 2000, "p_value": float("nan"), "mmd2": 0.004}], permutations=999, rows=[])
    with pytest.raises(Missing, match="p_value"):
        lab1.mixture_misfits(written.evidence)
