"""Claims of davari: three ways to upsample, VAE against IWAE, single latents and interpolation, on CelebA."""

from itertools import pairwise
from math import comb, e, log2
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from regen.claims.case import Case
from regen.claims.check import check
from regen.claims.interval import Z, differences
from regen.claims.reads import by_seed, fcd, measure, most_samples, of_real, value
from regen.claims.reported import Reading, read_reported
from regen.results import Missing, number

VAE, UNEVEN, IWAE = "davari-vae-deconv-celeba", "davari-vae-deconv5-celeba", "davari-iwae5-deconv-celeba"
SHORT = "ext-vae-deconv-short-celeba"  # the VAE again, trained for as long as the others: what they are compared with
NEAREST, BILINEAR = "davari-vae-nearest-celeba", "davari-vae-bilinear-celeba"
CHECKERBOARD, SHARPNESS, BLOCKINESS = "checkerboard_energy", "laplacian_variance", "blockiness"
LAST = 100
KERNELS = {"even": "4x4 kernels", "uneven": "5x5 kernels"}


@check(
    "davari-1",
    gives="full full_trained trained transposed nearest bilinear relative_transposed relative_nearest relative_bilinear peak peak_epoch",
)
def checkerboard(case: Case) -> None:
    """Energy of period 2 in units of real images', of samples and of reconstructions."""
    for images in ("samples", "reconstructions"):
        read = measure(case.results, CHECKERBOARD, images)
        with case.part("more than real images"):
            asked = f"What is the checkerboard energy of {images} of the VAE that was trained the longest (real images: 1)?"
            case.level(asked, read(VAE), "above", (1, 1.1))
        with case.part("more than by interpolation"):
            _as_long(case, SHORT, NEAREST, BILINEAR)
            for name, other in {"nearest neighbour": NEAREST, "bilinear": BILINEAR}.items():
                asked = f"After equal training, is transposed convolution's above that of {name} upsampling ({images})?"
                case.ordered(asked, read, SHORT, "above", other)
    with case.part("more than real images"):
        case.number("full", measure(case.results, CHECKERBOARD)(VAE), "", f"checkerboard energy, transposed, {_epochs(case, VAE)}")
        case.number("full_trained", _epochs(case, VAE), "", "the longest training")
    with case.part("more than by interpolation"):
        for name, variant in {"transposed": SHORT, "nearest": NEAREST, "bilinear": BILINEAR}.items():
            energy, sharp = measure(case.results, CHECKERBOARD)(variant), of_real(case.results, SHARPNESS)(variant)
            case.number(name, energy, "", f"checkerboard energy, {name}")
            relative = {seed: energy[seed] / sharp[seed] for seed in energy}
            case.number(f"relative_{name}", relative, "", f"checkerboard energy over sharpness, both over real images', {name}")
        _trained(case, SHORT, NEAREST, BILINEAR)
        epoch, most = _peak(case)
        case.number("peak", most, "", "largest checkerboard energy over the snapshots of the short training")
        case.number("peak_epoch", epoch, "", "epoch of the peak")


def _trained(case: Case, *variants: str) -> None:
    """Give the epochs that models have had, of those that the report has."""
    case.number("trained", _epochs(case, *variants), "", "trained for")


def _epochs(case: Case, *variants: str) -> str:
    ran, declared = min(map(case.results.epochs, variants)), case.results.variant(variants[0]).training.epochs
    return f"{ran} of {declared} epochs" if ran < declared else f"{ran} epochs"


def _as_long(case: Case, *variants: str) -> None:
    """End the part where models were not trained for as many epochs."""
    ran = {name: case.results.epochs(name) for name in variants}
    if len(set(ran.values())) > 1:
        raise Missing("trained for different numbers of epochs: " + ", ".join(f"{name} {epochs}" for name, epochs in ran.items()))


def _peak(case: Case) -> tuple[str, float]:
    """Return the snapshot of the short training whose samples have the most checkerboard energy: the epoch of the run, and the energy."""
    snapshots = [epoch for epoch in case.results.variant(SHORT).training.snapshot_epochs if epoch > 0]
    energies = {epoch: fmean(measure(case.results, CHECKERBOARD, f"epoch {epoch}")(SHORT).values()) for epoch in snapshots}
    best = max(energies, key=energies.__getitem__)
    return _run_epoch(case, best), energies[best]


def _run_epoch(case: Case, epoch: int) -> str:
    """Return at which epoch of a short training a snapshot was taken that is called by the report's epoch: it has them earlier."""
    return f"{epoch * case.results.epochs(SHORT) / case.results.variant(SHORT).training.epochs:g}"


@check("davari-2", gives="nearest transposed bilinear blocks_nearest blocks_transposed trained")
def sharpest_and_smoothest(case: Case) -> None:
    """Sharpness and 2x2 blockiness of samples."""
    sharp, blocks = measure(case.results, SHARPNESS), measure(case.results, BLOCKINESS)
    with case.part("nearest is the sharpest"):
        _as_long(case, SHORT, NEAREST, BILINEAR)
        case.ordered("Is it sharper than transposed convolution?", sharp, NEAREST, "above", SHORT)
        case.ordered("Is it sharper than bilinear?", sharp, NEAREST, "above", BILINEAR)
    with case.part("nearest is the most pixelated"):
        _as_long(case, SHORT, NEAREST, BILINEAR)
        case.ordered("Has it more 2x2 blocks than transposed convolution?", blocks, NEAREST, "above", SHORT)
        case.ordered("Has it more than bilinear?", blocks, NEAREST, "above", BILINEAR)
        case.number("blocks_nearest", blocks(NEAREST), "", "blockiness, nearest neighbour")
        case.number("blocks_transposed", blocks(SHORT), "", "blockiness, transposed")
    with case.part("bilinear is the smoothest"):
        _as_long(case, SHORT, NEAREST, BILINEAR)
        case.ordered("Is it less sharp than transposed convolution?", sharp, BILINEAR, "below", SHORT)
        case.ordered("Is it less sharp than nearest?", sharp, BILINEAR, "below", NEAREST)
    with case.part("nearest is the sharpest"):
        _trained(case, SHORT, NEAREST, BILINEAR)
        for name, variant in {"nearest": NEAREST, "transposed": SHORT, "bilinear": BILINEAR}.items():
            case.number(name, of_real(case.results, SHARPNESS)(variant), "", f"sharpness over real images', {name}")


def _means(curves: dict[int, list[float]]) -> dict[int, float]:
    return {seed: fmean(curve) for seed, curve in curves.items()}


@check("davari-3", gives="iwae vae share lower epochs elbo_iwae")
def lower_throughout(case: Case) -> None:
    """Each model's own training loss, as the report plots it."""
    with case.part():
        _as_long(case, SHORT, IWAE)
        iwae, vae = case.results.column(IWAE, "train_objective_nats"), case.results.column(SHORT, "train_neg_elbo_nats")
        lower = {seed: [x < y for x, y in zip(iwae[seed], vae[seed], strict=True)] for seed in differences(_means(iwae), _means(vae))}
        shares = {seed: 100 * fmean(found) for seed, found in lower.items()}
        case.level("In which share of the epochs is the IWAE's loss below the VAE's?", shares, "above", (90, 99), "%")
        gap = {seed: 100 * x / fmean(vae[seed]) for seed, x in differences(_means(vae), _means(iwae)).items()}
        case.level("By which share of the loss is it lower in the mean?", gap, "above", (0, 0), "%")
        case.level("Is that marginal?", gap, "below", (1, 3), "%")
        case.number("iwae", _means(iwae), "nats", "mean over epochs of the training loss, IWAE")
        case.number("vae", _means(vae), "nats", "mean over epochs of the training loss, VAE")
        case.number("share", gap, "%", "lower by")
        case.number("lower", float(sum(map(sum, lower.values()))), "", "epochs with the lower loss")
        case.number("epochs", float(sum(map(len, lower.values()))), "", "epochs")
        elbo = case.results.column(IWAE, "train_neg_elbo_nats")
        case.number("elbo_iwae", _means(elbo), "nats", "mean over epochs of the training -ELBO, IWAE")


@check("davari-4", gives="iwae vae elbo_iwae nll_iwae nll_vae trained")
def validation_lower(case: Case) -> None:
    """Each model's own validation loss, averaged over the epochs; likelihoods by the same number of samples beside it."""
    with case.part():
        _as_long(case, SHORT, IWAE)
        _trained(case, SHORT, IWAE)
        vae = case.results.column(SHORT, "val_neg_elbo_nats")
        case.number("vae", _means(vae), "nats", "mean over epochs of the validation loss, VAE")
        case.number("elbo_iwae", _means(case.results.column(IWAE, "val_neg_elbo_nats")), "nats", "mean validation -ELBO, IWAE")
        for name, variant in {"iwae": IWAE, "vae": SHORT}.items():
            case.number(f"nll_{name}", value(case.results, "nll_nats")(variant), "nats", f"-log p(x), {name}")
        iwae = case.results.column(IWAE, "val_objective_nats")
        case.number("iwae", _means(iwae), "nats", "mean over epochs of the validation loss, IWAE")
        own = {IWAE: _means(iwae), SHORT: _means(vae)}
        case.paired("Is the IWAE's validation loss, averaged over the epochs, below the VAE's?", own[IWAE], "below", own[SHORT], "nats")


@check("davari-5", gives="iwae vae trained")
def iwae_smoother(case: Case) -> None:
    """Sharpness of samples."""
    with case.part():
        _as_long(case, SHORT, IWAE)
        case.ordered("Are the IWAE's samples less sharp than the VAE's?", measure(case.results, SHARPNESS), IWAE, "below", SHORT)
        for name, variant in {"iwae": IWAE, "vae": SHORT}.items():
            case.number(name, of_real(case.results, SHARPNESS)(variant), "", f"sharpness over real images', {name}")
        _trained(case, SHORT, IWAE)


@check("davari-6", gives="trained latents turn hair chance_turn chance_hair")
def single_latents(case: Case) -> None:
    """Latents that change a trait by more than random directions do, against as many as chance would give."""
    for trait, proxy, name in (("orientation", "asymmetry", "turn"), ("hair length", "dark_beside_face", "hair")):
        with case.part(trait):
            row, count = _proxy(case, proxy), int(case.results.probe("single_latents")["dimensions"])
            drawn = int(case.results.probe("single_latents")["random_directions"])
            counted, share = int(row["counted"]), number(row, "share_of_random")
            among = round(share * drawn)
            asked = (
                f"{counted} of {count} latents pass the mark for {trait}, {among} of {drawn} random directions do: how likely by chance?"
            )
            case.chance(asked, _overlap(counted, count + drawn, counted + among, count), "Fisher's exact test, one-sided")
            _trained(case, VAE)
            case.number("latents", float(count), "latents", "latents in all")
            case.number(name, float(counted), "latents", f"latents that change {trait}")
            case.number(f"chance_{name}", share * count, "latents", f"expected by chance, {trait}")
    with case.part("gender"):
        raise Missing("gender is not measured: the images have no labels")


def _proxy(case: Case, proxy: str) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {row["proxy"]: row for row in case.results.probe("single_latents")["rows"]}
    return rows[proxy]


def _overlap(hits: int, population: int, marked: int, drawn: int) -> float:
    """Return the hypergeometric probability of so many marked ones or more among those drawn."""
    ways = sum(comb(marked, k) * comb(population - marked, drawn - k) for k in range(hits, min(marked, drawn) + 1))
    return ways / comb(population, drawn)


@check("davari-7", gives="latent pixel decoded pairs ends")
def latent_midpoints(case: Case) -> None:
    """How well a VAE trained apart reconstructs midpoints: squared error, and cross-entropy above the images' own entropy."""
    with case.part("nearer to what a VAE can make"):
        probe = case.results.probe("midpoints")
        for row in probe["comparisons"]:
            unit = {"mse_per_pixel": "", "excess_nats": "nats"}.get(row["measure"])
            if unit is None:
                continue
            difference, error = number(row, "mean_difference"), Z * number(row, "standard_error")
            what = "squared error" if row["measure"] == "mse_per_pixel" else "cross-entropy less the image's own entropy"
            asked = f"Error of latent midpoints less that of {row['against']} ({what})?"
            by = f"{probe['pairs']:,} pairs"
            case.level(asked, difference, "below", (0, 0), unit, by, error)
        errors = {row["images"]: number(row, "mse_per_pixel") for row in probe["rows"]}
        names = {
            "latent": ("latent midpoints", "latent midpoints"),
            "pixel": ("pixel midpoints", "midpoints of real images"),
            "decoded": ("pixel midpoints of decoded ends", "midpoints of decoded images"),
            "ends": ("end images", "real images"),
        }
        for name, (images, called) in names.items():
            case.number(name, errors[images], "", f"squared error per pixel, {called}")
        case.number("pairs", float(probe["pairs"]), "pairs", "pairs of images")
    with case.part("plausible"):
        raise Missing("whether an image is plausible is not measured: by this error pixel midpoints are better than real images")


@check("davari-8", gives="below above open below_after above_after open_after bits dimensions")
def printed_likelihood(case: Case) -> None:
    """Every reading of reported.yaml; one that gives the number suffices. A constant that no model changes is taken from both.

    A shorter training than the report's refutes no reading that lies above the number.
    """
    with case.part():
        nats = next(row for row in read_reported(Path(__file__).parent) if row.value == 7133)
        found = [(reading, fmean(by_seed(case.results, reading).values())) for reading in nats.readings]
        answers, short = [], ""
        for reading, mean in found:
            far = abs(mean - nats.value) / (nats.value - _constant(case, reading))
            ran, declared = case.results.epochs(reading.variant), case.results.variant(reading.variant).training.epochs
            falling = mean > nats.value and ran < declared
            answers.append(True if far <= 0.05 else None if far <= 0.1 or falling else False)
            short = f"a reading lies above 7133 after {ran} of {declared} epochs" if falling else short
        holds = True if True in answers else None if None in answers else False
        nearest = min((mean for _, mean in found), key=lambda mean: abs(mean - nats.value))
        case.fact(
            "Does any reading give 7133 nats?",
            nearest,
            "7133 within 5 % (not, beyond 10 %), without the constant of a reading",
            holds,
            "nats",
            why=short,
        )
        bits = nats.value * log2(e) / 64**2
        case.number("bits", bits, "bits", "7133 nats per position")
        case.number("dimensions", bits / 3, "bits", "7133 nats per dimension")
        below = [(mean, reading.variant) for reading, mean in found if mean <= nats.value]
        above = [(mean, reading.variant) for reading, mean in found if mean > nats.value]
        waiting = [one for one in above if case.results.epochs(one[1]) < case.results.variant(one[1]).training.epochs]
        sides = {"below": max(below, default=None), "above": min(above, default=None)}
        if waiting and min(waiting) != sides["above"]:
            sides["open"] = min(waiting)
        for side, one in sides.items():
            if one is not None:
                told = "nearest reading above, of a training that was cut" if side == "open" else f"nearest reading {side}"
                case.number(side, one[0], "nats", told)
                case.number(f"{side}_after", _epochs(case, one[1]), "", f"{told}: trained for")


def _constant(case: Case, reading: Reading) -> float:
    """Return what a reading adds whatever the model, in the reading's own unit."""
    return reading.plus / reading.parts(case.results.variant(reading.variant).shape)


@check("davari-9", gives="vae_1 vae_5 iwae_1 iwae_5")
def tighter(case: Case) -> None:
    """L_5 against L_1 on the same weights."""
    with case.part():
        asked = "Is the bound of five samples at least as tight as that of one, in the mean, on any weights?"
        case.fact(asked, "yes", "yes", True, "", "a theorem (Burda et al., 2016)", theorem=True)
        for name, variant in {"vae": SHORT, "iwae": IWAE}.items():
            for samples in (1, 5):
                found = case.results.likelihood(variant, "nll_nats", importance_samples=samples)
                case.number(f"{name}_{samples}", found, "nats", f"-L_{samples}, {name.upper()}")


@check("davari-10", gives="iwae vae order trained")
def iwae_samples_better(case: Case) -> None:
    """Fréchet and kernel distance; the features are of a network with random weights."""
    with case.part():
        _as_long(case, SHORT, IWAE)
        asked = "Is the Fréchet distance of the IWAE's samples below the VAE's?"
        above = case.ordered(asked, fcd(case.results), IWAE, "below", SHORT).above(0)
        _trained(case, IWAE, SHORT)
        case.number("order", "within the error" if above is None else "beyond the error", "", "difference of the two")
        kernel = measure(case.results, "kernel_classifier_distance")
        case.ordered("Is their kernel distance below it too?", kernel, IWAE, "below", SHORT)
        for name, variant in {"iwae": IWAE, "vae": SHORT}.items():
            case.number(name, fcd(case.results)(variant), "", f"Fréchet distance, {name}")


@check("davari-11", gives="vae iwae rise rise_from rise_to")
def jumpy(case: Case) -> None:
    """Changes from epoch to epoch over the last 100 epochs, validation against training."""
    for name, variant, own in (("vae", VAE, "neg_elbo_nats"), ("iwae", IWAE, "objective_nats")):
        with case.part(name.upper()):
            if (ran := case.results.epochs(variant)) < LAST:
                raise Missing(f"{variant} has {ran} of the {LAST} epochs that this is measured over")
            spreads = {}
            for split in ("train", "val"):
                curves = case.results.column(variant, f"{split}_{own}")
                spreads[split] = {seed: stdev(b - a for a, b in pairwise(curve[-LAST:])) for seed, curve in curves.items()}
            ratios = {seed: spreads["val"][seed] / spreads["train"][seed] for seed in spreads["val"]}
            case.level("How much larger are changes of the validation loss than of the training loss?", ratios, "above", (1, 1.5))
            case.number(name, ratios, "", f"validation over training, {name.upper()}")
    with case.part("IWAE"):
        curve = next(iter(case.results.column(IWAE, "val_neg_elbo_nats").values()))[:10]
        rises = {epoch: after - before for epoch, (before, after) in enumerate(pairwise(curve), 1)}
        if rises and (rise := max(rises.values())) > 0:
            epoch = max(rises, key=rises.__getitem__)
            case.number("rise", rise, "nats", "largest rise of the IWAE's validation -ELBO from epoch to epoch, first ten, first seed")
            case.number("rise_from", str(epoch), "", "from epoch")
            case.number("rise_to", str(epoch + 1), "", "to epoch")


@check("davari-12", gives="trained even uneven even_before uneven_before even_1 uneven_1 first peak peak_epoch")
def uneven_overlap(case: Case) -> None:
    """Kernels that overlap evenly at stride 2 against kernels that do not."""
    with case.part():
        _as_long(case, SHORT, UNEVEN)
        between = [epoch for epoch in case.results.variant(SHORT).training.snapshot_epochs if epoch > 0][:-1]
        for images, when in {
            **{f"epoch {epoch}": f"epoch {_run_epoch(case, epoch)}" for epoch in between},
            "samples": "at the end",
        }.items():
            read = measure(case.results, CHECKERBOARD, images)
            case.ordered(f"Is the checkerboard energy with 5x5 kernels above that with 4x4 ({when})?", read, UNEVEN, "above", SHORT)
        _trained(case, SHORT, UNEVEN)
        for moment, ending in {"samples": "", "before training": "_before", "epoch 1": "_1"}.items():
            for name, variant in {"even": SHORT, "uneven": UNEVEN}.items():
                told = f"epoch {_run_epoch(case, 1)}" if ending == "_1" else moment
                read = measure(case.results, CHECKERBOARD, moment)
                case.number(f"{name}{ending}", read(variant), "", f"checkerboard energy, {KERNELS[name]}, {told}")
        case.number("first", _run_epoch(case, 1), "", "epoch of the first snapshot")
        epoch, most = _peak(case)
        case.number("peak", most, "", f"largest checkerboard energy over the snapshots, {KERNELS['even']}")
        case.number("peak_epoch", epoch, "", "epoch of the peak")


@check("davari-13", gives="between apart")
def interpolations_alike(case: Case) -> None:
    """How far apart the three are as operations on the same images."""
    with case.part():
        found = {
            frozenset((row["first"], row["second"])): number(row, "rms_difference")
            for row in case.results.probe("upsamplings")["operators"]
        }
        between = found[frozenset(("nearest", "bilinear"))]
        apart = min(found[frozenset((way, "transposed"))] for way in ("nearest", "bilinear"))
        asked = "How far apart are nearest and bilinear on the test images, over the nearer of the two to zeros in between (transposed)?"
        case.level(asked, between / apart, "below", (0.5, 0.9), "", "the operations themselves")
        case.number("between", between, "", "root mean squared difference, nearest and bilinear")
        case.number("apart", apart, "", "root mean squared difference to transposed, the smaller")


@check("davari-14", gives="both chance latents trained")
def latents_that_mix(case: Case) -> None:
    """Latents that change hair and orientation alike, against as many as chance would give; whose face it is cannot be measured here."""
    with case.part("hair length and pose together"):
        rows = [set(_proxy(case, proxy)["dimensions"]) for proxy in ("asymmetry", "dark_beside_face")]
        count = int(case.results.probe("single_latents")["dimensions"])
        both, (a, b) = len(rows[0] & rows[1]), map(len, rows)
        asked = f"Of {a} latents for pose and {b} for hair {both} are the same: how likely by chance are so many?"
        case.chance(asked, _overlap(both, count, a, b), "hypergeometric")
        _trained(case, VAE)
        case.number("both", float(both), "latents", "latents that change both")
        case.number("chance", a * b / count, "latents", "expected by chance")
        case.number("latents", float(count), "latents", "latents in all")
    with case.part("turns the head, keeps the person"):
        raise Missing("whether the person stays the same is not measured: the images have no identities")


@check("davari-15", gives="nll_1 nll_5 nll_50")
def more_samples(case: Case) -> None:
    """Models trained with 1, 5 and 50 samples, scored alike."""
    with case.part():
        read, names = most_samples(case.results), {samples: f"ext-iwae-k{samples}-mnist" for samples in (1, 5, 50)}
        for fewer, more in ((1, 5), (5, 50)):
            asked = f"Is -log p(x) lower when trained with {more} samples than with {fewer}?"
            case.ordered(asked, read, names[more], "below", names[fewer], "nats")
        for samples, name in names.items():
            case.number(f"nll_{samples}", read(name), "nats", f"-log p(x), trained with {samples} sample{'s' if samples > 1 else ''}")
