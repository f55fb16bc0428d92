"""Claims of ai3611: one latent or two, noise on the data, the weight of the KL, Bernoulli latents."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import combinations
from math import log, prod
from typing import Any

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, difference, mean, text
from regen.claims.measures import (
    Measured,
    Named,
    curves_ordered,
    finding,
    frechet,
    gathered,
    joined,
    latest,
    likelihoods_ordered,
    noted,
    ordered,
    span,
)
from regen.claims.registry import check
from regen.claims.values import finite, shared

ONE, TWO, TWENTY, BERNOULLI = "ai3611-vae-z1-mnist", "ai3611-vae-z2-mnist", "ai3611-vae-z20-mnist", "ai3611-bernvae-mnist"
NOISED = {"noise of 0.001": "ai3611-vae-z1-noise-mnist", "noise of 0.1": "ai3611-vae-z1-noise01-mnist"}
HALF = "ai3611-vae-z1-kl05-mnist"
OTHERS = ("ai3611-vae-z1-kl01-mnist", ONE, "ai3611-vae-z1-kl2-mnist", "ai3611-vae-z1-kl10-mnist")

RANKED = {"reconstruction": "recon_nats", "NLL": "nll_nats"}
"""What ai3611-5 ranks by -> its key in metrics.json."""

LITTLE = 0.02
"""Share of a loss up to which it has changed little."""

STATES = {"before training": "before training", "final": "after it"}
PRINTED, CORRECTED = "as_printed", "running_average"
"""Algorithm 1's estimator, and the corrected one that the variant is trained with."""


@check("ai3611-1")
def two_latents_reconstruct_better(evidence: Evidence) -> Finding:
    """Test that the validation reconstruction over the last epochs is lower with two latents than with one, in each of them too."""
    epoch = min(_epochs(evidence, variant) for variant in (ONE, TWO))
    two, one = (evidence.column(variant, "val_recon_nats") for variant in (TWO, ONE))
    what = f"validation reconstruction over {span(epoch)}"
    return finding(*curves_ordered(what, ("two latents", two), "below", ("one", one), epoch, "nats"))


@check("ai3611-2")
def noise_changes_little(evidence: Evidence) -> Finding:
    """Test that over equal epochs validation loss and reconstruction with noise are lower than without, by 2 % at most, at both levels."""

    def level(name: str, variant: str) -> Measured:
        epoch = min(_epochs(evidence, variant), _epochs(evidence, ONE))
        changes: list[str] = []
        measured: list[Measured] = []
        little = True
        for quantity, term in (("loss", "neg_elbo_nats"), ("reconstruction", "recon_nats")):
            curves = [evidence.column(run, f"val_{term}") for run in (variant, ONE)]
            noised, clean = (latest(runs, epoch) for runs in curves)
            share = difference(noised, clean).mean / mean(shared(clean, noised)[0])
            little = little and abs(share) <= LITTLE
            changes.append(f"{quantity} by {_signed(100 * share)} %")
            what = f"validation {quantity} over {span(epoch)}"
            measured.append(curves_ordered(what, (name, curves[0]), "below", ("clean images", curves[1]), epoch, "nats"))
        words = f"{name} changes the validation {' and '.join(changes)} over {span(epoch)}, 2 % at most"
        parts, numbers = joined(*measured)
        return [(little, words), *parts], numbers

    return gathered(*(partial(level, *noise) for noise in NOISED.items()))


@check("ai3611-3")
def half_is_best(evidence: Evidence) -> Finding:
    """Test that 0.5 has the lowest validation loss, each at its own KL weight, and at weight 1 the lowest -ELBO, NLL, FCD.

    Losses and the FCD are of the last epochs that all runs have. The NLL is of the last weights: runs as long as that of 0.5 decide.
    """
    weights = {variant: _kl_weight(evidence, variant) for variant in (HALF, *OTHERS)}
    last = {variant: _epochs(evidence, variant) for variant in weights}
    epoch, ran = min(last.values()), last[HALF]
    equal, others = ([variant for variant in OTHERS if (last[variant] == ran) is same] for same in (True, False))
    names = {variant: f"weight {weight:g}" for variant, weight in weights.items()}

    def curve(score: str, weight: Callable[[str], float]) -> Measured:
        curves = {variant: _weighted(evidence, variant, weight(variant)) for variant in names}
        what = f"{score} over {span(epoch)}"

        def below(rival: str, name: str) -> Measured:
            return curves_ordered(what, (names[HALF], curves[HALF]), "below", (name, curves[rival]), epoch, "nats")

        return _lowest(what, "nats", names, {variant: latest(runs, epoch) for variant, runs in curves.items()}, below)

    def likelihood() -> Measured:
        if not equal:
            raise Missing(f"no other weight ran for {ran} epochs as 0.5 did")
        what = f"test NLL after epoch {ran}"

        def below(rival: str, name: str) -> Measured:
            return likelihoods_ordered(evidence, what, (names[HALF], HALF), "below", (name, rival))

        found = {variant: evidence.value(variant, "nll_nats") for variant in (HALF, *equal)}
        return _lowest(what, "nats", names, found, below, " that ran as long" if others else "")

    def distance() -> Measured:
        what = f"FCD after epoch {epoch}"
        found = {variant: _distance(evidence, variant, epoch, last[variant]) for variant in names}
        return _lowest(what, "", names, found, lambda rival, name: ordered(what, (names[HALF], found[HALF]), "below", (name, found[rival])))

    found = gathered(
        lambda: curve("validation loss at its own weight", lambda variant: weights[variant]),
        lambda: curve("validation -ELBO", lambda variant: 1.0),
        likelihood,
        distance,
    )
    for variant in others:
        found = noted(found, partial(_of_another_length, evidence, variant, names[variant], last[variant]))
    return noted(found, partial(_by_quadrature, evidence, names, equal))


def _lowest(
    what: str,
    unit: str,
    names: dict[str, str],
    found: dict[str, dict[int, float]],
    below: Callable[[str, str], Measured],
    among: str = "",
) -> Measured:
    """Measure whether weight 0.5 is `below` every rival (a variant, and its name in a sentence) by a score.

    The sentence is of the best rival; where that one is no obstacle, of the next best that is.
    """
    ranked = _ranked(found)
    best = f", the best other{among}"
    measured = [below(rival, f"{names[rival]}{best if rival == ranked[0] else ''}") for rival in ranked]
    parts, numbers = next((one for one in measured if not all(holds for holds, _ in one[0])), measured[0])
    return parts, [*(Number(f"{what}, {names[variant]}", mean(values), unit) for variant, values in found.items()), *numbers[2:]]


def _ranked(found: dict[str, dict[int, float]]) -> list[str]:
    """Return all but weight 0.5, the lowest first."""
    return sorted((variant for variant in found if variant != HALF), key=lambda variant: mean(found[variant]))


def _of_another_length(evidence: Evidence, variant: str, name: str, epochs: int) -> tuple[str, list[Number]]:
    """Tell the NLL of a run that does not decide."""
    nll = mean(evidence.value(variant, "nll_nats"))
    sentence = f"The test NLL of {name}, {text(nll)} nats, is of {epochs} epochs and does not decide."
    return sentence, [Number(f"test NLL after epoch {epochs}, {name}", nll, "nats")]


def _by_quadrature(evidence: Evidence, names: dict[str, str], rivals: Sequence[str]) -> tuple[str, list[Number]]:
    """Tell the exact NLL of weight 0.5 and of the rival with the lowest NLL, and how far importance sampling is from it."""
    found = {variant: evidence.value(variant, "nll_nats") for variant in rivals}
    pair = [HALF, *_ranked(found)[:1]]
    count, exact, off = _quadratures(evidence, pair)
    sizes = " and ".join(f"{text(nll)} nats at {names[variant]}" for variant, nll in zip(pair, exact, strict=True))
    sentence = (
        f"By quadrature, exact but for its grid, the NLL of {count:,} test images is {sizes}, from which importance sampling is off by "
        f"{' and '.join(map(_signed, off))} nats; this does not decide either."
    )
    return sentence, [
        Number(f"{what}, {count:,} images, {names[variant]}", value, "nats")
        for what, values in (("test NLL by quadrature", exact), ("importance sampling above it", off))
        for variant, value in zip(pair, values, strict=True)
    ]


def _quadratures(evidence: Evidence, pair: Sequence[str]) -> tuple[int, list[float], list[float]]:
    """Return of two variants the number of images of their quadratures, the NLLs, and how far importance sampling lies above them.

    Raises
    ------
    Missing
        If they are not two of as many images.
    """
    counts, exact, above = (
        [mean(evidence.estimate(variant, key, "quadrature")) for variant in pair] for key in ("n_images", "nll_nats", "difference_nats")
    )
    if len(pair) != 2 or counts[0] != counts[1]:
        raise Missing("two quadratures of as many images")
    return round(counts[0]), exact, above


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{text(value)}"


@check("ai3611-4")
def algorithm_one_trains(evidence: Evidence) -> Finding:
    """Test that the validation -ELBO falls from the first epoch to the last, and the estimator as printed varies no more than corrected."""

    def loss() -> Measured:
        epochs = (_epochs(evidence, BERNOULLI), 1)
        last, first = ((f"epoch {epoch}", _at(evidence, BERNOULLI, epoch, "neg_elbo_nats")) for epoch in epochs)
        return ordered("validation -ELBO by the corrected estimator", last, "below", first, "nats")

    def variance() -> Measured:
        rows = evidence.probe("estimator_variance")["rows"]
        deviations = {(row["state"], row["estimator"]): finite(row, "gradient_standard_deviation") for row in rows}
        ratios = {state: (deviations[state, PRINTED] / deviations[state, CORRECTED]) ** 2 for state in STATES}
        sizes = " and ".join(
            f"{text(deviations[state, PRINTED])} against {text(deviations[state, CORRECTED])} {when}" for state, when in STATES.items()
        )
        words = f"gradient varies no more as printed than corrected, standard deviation {sizes} (one seed)"
        numbers = [
            *(
                Number(f"gradient standard deviation, {name.replace('_', ' ')}, {state}", value)
                for (state, name), value in deviations.items()
            ),
            *(Number(f"gradient variance as printed over corrected, {state}", ratio) for state, ratio in ratios.items()),
        ]
        return [(all(ratio <= 1 for ratio in ratios.values()), words)], numbers

    return gathered(loss, variance)


@check("ai3611-5")
def rankings_agree(evidence: Evidence) -> Finding:
    """Test that reconstruction and NLL of the test images put the same latents first, Gaussian or Bernoulli, 20 of them."""
    clauses, first = [], []
    numbers: list[Number] = []
    for quantity, key in RANKED.items():
        gaussian, bernoulli = (evidence.value(variant, key) for variant in (TWENTY, BERNOULLI))
        gap = difference(bernoulli, gaussian)
        first.append("Gaussian" if gap.holds else "Bernoulli" if difference(gaussian, bernoulli).holds else "neither")
        sizes = f"Gaussian at {text(mean(gaussian))}, Bernoulli at {text(mean(bernoulli))}, {gap.apart('nats')}"
        clauses.append(f"{first[-1]} first by {quantity} ({sizes})")
        named: list[Named] = [("Gaussian latents", gaussian), ("Bernoulli latents", bernoulli)]
        numbers += [Number(f"test {quantity}, {which}", mean(values), "nats") for which, values in named]
    agree = first[0] == first[1] != "neither"
    found = finding([(agree, "both put the same latents first, " + ", ".join(clauses))], numbers)
    return noted(noted(found, partial(_carried, evidence)), partial(_elsewhere, evidence))


def _carried(evidence: Evidence) -> tuple[str, list[Number]]:
    """Tell what the latents carry: a Bernoulli one at most log 2 above its prior of 1/2."""
    gaussian, bernoulli = (mean(evidence.value(variant, "kl_nats")) for variant in (TWENTY, BERNOULLI))
    model: Any = evidence.variant(BERNOULLI).model
    count: int = model.latent.dim
    sentence = (
        f"{count} Bernoulli latents carry at most {count} log 2 = {text(count * log(2))} nats, here {text(bernoulli)}; the Gaussian ones "
        f"carry {text(gaussian)}."
    )
    return sentence, [
        Number("most that the Bernoulli latents can carry", count * log(2), "nats"),
        Number("KL, Bernoulli latents", bernoulli, "nats"),
        Number("KL, Gaussian latents", gaussian, "nats"),
    ]


def _elsewhere(evidence: Evidence) -> tuple[str, list[Number]]:
    """Tell how many pairs of the report's variants on the same images reconstruction and NLL rank differently, and the clearest of them."""
    known: dict[str, list[dict[int, float]]] = {}
    for variant, settings in evidence.config.variants.items():
        with suppress(Missing):
            if settings.report == "ai3611":
                known[variant] = [evidence.value(variant, key) for key in RANKED.values()]
    pairs = [(a, b) for a, b in combinations(known, 2) if _same_images(evidence, a, b) and known[a][0].keys() & known[b][0].keys()]
    if len(pairs) < 2:
        raise Missing("pairs of variants beside the claim's")
    differ = [(a, b) for a, b in pairs if prod(_above(*values) for values in zip(known[a], known[b], strict=True)) < 0]
    numbers = [Number("pairs of variants", len(pairs)), Number("pairs that reconstruction and NLL rank differently", len(differ))]
    sentence = f"Of {len(pairs)} pairs of this report's variants reconstruction and NLL rank {len(differ) or 'none'} differently"
    if not differ:
        return f"{sentence}.", numbers
    clearest = max(differ, key=lambda pair: abs(difference(*(known[variant][1] for variant in pair)).mean))
    recon, nll = (list(map(mean, shared(*values))) for values in zip(*(known[variant] for variant in clearest), strict=True))
    named = (f"{variant} ({text(a)} and {text(b)} nats)" for variant, a, b in zip(clearest, recon, nll, strict=True))
    sentence += f", by NLL most clearly {' and '.join(named)}"
    with suppress(Missing):
        count, exact, _ = _quadratures(evidence, clearest)
        sentence += f", whose NLL by quadrature on {count:,} images is {' and '.join(map(text, exact))}"
    return f"{sentence}.", numbers


def _same_images(evidence: Evidence, variant: str, other: str) -> bool:
    a, b = (evidence.variant(name) for name in (variant, other))
    return (a.dataset, a.images) == (b.dataset, b.images)


def _above(a: dict[int, float], b: dict[int, float]) -> int:
    """Return 1 where a is above b, -1 where b is above a, 0 where neither is."""
    return difference(a, b).holds - difference(b, a).holds


def _at(evidence: Evidence, variant: str, epoch: int, term: str) -> dict[int, float]:
    """Return a validation term after an epoch (from 1)."""
    return {seed: values[epoch - 1] for seed, values in evidence.column(variant, f"val_{term}").items()}


def _epochs(evidence: Evidence, variant: str) -> int:
    """Return the number of epochs that all seeds of a variant have."""
    return min(len(table) for table in evidence.history(variant).values())


def _kl_weight(evidence: Evidence, variant: str) -> float:
    objective: Any = evidence.variant(variant).training.objective
    return float(objective.kl_weight)


def _weighted(evidence: Evidence, variant: str, weight: float) -> dict[int, list[float]]:
    """Return the curve of the validation loss at a weight of the KL."""
    recon, kl = (evidence.column(variant, f"val_{term}") for term in ("recon_nats", "kl_nats"))
    return {seed: [a + weight * b for a, b in zip(recon[seed], kl[seed], strict=True)] for seed in recon}


def _distance(evidence: Evidence, variant: str, epoch: int, last: int) -> dict[int, float]:
    """Return the FCD of the samples after an epoch: of the snapshot where the run went on."""
    return frechet(evidence, variant, "samples" if epoch == last else f"epoch {epoch}")
