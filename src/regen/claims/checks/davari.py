"""Claims of davari about images: checkerboards, sharpness, sample quality, single latents, interpolation."""

from functools import partial
from typing import Any

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, from_parts, mean, text
from regen.claims.measures import Measured, Named, Part, finding, gathered, joined, noted, ordered, percent
from regen.claims.registry import check
from regen.claims.values import constant, finite

TRANSPOSED, TRANSPOSED_5, IWAE = "davari-vae-deconv-celeba", "davari-vae-deconv5-celeba", "davari-iwae5-deconv-celeba"
UPSAMPLED = {
    "transposed convolution": TRANSPOSED,
    "nearest neighbour": "davari-vae-nearest-celeba",
    "bilinear": "davari-vae-bilinear-celeba",
}

PERIOD_TWO, SHARPNESS, BLOCKINESS = "checkerboard_energy", "laplacian_variance", "blockiness"

TRAITS = {"asymmetry": "orientation", "dark_beside_face": "hair length"}
"""What is measured for a trait. Skin luminance stands for neither, and the sex of a face needs labels."""

ERRORS = {
    "mse_per_pixel": ("squared error a dimension", ""),
    "cross_entropy_nats": ("cross-entropy", "nats"),
    "excess_nats": ("cross-entropy above the images' own entropy", "nats"),
}
"""Errors of a reconstruction; the first decides."""

FEATURES = {"nothing": "a network with random weights", "factors": "a network trained on drawn factors", "classes": "a classifier"}
"""Where the features of the distances come from, by what their network learned."""


@check("davari-1")
def checkerboard(evidence: Evidence) -> Finding:
    """Test that the period-2 energy of samples and of reconstructions is above that of real images and of both resize variants."""

    def energy(images: str) -> Measured:
        transposed, *resized = _upsampled(evidence, images, PERIOD_TWO)
        others = [("real images", constant(1, transposed[1])), *resized]
        return joined(*(ordered(f"period-2 energy of {images}", transposed, "above", other) for other in others))

    def strongest() -> tuple[str, list[Number]]:
        moment, when = _strongest(evidence)
        (transposed, *others), numbers = _energies(evidence, UPSAMPLED, moment)
        beside = " and ".join(f"{text(drawn)} ({text(made)}) with {name}" for name, drawn, made in others)
        sentence = (
            f"Over the snapshots the energy of the transposed convolution's samples is largest at {when}: {text(transposed[1])} times that "
            f"of real images (reconstructions {text(transposed[2])}), beside {beside}."
        )
        return sentence, numbers

    return noted(gathered(partial(energy, "samples"), partial(energy, "reconstructions")), strongest)


@check("davari-2")
def sharpest_and_smoothest(evidence: Evidence) -> Finding:
    """Test that nearest samples have the largest variance of the Laplacian and 2x2 blockiness, bilinear ones the smallest variance."""

    def sharpness() -> Measured:
        transposed, nearest, bilinear = _upsampled(evidence, "samples", SHARPNESS)
        pairs = [(nearest, transposed), (nearest, bilinear), (transposed, bilinear)]
        orders = (ordered("variance of the Laplacian of samples", sharper, "above", other) for sharper, other in pairs)
        return joined(*orders, ([], [_real_sharpness(evidence)]))

    def blocks() -> Measured:
        transposed, nearest, bilinear = _upsampled(evidence, "samples", BLOCKINESS)
        return joined(*(ordered("2x2 blockiness of samples", nearest, "above", other) for other in (transposed, bilinear)))

    return gathered(sharpness, blocks)


@check("davari-5")
def iwae_smoother(evidence: Evidence) -> Finding:
    """Test that the variance of the Laplacian of the IWAE's samples is below the VAE's."""
    iwae, vae = _models(evidence, SHARPNESS)
    parts, numbers = ordered("variance of the Laplacian of samples", iwae, "below", vae)
    return finding(parts, [*numbers, _real_sharpness(evidence)])


@check("davari-6")
def single_latents(evidence: Evidence) -> Finding:
    """Test that a latent or more moves the proxy of orientation, and of hair length, two standard deviations beyond random directions."""
    probe = evidence.probe("single_latents")
    rows: dict[str, dict[str, Any]] = {row["proxy"]: row for row in probe["rows"]}
    parts = [(finite(rows[proxy], "counted") > 0, _counted(trait, rows[proxy], probe["dimensions"])) for proxy, trait in TRAITS.items()]
    verdict, why = from_parts(parts)
    numbers: list[Number] = [Number("latents", probe["dimensions"])]
    for proxy, row in rows.items():
        name = proxy.replace("_", " ")
        numbers += [Number(f"{name}, latents that count", row["counted"]), Number(f"{name}, largest range", row["largest"])]
        numbers += [Number(f"{name}, threshold", row["threshold"]), Number(f"{name}, share of random directions", row["share_of_random"])]
    # One of the three traits is not measured, so that the claim as a whole is not shown.
    return Finding("partly" if verdict == "reproduced" else verdict, f"{why} Gender is not judged: the images have no labels.", numbers)


@check("davari-7")
def latent_midpoints(evidence: Evidence) -> Finding:
    """Test that a VAE trained apart reconstructs latent midpoints better than pixel midpoints of images and of reconstructions."""
    probe = evidence.probe("midpoints")
    errors = {row["images"]: finite(row, "mse_per_pixel") for row in probe["rows"]}
    parts: list[Part] = []
    numbers = [Number("pairs", probe["pairs"])]
    for row in probe["comparisons"]:
        lower, spread = -finite(row, "mean_difference"), finite(row, "standard_error")
        name, unit = ERRORS[row["measure"]]
        label = f"{name}, latent minus {row['against']}"
        numbers += [Number(label, -lower, unit), Number(f"{label}, standard error over pairs", spread, unit)]
        if row["measure"] == next(iter(ERRORS)):
            words = (
                f"squared error a dimension with which another VAE reconstructs, latent midpoints at {text(errors['latent midpoints'])} "
                f"below {row['against']} at "
                f"{text(errors[row['against']])} (apart by {text(abs(lower))} ± {text(spread)} over {probe['pairs']:,} pairs, "
                f"lower in {percent(finite(row, 'share_lower'))} of them; one seed)"
            )
            parts.append((lower > spread, words))
    numbers += [Number(f"squared error a dimension, {images}", error) for images, error in errors.items()]

    def of_images() -> tuple[str, list[Number]]:
        ends, pixels = errors.get("end images"), errors["pixel midpoints"]
        if ends is None or ends <= pixels:
            raise Missing("end images that are harder to reconstruct than pixel midpoints")
        sentence = (
            f"The images at the ends have {text(ends)}, more than their pixel midpoints: a low error is of smooth images, not of faces."
        )
        return sentence, []

    return noted(finding(parts, numbers), of_images)


@check("davari-10")
def iwae_samples_better(evidence: Evidence) -> Finding:
    """Test that the FCD and the kernel distance of the IWAE's samples are both below the VAE's."""
    keys = {"FCD": "frechet_classifier_distance", "kernel distance": "kernel_classifier_distance"}
    models = {name: _models(evidence, key) for name, key in keys.items()}
    parts, numbers = joined(*(ordered(f"{name} of samples", iwae, "below", vae) for name, (iwae, vae) in models.items()))
    verdict, why = from_parts(parts)
    learned = next(iter(evidence.quality(IWAE).values())).get("features")
    errors = _models(evidence, "kernel_standard_error")
    numbers += [Number(f"standard error of the kernel distance over blocks, {name}", mean(values)) for name, values in errors]
    return Finding(verdict, f"{why} The features are of {FEATURES.get(str(learned), 'an unknown network')}.", numbers)


@check("davari-12")
def uneven_overlap(evidence: Evidence) -> Finding:
    """Test that the period-2 energy of samples is higher with 5x5 kernels (uneven overlap) than with 4x4, before and after training."""

    def energy(images: str, when: str) -> Measured:
        uneven, even = (evidence.measure(variant, images, PERIOD_TWO) for variant in (TRANSPOSED_5, TRANSPOSED))
        return ordered(f"period-2 energy over real images' {when}", ("5x5 kernels", uneven), "above", ("4x4 kernels", even))

    def strongest() -> tuple[str, list[Number]]:
        moment, when = _strongest(evidence)
        (even, uneven), numbers = _energies(evidence, {"4x4 kernels": TRANSPOSED, "5x5 kernels": TRANSPOSED_5}, moment)
        sentence = (
            f"Over the snapshots the energy of samples with 4x4 kernels is largest at {when}: {text(even[1])} (reconstructions "
            f"{text(even[2])}), beside {text(uneven[1])} ({text(uneven[2])}) with 5x5 kernels."
        )
        return sentence, numbers

    found = gathered(partial(energy, "before training", "before training"), partial(energy, "samples", "after training"))
    return noted(found, strongest)


def _strongest(evidence: Evidence) -> tuple[str, str]:
    """Return the snapshot at which samples of the transposed convolution have the most period-2 energy, and when that is in words.

    Of a shortened run that is an epoch of its own, beside the report's of the same share of the training.
    """
    training = evidence.variant(TRANSPOSED).training
    moments = {epoch: f"epoch {epoch}" for epoch in training.snapshot_epochs if epoch > 0}
    if not moments:
        raise Missing(f"{TRANSPOSED} has no snapshots")
    energies = {epoch: mean(evidence.measure(TRANSPOSED, images, PERIOD_TWO)) for epoch, images in moments.items()}
    epoch = max(energies, key=lambda epoch: energies[epoch])
    ran = evidence.epochs(TRANSPOSED)
    if ran == training.epochs:
        return moments[epoch], f"epoch {epoch} of {ran}"
    return moments[epoch], f"epoch {epoch * ran / training.epochs:g} of {ran} (the report's epoch {epoch} of {training.epochs})"


def _energies(evidence: Evidence, variants: dict[str, str], moment: str) -> tuple[list[tuple[str, float, float]], list[Number]]:
    """Return each name with the period-2 energy of samples and of reconstructions at a snapshot, and these as numbers."""
    kinds = {"samples": moment, "reconstructions": f"reconstructions, {moment}"}
    found = {
        (name, kind): mean(evidence.measure(variant, images, PERIOD_TWO))
        for name, variant in variants.items()
        for kind, images in kinds.items()
    }
    numbers = [Number(f"period-2 energy of {kind} at {moment}, {name}", value) for (name, kind), value in found.items()]
    return [(name, found[name, "samples"], found[name, "reconstructions"]) for name in variants], numbers


def _upsampled(evidence: Evidence, images: str, key: str) -> list[Named]:
    """Return a measure of the transposed convolutions, of nearest neighbours and of the bilinear variant."""
    return [(name, evidence.measure(variant, images, key)) for name, variant in UPSAMPLED.items()]


def _models(evidence: Evidence, key: str) -> list[Named]:
    """Return a measure of the samples of the IWAE and of the VAE."""
    return [("the IWAE", evidence.measure(IWAE, "samples", key)), ("the VAE", evidence.measure(TRANSPOSED, "samples", key))]


def _real_sharpness(evidence: Evidence) -> Number:
    return Number("variance of the Laplacian, real images", mean(evidence.measure(TRANSPOSED, "test images", SHARPNESS)))


def _counted(trait: str, row: dict[str, Any], dimensions: int) -> str:
    """Return the clause on one trait, with what chance would give."""
    chance = finite(row, "share_of_random") * dimensions
    return (
        f"{row['counted']} of {dimensions} latents change {trait} by two standard deviations more than random directions do, as would "
        f"{text(chance)} of {dimensions} random ones (largest range {text(finite(row, 'largest'))}, "
        f"threshold {text(finite(row, 'threshold'))})"
    )
