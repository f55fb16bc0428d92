"""Claims of ai3611: one latent or two, noise on the data, the weight of the KL, Bernoulli latents."""

from collections.abc import Callable
from functools import partial
from typing import Any

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding, Number, difference, mean, text
from regen.claims.measures import Measured, Named, finding, frechet, gathered, joined, ordered, percent
from regen.claims.registry import check
from regen.claims.values import finite, shared

ONE, TWO, TWENTY, BERNOULLI = "ai3611-vae-z1-mnist", "ai3611-vae-z2-mnist", "ai3611-vae-z20-mnist", "ai3611-bernvae-mnist"
NOISED = {"noise of 0.001": "ai3611-vae-z1-noise-mnist", "noise of 0.1": "ai3611-vae-z1-noise01-mnist"}
HALF = "ai3611-vae-z1-kl05-mnist"
OTHERS = ("ai3611-vae-z1-kl01-mnist", ONE, "ai3611-vae-z1-kl2-mnist", "ai3611-vae-z1-kl10-mnist")

LITTLE = 0.02
"""Share of a loss up to which it has changed little."""

STATES = {"before training": "before training", "final": "after it"}
PRINTED, CORRECTED = "as_printed", "running_average"
"""Algorithm 1's estimator, and the corrected one that the variant is trained with."""


@check("ai3611-1")
def two_latents_reconstruct_better(evidence: Evidence) -> Finding:
    """Test that the validation reconstruction after the last epoch is lower with two latents than with one."""
    epoch = min(_epochs(evidence, variant) for variant in (ONE, TWO))
    two, one = (_at(evidence, variant, epoch, "recon_nats") for variant in (TWO, ONE))
    return finding(*ordered(f"validation reconstruction after epoch {epoch}", ("two latents", two), "below", ("one", one), "nats"))


@check("ai3611-2")
def noise_changes_little(evidence: Evidence) -> Finding:
    """Test that at equal epochs validation loss and reconstruction with noise are lower than without, by 2 % at most, at both levels."""

    def level(name: str, variant: str) -> Measured:
        epoch = min(_epochs(evidence, variant), _epochs(evidence, ONE))
        changes: list[str] = []
        measured: list[Measured] = []
        little = True
        for quantity, term in (("loss", "neg_elbo_nats"), ("reconstruction", "recon_nats")):
            noised, clean = _at(evidence, variant, epoch, term), _at(evidence, ONE, epoch, term)
            share = difference(noised, clean).mean / mean(shared(clean, noised)[0])
            little = little and abs(share) <= LITTLE
            changes.append(f"{quantity} by {'+' if share > 0 else ''}{percent(share)}")
            measured.append(ordered(f"validation {quantity}", (name, noised), "below", ("clean images", clean), "nats"))
        words = f"{name} changes the validation {' and '.join(changes)} after epoch {epoch}, 2 % at most"
        parts, numbers = joined(*measured)
        return [(little, words), *parts], [Number("epoch", epoch), *numbers]

    return gathered(*(partial(level, *noise) for noise in NOISED.items()))


@check("ai3611-3")
def half_is_best(evidence: Evidence) -> Finding:
    """Test that 0.5 has the lowest validation loss, each at its own KL weight, and at weight 1 the lowest -ELBO, NLL, FCD.

    Losses and the FCD are of the last epoch that all runs have; the NLL is of the last weights, and says whose run was longer.
    """
    weights = {variant: _kl_weight(evidence, variant) for variant in (HALF, *OTHERS)}
    last = {variant: _epochs(evidence, variant) for variant in weights}
    epoch = min(last.values())
    longer = "".join(f", that of weight {weights[variant]:g} after {count}" for variant, count in last.items() if count > epoch)
    scores: dict[str, tuple[str, Callable[[str], dict[int, float]]]] = {
        f"validation loss at its own weight after epoch {epoch}": ("nats", lambda name: _weighted(evidence, name, epoch, weights[name])),
        f"validation -ELBO after epoch {epoch}": ("nats", lambda name: _weighted(evidence, name, epoch, 1)),
        f"test NLL after epoch {epoch}{longer}": ("nats", lambda name: evidence.value(name, "nll_nats")),
        f"FCD after epoch {epoch}": ("", lambda name: _distance(evidence, name, epoch, last[name])),
    }

    def lowest(score: str, unit: str, of: Callable[[str], dict[int, float]]) -> Measured:
        found = {variant: of(variant) for variant in weights}
        rival = min(OTHERS, key=lambda variant: mean(found[variant]))
        best: Named = (f"weight {weights[rival]:g}, the best other", found[rival])
        [(_, words)], _ = ordered(score, ("weight 0.5", found[HALF]), "below", best, unit)
        holds = all(difference(found[variant], found[HALF]).holds for variant in OTHERS)
        return [(holds, words)], [Number(f"{score}, weight {weights[name]:g}", mean(values), unit) for name, values in found.items()]

    return gathered(*(partial(lowest, score, *how) for score, how in scores.items()))


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
    for quantity, key in (("reconstruction", "recon_nats"), ("NLL", "nll_nats")):
        gaussian, bernoulli = (evidence.value(variant, key) for variant in (TWENTY, BERNOULLI))
        gap = difference(bernoulli, gaussian)
        first.append("Gaussian" if gap.holds else "Bernoulli" if difference(gaussian, bernoulli).holds else "neither")
        sizes = f"Gaussian at {text(mean(gaussian))}, Bernoulli at {text(mean(bernoulli))}, {gap.apart('nats')}"
        clauses.append(f"{first[-1]} first by {quantity} ({sizes})")
        named: list[Named] = [("Gaussian latents", gaussian), ("Bernoulli latents", bernoulli)]
        numbers += [Number(f"test {quantity}, {which}", mean(values), "nats") for which, values in named]
    agree = first[0] == first[1] != "neither"
    return finding([(agree, "both put the same latents first, " + ", ".join(clauses))], numbers)


def _at(evidence: Evidence, variant: str, epoch: int, term: str) -> dict[int, float]:
    """Return a validation term after an epoch (from 1)."""
    return {seed: values[epoch - 1] for seed, values in evidence.column(variant, f"val_{term}").items()}


def _epochs(evidence: Evidence, variant: str) -> int:
    """Return the number of epochs that all seeds of a variant have."""
    return min(len(table) for table in evidence.history(variant).values())


def _kl_weight(evidence: Evidence, variant: str) -> float:
    objective: Any = evidence.variant(variant).training.objective
    return float(objective.kl_weight)


def _weighted(evidence: Evidence, variant: str, epoch: int, weight: float) -> dict[int, float]:
    """Return the validation loss after an epoch at a weight of the KL."""
    recon, kl = (_at(evidence, variant, epoch, term) for term in ("recon_nats", "kl_nats"))
    return {seed: recon[seed] + weight * kl[seed] for seed in recon}


def _distance(evidence: Evidence, variant: str, epoch: int, last: int) -> dict[int, float]:
    """Return the FCD of the samples after an epoch: of the snapshot where the run went on."""
    return frechet(evidence, variant, "samples" if epoch == last else f"epoch {epoch}")
