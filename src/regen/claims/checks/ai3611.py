"""Claims of ai3611: one latent or two, noise on the data, Bernoulli latents."""

from contextlib import suppress
from functools import partial
from itertools import combinations
from math import log, prod
from typing import Any

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, difference, mean, signed, text
from regen.claims.measures import Measured, Named, curves_ordered, finding, gathered, joined, latest, noted, ordered, span
from regen.claims.registry import check
from regen.claims.values import at_epoch, finite, quadratures, shared

ONE, TWO, TWENTY, BERNOULLI = "ai3611-vae-z1-mnist", "ai3611-vae-z2-mnist", "ai3611-vae-z20-mnist", "ai3611-bernvae-mnist"
NOISED = {"noise of 0.001": "ai3611-vae-z1-noise-mnist", "noise of 0.1": "ai3611-vae-z1-noise01-mnist"}

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
    epoch = min(evidence.epochs(variant) for variant in (ONE, TWO))
    two, one = (evidence.column(variant, "val_recon_nats") for variant in (TWO, ONE))
    what = f"validation reconstruction over {span(epoch)}"
    return finding(*curves_ordered(what, ("two latents", two), "below", ("one", one), epoch, "nats"))


@check("ai3611-2")
def noise_changes_little(evidence: Evidence) -> Finding:
    """Test that over equal epochs validation loss and reconstruction with noise are lower than without, by 2 % at most, at both levels."""

    def level(name: str, variant: str) -> Measured:
        epoch = min(evidence.epochs(variant), evidence.epochs(ONE))
        changes: list[str] = []
        measured: list[Measured] = []
        little = True
        for quantity, term in (("loss", "neg_elbo_nats"), ("reconstruction", "recon_nats")):
            curves = [evidence.column(run, f"val_{term}") for run in (variant, ONE)]
            noised, clean = (latest(runs, epoch) for runs in curves)
            share = difference(noised, clean).mean / mean(shared(clean, noised)[0])
            little = little and abs(share) <= LITTLE
            changes.append(f"{quantity} by {signed(100 * share)} %")
            what = f"validation {quantity} over {span(epoch)}"
            measured.append(curves_ordered(what, (name, curves[0]), "below", ("clean images", curves[1]), epoch, "nats"))
        words = f"{name} changes the validation {' and '.join(changes)} over {span(epoch)}, 2 % at most"
        parts, numbers = joined(*measured)
        return [(little, words), *parts], numbers

    return gathered(*(partial(level, *noise) for noise in NOISED.items()))


@check("ai3611-4")
def algorithm_one_trains(evidence: Evidence) -> Finding:
    """Test that the validation -ELBO falls from the first epoch to the last, and the estimator as printed varies no more than corrected."""

    def loss() -> Measured:
        epochs = (evidence.epochs(BERNOULLI), 1)
        last, first = ((f"epoch {epoch}", at_epoch(evidence, BERNOULLI, "val_neg_elbo_nats", epoch)) for epoch in epochs)
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
    pair, errors, likelihoods = (" and ".join(values) for values in (clearest, map(text, recon), map(text, nll)))
    sentence += f", by NLL most clearly {pair}: reconstruction {errors}, NLL {likelihoods} nats"
    with suppress(Missing):
        count, exact, _ = quadratures(evidence, clearest)
        sentence += f", by quadrature on {count:,} images {' and '.join(map(text, exact))}"
    return f"{sentence}. One pair on which both agree does not make reconstruction a sound criterion.", numbers


def _same_images(evidence: Evidence, variant: str, other: str) -> bool:
    a, b = (evidence.variant(name) for name in (variant, other))
    return (a.dataset, a.images) == (b.dataset, b.images)


def _above(a: dict[int, float], b: dict[int, float]) -> int:
    """Return 1 where a is above b, -1 where b is above a, 0 where neither is."""
    return difference(a, b).holds - difference(b, a).holds
