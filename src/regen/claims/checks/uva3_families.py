"""Claims of uva3 about its GAN, its flow, and the families of models against each other."""

from math import log
from statistics import fmean

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Difference, Finding, Number, difference, mean, text
from regen.claims.measures import Part, finding, frechet, percent, within
from regen.claims.registry import check

GAN, WASSERSTEIN, FLOW, VAE = "uva3-gan-mnist", "ext-wgangp-mnist", "uva3-realnvp-mnist", "uva3-vae-z20-mnist"
NAMES = {GAN: "GAN", WASSERSTEIN: "Wasserstein GAN", FLOW: "flow", VAE: "VAE"}
MEASURES = {"frechet_classifier_distance": ("FCD", -1), "precision": ("precision", 1), "recall": ("recall", 1)}
"""Measure of samples -> its name, and 1 if higher is better, -1 if lower is."""

NEAR_PERFECT = 0.95
"""Mean accuracy on real and on generated images from which on uva3-12 calls a discriminator near-perfect."""


def _ahead(evidence: Evidence, key: str, a: str, b: str) -> Difference:
    """Return by how much the samples of a are better than those of b."""
    sign = MEASURES[key][1]
    values = [evidence.measure(variant, "samples", key) for variant in (a, b)]
    return difference(*({seed: sign * value for seed, value in runs.items()} for runs in values))


def _compared(evidence: Evidence, key: str, a: str, b: str) -> tuple[Part, list[Number]]:
    name, sign = MEASURES[key]
    ahead = _ahead(evidence, key, a, b)
    numbers = [Number(f"{name}, {NAMES[variant]}", mean(evidence.measure(variant, "samples", key))) for variant in (a, b)]
    words = f"{name}, {NAMES[a]} {'lower' if sign < 0 else 'higher'} than {NAMES[b]} by {ahead.words}"
    return (ahead.holds, words), numbers


@check("uva3-5")
def gan_samples(evidence: Evidence) -> Finding:
    """FCD falls over the four steps; variance of the Laplacian above real images'; most frequent class 3, KL of the classes to uniform."""
    steps = ("before training", "step 2,000", "step 111,000", "step 184,000")
    distances = [mean(frechet(evidence, GAN, images)) for images in steps]
    falls = all(later < earlier for earlier, later in zip(distances, distances[1:], strict=False))
    last = steps[-1]
    sharp, real = (evidence.measure(GAN, images, "laplacian_variance") for images in (last, "test images"))
    noisy = difference(sharp, real)
    rows = evidence.row(GAN, last).values()
    classes = [int(row["top_class"]) for row in rows]
    share = mean(evidence.measure(GAN, last, "top_class_share"))
    kl, kl_real = (mean(evidence.measure(GAN, images, "class_kl_nats")) for images in (last, "test images"))
    most = ", ".join(map(str, dict.fromkeys(classes)))
    parts = [
        (falls, f"FCD falls from step to step, {', '.join(text(distance) for distance in distances)}"),
        (noisy.holds, f"samples stay noisy, their variance of the Laplacian is above real images' by {noisy.words}"),
        (set(classes) == {3}, f"3 is the most frequent class, it is {most} with {percent(share)}, KL to uniform {text(kl)} nats"),
    ]
    numbers = [Number(f"FCD, {images}", distance) for images, distance in zip(steps, distances, strict=True)]
    numbers += [Number("variance of the Laplacian, samples", mean(sharp)), Number("variance of the Laplacian, test images", mean(real))]
    numbers += [Number("period-2 energy of samples over real images'", mean(evidence.measure(GAN, "samples", "checkerboard_energy")))]
    numbers += [Number("most frequent class", most), Number("its share", 100 * share, "%")]
    return finding(parts, [*numbers, Number("KL to uniform, samples", kl, "nats"), Number("KL to uniform, test images", kl_real, "nats")])


@check("uva3-6")
def flow_against_vae(evidence: Evidence) -> Finding:
    """FCD of the flow's samples below the VAE's means, precision and recall above."""
    parts, numbers = [], []
    for key in MEASURES:
        part, more = _compared(evidence, key, FLOW, VAE)
        parts.append(part)
        numbers += more
    return finding(parts, [*numbers, Number("FCD, VAE, Bernoulli samples", mean(frechet(evidence, VAE, "draws")))])


@check("uva3-7")
def remedies(evidence: Evidence) -> Finding:
    """Of each remedy: KL of the classes to uniform lower and no fewer digits covered, FCD lower; for noise early accuracy lower too."""
    remedied = {"dropout": "ext-gan-dropout-mnist", "input noise": "ext-gan-noise-mnist", "Wasserstein loss": WASSERSTEIN}
    parts: list[Part] = []
    numbers: list[Number] = []
    values = {}
    for name, variant in {"GAN": GAN, **remedied}.items():
        values[name] = {key: evidence.measure(variant, "samples", key) for key in ("class_kl_nats", "digits_covered")}
        values[name]["fcd"] = frechet(evidence, variant)
        numbers += [
            Number(f"FCD, {name}", mean(values[name]["fcd"])),
            Number(f"digits covered, {name}", mean(values[name]["digits_covered"])),
        ]
        numbers.append(Number(f"KL to uniform, {name}", mean(values[name]["class_kl_nats"]), "nats"))
    for name in remedied:
        even = difference(values["GAN"]["class_kl_nats"], values[name]["class_kl_nats"])
        digits, before = (mean(values[model]["digits_covered"]) for model in (name, "GAN"))
        nearer = difference(values["GAN"]["fcd"], values[name]["fcd"])
        covered = f"{text(digits)} digits covered against {text(before)}"
        parts.append(
            (even.holds and digits >= before, f"{name} against mode collapse, KL to uniform lower by {even.words} nats, {covered}")
        )
        parts.append((nearer.holds, f"{name}, FCD lower by {nearer.words}"))
    early, early_noise = (_early_accuracy(evidence, variant) for variant in (GAN, remedied["input noise"]))
    less = difference(early, early_noise)
    parts.append((less.holds, f"input noise, accuracy of the discriminator in epoch 1 lower by {less.words}"))
    numbers += [
        Number("accuracy in epoch 1, GAN", 100 * mean(early), "%"),
        Number("accuracy in epoch 1, input noise", 100 * mean(early_noise), "%"),
    ]
    return finding(parts, numbers)


def _early_accuracy(evidence: Evidence, variant: str) -> dict[int, float]:
    """Return the discriminator's mean accuracy on real and generated images in epoch 1."""
    real, fake = (evidence.column(variant, f"train_accuracy_{images}") for images in ("real", "fake"))
    return {seed: (real[seed][0] + fake[seed][0]) / 2 for seed in real}


@check("uva3-8")
def gans_are_best(evidence: Evidence) -> Finding:
    """The better GAN against the better of VAE and flow: FCD lower, precision and recall higher."""
    parts, numbers = [], []
    for key, (_, sign) in MEASURES.items():
        values = {variant: sign * mean(evidence.measure(variant, "samples", key)) for variant in NAMES}
        gan, other = (max(family, key=lambda variant: values[variant]) for family in ((GAN, WASSERSTEIN), (VAE, FLOW)))
        parts.append(_compared(evidence, key, gan, other)[0])
        numbers += [Number(f"{MEASURES[key][0]}, {NAMES[variant]}", sign * value) for variant, value in values.items()]
    return finding(parts, numbers)


@check("uva3-10")
def auto_encoder_generates(evidence: Evidence) -> Finding:
    """FCD of an auto-encoder's images from codes of N(0, I), of one Gaussian and of the mixture above that of the VAE of equal size."""
    encoder, vae = "lab1-aegmm-mnist", frechet(evidence, "lab1-vae-z2-mnist")
    parts, numbers = [], [Number("FCD, VAE of 2 latents", mean(vae))]
    for images, name in (("codes from N(0, I)", "N(0, I)"), ("codes from one Gaussian", "one Gaussian"), ("samples", "the mixture")):
        distances = frechet(evidence, encoder, images)
        worse = difference(distances, vae)
        parts.append((worse.holds, f"codes from {name}, FCD higher than the VAE's by {worse.words}"))
        numbers.append(Number(f"FCD, codes from {name}", mean(distances)))
    return finding(parts, numbers)


@check("uva3-11")
def gaussian_prior_suffices(evidence: Evidence) -> Finding:
    """NLL of the Gaussian prior not above the flow prior's by more than the standard error of the difference, in the matched pair."""
    gaussian, flow = (evidence.value(variant, "nll_nats") for variant in ("ext-vae-matched-mnist", "vu4a-flowvae-mnist"))
    above = difference(gaussian, flow)
    part = (not above.holds, f"the Gaussian prior costs no likelihood, its NLL is higher than the flow prior's by {above.words} nats")
    return finding([part], [Number("NLL, Gaussian prior", mean(gaussian), "nats"), Number("NLL, flow prior", mean(flow), "nats")])


@check("uva3-12")
def early_gradients(evidence: Evidence) -> Finding:
    """At the discriminator's best step from 1 to 2,000: accuracy near-perfect, saturating gradient under a tenth, the other no smaller."""
    rows = evidence.probe("early_gradients")["rows"]
    start, early = rows[0], [row for row in rows if 1 <= row["step"] <= 2000]
    if not early or any(row["accuracy_real"] is None or row["saturating_gradient_norm"] is None for row in rows):
        raise Missing("the probe early_gradients has no steps from 1 to 2,000 that are measured")
    best = max(early, key=lambda row: fmean((row["accuracy_real"], row["accuracy_fake"])))
    accuracy = fmean((best["accuracy_real"], best["accuracy_fake"]))
    saturating, other = best["saturating_gradient_norm"], best["non_saturating_gradient_norm"]
    parts = [
        (
            accuracy >= NEAR_PERFECT,
            f"at step {best['step']:,} the discriminator is right on {percent(accuracy)}, at least {percent(NEAR_PERFECT)}",
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
            Number(f"accuracy, {step}", 100 * fmean((row["accuracy_real"], row["accuracy_fake"])), "%"),
            Number(f"D(G(z)), {step}", row["probability_fake"]),
            Number(f"saturating gradient, {step}", row["saturating_gradient_norm"]),
            Number(f"non-saturating gradient, {step}", row["non_saturating_gradient_norm"]),
        ]
    return finding(parts, numbers)


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
        found = mean({seed: sign * fmean(values[-10:]) for seed, values in evidence.column(GAN, column).items()})
        words = f"{name} over the last 10 epochs is {text(found)}{' ' if unit else ''}{unit}, within 10 % of {text(expected)}"
        parts.append((within(found, expected, 0.1), words))
        numbers.append(Number(f"{name}, last 10 epochs", found, unit))
    return finding(parts, numbers)
