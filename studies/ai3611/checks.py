"""Claims of ai3611: one latent or two, noise, the ratio of the two terms, Bernoulli latents."""

from itertools import combinations
from statistics import fmean

from regen.claims.case import Case
from regen.claims.check import check
from regen.claims.interval import Read, differences, spread
from regen.claims.reads import late, most_samples, nll, value
from regen.results import Missing

ONE, TWO, TWENTY, BERNOULLI = "ai3611-vae-z1-mnist", "ai3611-vae-z2-mnist", "ai3611-vae-z20-mnist", "ai3611-bernvae-mnist"
PRINTED, CORRECTED = "ai3611-bernvae-mnist-as-printed", BERNOULLI
NOISED, MORE_NOISE = "ai3611-vae-z1-noise-mnist", "ai3611-vae-z1-noise01-mnist"
HALF = "ai3611-vae-z1-kl05-mnist"
RIVALS = {
    "0.1": "ai3611-vae-z1-kl01-mnist",
    "1": "ai3611-vae-z1-kl1-mnist",
    "2": "ai3611-vae-z1-kl2-mnist",
    "10": "ai3611-vae-z1-kl10-mnist",
}


@check("ai3611-1", gives="one two")
def two_latents_reconstruct_better(case: Case) -> None:
    """Validation reconstruction over the last epochs that both have."""
    with case.part():
        epochs = min(case.results.epochs(variant) for variant in (ONE, TWO))
        read = late(case.results, "val_recon_nats", epochs)
        case.ordered("Is the validation reconstruction error of two latents below that of one?", read, TWO, "below", ONE, "nats")
        case.number("one", read(ONE), "nats", "validation reconstruction error, one latent")
        case.number("two", read(TWO), "nats", "validation reconstruction error, two latents")


@check("ai3611-2", gives="change noised clean change_more error")
def noise_changes_little(case: Case) -> None:
    """Validation reconstruction error, the loss of the report's figure, with noise against none, over equal epochs."""
    epochs = 30
    with case.part("changes little"):
        epochs = min(case.results.epochs(variant) for variant in (NOISED, ONE))
        read = late(case.results, "val_recon_nats", epochs)
        clean = read(ONE)
        changes = {seed: 100 * gap / clean[seed] for seed, gap in differences(read(NOISED), clean).items()}
        sizes = {seed: abs(change) for seed, change in changes.items()}
        case.level("By how much does noise change the validation reconstruction error?", sizes, "below", (2, 5), "%")
        case.number("change", changes, "%", "change with noise of 0.001")
        case.number("noised", read(NOISED), "nats", "validation reconstruction error with noise")
        case.number("clean", clean, "nats", "validation reconstruction error without noise")
        more = differences(read(MORE_NOISE), clean)
        case.number("change_more", {seed: 100 * gap / clean[seed] for seed, gap in more.items()}, "%", "change with noise of 0.1")
    with case.part("helps slightly"):
        read = late(case.results, "val_recon_nats", epochs)
        above = case.ordered("Is the validation reconstruction error lower with noise?", read, NOISED, "below", ONE, "nats").above(0)
        case.number("error", "within the error" if above is None else "beyond the error", "", "difference of the two")


@check("ai3611-3", gives="half lowest half_nll rival_nll rival off_least off_most")
def half_is_best(case: Case) -> None:
    """The ratio 0.5 against each other one: at its own weight as plotted, and all at weight 1."""
    scores = {"as plotted, each at its own ratio": True, "all scored at ratio 1": False}
    for part, own in scores.items():
        read = _loss(case, own)
        for ratio, rival in RIVALS.items():
            with case.part(part):
                case.ordered(f"Is the validation loss with ratio 0.5 below that with {ratio}?", read, HALF, "below", rival, "nats")
    with case.part("all scored at ratio 1"):
        there = {ratio: rival for ratio, rival in RIVALS.items() if rival in case.results.config.variants and case.results.histories(rival)}
        ran = {ratio: fmean(_loss(case, False)(rival).values()) for ratio, rival in there.items()}
        case.number("half", _loss(case, False)(HALF), "nats", "validation -ELBO, ratio 0.5")
        case.number("lowest", min(ran.values()), "nats", "lowest validation -ELBO of another ratio")
        exact = {ratio: fmean(nll(case.results, HALF, rival)(rival).values()) for ratio, rival in there.items()}
        best = min(exact, key=exact.__getitem__)
        case.number("half_nll", nll(case.results, HALF, RIVALS[best])(HALF), "nats", "-log p(x) by quadrature, ratio 0.5")
        case.number("rival_nll", exact[best], "nats", f"-log p(x) by quadrature, ratio {best}")
        case.number("rival", best, "", "best other ratio by quadrature")
        _off(case, HALF, *there.values())


def _off(case: Case, *variants: str) -> None:
    """Give how far importance sampling is from the quadrature of the same images: the smallest and the largest of the variants' means."""
    off = [fmean(case.results.estimate(variant, "difference_nats", "quadrature").values()) for variant in variants]
    case.number("off_least", min(off), "nats", "importance sampling above quadrature, one latent, smallest")
    case.number("off_most", max(off), "nats", "importance sampling above quadrature, one latent, largest")


def _loss(case: Case, own: bool) -> Read:
    """Read the validation loss of the last epochs, the KL weighted as the variant trains or by 1."""

    def read(variant: str) -> dict[int, float]:
        weight = float(getattr(case.results.variant(variant).training.objective, "kl_weight", 1.0)) if own else 1.0
        recon, kl = (late(case.results, column)(variant) for column in ("val_recon_nats", "val_kl_nats"))
        return {seed: recon[seed] + weight * kl[seed] for seed in recon}

    return read


@check("ai3611-4", gives="recon printed_recon mean_image spread_printed spread_corrected")
def algorithm_one_trains(case: Case) -> None:
    """What the latents are worth at the end: the validation reconstruction error of Algorithm 1 as printed against that of the mean image.

    The corrected algorithm, this project's, stands beside it.
    """
    for variant, prefix, label in ((CORRECTED, "", "corrected"), (PRINTED, "printed_", "as printed")):
        with case.part():
            recon = late(case.results, "val_recon_nats")(variant)
            mean_image = case.results.floor(variant, "validation")["mean_image_nats"]
            case.number(f"{prefix}recon", recon, "nats", f"validation reconstruction error over the last epochs, {label}")
            case.number("mean_image", mean_image, "nats", "cross-entropy of the mean image")
            if variant == PRINTED:
                gains = {seed: 100 * (mean_image - nats) / mean_image for seed, nats in recon.items()}
                case.level("By which share is the reconstruction error below the mean image's?", gains, "above", (5, 10), "%")
    with case.part():
        rows = {(row["state"], row["estimator"]): row for row in case.results.probe("estimator_variance")["rows"]}
        for name, estimator in {"printed": "as_printed", "corrected": "running_average"}.items():
            deviation = rows["final", estimator]["gradient_standard_deviation"]
            case.number(f"spread_{name}", float(deviation), "", f"standard deviation of the gradient, {name}, on the corrected model")


@check(
    "ai3611-5",
    gives="pairs differ differ_iwae tied open off_least off_most off_bernoulli recon_gaussian recon_bernoulli nll_gaussian nll_bernoulli",
)
def rankings_agree(case: Case) -> None:
    """The ranks by reconstruction error and by -log p(x): Gaussian against Bernoulli latents, and all pairs that -log p(x) orders.

    Pairs are of all models of this project that give every pixel a probability, on the same images.
    """
    recon = value(case.results, "recon_nats")
    with case.part("Gaussian against Bernoulli latents"):
        likelihood = nll(case.results, TWENTY, BERNOULLI)
        first, second = (_order(case, read, TWENTY, BERNOULLI) for read in (recon, likelihood))
        names = {-1: "Gaussian", 0: "neither", 1: "Bernoulli"}
        asked = "Which latents have the lower -log p(x), beyond the error?"
        holds = first == second if first and second else None
        case.fact(asked, names[second], f"as by reconstruction error: {names[first]}", holds, by="seeds and spread of other variants")
        for name, variant in {"gaussian": TWENTY, "bernoulli": BERNOULLI}.items():
            case.number(f"recon_{name}", recon(variant), "nats", f"reconstruction error, 20 {name.title()} latents")
            case.number(f"nll_{name}", likelihood(variant), "nats", f"-log p(x), 20 {name.title()} latents")
        off = case.results.estimate(BERNOULLI, "difference_nats", "enumeration")
        case.number("off_bernoulli", off, "nats", "importance sampling above enumeration, Bernoulli latents")
    with case.part("all pairs of this project"):
        known = [name for name in case.results.config.variants if _scored(case, name)]
        seen = {name: (case.results.variant(name).dataset, case.results.variant(name).images) for name in known}
        pairs = [(a, b) for a, b in combinations(known, 2) if seen[a] == seen[b]]
        orders = [(pair, _order(case, recon, *pair), _order(case, nll(case.results, *pair), *pair)) for pair in pairs]
        clear = [one for one in orders if one[2]]
        if not clear:
            raise Missing("pairs of variants that -log p(x) orders beyond the error")
        tied = sum(not first for _, first, _ in clear)
        turned = [pair for pair, first, second in clear if first == -second]
        differ, importance = len(turned), sum(any(_importance_weighted(case, name) for name in pair) for pair in turned)
        case.results.read = dict.fromkeys(name for pair, *_ in clear for name in pair)
        by = "pairs that -log p(x) orders beyond the error"
        asked = "How many pairs does the reconstruction error rank otherwise, beyond its own error?"
        case.fact(asked, differ, f"0 of {len(clear)}", differ == 0, by=by)
        asked = "How many does it leave within its error?"
        case.fact(asked, tied, f"0 of {len(clear)}", None if tied else True, by=by)
        case.number("pairs", float(len(clear)), "pairs", "pairs that -log p(x) orders beyond the error")
        case.number("open", float(len(pairs) - len(clear)), "pairs", "pairs within the error of -log p(x)")
        case.number("differ", float(differ), "pairs", "ordered otherwise by the reconstruction error")
        case.number("differ_iwae", float(importance), "pairs", "of these, with a model that was trained with the bound of several samples")
        case.number("tied", float(tied), "pairs", "pairs of the first within the error of the reconstruction")
        _off(case, *(name for name in (HALF, *RIVALS.values()) if name in known))


def _scored(case: Case, variant: str) -> bool:
    """Return whether a variant gives every pixel a probability, and has both numbers."""
    likelihood = getattr(case.results.config.variants[variant].model, "likelihood", None)
    if getattr(likelihood, "kind", None) != "bernoulli":
        return False
    try:
        return bool(value(case.results, "recon_nats")(variant) and most_samples(case.results)(variant))
    except Missing:
        return False


def _importance_weighted(case: Case, variant: str) -> bool:
    objective = case.results.config.variants[variant].training.objective
    return objective.kind == "iwae" and objective.samples > 1


def _order(case: Case, read: Read, a: str, b: str) -> int:
    """Return the sign of a - b; 0 within the error."""
    above = spread(case.results, read, a, b).above(0)
    return 0 if above is None else 1 if above else -1
