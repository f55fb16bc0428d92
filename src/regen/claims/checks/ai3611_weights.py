"""The claim of ai3611 about the weight of the KL."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, mean, signed, text
from regen.claims.measures import Measured, curves_ordered, frechet, gathered, latest, likelihoods_ordered, noted, ordered, span
from regen.claims.registry import check
from regen.claims.values import quadratures

HALF = "ai3611-vae-z1-kl05-mnist"
OTHERS = ("ai3611-vae-z1-kl01-mnist", "ai3611-vae-z1-mnist", "ai3611-vae-z1-kl2-mnist", "ai3611-vae-z1-kl10-mnist")


@check("ai3611-3")
def half_is_best(evidence: Evidence) -> Finding:
    """Test that 0.5 has the lowest validation loss, each at its own KL weight, and at weight 1 the lowest -ELBO, NLL, FCD.

    Losses and the FCD are of the last epochs that all runs have. The NLL is of the last weights: runs as long as that of 0.5 decide.
    """
    weights = {variant: _kl_weight(evidence, variant) for variant in (HALF, *OTHERS)}
    last = {variant: evidence.epochs(variant) for variant in weights}
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
    found = noted(found, partial(_by_quadrature, evidence, names, equal))
    return noted(
        found, lambda: ("At its own weight the smaller one has the lower optimum: that losses are lowest there shows nothing.", [])
    )


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
    count, exact, off = quadratures(evidence, pair)
    sizes = " and ".join(f"{text(nll)} nats at {names[variant]}" for variant, nll in zip(pair, exact, strict=True))
    sentence = (
        f"By quadrature, exact but for its grid, the NLL of {count:,} test images is {sizes}, from which importance sampling is off by "
        f"{' and '.join(map(signed, off))} nats. Where that is more than the two differ by, importance sampling does not order them."
    )
    return sentence, [
        Number(f"{what}, {count:,} images, {names[variant]}", value, "nats")
        for what, values in (("test NLL by quadrature", exact), ("importance sampling above it", off))
        for variant, value in zip(pair, values, strict=True)
    ]


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
