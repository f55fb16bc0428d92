"""Claims of uva3 about its GAN, its flow, and the families of models against each other."""

from contextlib import suppress
from functools import partial
from itertools import pairwise
from math import log
from statistics import fmean
from typing import Any

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, mean, text
from regen.claims.measures import (
    Measured,
    finding,
    frechet,
    gathered,
    joined,
    likelihoods_ordered,
    noted,
    ordered,
    percent,
    slope,
    tied,
    within,
)
from regen.claims.registry import check
from regen.claims.values import constant, finite, shared

GAN, FLOW, VAE = "uva3-gan-mnist", "uva3-realnvp-mnist", "uva3-vae-z20-mnist"
WASSERSTEIN, NOISED, DROPOUT = "ext-wgangp-mnist", "ext-gan-noise-mnist", "ext-gan-dropout-mnist"
GANS = {GAN: "GAN", WASSERSTEIN: "Wasserstein GAN", NOISED: "GAN with input noise", DROPOUT: "GAN with dropout"}
NAMES = {**GANS, FLOW: "flow", VAE: "VAE"}
MEASURES = {"frechet_classifier_distance": ("FCD", -1), "precision": ("precision", 1), "recall": ("recall", 1)}
"""Measure of samples -> its name, and 1 if higher is better, -1 if lower is."""

NEAR_PERFECT = 0.95
"""Mean accuracy on real and on generated images from which on uva3-12 calls a discriminator near-perfect."""


def _better(evidence: Evidence, key: str, a: str, b: str) -> Measured:
    """Measure whether the samples of a are better than those of b."""
    name, sign = MEASURES[key]
    first, second = ((NAMES[variant], evidence.measure(variant, "samples", key)) for variant in (a, b))
    return ordered(name, first, "above" if sign > 0 else "below", second)


@check("uva3-5")
def gan_samples(evidence: Evidence) -> Finding:
    """FCD falls over the four steps; more high-frequency energy than real images; most frequent class 3, KL of the classes to uniform."""
    steps = ("before training", "step 2,000", "step 111,000", "step 184,000")
    distances = [mean(frechet(evidence, GAN, images)) for images in steps]
    falls = all(later < earlier for earlier, later in pairwise(distances))
    last = steps[-1]
    sharp, real = (evidence.measure(GAN, images, "laplacian_variance") for images in (last, "test images"))
    classes = [int(row["top_class"]) for row in evidence.row(GAN, last).values()]
    share = mean(evidence.measure(GAN, last, "top_class_share"))
    kl, kl_real = (mean(evidence.measure(GAN, images, "class_kl_nats")) for images in (last, "test images"))
    most = ", ".join(map(str, dict.fromkeys(classes)))
    lower = (falls, f"FCD falls from step to step, {', '.join(text(distance) for distance in distances)}")
    noisy = ordered("variance of the Laplacian", (f"samples at {last}", sharp), "above", ("real images", real))
    energy = evidence.measure(GAN, "samples", "checkerboard_energy")
    finest, numbers = ordered(
        "energy of period 2 in units of real images'", ("samples of the last epoch", energy), "above", ("real images", constant(1, energy))
    )
    threes = (set(classes) == {3}, f"3 is the most frequent class, it is {most} with {percent(share)}, KL to uniform {text(kl)} nats")
    histogram = [Number("most frequent class", most), Number("its share", 100 * share, "%"), Number("KL to uniform, samples", kl, "nats")]
    return finding(
        *joined(
            ([lower], [Number(f"FCD, {images}", distance) for images, distance in zip(steps, distances, strict=True)]),
            noisy,
            (finest, numbers[:1]),
            ([threes], [*histogram, Number("KL to uniform, test images", kl_real, "nats")]),
        )
    )


@check("uva3-6")
def flow_against_vae(evidence: Evidence) -> Finding:
    """FCD of the flow's samples below the VAE's means, precision and recall above."""
    draws = Number("FCD, VAE, Bernoulli samples", mean(frechet(evidence, VAE, "draws")))
    return finding(*joined(*(_better(evidence, key, FLOW, VAE) for key in MEASURES), ([], [draws])))


@check("uva3-7")
def remedies(evidence: Evidence) -> Finding:
    """Of each remedy: KL of the classes to uniform lower and no fewer digits covered, FCD lower; for noise early accuracy lower too."""
    remedied = {"dropout": DROPOUT, "input noise": NOISED, "Wasserstein loss": WASSERSTEIN}
    measured = [partial(_remedy, evidence, name, variant) for name, variant in remedied.items()]
    return gathered(*measured, partial(_early, evidence, remedied["input noise"]))


def _remedy(evidence: Evidence, name: str, variant: str) -> Measured:
    kl, distance = (
        [(label, evidence.measure(model, "samples", key)) for label, model in ((name, variant), ("GAN", GAN))]
        for key in ("class_kl_nats", "frechet_classifier_distance")
    )
    digits, before = (mean(evidence.measure(model, "samples", "digits_covered")) for model in (variant, GAN))
    [(even, words)], numbers = ordered("KL of the classes to uniform", kl[0], "below", kl[1], "nats")
    collapse = (even and digits >= before, f"{words} and {digits:g} digits covered, no fewer than {before:g}")
    covered = [Number(f"digits covered, {name}", digits), Number("digits covered, GAN", before)]
    return joined(([collapse], [*numbers, *covered]), ordered("FCD", distance[0], "below", distance[1]))


def _early(evidence: Evidence, noisy: str) -> Measured:
    """Measure whether input noise lowers the discriminator's mean accuracy on real and generated images in epoch 1."""
    accuracies = []
    for variant in (noisy, GAN):
        real, fake = (evidence.column(variant, f"train_accuracy_{images}") for images in ("real", "fake"))
        accuracies.append({seed: (real[seed][0] + fake[seed][0]) / 2 for seed in real})
    tie = tied(*accuracies)
    named = ("input noise", accuracies[0]), ("GAN", accuracies[1])
    beside = "; no more than a tie" if tie else ""
    [(lower, words)], numbers = ordered("accuracy of the discriminator in epoch 1", named[0], "below", named[1], beside=beside)
    return [(lower and not tie, words)], numbers


@check("uva3-8")
def gans_are_best(evidence: Evidence) -> Finding:
    """Compare one GAN, of the lowest FCD, remedies included, with the better of VAE and flow: FCD lower, precision and recall higher."""
    distances: dict[str, float] = {}
    for variant in GANS:
        with suppress(Missing):
            distances[variant] = mean(frechet(evidence, variant))
    if not distances:
        raise Missing("no GAN has an FCD of its samples")
    best = min(distances, key=lambda variant: distances[variant])
    sizes = ", ".join(f"{GANS[variant]} {text(distance)}" for variant, distance in distances.items())
    sentence = f"For all three the GAN is the {GANS[best]}, chosen by its FCD, the lowest of those measured ({sizes})."
    unchosen = [Number(f"FCD, {GANS[variant]}", distance) for variant, distance in distances.items() if variant != best]
    sentence += " It is the best of several, where VAE and flow are one model each."
    measured = [_against_others(evidence, key, best) for key in MEASURES]
    return noted(finding(*joined(*measured)), lambda: (sentence, unchosen))


def _against_others(evidence: Evidence, key: str, gan: str) -> Measured:
    """Measure whether the samples of a GAN are better than those of the better of VAE and flow, each in the seeds that it shares."""
    name, sign = MEASURES[key]
    of_gan = evidence.measure(gan, "samples", key)
    values = {other: mean(shared(evidence.measure(other, "samples", key), of_gan)[0]) for other in (VAE, FLOW)}
    worse, better = sorted(values, key=lambda other: sign * values[other])
    return joined(_better(evidence, key, gan, better), ([], [Number(f"{name}, {NAMES[worse]}", values[worse])]))


@check("uva3-10")
def auto_encoder_generates(evidence: Evidence) -> Finding:
    """FCD of an auto-encoder's images from codes of N(0, I), of one Gaussian and of the mixture above that of the VAE of equal size."""
    vae = ("VAE", frechet(evidence, "lab1-vae-z2-mnist"))
    rows = {
        "codes from N(0, I)": "codes from N(0, I)",
        "codes from one Gaussian": "codes from one Gaussian",
        "codes from the mixture": "samples",
    }
    distances = [(name, frechet(evidence, "lab1-aegmm-mnist", images)) for name, images in rows.items()]
    return finding(*joined(*(ordered("FCD", auto_encoder, "above", vae) for auto_encoder in distances)))


@check("uva3-11")
def gaussian_prior_suffices(evidence: Evidence) -> Finding:
    """NLL of the Gaussian prior not above the flow prior's by more than the standard error of the difference, in the matched pair."""
    gaussian, flow = ("Gaussian prior", "ext-vae-matched-mnist"), ("flow prior", "vu4a-flowvae-mnist")
    [(worse, words)], numbers = likelihoods_ordered(evidence, "NLL", gaussian, "above", flow)
    return finding([(not worse, words.replace("above", "no higher than"))], numbers)


@check("uva3-12")
def early_gradients(evidence: Evidence) -> Finding:
    """At the discriminator's best step from 1 to 2,000: accuracy near-perfect, saturating gradient under a tenth, the other no smaller."""
    rows = evidence.probe("early_gradients")["rows"]
    start, early = rows[0], [row for row in rows if 1 <= row["step"] <= 2000]
    if not early or any(row["accuracy_real"] is None or row["saturating_gradient_norm"] is None for row in rows):
        raise Missing("the probe early_gradients has no steps from 1 to 2,000 that are measured")
    best = max(early, key=_accuracy)
    accuracy = _accuracy(best)
    saturating, other = best["saturating_gradient_norm"], best["non_saturating_gradient_norm"]
    parts = [
        (
            accuracy >= NEAR_PERFECT,
            f"at step {best['step']:,}, its best of those up to 2,000, the discriminator is right on {percent(accuracy)}, at least "
            f"{percent(NEAR_PERFECT)}",
        ),
        (saturating < 0.1 * other, f"there the saturating gradient of norm {text(saturating)} is under a tenth of the non-saturating one"),
        (
            other >= start["non_saturating_gradient_norm"],
            f"the non-saturating one of norm {text(other)} is not below {text(start['non_saturating_gradient_norm'])} at the start",
        ),
    ]
    numbers = []
    for row in rows:
        step = f"step {row['step']:,}"
        numbers += [
            Number(f"accuracy, {step}", 100 * _accuracy(row), "%"),
            Number(f"D(x), {step}", row["probability_real"]),
            Number(f"D(G(z)), {step}", row["probability_fake"]),
            Number(f"loss of the discriminator, {step}", row["discriminator_nats"], "nats"),
            Number(f"saturating gradient, {step}", row["saturating_gradient_norm"]),
            Number(f"non-saturating gradient, {step}", row["non_saturating_gradient_norm"]),
        ]

    def in_order() -> tuple[str, list[Number]]:
        both = [row for row in early if finite(row, "probability_real") > finite(row, "probability_fake") > 0.5]
        if not both:
            raise Missing("steps with D(x) above D(G(z)) above 1/2")
        widest = max(both, key=lambda row: row["probability_real"] - row["probability_fake"])
        real, fake = (text(widest[f"probability_{images}"]) for images in ("real", "fake"))
        steps = ", ".join(f"{row['step']:,}" for row in both)
        sentence = (
            f"At {len(both)} of the {len(early)} steps measured up to 2,000 ({steps}) both D(x) and "
            f"D(G(z)) are above 1/2 on average and D(x) is the larger, so that accuracy, which cuts at 1/2, understates how well the "
            f"discriminator orders them; they are farthest apart at step {widest['step']:,}, with D(x) = {real}, D(G(z)) = {fake} and an "
            f"accuracy of {percent(_accuracy(widest))}."
        )
        return sentence, []

    return noted(finding(parts, numbers), in_order)


def _accuracy(row: dict[str, Any]) -> float:
    """Return the mean accuracy on real and on generated images."""
    return fmean((row["accuracy_real"], row["accuracy_fake"]))


@check("uva3-13")
def equilibrium(evidence: Evidence) -> Finding:
    """Mean D on held-out real and on generated images, and V, over the last 10 epochs: within 10 % of 1/2, 1/2 and -1.386."""
    value = 2 * log(0.5)
    parts, numbers = [], []
    for column, sign, name, expected, unit in (
        ("val_probability_real", 1, "D on held-out real images", 0.5, ""),
        ("val_probability_fake", 1, "D on generated images", 0.5, ""),
        ("val_discriminator_nats", -1, "V", value, "nats"),
    ):
        level = sign * _of_last_ten(evidence, GAN, column)
        words = f"{name} over the last 10 epochs is {text(level)}{' ' if unit else ''}{unit}, within 10 % of {text(expected)}"
        parts.append((within(level, expected, 0.1), words))
        numbers.append(Number(f"{name}, last 10 epochs", level, unit))

    def settled() -> tuple[str, list[Number]]:
        real = [value for values in evidence.column(GAN, "val_probability_real").values() for value in values[-10:]]
        losses = evidence.column(GAN, "train_discriminator_nats")
        epochs = min(50, *map(len, losses.values()))
        trend = mean({seed: slope(values[-epochs:]) for seed, values in losses.items()})
        sentence = (
            f"In these epochs D on held-out real images lies between {text(min(real))} and {text(max(real))}; over the last {epochs} the "
            f"discriminator's training loss has a trend of {text(trend)} nats an epoch."
        )
        return sentence, [
            *(
                Number(f"D on held-out real images, {which} of the last 10 epochs", of(real))
                for which, of in (("lowest", min), ("highest", max))
            ),
            Number(f"trend of the discriminator's training loss, last {epochs} epochs", trend, "nats an epoch"),
        ]

    def with_dropout() -> tuple[str, list[Number]]:
        real, fake, loss = (
            _of_last_ten(evidence, DROPOUT, f"val_{name}") for name in ("probability_real", "probability_fake", "discriminator_nats")
        )
        sentence = (
            f"With dropout in the discriminator D is {text(real)} on real and {text(fake)} on generated images, and V {text(-loss)} nats; "
            "this decides nothing."
        )
        return sentence, [Number("V, last 10 epochs, with dropout", -loss, "nats")]

    return noted(noted(finding(parts, numbers), settled), with_dropout)


def _of_last_ten(evidence: Evidence, variant: str, column: str) -> float:
    """Return the mean of a column over the last 10 epochs, and over seeds."""
    return mean({seed: fmean(values[-10:]) for seed, values in evidence.column(variant, column).items()})
