"""Claims of davari about losses and likelihoods: VAE and IWAE as plotted and by one bound, and the printed number."""

from itertools import pairwise
from statistics import fmean, stdev
from typing import Any, Literal

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, mean, text
from regen.claims.measures import Measured, Part, finding, gathered, likelihoods_ordered, noted, ordered, percent, within
from regen.claims.registry import check
from regen.claims.reported import Reading, read_reported
from regen.claims.values import read, shared

VAE, IWAE = "davari-vae-deconv-celeba", "davari-iwae5-deconv-celeba"
MODELS = {"the IWAE": IWAE, "the VAE": VAE}

MARGINAL = 0.01
"""Share of the VAE's loss up to which a difference is marginal."""

CLOSE = 0.05
"""Share of a printed number up to which a reading agrees with it."""

LAST = 100
"""Epochs whose differences are looked at."""


@check("davari-3")
def lower_throughout(evidence: Evidence) -> Finding:
    """Test that the IWAE's training objective is below the VAE's in every epoch, on average by less than 1 %, and so is its -ELBO."""
    # The VAE's objective is its -ELBO.
    scored = {"training objective": ("train_objective_nats", "train_neg_elbo_nats"), "training -ELBO": ("train_neg_elbo_nats",) * 2}
    parts: list[Part] = []
    numbers: list[Number] = []
    for name, (of_iwae, of_vae) in scored.items():
        iwae, vae = shared(evidence.column(IWAE, of_iwae), evidence.column(VAE, of_vae))
        lower = [x < y for seed in iwae for x, y in zip(iwae[seed], vae[seed], strict=False)]
        parts.append((all(lower), f"{name} of the IWAE below the VAE's in every epoch, {sum(lower):,} of {len(lower):,}"))
        numbers += [Number(f"share of epochs with the lower {name}", fmean(lower))]
        averages = ("the IWAE", _means(iwae)), ("the VAE", _means(vae))
        [(holds, words)], more = ordered(f"mean over epochs of the {name}", averages[0], "below", averages[1], "nats")
        numbers += more
        if name == "training objective":
            share = 1 - mean(_means(iwae)) / mean(_means(vae))
            parts.append((holds and share < MARGINAL, f"{words}, and by less than 1 % ({percent(share)})"))
    return finding(parts, numbers)


@check("davari-4")
def validation_lower(evidence: Evidence) -> Finding:
    """Test that the mean over epochs of the validation -ELBO of the IWAE is below the VAE's, and so is its final NLL with the same K."""

    def curves() -> Measured:
        iwae, vae = ((name, _means(evidence.column(variant, "val_neg_elbo_nats"))) for name, variant in MODELS.items())
        return ordered("mean over epochs of the validation -ELBO", iwae, "below", vae, "nats")

    def finals() -> Measured:
        samples = _most_samples(evidence)
        what = f"test NLL with K = {samples:,}"
        if all(run.get("per_image") and run["per_image"][-1].get("importance_samples") == samples for run in _runs(evidence)):
            iwae, vae = MODELS.items()
            return likelihoods_ordered(evidence, what, iwae, "below", vae)
        bounds = [(name, _bound(evidence, variant, samples)) for name, variant in MODELS.items()]
        return ordered(what, bounds[0], "below", bounds[1], "nats")

    return gathered(curves, finals)


@check("davari-8")
def printed_likelihood(evidence: Evidence) -> Finding:
    """Test that within 5 % of 7133 nats, and of 2.51 bits, lies at least one of the readings of reported.yaml.

    A constant in a reading, which no model can change, does not decide: what is above it is held against what 7133 has above it.
    """
    parts: list[Part] = []
    numbers: list[Number] = []
    offset: list[tuple[str, float, float, float]] = []
    for row in read_reported():
        if row.report != "davari":
            continue
        found = {reading.label: read(evidence, reading) for reading in row.readings}
        constants = {reading.label: _constant(evidence, reading) for reading in row.readings}
        close = [label for label, value in found.items() if within(value - constants[label], row.value - constants[label], CLOSE)]
        far = {label: abs(value - row.value) / abs(row.value - constants[label]) for label, value in found.items()}
        nearest = min(far, key=lambda label: far[label])
        apart = ", constants apart," if any(constants.values()) else ""
        words = (
            f"{len(close)} of {len(found)} readings{apart} within 5 % of {row.value:g} {row.unit}, "
            f"nearest {text(found[nearest])} ({nearest})"
        )
        parts.append((bool(close), words))
        numbers += [Number(label, value, row.unit) for label, value in found.items()]
        offset += [(label, value, constants[label], row.value) for label, value in found.items() if constants[label]]
    samples = {name: mean(evidence.value(variant, "importance_samples")) for name, variant in MODELS.items()}
    numbers += [Number(f"importance samples, {name}", value) for name, value in samples.items()]

    def above() -> tuple[str, list[Number]]:
        label, value, constant, printed = min(offset, key=lambda reading: abs(reading[1] - reading[3]))
        sentence = (
            f"Of {text(value)} nats ({label}) {text(constant)} are a constant, which no model changes and which does not count: above it "
            f"the report has {text(printed - constant)} nats, this reading {text(value - constant)}."
        )
        named = {"constant": constant, "above the constant, report": printed - constant, "above the constant": value - constant}
        return sentence, [Number(f"{name}, {label}", nats, "nats") for name, nats in named.items()]

    return noted(finding(parts, numbers), above)


def _constant(evidence: Evidence, reading: Reading) -> float:
    """Return what a reading adds whatever the model, in the reading's own unit."""
    return reading.plus / reading.parts(evidence.variant(reading.variant).shape)


@check("davari-9")
def tighter(evidence: Evidence) -> Finding:
    """Test that on the same weights of either model L_5 is below L_1, so nearer to the NLL with the most samples."""
    samples = _most_samples(evidence)
    parts: list[Part] = []
    numbers: list[Number] = []
    for name, variant in MODELS.items():
        one, five, most = (_bound(evidence, variant, count) for count in (1, 5, samples))
        [(holds, words)], more = ordered(f"test bound of {name}", ("L_5", five), "below", ("L_1", one), "nats")
        parts.append((holds and mean(most) <= mean(five), f"{words}, and the NLL with K = {samples:,} is {text(mean(most))}"))
        numbers += [*more, Number(f"test NLL of {name}, K = {samples:,}", mean(most), "nats")]
    return noted(
        finding(parts, numbers), lambda: ("On the same weights this is a theorem in the mean over draws (Burda et al., 2016).", [])
    )


@check("davari-11")
def jumpy(evidence: Evidence) -> Finding:
    """Test that over the last 100 epochs the validation -ELBO jumps more from epoch to epoch than the training -ELBO, in both models."""
    parts: list[Part] = []
    numbers: list[Number] = []
    for name, variant in MODELS.items():
        train, validation = _spread(evidence, variant, "train"), _spread(evidence, variant, "val")
        ratio = mean({seed: validation[seed] / train[seed] for seed in validation})
        what = f"standard deviation of epoch-to-epoch differences of -ELBO of {name}"
        [(holds, words)], more = ordered(what, ("validation", validation), "above", ("training", train), "nats")
        parts.append((holds, f"{words}, {text(ratio)} times"))
        numbers += [*more, Number(f"validation over training, {name}", ratio)]
    return finding(parts, numbers)


def _means(curves: dict[int, list[float]]) -> dict[int, float]:
    return {seed: fmean(curve) for seed, curve in curves.items()}


def _bound(evidence: Evidence, variant: str, samples: int) -> dict[int, float]:
    """Return -log p(x) of the test images as `samples` importance samples bound it."""
    return evidence.likelihood(variant, "nll_nats", importance_samples=samples)


def _most_samples(evidence: Evidence) -> int:
    """Return the largest number of importance samples that every run of both models has."""
    common = set.intersection(*({int(row["importance_samples"]) for row in run.get("likelihood", [])} for run in _runs(evidence)))
    if not common:
        raise Missing("the IWAE and the VAE have no number of importance samples in common")
    return max(common)


def _runs(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the tables of details.json of every run of both models."""
    return [run for variant in MODELS.values() for run in evidence.details(variant).values()]


def _spread(evidence: Evidence, variant: str, split: Literal["train", "val"]) -> dict[int, float]:
    """Return the standard deviation of the differences between neighbours of the last epochs."""
    spreads = {}
    for seed, curve in evidence.column(variant, f"{split}_neg_elbo_nats").items():
        last = curve[-LAST:]
        if len(last) < 3:
            raise Missing(f"{variant}, seed {seed}, has {len(curve)} of the three epochs that a spread of differences needs")
        spreads[seed] = stdev(after - before for before, after in pairwise(last))
    return spreads
