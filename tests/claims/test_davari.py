"""Verdicts on davari's claims about images, of results made up so that each is known."""

from typing import Any

import pytest
from written import Written

from regen.claims.checks import davari
from regen.claims.evidence import Missing

TRANSPOSED, UNEVEN, NEAREST, BILINEAR, IWAE = (
    f"davari-{name}-celeba" for name in ("vae-deconv", "vae-deconv5", "vae-nearest", "vae-bilinear", "iwae5-deconv")
)
PERIOD_TWO, SHARPNESS, BLOCKINESS = "checkerboard_energy", "laplacian_variance", "blockiness"


def energies(written: Written, samples: tuple[float, float, float], reconstructions: tuple[float, float, float]) -> None:
    for variant, sample, reconstruction in zip((TRANSPOSED, NEAREST, BILINEAR), samples, reconstructions, strict=True):
        written.rows(variant, {"samples": {PERIOD_TWO: sample}, "reconstructions": {PERIOD_TWO: reconstruction}})


@pytest.mark.parametrize(
    ("samples", "reconstructions", "verdict", "yes"),
    [
        ((1.5, 1.4, 0.2), (1.2, 1.1, 0.1), "reproduced", 6),
        ((0.9, 0.3, 0.2), (0.8, 0.3, 0.1), "partly", 4),
        ((1.5, 1.4, 0.2), (0.2, 0.4, 0.3), "partly", 3),
        ((0.1, 0.3, 0.2), (0.1, 0.3, 0.2), "not reproduced", 0),
    ],
    ids=["above all", "below real images", "reconstructions have none", "below all"],
)
def test_the_checkerboard_is_above_real_images_and_both_others(
    written: Written, samples: tuple[float, float, float], reconstructions: tuple[float, float, float], verdict: str, yes: int
) -> None:
    energies(written, samples, reconstructions)
    found = davari.checkerboard(written.evidence)
    assert found.verdict == verdict
    assert found.why.count(": yes.") == yes


def snapshots(written: Written, variant: str, moments: dict[str, tuple[float, float]], epochs: int, **ends: float) -> None:
    """Write the energies of samples and of reconstructions at snapshots, and of samples (and before training) by `ends`."""
    rows = {images.replace("_", " "): {PERIOD_TWO: energy} for images, energy in ends.items()}
    for moment, (samples, reconstructions) in moments.items():
        rows |= {moment: {PERIOD_TWO: samples}, f"reconstructions, {moment}": {PERIOD_TWO: reconstructions}}
    written.rows(variant, rows)
    written.history(variant, train_neg_elbo_nats=[1.0] * epochs)


@pytest.mark.parametrize(
    ("epochs", "when"),
    [
        (200, "epoch 50 of 200:"),
        (10, "epoch 2.5 of 10 (the report's epoch 50 of 200):"),
        (8, "epoch 2 of 8 (the report's epoch 50 of 200):"),
    ],
)
def test_the_checkerboard_of_mid_training_is_told_with_the_moment(written: Written, epochs: int, when: str) -> None:
    rows = {"epoch 1": (0.7, 0.8), "epoch 50": (2.9, 3.4), "epoch 200": (0.6, 0.9)}
    snapshots(written, TRANSPOSED, rows, epochs, samples=0.6, reconstructions=0.9)
    snapshots(written, NEAREST, {"epoch 50": (0.15, 0.38)}, epochs, samples=0.7, reconstructions=0.5)
    snapshots(written, BILINEAR, {"epoch 50": (0.08, 0.26)}, epochs, samples=0.7, reconstructions=0.5)
    found = davari.checkerboard(written.evidence)
    assert f"{when} 2.90 times that of real images (reconstructions 3.40), beside " in found.why
    assert found.why.endswith("beside 0.150 (0.380) with nearest neighbour and 0.0800 (0.260) with bilinear.")
    # It decides nothing: at the end the samples are below all, the reconstructions above both others.
    assert (found.verdict, found.why.count(": yes.")) == ("partly", 2)
    values = {number.label: number.value for number in found.numbers}
    assert values["period-2 energy of reconstructions at epoch 50, nearest neighbour"] == 0.38


def test_both_kernels_are_told_where_the_checkerboard_is_largest(written: Written) -> None:
    rows = {"epoch 1": (0.7, 0.8), "epoch 50": (2.9, 3.4), "epoch 200": (0.6, 0.9)}
    snapshots(written, TRANSPOSED, rows, 10, before_training=0.4, samples=0.6)
    # Its own largest is elsewhere.
    snapshots(written, UNEVEN, {"epoch 1": (5.0, 5.0), "epoch 50": (0.9, 1.4)}, 10, before_training=0.2, samples=0.4)
    found = davari.uneven_overlap(written.evidence)
    assert found.verdict == "not reproduced"
    assert "epoch 2.5 of 10 (the report's epoch 50 of 200): 2.90 (reconstructions 3.40), beside 0.900 (1.40) with 5x5 kernels." in found.why


def test_without_snapshots_the_ends_alone_are_judged(written: Written) -> None:
    energies(written, (1.5, 1.4, 0.2), (1.2, 1.1, 0.1))
    assert davari.checkerboard(written.evidence).why.endswith(": yes.")


def looks(written: Written, sharp: tuple[float, float, float], blocky: tuple[float, float, float]) -> None:
    for variant, sharpness, blockiness in zip((TRANSPOSED, NEAREST, BILINEAR), sharp, blocky, strict=True):
        rows = {"samples": {SHARPNESS: sharpness, BLOCKINESS: blockiness}, "test images": {SHARPNESS: 9.0}}
        written.rows(variant, rows)


@pytest.mark.parametrize(
    ("sharp", "blocky", "verdict", "yes"),
    [
        ((2.0, 3.0, 1.0), (1.1, 1.5, 1.0), "reproduced", 5),
        ((3.0, 2.0, 1.0), (1.1, 1.5, 1.0), "partly", 4),
        ((2.0, 3.0, 1.0), (1.6, 1.5, 1.0), "partly", 4),
        ((2.0, 3.0, 2.5), (1.1, 1.5, 1.0), "partly", 4),
        ((1.0, 2.0, 3.0), (2.0, 1.0, 3.0), "partly", 1),
        ((2.0, 1.0, 3.0), (2.0, 1.0, 3.0), "not reproduced", 0),
    ],
)
def test_nearest_is_sharpest_and_blockiest_and_bilinear_smoothest(
    written: Written, sharp: tuple[float, float, float], blocky: tuple[float, float, float], verdict: str, yes: int
) -> None:
    looks(written, sharp, blocky)
    found = davari.sharpest_and_smoothest(written.evidence)
    assert found.verdict == verdict
    assert found.why.count(": yes.") == yes


@pytest.mark.parametrize(("sharpness", "verdict"), [(0.001, "reproduced"), (0.003, "not reproduced")])
def test_iwae_samples_are_smoother(written: Written, sharpness: float, verdict: str) -> None:
    written.rows(IWAE, {"samples": {SHARPNESS: sharpness}})
    written.rows(TRANSPOSED, {"samples": {SHARPNESS: 0.002}, "test images": {SHARPNESS: 0.01}})
    assert davari.iwae_smoother(written.evidence).verdict == verdict


@pytest.mark.parametrize(
    ("frechet", "kernel", "verdict"),
    [(1.0, 0.1, "reproduced"), (1.0, 0.3, "partly"), (3.0, 0.1, "partly"), (3.0, 0.3, "not reproduced")],
)
def test_iwae_samples_are_better_by_both_distances(written: Written, frechet: float, kernel: float, verdict: str) -> None:
    for variant, values in ((IWAE, (frechet, kernel)), (TRANSPOSED, (2.0, 0.2))):
        distances = {"frechet_classifier_distance": values[0], "kernel_classifier_distance": values[1], "kernel_standard_error": 0.01}
        written.rows(variant, {"samples": distances})
        written.quality(variant, features="nothing")
    found = davari.iwae_samples_better(written.evidence)
    assert found.verdict == verdict
    assert found.why.endswith("The features are of a network with random weights.")


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [(3.0, 3.0, "reproduced"), (3.0, 0.5, "partly"), (0.5, 3.0, "partly"), (0.5, 0.5, "not reproduced")],
)
def test_uneven_kernels_have_the_checkerboard_before_and_after_training(
    written: Written, before: float, after: float, verdict: str
) -> None:
    written.rows(UNEVEN, {"before training": {PERIOD_TWO: before}, "samples": {PERIOD_TWO: after}})
    written.rows(TRANSPOSED, {"before training": {PERIOD_TWO: 1.0}, "samples": {PERIOD_TWO: 1.0}})
    assert davari.uneven_overlap(written.evidence).verdict == verdict


def proxy(name: str, counted: int) -> dict[str, Any]:
    return {
        "proxy": name,
        "threshold": 0.3,
        "random_mean": 0.1,
        "random_standard_deviation": 0.1,
        "share_of_random": 0.04,
        "counted": counted,
        "dimensions": list(range(counted)),
        "largest": 0.5 if counted else 0.2,
        "largest_dimension": 0,
    }


@pytest.mark.parametrize(
    ("asymmetry", "hair", "verdict"),
    [(2, 1, "partly"), (0, 3, "partly"), (0, 0, "not reproduced")],
    ids=["both, but gender has no measure", "hair alone", "neither"],
)
def test_single_latents_by_the_proxies_of_two_traits(written: Written, asymmetry: int, hair: int, verdict: str) -> None:
    rows = [proxy("asymmetry", asymmetry), proxy("skin_luminance", 5), proxy("dark_beside_face", hair)]
    written.probe("single_latents", dimensions=100, random_directions=200, reach=3.0, rows=rows)
    found = davari.single_latents(written.evidence)
    assert found.verdict == verdict
    assert found.why.count(": yes.") == (asymmetry > 0) + (hair > 0)
    # 4 % of random directions are beyond the threshold.
    assert "4.00 of 100 random ones" in found.why
    assert "Gender is not judged" in found.why


def comparison(against: str, difference: float, measure: str = "mse_per_pixel") -> dict[str, Any]:
    return {"measure": measure, "against": against, "share_lower": 0.75, "mean_difference": difference, "standard_error": 0.001}


@pytest.mark.parametrize(
    ("images", "decoded", "verdict"),
    [(-0.01, -0.01, "reproduced"), (-0.01, 0.01, "partly"), (0.01, 0.01, "not reproduced"), (-0.0005, 0.01, "not reproduced")],
    ids=["below both", "smoothness alone", "above both", "within the standard error"],
)
def test_latent_midpoints_are_held_against_pixel_midpoints_of_both_kinds(
    written: Written, images: float, decoded: float, verdict: str
) -> None:
    kinds = ("pixel midpoints", "pixel midpoints of decoded ends")
    rows = [{"images": name, "mse_per_pixel": 0.02} for name in ("end images", "decoded ends", "latent midpoints", *kinds)]
    comparisons = [comparison(kinds[0], images), comparison(kinds[1], decoded), comparison(kinds[0], 5.0, "cross_entropy_nats")]
    written.probe("midpoints", pairs=1000, rows=rows, comparisons=comparisons)
    found = davari.latent_midpoints(written.evidence)
    assert found.verdict == verdict
    assert len({number.label for number in found.numbers}) == len(found.numbers)


@pytest.mark.parametrize(("ends", "told"), [(0.03, True), (0.01, False)])
def test_ends_that_are_harder_to_reconstruct_than_their_mean_are_told(written: Written, ends: float, told: bool) -> None:
    errors = {"end images": ends, "latent midpoints": 0.01, "pixel midpoints": 0.02}
    rows = [{"images": name, "mse_per_pixel": error} for name, error in errors.items()]
    written.probe("midpoints", pairs=1000, rows=rows, comparisons=[comparison("pixel midpoints", -1.0)])
    why = davari.latent_midpoints(written.evidence).why
    assert ("The images at the ends have 0.0300, more than their pixel midpoints" in why) == told == ("of smooth images" in why)


def test_a_variant_without_results_is_named(written: Written) -> None:
    looks(written, (2.0, 3.0, 1.0), (1.1, 1.5, 1.0))
    with pytest.raises(Missing, match=IWAE):
        davari.iwae_smoother(written.evidence)
    with pytest.raises(Missing, match=r"checkerboard_energy.*reconstructions"):
        davari.checkerboard(written.evidence)
