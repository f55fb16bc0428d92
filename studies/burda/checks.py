"""Claims of burda: VAE and importance-weighted auto-encoder of one stochastic layer, on digits of one fixed binarisation."""

from functools import partial
from itertools import pairwise
from statistics import fmean
from typing import Any

from regen.claims.case import Case
from regen.claims.check import check
from regen.claims.interval import differences
from regen.claims.reads import most_samples, to_most_samples, value
from regen.results import Missing, Results, number

MODELS = {"vae": "ref-vae-bmnist", "iwae_5": "ref-iwae5-bmnist", "iwae_50": "ref-iwae50-bmnist"}
VAE, IWAE_5, IWAE_50 = MODELS.values()
WARM_UP = "ref-vae-warmup-bmnist"
NAMES = {"vae": "VAE", "iwae_5": "IWAE, 5 samples", "iwae_50": "IWAE, 50 samples"}
STEPS = (("5 samples", "iwae_5", "vae"), ("50 samples", "iwae_50", "iwae_5"))
"""Each model with the one that it is held against."""

EPOCHS = 3280
PRINTED = {"vae": 88.71, "iwae_5": 87.63, "iwae_50": 87.10}
NEAR = (0.5, 1.5)
"""Nats within which a likelihood is the printed one, and beyond which it is not."""

SHORT = "a shorter training than the paper's refutes none of its numbers"

FAR_FEWER = (0.5, 0.75)
"""Shares of the latents."""

APART = (3.0, 10.0)
"""A factor between variances."""

OVERFITTING = 0.79
"""Nats: the paper's largest gap on images that are binarised anew."""

OTHER_GAP = "the paper's gap is of -log p(x), which was not estimated on training images"


def _trained(case: Case, *variants: str) -> None:
    """Give the epochs that models have had, of those that the paper has."""
    case.number("trained", f"{min(map(case.results.epochs, variants)):,} of {EPOCHS:,} epochs", "", "trained for")


@check("burda-1", gives="at_1 at_5 at_50 at_5000")
def bounds(case: Case) -> None:
    """L_K by the number of samples, on the same weights."""
    with case.part():
        asked = "Is L_K at most L_(K+1), and that at most log p(x), in the mean and on any weights?"
        case.fact(asked, "yes", "yes", True, "", "a theorem (the paper's own)", theorem=True)
        for samples in (1, 5, 50, 5000):
            found = case.results.likelihood(VAE, "nll_nats", importance_samples=samples)
            case.number(f"at_{samples}", found, "nats", f"-L_K of the VAE, K = {samples:,}")


@check("burda-2", gives="vae iwae_5 iwae_50 trained")
def printed_likelihoods(case: Case) -> None:
    """-log p(x) of each model against Table 3, both with K = 5,000. A shorter training can refute no number of a longer one."""
    for name, variant in MODELS.items():
        with case.part(NAMES[name]):
            found, printed = most_samples(case.results)(variant), PRINTED[name]
            mean = fmean(found.values())
            far, whole = abs(mean - printed), case.results.epochs(variant) >= EPOCHS
            holds = True if far <= NEAR[0] else False if far > NEAR[1] and whole else None
            asked, expected = "Is -log p(x) with K = 5,000 the printed one?", f"{printed:g} within {NEAR[0]:g} to {NEAR[1]:g}"
            case.fact(asked, mean, expected, holds, "nats", why="" if whole else SHORT)
            case.number(name, found, "nats", f"-log p(x), {NAMES[name]}")
            _trained(case, variant)


@check("burda-3", gives="gain_5 gain_50 trained")
def better_likelihood(case: Case) -> None:
    """-log p(x) of models that differ in the training objective alone, by the same protocol."""
    read = most_samples(case.results)
    for part, more, fewer in STEPS:
        with case.part(part):
            asked = f"Is -log p(x) of the {NAMES[more]}, below that of the {NAMES[fewer]}?"
            difference = case.ordered(asked, read, MODELS[more], "below", MODELS[fewer], "nats")
            case.number(f"gain_{more.removeprefix('iwae_')}", -difference.mean, "nats", f"-log p(x) lower by, {part}")
            _trained(case, MODELS[more], MODELS[fewer])


@check("burda-4", gives="vae iwae_5 iwae_50 latents trained")
def few_latents(case: Case) -> None:
    """Active latents against those that the model has."""
    for name, variant in MODELS.items():
        with case.part(NAMES[name]):
            active = value(case.results, "active_units")(variant)
            latents = _latents(case, variant)
            shares = {seed: count / latents for seed, count in active.items()}
            case.level("Which share of the latents is active?", shares, "below", FAR_FEWER)
            clear = {seed: count / latents for seed, count in _above(case, variant).items()}
            case.level("Which share lies above the widest gap between latents?", clear, "below", FAR_FEWER)
            case.number(name, active, "latents", f"active latents, {NAMES[name]}")
            case.number("latents", float(latents), "latents")
            _trained(case, variant)


@check("burda-5", gives="vae iwae_5 iwae_50 vae_above iwae_5_above iwae_50_above trained")
def more_latents(case: Case) -> None:
    """Active latents by the number of samples, and latents above the widest gap."""
    read = value(case.results, "active_units")
    for part, more, fewer in STEPS:
        with case.part(part):
            asked = f"Has the {NAMES[more]}, more active latents than the {NAMES[fewer]}?"
            case.ordered(asked, read, MODELS[more], "above", MODELS[fewer], "latents")
            case.paired(
                "Has it more latents above the widest gap?", _above(case, MODELS[more]), "above", _above(case, MODELS[fewer]), "latents"
            )
            for name in (more, fewer):
                case.number(name, read(MODELS[name]), "latents", f"active latents, {NAMES[name]}")
                _number_above(case, name)
            _trained(case, MODELS[more], MODELS[fewer])


def _latents(case: Case, variant: str) -> int:
    model: Any = case.results.variant(variant).model
    dim: int = model.latent.dim
    return dim


@check("burda-6", gives="vae iwae_5 iwae_50 vae_above iwae_5_above iwae_50_above vae_below iwae_5_below iwae_50_below trained")
def two_groups(case: Case) -> None:
    """The widest gap between neighbouring latents, by the variance of their posterior means, wherever it lies."""
    for name, variant in MODELS.items():
        with case.part(NAMES[name]):
            factors = {seed: _gap_of(tables)[0] for seed, tables in _details(case.results, variant).items()}
            case.level("By which factor are the latents on both sides of the widest gap apart?", factors, "above", APART)
            case.number(name, factors, "", f"factor across the widest gap, {NAMES[name]}")
            above = _number_above(case, name)
            below = differences(value(case.results, "active_units")(variant), above)
            asked, whole = "How many latents that are active by the cut of 0.01 lie below it?", max(below.values()) < 0.5
            case.fact(asked, fmean(below.values()), "0", True if whole else None, "latents", why="active latents lie below the gap")
            case.number(f"{name}_below", below, "latents", f"active by the cut of 0.01 and below the gap, {NAMES[name]}")
            _trained(case, variant)


def _number_above(case: Case, name: str) -> dict[int, float]:
    """Give and return the latents above the widest gap of a model."""
    above = _above(case, MODELS[name])
    case.number(f"{name}_above", above, "latents", f"latents above the widest gap, {NAMES[name]}")
    return above


def _above(case: Case, variant: str) -> dict[int, float]:
    """Return the latents above the widest gap, by seed."""
    return {seed: float(_gap_of(tables)[1]) for seed, tables in _details(case.results, variant).items()}


def _details(results: Results, variant: str) -> dict[int, dict[str, Any]]:
    if not (found := results.details(variant)):
        raise Missing(f"{variant} has no details.json")
    return found


def _gap_of(tables: dict[str, Any]) -> tuple[float, int]:
    """Return the largest factor between neighbours in the order of the variance of their posterior means, and how many lie above it."""
    variances = sorted((number(row, "variance_of_means") for row in tables["latents"]), reverse=True)
    return max((more / less, above) for above, (more, less) in enumerate(pairwise(variances), 1))


@check("burda-7", gives="vae_test iwae_5_test iwae_50_test vae_validation iwae_5_validation iwae_50_validation trained")
def overfitting(case: Case) -> None:
    """-ELBO of both sets of held-out images above that of training images, of the last weights."""
    for name, variant in MODELS.items():
        with case.part(NAMES[name]):
            train = case.results.split(variant, "neg_elbo_nats", "train")
            for split in ("test", "validation"):
                gaps = differences(case.results.split(variant, "neg_elbo_nats", split), train)
                asked, gap = f"How far is -ELBO of {split} images above that of training images?", fmean(gaps.values())
                # What the encoder overfits is in this gap too: it can be too small to be the paper's, never large enough.
                holds = False if gap < OVERFITTING else None
                case.fact(asked, gap, f"not below {OVERFITTING:g}", holds, "nats", why=OTHER_GAP)
                case.number(f"{name}_{split}", gaps, "nats", f"-ELBO, {split} above training, {NAMES[name]}")
            _trained(case, variant)


@check("burda-8", gives="vae iwae_5 iwae_50 ess_vae ess_iwae_5 ess_iwae_50 trained")
def posteriors_fit_less(case: Case) -> None:
    """How far the encoder's distribution is from the posterior: the KL between them; the effective sample size beside it."""
    gap, draws = partial(_gap, case.results), value(case.results, "ess_mean")
    for more in ("iwae_5", "iwae_50"):
        with case.part(NAMES[more]):
            case.paired(
                "Is the gap from one sample's bound to that of the most larger than the VAE's?",
                gap(MODELS[more]),
                "above",
                gap(VAE),
                "nats",
            )
            for name in ("vae", more):
                case.number(name, gap(MODELS[name]), "nats", f"bound of the most samples above that of one, {NAMES[name]}")
                case.number(f"ess_{name}", draws(MODELS[name]), "draws", f"effective sample size, {NAMES[name]}")
            _trained(case, VAE, MODELS[more])


def _gap(results: Results, variant: str) -> dict[int, float]:
    """Return the seed -> L_K of the most draws less L_1, on the same images."""
    found = {}
    for seed, tables in _details(results, variant).items():
        if (most := to_most_samples(tables, 1)) is None:
            raise Missing(f"{variant} has no bound of several samples beside that of one")
        found[seed] = -most[0]
    return found


@check("burda-9", gives="warm plain units_warm units_plain trained")
def warm_up(case: Case) -> None:
    """The same VAE with and without a warm-up of its KL."""
    nll, units = most_samples(case.results), value(case.results, "active_units")
    models = {"warm": (WARM_UP, "with warm-up"), "plain": (VAE, "without")}
    with case.part("likelihood"):
        case.ordered("Is -log p(x) lower with the warm-up?", nll, WARM_UP, "below", VAE, "nats")
        for name, (variant, label) in models.items():
            case.number(name, nll(variant), "nats", f"-log p(x), {label}")
        _trained(case, WARM_UP, VAE)
    with case.part("latents"):
        case.ordered("Are more latents active with the warm-up?", units, WARM_UP, "above", VAE, "latents")
        for name, (variant, label) in models.items():
            case.number(f"units_{name}", units(variant), "latents", f"active latents, {label}")
