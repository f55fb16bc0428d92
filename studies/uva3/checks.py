"""Claims of uva3: VAE, GAN and normalising flow on digits."""

from functools import partial
from itertools import pairwise
from math import exp, hypot, isclose, log, prod
from statistics import fmean, linear_regression
from typing import Any

from regen.claims.case import Case
from regen.claims.check import check
from regen.claims.interval import differences, student
from regen.claims.reads import at, fcd, late, measure, most_samples, slope, value
from regen.results import Missing, number

VAE, BINARISED, TWO = "uva3-vae-z20-mnist", "uva3-vae-z20-bmnist", "uva3-vae-z2-mnist"
GAN, SATURATING, FLOW = "uva3-gan-mnist", "uva3-gan-mnist-saturating", "uva3-realnvp-mnist"
SATURATING_EARLY = f"{SATURATING}-early"
TUNED, SCRATCH = "encoder's weights", "from scratch"
EARLY = (
    "step",
    "area_under_curve",
    "accuracy_real",
    "accuracy_fake",
    "probability_fake",
    "saturating_gradient_norm",
    "non_saturating_gradient_norm",
)
REMEDIES = {"dropout": "ext-gan-dropout-mnist", "input noise": "ext-gan-noise-mnist", "Wasserstein loss": "ext-wgangp-mnist"}
FORMS = {"grey": VAE, "binarised": BINARISED}
SPLITS = {"training": "train_neg_elbo_nats", "validation": "val_neg_elbo_nats"}
PRINTED = {1: 170.0, 5: 110.0, 40: 100.0}
RATES = ("1e4", "3e4", "1e3", "3e3", "1e2")
ROOM = (1.0, 2.0)
"""Nats by which a likelihood may be worse and still be as good."""


@check("uva3-1", gives="grey_1 grey_5 grey_40 binarised_1 binarised_5 binarised_40 after_1")
def negative_elbo(case: Case) -> None:
    """170 is held against the running mean of epoch 1, 110 and 100 against training and validation."""
    for form, variant in FORMS.items():
        with case.part(form):
            for epoch, printed in PRINTED.items():
                for split, column in SPLITS.items():
                    if epoch > 1 or split == "training":
                        found = at(case.results, column, epoch)(variant)
                        case.near(f"Is the negative ELBO in {split} about {printed:g} nats at epoch {epoch}?", found, printed, "nats")
                    if split == "training":
                        case.number(
                            f"{form}_{epoch}", at(case.results, column, epoch)(variant), "nats", f"-ELBO, {form}, training, epoch {epoch}"
                        )
    with case.part("grey"):
        case.number("after_1", at(case.results, SPLITS["validation"], 1)(VAE), "nats", "-ELBO, grey, validation after epoch 1")


@check("uva3-2", gives="gap_grey gap_binarised share_grey share_binarised")
def validation_above_training(case: Case) -> None:
    """The gap over the last 10 epochs, its sign and its size."""
    for form, variant in FORMS.items():
        with case.part(form):
            train, validation = (case.results.column(variant, column) for column in SPLITS.values())
            gaps = {seed: fmean(validation[seed][-10:]) - fmean(train[seed][-10:]) for seed in train}
            shares = {seed: 100 * gap / fmean(train[seed][-10:]) for seed, gap in gaps.items()}
            case.level("Is validation above training over the last 10 epochs?", gaps, "above", (0, 0), "nats")
            case.level("Is the gap slight, as a share of the loss?", shares, "below", (5, 10), "%")
            case.number(f"gap_{form}", gaps, "nats", f"validation above training, {form}")
            case.number(f"share_{form}", shares, "%", f"the same as a share of the loss, {form}")


@check("uva3-3", gives="means_0 means_1 means_40 samples_0 samples_1 samples_40")
def quality_improves(case: Case) -> None:
    """Most of a training's improvement in one epoch of 40, and more of it later."""
    for what, prefix in {"means": "", "samples": "draws, "}.items():
        with case.part(what):
            before, first, last = (fcd(case.results, f"{prefix}{moment}")(VAE) for moment in ("before training", "epoch 1", "epoch 40"))
            shares = {seed: 100 * (before[seed] - first[seed]) / (before[seed] - last[seed]) for seed in last}
            case.level("Which share of the fall of the Fréchet distance is reached in epoch 1 of 40?", shares, "above", (25, 50), "%")
            case.paired("Is the Fréchet distance lower after epoch 40 than after epoch 1?", last, "below", first)
            for epoch, distances in {0: before, 1: first, 40: last}.items():
                case.number(f"{what}_{epoch}", distances, "", f"Fréchet distance of {what}, epoch {epoch}")


@check("uva3-4", gives="draws prior_two prior_twenty encoder_two encoder_twenty slope slope_measured needed")
def prior_sampling_is_inefficient(case: Case) -> None:
    """How far log p(x) is off by the most draws of the prior, at two latents and twenty; draws needed by latents in closed form."""
    with case.part("at twenty latents and at two"):
        tables = case.results.details(VAE).values()
        draws = max((row["prior_samples"] for own in tables for row in own.get("prior_sampling", [])), default=0)
        prior = _prior_error(case, VAE, draws)
        encoder = differences(case.results.likelihood(VAE, "nll_nats", importance_samples=1), most_samples(case.results)(VAE))
        case.number("draws", float(draws), "draws", "most draws of the prior")
        case.number("prior_twenty", prior, "nats", f"error of log p(x), {draws:,} draws of the prior, 20 latents")
        case.number("encoder_twenty", encoder, "nats", "error of log p(x), one draw of the encoder, 20 latents")
        asked = f"At 20 latents: how far off are {draws:,} draws of the prior, over one draw of the encoder?"
        case.level(asked, {seed: prior[seed] / error for seed, error in encoder.items()}, "above", (1, 2))
        two = _prior_error(case, TWO, draws)
        case.paired(f"By {draws:,} draws of the prior: is log p(x) farther off at 20 latents than at two?", prior, "above", two, "nats")
        case.number("prior_two", two, "nats", f"error of log p(x), {draws:,} draws of the prior, 2 latents")
        exact = case.results.estimate(TWO, "difference_nats", "quadrature")
        case.number("encoder_two", exact, "nats", "error of log p(x), most draws of the encoder, 2 latents")
    with case.part("by the number of latents"):
        probe = case.results.probe("prior_cost")
        exact = number(probe, "slope_closed_form")
        asked = "By how much does the logarithm of the samples needed grow per latent, in a linear-Gaussian family?"
        case.fact(asked, exact, "above 0", exact > 0, "per latent", "closed form", theorem=True)
        rows = [(row["latents"], log(number(row, "samples_needed_closed_form"))) for row in probe["rows"]]
        lines = [_off_a_line([(scale(d), count) for d, count in rows]) for scale in (float, log)]
        asked = "How far is that logarithm from a line in the latents (exponential), over that from a line in their logarithm (a power)?"
        case.fact(asked, lines[0] / lines[1], "below 1", lines[0] < lines[1], "", "closed form", theorem=True)
        case.number("slope", exact, "per latent", "slope, closed form")
        case.number("slope_measured", number(probe, "slope_measured"), "per latent", "slope, measured with draws")
        case.number(
            "needed", number(probe["rows"][-1], "samples_needed_closed_form"), "samples", f"samples needed at {rows[-1][0]} latents"
        )


def _prior_error(case: Case, variant: str, draws: int) -> dict[int, float]:
    """Return the seed -> mean error of log p(x), in nats, by so many draws of the prior; raises Missing if there are none."""
    rows = {seed: tables.get("prior_sampling", []) for seed, tables in case.results.details(variant).items()}
    found = {seed: number(row, "bias_nats") for seed, own in rows.items() for row in own if row["prior_samples"] == draws}
    if not found:
        raise Missing(f"{variant} has no estimate by {draws:,} draws of the prior")
    return found


def _off_a_line(points: list[tuple[float, float]]) -> float:
    """Return the sum of squared residuals about the least-squares line."""
    gradient, intercept = linear_regression(*zip(*points, strict=True))
    return sum((y - intercept - gradient * x) ** 2 for x, y in points)


@check("uva3-5", gives="before early middle last end kl kl_real digits threes sharpness sharpness_real energy top share")
def gan_samples(case: Case) -> None:
    """Distances over the report's four steps; texture and classes at the last, of the GAN with the report's loss and order of layers.

    Collapse: a digit that no seed's samples have, or classes far from even.
    """
    gan, end = SATURATING, "step 184,000"
    moments = {"before": "before training", "early": "step 2,000", "middle": "step 111,000", "last": end}
    with case.part("improve"):
        found = {name: fcd(case.results, moment)(gan) for name, moment in moments.items()}
        case.paired("Is the Fréchet distance at step 184,000 below that before training?", found["last"], "below", found["before"])
        case.paired("Is it below that at step 2,000?", found["last"], "below", found["early"])
        found["end"] = fcd(case.results)(gan)
        for name, distances in found.items():
            case.number(name, distances, "", f"Fréchet distance, {moments.get(name, 'end of training')}")
    with case.part("noisy"):
        sharp, real = (measure(case.results, "laplacian_variance", images)(gan) for images in (end, "test images"))
        case.paired("Have samples more fine structure than real images (sharpness)?", sharp, "above", real)
        energy = measure(case.results, "checkerboard_energy", end)(gan)
        case.level("Have they more energy of period 2 than real images (1)?", energy, "above", (1, 1.1))
        case.number("sharpness", sharp, "", "sharpness, samples")
        case.number("sharpness_real", real, "", "sharpness, real images")
        case.number("energy", energy, "", "checkerboard energy over real images'")
    with case.part("mode collapse"):
        kl, even = (measure(case.results, "class_kl_nats", images)(gan) for images in (end, "test images"))
        digits = measure(case.results, "digits_covered", end)(gan)
        if max(digits.values()) < 10:
            case.level("How many digits have samples?", digits, "below", (9.5, 9.5))
        else:
            case.level("How far are their classes from even (KL to uniform)?", kl, "above", (0.1, 0.3), "nats")
        case.number("kl", kl, "nats", "classes of samples, KL to uniform")
        case.number("kl_real", even, "nats", "classes of real images, KL to uniform")
        case.number("digits", digits, "", "digits that samples have")
    with case.part("many 3s"):
        counts = [
            next(row["class_counts"] for row in tables["rows"] if row["images"] == end)
            for tables in case.results.quality_details(gan).values()
        ]
        shares = {seed: [100 * count / sum(found) for count in found] for seed, found in enumerate(counts)}
        case.level("Are more than a tenth of the samples 3s?", {seed: found[3] for seed, found in shares.items()}, "above", (10, 15), "%")
        mean = [fmean(digit) for digit in zip(*shares.values(), strict=True)]
        case.number("threes", mean[3], "%", "share of 3s")
        case.number("top", str(mean.index(max(mean))), "", "most frequent digit")
        case.number("share", max(mean), "%", "share of the most frequent digit")


def _better(case: Case, key: str, name: str, a: str, b: str, names: tuple[str, str]) -> bool | None:
    """Ask whether a measure of a is the better one; return whether it is the higher one, None within the error."""
    sign = "below" if key == "frechet_classifier_distance" else "above"
    asked = f"Is the {name} of {names[0]} {sign} that of {names[1]}?"
    found = case.ordered(asked, measure(case.results, key), a, sign, b, absolute=key in ("precision", "recall"))  # type: ignore[arg-type]
    return found.above(0)


QUALITY = {"frechet_classifier_distance": "Fréchet distance", "precision": "precision", "recall": "recall"}


@check("uva3-6", gives="flow vae distances precision recall")
def flow_against_vae(case: Case) -> None:
    """Samples of the flow against the VAE's means."""
    for key, name in QUALITY.items():
        with case.part(name):
            higher = _better(case, key, name, FLOW, VAE, ("the flow", "the VAE"))
            if key == "frechet_classifier_distance":
                case.number("distances", "within the error" if higher is None else "beyond the error", "", "difference of the distances")
            else:
                case.number(
                    key, {True: "higher", False: "lower", None: "about the same"}[higher], "", f"{name} of the flow against the VAE's"
                )
    with case.part("Fréchet distance"):
        case.number("flow", fcd(case.results)(FLOW), "", "Fréchet distance, flow")
        case.number("vae", fcd(case.results)(VAE), "", "Fréchet distance, VAE")


@check(
    "uva3-7", gives="gan dropout input_noise wasserstein_loss gan_middle dropout_middle input_noise_middle wasserstein_loss_middle gan_mean"
)
def remedies(case: Case) -> None:
    """Each remedy against the plain GAN: evenness of the classes, distance to real images, in the seeds that both have."""
    middle = "step 111,000"
    for name, variant in REMEDIES.items():
        with case.part(name):
            case.ordered(
                "Are the classes more even (KL to uniform)?", measure(case.results, "class_kl_nats"), variant, "below", GAN, "nats"
            )
            case.ordered("Is the Fréchet distance lower?", fcd(case.results), variant, "below", GAN)
            case.number(name.lower().replace(" ", "_"), fcd(case.results)(variant), "", f"Fréchet distance, {name}")
            plain = fcd(case.results)(GAN)
            case.number("gan_mean", plain, "", "Fréchet distance, GAN, all of its seeds")
            both = {seed: plain[seed] for seed in fcd(case.results)(variant) if seed in plain}
            case.number("gan", both, "", "Fréchet distance, GAN, seeds of the remedies")
    for name, variant in {"GAN": GAN, **REMEDIES}.items():
        with case.part(name if name in REMEDIES else next(iter(REMEDIES))):
            distances = fcd(case.results, middle)(variant)
            case.number(f"{name.lower().replace(' ', '_')}_middle", distances, "", f"Fréchet distance at {middle}, {name}")
    with case.part("less certain early discriminator"):
        asked = "Is the discriminator less often right in epoch 1 with input noise?"
        case.ordered(asked, partial(_early_accuracy, case), REMEDIES["input noise"], "below", GAN, absolute=True)


def _early_accuracy(case: Case, variant: str) -> dict[int, float]:
    """Return the share of real and of generated images that the discriminator tells rightly in epoch 1."""
    real, fake = (case.results.column(variant, f"train_accuracy_{images}") for images in ("real", "fake"))
    return {seed: (real[seed][0] + fake[seed][0]) / 2 for seed in real}


@check("uva3-8", gives="best gans gan vae flow")
def gans_are_best(case: Case) -> None:
    """The GAN of the lowest distance, remedies included, against VAE and flow."""
    gans = {
        "the GAN with the report's loss": SATURATING,
        "the plain GAN": GAN,
        **{f"the GAN with {name}": variant for name, variant in REMEDIES.items()},
    }
    best, distances = next(iter(gans)), {}
    with case.part("Fréchet distance"):
        ran = [name for name, variant in gans.items() if case.results.quality_details(variant)]
        distances = {name: fmean(fcd(case.results)(gans[name]).values()) for name in ran}
        best = min(distances, key=distances.__getitem__, default=best)
        case.number("gans", f"{len(ran)}", "", "GANs that ran")
    for key, name in QUALITY.items():
        with case.part(name):
            for other, variant in {"the VAE": VAE, "the flow": FLOW}.items():
                _better(case, key, name, gans[best], variant, (best, other))
    with case.part("Fréchet distance"):
        case.number("best", best, "", "best GAN")
        case.number("gan", distances[best], "", f"Fréchet distance, {best}")
        case.number("vae", fcd(case.results)(VAE), "", "Fréchet distance, VAE")
        case.number("flow", fcd(case.results)(FLOW), "", "Fréchet distance, flow")


@check("uva3-9", gives="samples means noisy real confidence_samples confidence_means")
def samples_are_sharper(case: Case) -> None:
    """Sharpness of Bernoulli samples against the means that they are drawn from."""
    with case.part():
        rows = {"samples": "draws", "means": "samples", "noisy": "means with noise", "real": "binarised test images"}
        found = {name: measure(case.results, "laplacian_variance", images)(VAE) for name, images in rows.items()}
        case.paired("Are Bernoulli samples sharper than means?", found["samples"], "above", found["means"])
        labels = {"samples": "Bernoulli samples", "means": "means", "noisy": "means with Gaussian noise", "real": "real binarised images"}
        for name, values in found.items():
            case.number(name, values, "", f"sharpness, {labels[name]}")
        for name in ("samples", "means"):
            confidence = measure(case.results, "mean_confidence", rows[name])(VAE)
            case.number(f"confidence_{name}", confidence, "", f"classifier's confidence, {labels[name]}")


@check("uva3-10", gives="vae normal gaussian mixture")
def auto_encoder_generates(case: Case) -> None:
    """An auto-encoder says nothing of where its codes lie: decoded draws from N(0, I) against the VAE of equal size."""
    with case.part():
        plain, vae = "lab1-aegmm-mnist", "lab1-vae-z2-mnist"
        rows = {"normal": "codes from N(0, I)", "gaussian": "codes from one Gaussian", "mixture": "samples"}
        found = {name: fcd(case.results, images)(plain) for name, images in rows.items()}
        own = fcd(case.results)(vae)
        case.paired("Are images from codes of N(0, I) farther from real ones than the VAE's?", found["normal"], "above", own)
        case.number("vae", own, "", "Fréchet distance, VAE of two latents")
        for name, distances in found.items():
            case.number(name, distances, "", f"Fréchet distance, auto-encoder, {name}")


@check("uva3-11", gives="deep flow gaussian")
def gaussian_prior_suffices(case: Case) -> None:
    """A decoder behind a flow is a decoder: the same capacity added to the decoder instead of the prior should lose nothing."""
    deep, flow, gaussian = "ext-vae-deep-decoder-mnist", "vu4a-flowvae-mnist", "ext-vae-matched-mnist"
    with case.part():
        read = most_samples(case.results)
        case.number("flow", read(flow), "nats", "-log p(x), flow prior")
        case.number("gaussian", read(gaussian), "nats", "-log p(x), Gaussian prior, same decoder")
        case.number("deep", read(deep), "nats", "-log p(x), Gaussian prior, larger decoder")
        if (gap := fmean(read(deep).values()) - fmean(read(gaussian).values())) >= 0:
            why = "the larger decoder trained worse than the smaller one"
            case.fact("Is the larger decoder the better one at all?", gap, "below 0", None, "nats", why=why)
        else:
            asked = "Is -log p(x) with a Gaussian prior and the larger decoder at most this much above the flow prior's?"
            case.ordered(asked, read, deep, "below", flow, "nats", cut=ROOM)


@check("uva3-12", gives="area step surest accuracy accuracy_there right_step start least most_saturating times snapshots larger_from")
def early_gradients(case: Case) -> None:
    """How well the discriminator ranks real above generated images at steps 1 to 2,000, and both gradients on the same weights."""
    with case.part("near-perfect discriminator"):
        _, early = _early(case)
        best = max(early, key=lambda row: row["area_under_curve"])
        asked = "How well does it rank images at its best early step (area under the curve)?"
        case.level(asked, best["area_under_curve"], "above", (0.95, 0.99), "", "1 run")
        surest = min(row["probability_fake"] for row in early)
        case.level("How low does the mean of D(G(z)) fall at an early step?", surest, "below", (0.1, 0.25), "", "1 run")
        case.number("area", best["area_under_curve"], "", "area under the discriminator's curve at its best early step")
        case.number("step", best["step"], "", "that step")
        case.number("surest", surest, "", "lowest mean D(G(z)) at an early step")
        right = {row["step"]: 50 * (row["accuracy_real"] + row["accuracy_fake"]) for row in early}
        often = max(right, key=right.__getitem__)
        case.number("accuracy", right[often], "%", "images that it tells rightly, cut at 1/2, at the step where these are the most")
        case.number("right_step", often, "", "that step")
        case.number("accuracy_there", right[best["step"]], "%", "images that it tells rightly at the step of the largest area")
    with case.part("saturating gradient vanishes"):
        start, early = _early(case)
        norms = [row["saturating_gradient_norm"] for row in early]
        asked = "What is the smallest saturating gradient at an early step, over that at the start?"
        case.level(asked, min(norms) / start["saturating_gradient_norm"], "below", (0.1, 0.3), "", "1 run")
        case.number("start", start["saturating_gradient_norm"], "", "norm of the saturating gradient at the start")
        case.number("least", min(norms), "", "smallest norm of it at an early step")
        case.number("most_saturating", max(norms), "", "largest norm of it")
    with case.part("non-saturating gradient is large"):
        _, early = _early(case)
        times = max(row["non_saturating_gradient_norm"] / row["saturating_gradient_norm"] for row in early)
        case.level("How many times the saturating gradient is it at most?", times, "above", (2.0, 4.0), "", "1 run")
        case.number("times", times, "", "largest ratio of both gradients")
        case.number("snapshots", float(len(early)), "", "snapshots from step 1 to 2,000")
        larger = [row["step"] for row in early if row["non_saturating_gradient_norm"] > row["saturating_gradient_norm"]]
        if larger:
            case.number("larger_from", min(larger), "", "first of them at which the non-saturating gradient is the larger one")


def _early(case: Case) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Return what the probe has of the step before training and of steps 1 to 2,000."""
    probe = case.results.probe("early_gradients")
    if SATURATING_EARLY not in probe["variants"]:
        raise Missing(f"the probe early_gradients is not of {SATURATING_EARLY}")
    rows = [{key: float(number(row, key)) for key in EARLY} for row in probe["rows"]]
    return rows[0], [row for row in rows if 1 <= row["step"] <= 2000]


@check("uva3-13", gives="best v real fake loss train")
def equilibrium(case: Case) -> None:
    """At the optimum of the generator, where both distributions agree, the best discriminator is 1/2 everywhere."""
    with case.part("D"):
        # V of one image that is as often real as generated, for every D on a grid.
        values = {d / 1000: log(d / 1000) + log(1 - d / 1000) for d in range(1, 1000)}
        best = max(values, key=values.__getitem__)
        asked = "Which D is the best where the generator's distribution is the data's?"
        case.fact(asked, best, "1/2", best == 0.5, "", "a theorem (Goodfellow et al., 2014)", theorem=True)
    with case.part("V"):
        case.fact("What is V there?", values[best], "1/4", isclose(values[best], 0.25), "nats", "the same theorem", theorem=True)
        case.number("best", best, "", "best D")
        case.number("v", values[best], "nats", "V at the optimum")
    with case.part("D"):
        for name, column in {"real": "probability_real", "fake": "probability_fake", "loss": "discriminator_nats"}.items():
            case.number(name, late(case.results, f"val_{column}")(GAN), "", f"{column.replace('_', ' ')}, last 5 epochs of the GAN")
        case.number(
            "train",
            late(case.results, "train_probability_real")(GAN),
            "",
            "probability real of training images, while training, last 5 epochs",
        )


@check("uva3-14", gives="none least most uniform learned falling swing")
def dequantisation(case: Case) -> None:
    """Three flows that differ in the noise within a level: bits below 0 and falling without it; learned against uniform noise."""
    without, uniform, learned = (f"ext-flow-{noise}-mnist" for noise in ("nodeq", "uniform", "learned"))
    read = value(case.results, "bits_per_dim")

    def late_bits(variant: str) -> dict[int, float]:
        dimensions = prod(case.results.variant(variant).shape)
        return {seed: nats / dimensions / log(2) for seed, nats in late(case.results, "val_nll_nats")(variant).items()}

    with case.part("without noise the density piles up"):
        curves = case.results.column(without, "val_nll_nats")
        falling = {seed: slope(curve[-max(2, len(curve) // 4) :]) for seed, curve in curves.items()}
        asked = "Are bits per dimension of validation images below 0 without noise, over the last five epochs?"
        case.level(asked, late_bits(without), "below", (0, 0), "bits")
        case.level("Do they still fall in the last quarter of training?", falling, "below", (0, 0), "nats per epoch")
        case.number("none", late_bits(without), "bits", "bits per dimension of validation images without noise, last five epochs")
        for name, end in {"least": min, "most": max}.items():
            case.number(name, end(read(without).values()), "bits", f"bits per dimension of test images without noise, {name} of the runs")
        swings = {seed: fmean(abs(b - a) for a, b in pairwise(curve[-max(2, len(curve) // 4) :])) for seed, curve in curves.items()}
        case.number("swing", swings, "nats", "change from epoch to epoch in the last quarter, without noise")
        case.number("falling", falling, "nats per epoch", "slope of -log p(x) in the last quarter, without noise")
    with case.part("learned noise beats uniform noise"):
        case.ordered("Are bits per dimension lower with learned noise than with uniform noise?", read, learned, "below", uniform, "bits")
        case.number("learned", read(learned), "bits", "bits per dimension of test images with learned noise")
        case.number("uniform", read(uniform), "bits", "bits per dimension of test images with uniform noise")


@check("uva3-15", gives="tuned scratch tuned_soon scratch_soon tuned_few scratch_few labels most soon few probe pixels")
def latents_for_pretraining(case: Case) -> None:
    """A classifier that begins with the encoder's weights against one from scratch: the same draws of labels, batches and steps."""
    with case.part("few labels"):
        linear = {(row["labels"], row["input"]): row["accuracy"] for row in case.results.probe("linear_probe")["rows"]}
        most = max(labels for labels, _ in linear)
        case.number("probe", 100 * linear[most, "posterior means"], "%", f"linear probe on latents, {most:,} labels")
        case.number("pixels", 100 * linear[most, "raw pixels"], "%", f"linear probe on pixels, {most:,} labels")
        tables, labels, (few, soon, end) = _fine_tuning(case)
        for row in (row for row in case.results.probe("fine_tuning")["comparisons"] if row["steps"] == end):
            half = student(row["draws"] - 1) * number(row, "standard_error")
            _gains(case, f"with {row['labels']:,} labels, both after {end:,} steps", number(row, "accuracy_difference"), half, row["draws"])
        shown = {"tuned": (end, TUNED), "scratch": (end, SCRATCH), "tuned_soon": (soon, TUNED), "scratch_soon": (soon, SCRATCH)}
        for name, (steps, start) in {**shown, "tuned_few": (few, TUNED), "scratch_few": (few, SCRATCH)}.items():
            accuracy = number(tables[min(labels), steps, start], "accuracy")
            case.number(name, 100 * accuracy, "%", f"accuracy with {min(labels):,} labels after {steps:,} steps, {start}")
        counts = {
            "labels": (min(labels), "fewest labels"),
            "most": (end, "most steps"),
            "soon": (soon, "a tenth of them"),
            "few": (few, "fewest steps"),
        }
        for name, (count, label) in counts.items():
            case.number(name, float(count), "", label)
    with case.part("fewer steps"):
        tables, labels, (_, soon, end) = _fine_tuning(case)
        for count in labels:
            tuned, scratch = tables[count, soon, TUNED], tables[count, end, SCRATCH]
            # As of independent means; the draws of labels are the same, so that the difference is surer than this.
            half = student(tuned["draws"] - 1) * hypot(number(tuned, "standard_error"), number(scratch, "standard_error"))
            asked = f"with {count:,} labels, after {soon:,} steps against {end:,} from scratch"
            _gains(case, asked, number(tuned, "accuracy") - number(scratch, "accuracy"), half, tuned["draws"])


def _fine_tuning(case: Case) -> tuple[dict[tuple[int, int, str], dict[str, Any]], list[int], tuple[int, int, int]]:
    """Return the probe's rows by labels, steps and start; the numbers of labels; the fewest, a middle and the most steps."""
    tables = {(row["labels"], row["steps"], row["start"]): row for row in case.results.probe("fine_tuning")["rows"]}
    labels, steps = (sorted({key[place] for key in tables}) for place in (0, 1))
    return tables, labels, (steps[0], steps[len(steps) // 2], steps[-1])


def _gains(case: Case, asked: str, gain: float, half: float, draws: int) -> None:
    """Ask whether the pretrained network is right more often, by an interval over draws of labels; shares of the test images."""
    asked = f"By how many points is it more often right {asked}?"
    case.level(asked, 100 * gain, "above", (0, 0), "points", f"{draws} draws of labels", 100 * half)


@check("uva3-16", gives="vae_failures gan_failures vae_factor gan_factor vae_kl gan_distance")
def vaes_train_more_easily(case: Case) -> None:
    """Five rates by every seed, VAE and GAN: failed runs of a seed, and the spread of what did not fail.

    A run fails that has no finite result, whose classes are uneven (KL above 0.1 nats), or whose Fréchet distance is over twice
    its family's best.
    """
    kl, distance = "class_kl_nats", "frechet_classifier_distance"
    with case.part():
        failures: dict[str, dict[int, float]] = {}
        ranges: dict[str, dict[int, float]] = {}
        for family in ("vae", "gan"):
            runs = _at_every_rate(case, family)
            finite = {seed: [run for run in own if run.get("sampler") == "finite"] for seed, own in runs.items()}
            most = 2 * min(number(run, distance) for own in finite.values() for run in own)
            even = {seed: [number(run, distance) for run in own if number(run, kl) <= 0.1] for seed, own in finite.items()}
            good = {seed: [found for found in own if found <= most] for seed, own in even.items()}
            failures[family] = {seed: float(len(runs[seed]) - len(own)) for seed, own in good.items()}
            ranges[family] = {seed: log(max(own) / min(own)) for seed, own in good.items()}
            told = f"{sum(failures[family].values()):.0f} of {sum(map(len, runs.values()))}"
            case.number(f"{family}_failures", told, "runs", f"runs that fail, {family.upper()}")
            factors = {seed: exp(found) for seed, found in ranges[family].items()}
            case.number(f"{family}_factor", factors, "", f"largest distance over smallest of a seed, {family.upper()}")
        asked = "Of the five runs of a seed, do fewer fail of the VAE than of the GAN?"
        case.paired(asked, failures["vae"], "below", failures["gan"], "runs")
        asked = "Do the distances of its runs that do not fail lie closer together (range of the logarithm)?"
        case.paired(asked, ranges["vae"], "below", ranges["gan"])
        found = measure(case.results, kl)(f"ext-vae-rate{RATES[0]}-mnist")
        case.number("vae_kl", found, "nats", "classes of the VAE at the lowest rate, KL to uniform")
        found = fcd(case.results)(f"ext-gan-rate{RATES[-1]}-mnist")
        case.number("gan_distance", found, "", "Fréchet distance of the GAN at the highest rate")


def _at_every_rate(case: Case, family: str) -> dict[int, list[dict[str, Any]]]:
    """Return the seed -> quality.json of its run at each rate, of the seeds that ran at all; raises Missing if none did."""
    tables = [case.results.quality(f"ext-{family}-rate{rate}-mnist") for rate in RATES]
    if not (seeds := set.intersection(*map(set, tables))):
        raise Missing(f"no seed of the {family.upper()} ran at all five rates")
    return {seed: [table[seed] for table in tables] for seed in sorted(seeds)}


@check("uva3-17", gives="train_change val_change train_5 val_5")
def little_after_epoch_5(case: Case) -> None:
    """The change of the loss from epoch 5 to 40 over the loss at epoch 5."""
    for split, column in SPLITS.items():
        with case.part(split):
            fifth, last = (at(case.results, column, epoch)(VAE) for epoch in (5, 40))
            changes = {seed: 100 * (fifth[seed] - last[seed]) / fifth[seed] for seed in last}
            case.level("By which share does the loss fall from epoch 5 to epoch 40?", changes, "below", (10, 20), "%")
            name = "train" if split == "training" else "val"
            case.number(f"{name}_change", changes, "%", f"fall from epoch 5 to 40, {split}")
            case.number(f"{name}_5", fifth, "nats", f"-ELBO after epoch 5, {split}")
