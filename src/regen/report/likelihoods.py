"""The likelihoods of all models in one room: the estimate, what confirms it, published values, and which differences are resolved."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean, variance
from typing import Any

from regen.claims.interval import Z, spread
from regen.claims.reads import nll, to_most_samples
from regen.params.schema import ReportedVariant
from regen.report.published import Published, read_published
from regen.results import Missing, Results

__all__ = ["KINDS", "Likelihood", "Pair", "data_of", "held_against", "likelihoods", "pairs"]

Table = dict[str, Any]

EXACT = ("enumeration", "quadrature", "annealed importance sampling")
"""Second estimates, the first of these that was made; the last lies above -log p(x) itself."""

KINDS = {
    "probability": "a probability of the images",
    "density": "a density of the pixel values",
    "unnormalised": "grey values under a Bernoulli, no likelihoods: comparable with each other only",
}
"""What -log p(x) is of, by `nll_kind` in metrics.json."""


@dataclass(frozen=True)
class Likelihood:
    """-log p(x) of one model in nats, means over seeds.

    `value` is the protocol's importance-sampling estimate on all its images with `low` and `high`, its 95 % interval over images.
    `step` is what the largest number of samples takes off (on fewer images); `exact` the value after both that step and the difference
    to the second estimate named `by`, with `exact_error` its standard error; None without one. `per_image`: (n,) values, means over seeds.
    """

    variant: str
    kind: str
    value: float
    low: float
    high: float
    bits_per_nat: float
    images: int
    step: float
    most_samples: int
    by: str
    exact: float | None
    exact_error: float
    checked: int
    per_image: list[float]

    @property
    def one_draw(self) -> bool:
        """Whether it is an upper bound of one draw of noise: not to be ranked among estimates of many draws."""
        return self.kind == "probability" and self.most_samples == 1

    @property
    def best(self) -> float:
        """The second estimate where there is one, else importance sampling with all its samples."""
        return self.value + self.step if self.exact is None else self.exact

    @property
    def bits(self) -> float:
        """The same in bits per dimension."""
        return self.best * self.bits_per_nat

    @property
    def error(self) -> float:
        """Standard error of `best` over images, and of the second estimate."""
        return math.hypot((self.high - self.low) / (2 * Z), self.exact_error)


def data_of(variant: ReportedVariant) -> tuple[str, int, int, bool]:
    """Return data set, height and width of the images that a variant is measured on, and whether they are luminances alone.

    What is measured on other images compares with nothing of it.
    """
    return variant.dataset, variant.shape[-2], variant.shape[-1], variant.images.luminance


def likelihoods(results: Results) -> dict[str, Likelihood]:
    """Return the variant -> its likelihood, of those that have one."""
    found = ((name, _likelihood(results, name)) for name in results.config.variants)
    return {name: one for name, one in found if one is not None}


def _likelihood(results: Results, name: str) -> Likelihood | None:
    runs = {seed: run for seed, run in results.metrics(name).items() if run.get("nll_nats") is not None}
    if not runs:
        return None
    details = [table for seed, table in results.details(name).items() if seed in runs]
    first = next(iter(runs.values()))
    value = fmean(run["nll_nats"] for run in runs.values())
    headline = int(first["importance_samples"])
    steps = [found for table in details if (found := to_most_samples(table, headline)) is not None]
    step, most = (fmean(one for one, _ in steps), steps[0][1]) if steps else (0.0, headline)
    checks = [check for table in details if (check := _check(table)) is not None]
    by, error, checked = "", 0.0, 0
    exact: float | None = None
    if checks:
        by, checked = checks[0]["estimate"], int(checks[0]["n_images"])
        same = [check for check in checks if check["estimate"] == by]
        exact = value + step - fmean(check["difference_nats"] for check in same)
        error = math.sqrt(sum(check["difference_standard_error_nats"] ** 2 for check in same)) / len(same)
    return Likelihood(
        variant=name,
        kind=str(first["nll_kind"]),
        value=value,
        low=fmean(run["nll_nats_low"] for run in runs.values()),
        high=fmean(run["nll_nats_high"] for run in runs.values()),
        bits_per_nat=fmean(run["bits_per_dim"] for run in runs.values()) / value,
        images=int(first["n_images"]),
        step=step,
        most_samples=most,
        by=by,
        exact=exact,
        exact_error=error,
        checked=checked,
        per_image=_per_image(details),
    )


def _check(table: Table) -> Table | None:
    rows = {row["estimate"]: row for row in table.get("checks", []) if "difference_nats" in row}
    return next((rows[name] for name in EXACT if name in rows), None)


def _per_image(details: Sequence[Table]) -> list[float]:
    """Return -log p(x) of every image of the largest set, the mean over seeds."""
    largest = [max(table["per_image"], key=lambda one: one["n_images"])["nll_nats"] for table in details if table.get("per_image")]
    return [fmean(values) for values in zip(*largest, strict=False)]


@dataclass(frozen=True)
class Pair:
    """Two models on the same images: how much lower the first lies, in nats, half of the 95 % interval, and whether it excludes zero.

    `half` is None where no error over seeds is known; the difference is open then. `samples`: how many draws both are compared at, where
    one has a single draw and the other more; 0 where each has all that it has.
    """

    better: str
    worse: str
    difference: float
    half: float | None
    resolved: bool
    samples: int = 0


def pairs(results: Results, found: Sequence[Likelihood]) -> list[Pair]:
    """Return every pair of models of one data and kind, image by image; what seeds add is the wider of what the verdicts would take.

    A model with one draw of noise and one with more are compared at one draw each, and left out where the other has no such row.
    """
    ranked = sorted(found, key=lambda one: one.best)
    result = []
    for index, first in enumerate(ranked):
        for second in ranked[index + 1 :]:
            if first.one_draw == second.one_draw:
                images = _paired_variance(first.per_image, second.per_image)
                error = math.sqrt(images + first.exact_error**2 + second.exact_error**2)
                seeds = _over_seeds(results, first.variant, second.variant)
                result.append(_pair(first, second, second.best - first.best, seeds, error))
            else:
                with suppress(Missing):
                    result.append(_at_one_draw(results, first, second))
    return result


def _pair(first: Likelihood, second: Likelihood, difference: float, seeds: float | None, error: float, samples: int = 0) -> Pair:
    """Return the pair with the lower one in front; `error` is the standard error of what are no seeds."""
    better, worse = (first, second) if difference >= 0 else (second, first)
    half = None if seeds is None else math.hypot(seeds, Z * error)
    return Pair(better.variant, worse.variant, abs(difference), half, half is not None and abs(difference) > half, samples)


def _at_one_draw(results: Results, first: Likelihood, second: Likelihood) -> Pair:
    """Return the pair at one draw each, with the spread over seeds that estimates of more draws have.

    Image by image one draw is not recorded where there are more, so the errors over images are added.
    """

    def read(name: str, key: str = "nll_nats") -> dict[int, float]:
        return results.likelihood(name, key, importance_samples=1, n_images=first.images)

    low, high = ([fmean(read(one.variant, f"nll_nats_{end}").values()) for one in (first, second)] for end in ("low", "high"))
    error = math.hypot(*((b - a) / (2 * Z) for a, b in zip(low, high, strict=True)))
    difference = fmean(read(second.variant).values()) - fmean(read(first.variant).values())
    return _pair(first, second, difference, _over_seeds(results, first.variant, second.variant), error, 1)


def _over_seeds(results: Results, first: str, second: str) -> float | None:
    """Return half of the interval over seeds of the difference of two models, the wider of both orders; None where none is known."""
    halves = []
    for a, b in ((first, second), (second, first)):
        with suppress(Missing):
            halves.append(spread(results, nll(results, a, b), a, b).half)
    known = [half for half in halves if half is not None]
    return max(known) if known else None


def _paired_variance(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the variance of the mean difference of two models over the images that both have."""
    differences = [b - a for a, b in zip(first, second, strict=False)]
    return variance(differences) / len(differences) if len(differences) > 1 else 0.0


def held_against(results: Results, found: dict[str, Likelihood]) -> list[Table]:
    """Return published numbers with the variant nearest to each, of those that ran on the official data: here, published, what differs."""
    rows = []
    for one in read_published():
        beside = one.beside
        if beside is None or beside.variant not in results.config.variants:
            continue
        here = _here(results, found, one, beside.variant)
        if here is None:
            continue
        epochs = results.config.variants[beside.variant].training.epochs
        schedule = "" if beside.epochs is None else f"{epochs:,} of {beside.epochs:,} epochs; "
        rows.append({"variant": beside.variant, "here": here, "published": one, "differs": schedule + beside.differs})
    return rows


def _here(results: Results, found: dict[str, Likelihood], one: Published, name: str) -> float | None:
    variant = results.config.variants[name]
    images = variant.images
    if variant.data_source != "official" or variant.dataset != one.dataset or images.size is not None or images.binarisation is not None:
        return None
    if one.quantity == "neg_elbo_nats":
        values = [run["neg_elbo_nats"] for run in results.metrics(name).values() if run.get("neg_elbo_nats") is not None]
        return fmean(values) if values else None
    likelihood = found.get(name)
    if likelihood is None or likelihood.kind != "probability":
        return None
    return likelihood.bits if one.quantity == "bits_per_dim" else likelihood.best
