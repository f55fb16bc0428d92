"""Checks of vu4a's claims about what its auto-encoders generate and its two priors on results whose verdict is known by construction."""

from collections.abc import Sequence
from typing import Any

import pytest
from written import Written, numbers


def decoded(written: Written, samples: Sequence[float], reconstructions: Sequence[float]) -> None:
    moments = ("before training", "epoch 25", "epoch 50")
    rows = dict(zip(moments, samples, strict=True)) | {f"reconstructions, {m}": v for m, v in zip(moments, reconstructions, strict=True)}
    written.rows("vu4a-vae-svhn", {images: {"frechet_classifier_distance": value} for images, value in rows.items()})


@pytest.mark.parametrize(
    ("samples", "reconstructions", "verdict"),
    [
        ((1000, 100, 50), (500, 100, 90), "reproduced"),
        ((1000, 100, 150), (500, 100, 90), "reproduced"),  # worse again is no improvement
        ((1000, 100, 50), (500, 100, 50), "partly"),  # 50 is more than a tenth of 400
        ((100, 100, 100), (100, 200, 200), "not reproduced"),  # no improvement at all
    ],
)
def test_vu4a_4(written: Written, samples: Sequence[float], reconstructions: Sequence[float], verdict: str) -> None:
    decoded(written, samples, reconstructions)
    assert written.find("vu4a-4").verdict == verdict


def test_vu4a_4_without_reconstructions_shows_the_samples_and_names_what_lacks(written: Written) -> None:
    written.frechet("vu4a-vae-svhn", before_training=1000, epoch_25=100, epoch_50=90)
    found = written.find("vu4a-4")
    assert "reconstructions, before training" in found.lacking
    assert numbers(found)["FCD, epoch 25"] == 100


def pair(written: Written, data: str, nll: tuple[float, float], fcd: tuple[float, float]) -> None:
    """Write a matched pair, flow first, and the report's own Gaussian variant."""
    for seed in (0, 1, 2):
        for variant, likelihood, distance in zip((f"vu4a-flowvae-{data}", f"ext-vae-matched-{data}"), nll, fcd, strict=True):
            noise = 0.1 * seed * (1 if variant.startswith("vu4a") else -1)
            written.metrics(variant, seed, nll_nats=likelihood + noise, neg_elbo_nats=likelihood + 10)
            written.frechet(variant, seed, samples=distance + noise)
        written.metrics(f"vu4a-vae-{data}", seed, neg_elbo_nats=70.0)


@pytest.mark.parametrize(
    ("mnist", "svhn", "verdict"),
    [
        (((95, 90), (60, 50)), ((950, 900), (60, 50)), "reproduced"),
        (((90, 95), (50, 60)), ((900, 950), (50, 60)), "not reproduced"),
        (((95, 90), (50, 60)), ((950, 900), (60, 50)), "partly"),
        (((90, 90), (50, 50)), ((900, 900), (50, 50)), "reproduced"),  # the noise alone: differences 0, 0.2, 0.4 exceed their error 0.115
    ],
)
def test_vu4a_8_the_matched_pairs_decide(written: Written, mnist: Any, svhn: Any, verdict: str) -> None:
    pair(written, "mnist", *mnist)
    pair(written, "svhn", *svhn)
    written.floors("mnist", [(1, 28, 28), (1, 32, 32)])
    written.floors("svhn", [(3, 32, 32)])
    found = written.find("vu4a-8")
    assert found.verdict == verdict
    assert "over 3 seeds" in found.why
    # Excess over each one's own floor: 28 at 28x28, 32 at 32x32.
    assert numbers(found)["-ELBO above the floor, Gaussian prior as reported, MNIST"] == 42.0
    assert numbers(found)["-ELBO above the floor, flow prior as reported, MNIST"] == mnist[0][0] + 10 - 32


def test_vu4a_8_shows_mnist_where_svhn_was_not_run(written: Written) -> None:
    pair(written, "mnist", (95, 90), (60, 50))
    written.floors("mnist", [(1, 28, 28), (1, 32, 32)])
    found = written.find("vu4a-8")
    assert found.lacking == "vu4a-flowvae-svhn has no metrics.json"
    assert numbers(found)["FCD, matched pair on MNIST, flow prior"] == pytest.approx(60.1)


FOUR = ("vu4a-vae-mnist", "vu4a-vae-svhn", "vu4a-flowvae-mnist", "vu4a-flowvae-svhn")


def interpolated(written: Written, confidences: Sequence[float], steps: Sequence[float], seed: int = 0) -> None:
    """Write the four; the classifier gives real images 0.9 on MNIST and 0.5 on SVHN."""
    for variant, confidence, step in zip(FOUR, confidences, steps, strict=True):
        real = {"test images": {"mean_confidence": 0.9 if variant.endswith("mnist") else 0.5}}
        written.rows(variant, real, seed, paths={"linear": {"mean_confidence": confidence, "largest_step": step}})


@pytest.mark.parametrize(
    ("confidences", "steps", "verdict", "yes"),
    [
        # Of real images' 0.9, 0.8, 0.7, 0.6. Steps in the features of two classifiers do not compare: MNIST's are the larger.
        ((0.81, 0.40, 0.63, 0.30), (0.5, 0.12, 0.6, 0.13), "reproduced", 6),
        # Larger on MNIST by themselves, of real images' 0.6, 0.8, 0.7, 0.9.
        ((0.54, 0.40, 0.63, 0.45), (0.6, 0.13, 0.5, 0.12), "not reproduced", 0),
        ((0.81, 0.40, 0.63, 0.30), (0.6, 0.13, 0.5, 0.12), "partly", 4),
    ],
)
def test_vu4a_12_over_real_images(written: Written, confidences: Sequence[float], steps: Sequence[float], verdict: str, yes: int) -> None:
    interpolated(written, confidences, steps)
    found = written.find("vu4a-12")
    assert found.verdict == verdict
    assert found.why.count(": yes.") == yes and found.why.count("Largest step") == 2 and "tie" not in found.why
    values = numbers(found)
    assert values["confidence along the paths over that of real images, Gaussian prior on SVHN"] == pytest.approx(0.8)
    assert len(found.numbers) == 8 and found.lacking == ""


def test_vu4a_12_one_seed_does_not_order_what_differs_by_less_than_a_hundredth(written: Written) -> None:
    # On MNIST 0.900 against 0.892, 0.9 % less; steps on SVHN 0.1990 against 0.2000, 0.5 % less, on MNIST 1.5 %.
    interpolated(written, (0.81, 0.40, 0.8028, 0.30), (0.197, 0.1990, 0.200, 0.2000))
    found = written.find("vu4a-12")
    what = "Confidence along the paths over that of real images"
    assert f"{what}, MNIST, Gaussian prior above flow prior, 0.900 against 0.892 (one seed, no more than a tie): no." in found.why
    assert f"{what}, flow prior, MNIST above SVHN, 0.892 against 0.600 (one seed): yes." in found.why
    assert "SVHN, Gaussian prior below flow prior, 0.199 against 0.200 (one seed, no more than a tie): no." in found.why
    assert found.verdict == "partly" and found.why.count(": yes.") == 4


def test_vu4a_12_several_seeds_have_a_standard_error(written: Written) -> None:
    for seed, real in ((0, 0.81), (1, 0.828)):
        interpolated(written, (real, 0.40, 0.81, 0.30), (0.12, 0.12, 0.13, 0.13), seed)
    # Of 0.9: 0.90 and 0.92 against 0.90 twice: differences 0 and 0.02, mean and standard error 0.01.
    assert "0.910 against 0.900 (apart by 0.0100 ± 0.0100 over 2 seeds)" in written.find("vu4a-12").why


def test_vu4a_12_tells_the_matched_pair_and_which_seeds_are_compared(written: Written) -> None:
    for seed in (0, 1):
        interpolated(written, (0.81, 0.40, 0.81, 0.30), (0.12, 0.12, 0.13, 0.13), seed)
    rows, paths = {"test images": {"mean_confidence": 0.9}}, {"linear": {"mean_confidence": 0.72, "largest_step": 0.2}}
    written.rows("ext-vae-matched-mnist", rows, 1, paths)
    found = written.find("vu4a-12")
    words = "the confidence is 0.800 with the Gaussian prior and 0.900 with the flow prior, the largest step 0.200 and 0.130; this decides"
    assert words in found.why and numbers(found)["largest step, matched pair on MNIST, Gaussian"] == 0.2
    assert "of the seeds that both have" not in found.why
    written.rows("vu4a-vae-svhn", rows, 2, paths)
    assert written.find("vu4a-12").why.count("; of the seeds that both have") == 3


def test_vu4a_12_needs_the_confidence_on_real_images(written: Written) -> None:
    for variant in FOUR:
        written.rows(variant, {}, paths={"linear": {"mean_confidence": 0.5, "largest_step": 0.1}})
    found = written.find("vu4a-12")
    assert "have none of 'test images'" in found.lacking and found.why.count("Largest step") == 2


@pytest.mark.parametrize(
    ("distances", "sharpness", "verdict"),
    [((500, 100, 90), 0.05, "reproduced"), ((500, 100, 50), 0.05, "partly"), ((500, 100, 50), 0.2, "not reproduced")],
)
def test_vu4a_16(written: Written, distances: Sequence[float], sharpness: float, verdict: str) -> None:
    moments = ("epoch 1", "epoch 25", "epoch 50")
    rows = {images: {"frechet_classifier_distance": value} for images, value in zip(moments, distances, strict=True)}
    written.rows("vu4a-flowvae-mnist", {**rows, "samples": {"laplacian_variance": sharpness}, "test images": {"laplacian_variance": 0.1}})
    assert written.find("vu4a-16").verdict == verdict


@pytest.mark.parametrize(
    ("distances", "share", "verdict"),
    [((500, 300, 290), 0.2, "reproduced"), ((500, 300, 290), 0.0, "partly"), ((500, 600, 510), 0.0, "not reproduced")],
)
def test_vu4a_18(written: Written, distances: Sequence[float], share: float, verdict: str) -> None:
    moments = ("epoch 1", "epoch 25", "epoch 50")
    rows: dict[str, dict[str, Any]] = {m: {"frechet_classifier_distance": v} for m, v in zip(moments, distances, strict=True)}
    rows["before training"] = {"frechet_classifier_distance": 900, "confident_share": 0.01}
    written.rows("vu4a-flowvae-svhn", {**rows, "samples": {"confident_share": share}})
    assert written.find("vu4a-18").verdict == verdict
