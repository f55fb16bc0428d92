"""Claims of uva3 about its VAE."""

from collections.abc import Callable
from functools import partial
from math import log
from statistics import fmean, linear_regression
from typing import Any

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Difference, Finding, Number, difference, mean, text
from regen.claims.measures import Measured, Part, finding, frechet, gathered, joined, noted, ordered, percent, within
from regen.claims.registry import check
from regen.claims.values import at_epoch, constant, finite, shared

VAE, BINARISED, TWO = "uva3-vae-z20-mnist", "uva3-vae-z20-bmnist", "uva3-vae-z2-mnist"
FORMS = {"grey": VAE, "binarised": BINARISED}
COLUMNS = {"training": "train_neg_elbo_nats", "validation": "val_neg_elbo_nats"}
REPORTED = {1: 170.0, 5: 110.0, 40: 100.0}
"""Epoch -> negative ELBO in nats as printed."""


@check("uva3-1")
def negative_elbo(evidence: Evidence) -> Finding:
    """Compare 170 with the running training mean of epoch 1, 110 and 100 with training and validation, within 10 %; grey and binarised."""
    readings = [(epoch, split) for epoch in REPORTED for split in (("training",) if epoch == 1 else COLUMNS)]
    found = gathered(*(partial(_after, evidence, form, epoch, split) for form in FORMS for epoch, split in readings))
    return noted(found, partial(_at_the_end_of_the_first, evidence))


def _at_the_end_of_the_first(evidence: Evidence) -> tuple[str, list[Number]]:
    """Tell the loss by the weights after epoch 1, which the running mean of its steps is not."""
    values = {form: mean(at_epoch(evidence, variant, COLUMNS["validation"], 1)) for form, variant in FORMS.items()}
    if all(within(value, REPORTED[1], 0.1) for value in values.values()):
        raise Missing("validation after epoch 1 far from the report's")
    sizes = " and ".join(f"{text(value)} ({form})" for form, value in values.items())
    sentence = (
        f"Training is the mean over an epoch while the weights change. Validation after epoch 1 is {sizes}: if the report's "
        f"{REPORTED[1]:g} is of the weights after the epoch, it is not met."
    )
    return sentence, [Number(f"-ELBO, {form}, validation, epoch 1", value, "nats") for form, value in values.items()]


def _after(evidence: Evidence, form: str, epoch: int, split: str) -> Measured:
    value = mean(at_epoch(evidence, FORMS[form], COLUMNS[split], epoch))
    words = f"{form}, {split}, {text(value)} nats {'over' if split == 'training' else 'after'} epoch {epoch}, about {REPORTED[epoch]:g}"
    return [(within(value, REPORTED[epoch], 0.1), words)], [Number(f"-ELBO, {form}, {split}, epoch {epoch}", value, "nats")]


@check("uva3-2")
def validation_above_training(evidence: Evidence) -> Finding:
    """Sign and size of the gap between validation and training over the last 10 epochs."""
    parts, numbers = [], []
    for form, variant in FORMS.items():
        train, validation = (evidence.column(variant, column) for column in COLUMNS.values())
        gaps = {seed: [b - a for a, b in zip(train[seed][-10:], validation[seed][-10:], strict=True)] for seed in train}
        above = difference({seed: fmean(gap) for seed, gap in gaps.items()}, dict.fromkeys(gaps, 0.0))
        share = above.mean / mean({seed: fmean(values[-10:]) for seed, values in train.items()})
        epochs = mean({seed: float(sum(value > 0 for value in gap)) for seed, gap in gaps.items()})
        parts.append(
            (above.holds, f"{form}, validation above training over the last 10 epochs, by {percent(share)} ({above.apart('nats')})")
        )
        numbers += [Number(f"gap over the last 10 epochs, {form}", above.mean, "nats"), Number(f"gap, {form}", 100 * share, "%")]
        numbers.append(Number(f"epochs of the last 10 with validation above training, {form}", epochs))
    return noted(finding(parts, numbers), partial(_before, evidence))


def _before(evidence: Evidence) -> tuple[str, list[Number]]:
    """Tell in how many epochs validation lies below the running mean of training: both are means over seeds."""
    below = {}
    for form, variant in FORMS.items():
        train, validation = (list(map(fmean, zip(*evidence.column(variant, name).values(), strict=True))) for name in COLUMNS.values())
        below[form] = [epoch for epoch, (a, b) in enumerate(zip(train, validation, strict=True), 1) if b < a]
    if not any(below.values()):
        raise Missing("epochs with validation below training")
    which = " and ".join(
        f"in {len(epochs)} epochs ({form}), the last of them epoch {epochs[-1]}" for form, epochs in below.items() if epochs
    )
    sentence = f"Validation lies below training, which is the mean over an epoch while the weights change, {which}."
    return sentence, [Number(f"epochs with validation below training, {form}", len(epochs)) for form, epochs in below.items()]


@check("uva3-3")
def quality_improves(evidence: Evidence) -> Finding:
    """FCD(1) below half of FCD(0) and FCD(40) below FCD(1), beyond the standard errors; for decoder means and for Bernoulli samples."""
    moments = ("before training", "epoch 1", "epoch 40")
    draws = tuple(f"draws, {moment}" for moment in moments)
    return gathered(partial(_improves, evidence, "means", moments), partial(_improves, evidence, "Bernoulli samples", draws))


def _improves(evidence: Evidence, what: str, moments: tuple[str, ...]) -> Measured:
    before, first, last = (frechet(evidence, VAE, images) for images in moments)
    start, end = shared(before, first)
    shares = {seed: end[seed] / start[seed] for seed in start}
    below = difference(constant(0.5, shares), shares)
    error = "" if below.standard_error is None else f" ± {percent(below.standard_error)}"
    between = f" ({percent(min(shares.values()))} to {percent(max(shares.values()))} over {len(shares)} seeds)" if error else ""
    words = (
        f"FCD of {what} after epoch 1 is {percent(mean(shares))}{error} of that before training{between}, below half"
        f"{' by more than the standard error' if error else ''}"
    )
    numbers = [
        Number(f"FCD of {what}, before training", mean(before)),
        Number(f"FCD of {what}, epoch 1 over before training", 100 * mean(shares), "%"),
    ]
    return joined(([(below.holds, words)], numbers), ordered(f"FCD of {what}", ("epoch 40", last), "below", ("epoch 1", first)))


@check("uva3-4")
def prior_sampling_is_inefficient(evidence: Evidence) -> Finding:
    """Count the prior's samples for an effective sample size of 10: more than the encoder's at d = 2; as an exponential of d they grow."""
    found = gathered(partial(_prior_against_posterior, evidence), partial(_growth, evidence))
    return noted(found, partial(_flattered, evidence))


def _prior_against_posterior(evidence: Evidence) -> Measured:
    """Compare two ways to draw z for the model of two latents, whose truth is a quadrature."""
    runs = evidence.details(TWO)
    first = next(iter(runs.values()))
    naive = _enough([row for row in first.get("prior_sampling", []) if row["truth"] == "quadrature"], "prior_samples")
    encoder = _enough(first.get("likelihood", []), "importance_samples")
    needed, posterior = naive["prior_samples"], encoder["importance_samples"]
    words = (
        f"at d = 2 an effective sample size of 10 is first reached, of the counts tried, with {needed:,} samples from the prior, more than "
        f"the {posterior:,} from the encoder"
    )
    numbers = [
        Number("samples from the prior, d = 2, trained VAE", needed),
        Number("samples from the encoder, d = 2, trained VAE", posterior),
        Number("bias against the quadrature with these prior samples", naive["bias_nats"], "nats"),
    ]
    return [(needed > posterior, words)], numbers


def _enough(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Return the row with the fewest samples whose mean effective sample size reaches 10."""
    reached = [row for row in rows if row["ess_mean"] >= 10]
    if not reached:
        raise Missing(f"no row of {TWO} with {key} has an effective sample size of 10")
    return min(reached, key=lambda row: int(row[key]))


def _growth(evidence: Evidence) -> Measured:
    """Measure whether the counts rise, and whether their logarithm is nearer to a line in d, an exponential, than in log d, a power."""
    probe = evidence.probe("prior_cost")
    slope = probe["slope_measured"]
    if slope is None:
        raise Missing("the probe prior_cost has no slope")
    counts = ", ".join(f"{row['samples_needed']:,} at d = {row['latents']}" for row in probe["rows"] if row["samples_needed"] is not None)
    exponential, power = (_off_a_line(probe["rows"], scale) for scale in (float, log))
    words = (
        f"in a linear-Gaussian family the samples needed are {counts}, their natural logarithm grows by {text(slope)} a latent and lies "
        f"nearer to a straight line in d than in log d, by sums of squared residuals of {text(exponential)} and {text(power)}"
    )
    numbers = [Number("slope of the logarithm of the samples needed", slope, "a latent")]
    numbers.append(Number("slope in closed form", probe["slope_closed_form"], "a latent"))
    numbers.append(Number("squared residuals of the logarithm, line in d", exponential))
    numbers.append(Number("squared residuals of the logarithm, line in log d", power))
    for row in probe["rows"]:
        measured = row["samples_needed"] if row["samples_needed"] is not None else f"more than {probe['limit']:,}"
        numbers.append(Number(f"samples needed, d = {row['latents']}", measured))
        numbers.append(Number(f"samples needed in closed form, d = {row['latents']}", row["samples_needed_closed_form"]))
    return [(slope > 0 and exponential < power, words)], numbers


def _off_a_line(rows: list[dict[str, Any]], scale: Callable[[int], float]) -> float:
    """Return the sum of squared residuals of the log counts about the least-squares line in scale(d)."""
    measured = [row for row in rows if row["samples_needed"] is not None]
    if len(measured) < 3:
        raise Missing("the probe prior_cost has samples needed at fewer than three numbers of latents")
    x, y = ([convert(row[key]) for row in measured] for convert, key in ((scale, "latents"), (log, "samples_needed")))
    slope, intercept = linear_regression(x, y)
    return sum((b - intercept - slope * a) ** 2 for a, b in zip(x, y, strict=True))


def _flattered(evidence: Evidence) -> tuple[str, list[Number]]:
    """Tell how far the counts lie below the closed form where they do: the weights do not know of the largest before it is drawn."""
    probe = evidence.probe("prior_cost")
    measured, exact = (finite(probe, key) for key in ("slope_measured", "slope_closed_form"))
    most = max((row for row in probe["rows"] if row["samples_needed"] is not None), key=lambda row: int(row["latents"]))
    if measured >= exact or most["samples_needed"] >= most["samples_needed_closed_form"]:
        raise Missing("counts of samples below the closed form")
    sentence = (
        f"The effective sample size is too large while the rare large weights have not been drawn: in closed "
        f"form the logarithm grows by {text(exact)} a latent, not {text(measured)}, and d = {most['latents']} needs "
        f"{most['samples_needed_closed_form']:,.0f} samples, not {most['samples_needed']:,}."
    )
    return sentence, []


@check("uva3-9")
def samples_are_sharper(evidence: Evidence) -> Finding:
    """Variance of the Laplacian and confidence of Bernoulli samples above the means'; beside them equal noise and real images."""
    parts: list[Part] = []
    numbers: list[Number] = []
    rows = ("samples", "draws", "means with noise", "binarised test images")
    for key, name in (("laplacian_variance", "variance of the Laplacian"), ("mean_confidence", "confidence of the classifier")):
        means, draws, noisy, real = (evidence.measure(VAE, images, key) for images in rows)
        ([(holds, words)], two) = ordered(name, ("Bernoulli samples", draws), "above", ("decoder means", means))
        beside = f"{text(mean(noisy))} of means with independent noise of their variance, clipped to [0, 1]"
        parts.append((holds, f"{words}, beside {beside}, and {text(mean(real))} of real images"))
        numbers += [*two, Number(f"{name}, means with noise", mean(noisy)), Number(f"{name}, real binarised images", mean(real))]
    return finding(parts, numbers)


@check("uva3-15")
def latents_for_pretraining(evidence: Evidence) -> Finding:
    """Accuracy of a linear probe on posterior means above that on raw pixels and on an untrained encoder, for each number of labels."""
    rows = {(row["input"], row["labels"]): row for row in evidence.probe("linear_probe")["rows"]}
    parts = []
    for labels in dict.fromkeys(labels for _, labels in rows):
        means = rows["posterior means", labels]
        for other in ("raw pixels", "posterior means, untrained"):
            above = _more_accurate(means, rows[other, labels])
            name = other.replace("posterior means, untrained", "the untrained encoder")
            accuracies = (percent(means["accuracy"]), percent(rows[other, labels]["accuracy"]))
            error = "" if above.standard_error is None else f" ± {text(100 * above.standard_error)}"
            apart = f"apart by {text(100 * abs(above.mean))}{error} points over {means['draws']} draws of labels"
            words = f"{labels:,} labels, {accuracies[0]} on the latents above {accuracies[1]} on {name} ({apart})"
            parts.append((above.holds, words))
    numbers = [Number(f"accuracy, {row['input']}, {row['labels']:,} labels", 100 * row["accuracy"], "%") for row in rows.values()]
    return finding(parts, numbers)


def _more_accurate(a: dict[str, Any], b: dict[str, Any]) -> Difference:
    """Return the difference of two accuracies, each a mean over draws of the labels with its standard error.

    Both see the same draws, and the errors are added as if they did not: where the accuracies rise and fall together this is too wide.
    """
    errors = [row["standard_error"] for row in (a, b)]
    error = None if None in errors else (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    return Difference(a["accuracy"] - b["accuracy"], error, a["draws"])
