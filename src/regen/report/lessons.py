"""Ten errors to teach with: each with the picture that shows it, why it is tempting, and an exercise."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log
from statistics import fmean
from typing import Any

import yaml

from regen.config.base import Config, Name, parse
from regen.report.charts import Chart, bars, dots, lines
from regen.report.exhibits import gradients, rate_distortion, samples_needed
from regen.report.findings import Finding, better_prior, negative_loss
from regen.report.likelihoods import likelihoods
from regen.report.pictures import Pictures, Thumbnail
from regen.report.plots import labels
from regen.report.verdicts import Verdicts
from regen.results import Missing, Results

__all__ = ["Lesson", "Shown", "lessons", "read_lessons"]


class Lesson(Config):
    """An entry of lessons.yaml."""

    erratum: Name
    title: str
    tempting: str
    picture: str
    exercise: str


@dataclass(frozen=True)
class Shown:
    """What a lesson shows: charts, or pictures."""

    charts: tuple[Chart, ...] = ()
    pair: tuple[tuple[Thumbnail, str], ...] = ()


class _Lessons(Config):
    lessons: list[Lesson]


@cache
def read_lessons() -> list[Lesson]:
    """Read lessons.yaml."""
    text = (files("regen.report") / "lessons.yaml").read_text(encoding="utf-8")
    return parse(_Lessons, {"lessons": yaml.safe_load(text)}, "lessons.yaml").lessons


def lessons(results: Results, pictures: Pictures, verdicts: Verdicts) -> list[tuple[Lesson, Shown]]:
    """Return the lessons whose erratum is known, each with what it shows; nothing is shown where no result is there."""
    found = []
    for lesson in read_lessons():
        if verdicts.erratum(lesson.erratum) is None:
            continue
        try:
            shown = DRAWN[lesson.picture](results, pictures, verdicts)
        except Missing:
            shown = Shown()
        found.append((lesson, shown))
    return found


def _of(finding: Finding | None) -> Shown:
    if finding is None:
        return Shown()
    return Shown((finding.chart,) if finding.chart else (), finding.pair)


def _missing_k(results: Results, pictures: Pictures, verdicts: Verdicts) -> Shown:
    name = "davari-vae-deconv-celeba"
    rows = [
        {"x": samples, "y": nats - less * log(samples), "kind": kind}
        for kind, less in (("with 1/K", 0), ("1/K left out", 1))
        for samples, nats in _by_samples(results, name)
    ]
    chart = lines(rows, "Importance samples K", "-log p(x) (nats per image)", log_x=True)
    return Shown((Chart(chart, "-log p(x) against K, with and without the 1/K.", f"results/*/{name}/*/details.json", True),))


def _by_samples(results: Results, name: str) -> list[tuple[int, float]]:
    """Return the importance-sampled -log p(x) in nats, the mean over seeds, by the number of samples K; raises Missing without one."""
    tables = [run["likelihood"] for run in results.details(name).values() if run.get("likelihood")]
    if not tables:
        raise Missing(f"{name} has no likelihood by K")
    return [(same[0]["importance_samples"], fmean(row["nll_nats"] for row in same)) for same in zip(*tables, strict=True)]


def _prior_cost(results: Results, pictures: Pictures, verdicts: Verdicts) -> Shown:
    return Shown(tuple(samples_needed(results)))


def _bound_gap(results: Results, pictures: Pictures, verdicts: Verdicts) -> Shown:
    """Return how far -ELBO lies above the exact -log p(x): what may shrink while the likelihood falls."""
    found = {name: one for name, one in likelihoods(results).items() if one.exact is not None and one.by in ("enumeration", "quadrature")}
    names = labels(results.config, list(found))
    rows: list[dict[str, Any]] = []
    for name, one in found.items():
        gap = fmean(results.value(name, "neg_elbo_nats").values()) - one.best
        rows.append({"label": names[name], "value": gap, "text": f"{gap:.1f}"})
    if not rows:
        raise Missing("no likelihood is known exactly")
    rows.sort(key=lambda row: row["value"])
    described = "Bars: -ELBO minus the exact -log p(x), the KL from q to the posterior, of each model whose likelihood is known exactly."
    return Shown((Chart(bars(rows, "−ELBO above −log p(x) (nats per image)"), described, "results/*/*/*/details.json"),))


def _floors(results: Results, pictures: Pictures, verdicts: Verdicts) -> Shown:
    """Return the loss of a flow prior on both data sets between the images' entropy and the loss of the mean image."""
    rows: list[dict[str, Any]] = []
    for label, name in (("MNIST", "vu4a-flowvae-mnist"), ("SVHN", "vu4a-flowvae-svhn")):
        floor = results.floor(name, "validation")
        last = fmean(values[-1] for values in results.column(name, "val_neg_elbo_nats").values())
        for kind, value in (("entropy floor", floor["floor_nats"]), ("loss", last), ("loss of the mean image", floor["mean_image_nats"])):
            rows.append({"label": label, "value": value, "kind": kind, "text": f"{value:,.0f} nats"})
    described = "Dots: " + ", ".join(f"{row['label']} {row['kind']} {row['text']}" for row in rows)
    chart = dots(rows, "nats per validation image", zero=True)
    return Shown((Chart(chart, described, "results/*/vu4a-flowvae-*/*/history.csv", True),))


def _bounds(results: Results, pictures: Pictures, verdicts: Verdicts) -> Shown:
    """Return every bound of a VAE and of an IWAE, not only the one that each was trained with."""
    models = {"VAE": "ext-vae-deconv-short-celeba", "IWAE of 5 samples": "davari-iwae5-deconv-celeba"}
    rows = [{"x": samples, "y": nats, "kind": kind} for kind, name in models.items() for samples, nats in _by_samples(results, name)]
    chart = lines(rows, "Samples K of the bound", "Bound of K samples on -log p(x) (nats per image)", log_x=True)
    described = "The bound of K samples against K, of both models after as many epochs."
    return Shown((Chart(chart, described, "results/*/{ext-vae-deconv-short,davari-iwae5-deconv}-celeba/*/details.json", True),))


def _overlap(results: Results, pictures: Pictures, verdicts: Verdicts) -> Shown:
    """Return how often an output position is written by a transposed convolution of stride 2, along one axis."""
    rows = [
        {"x": position, "y": sum((position - start) in range(kernel) for start in range(-20, 40, 2)), "kind": f"kernel {kernel}"}
        for kernel in (3, 4, 5)
        for position in range(12)
    ]
    return Shown((Chart(lines(rows, "Output position", "Times written", height=170), "Times that each position is written.", "", True),))


Draw = Callable[[Results, Pictures, Verdicts], Shown]

DRAWN: dict[str, Draw] = {
    "priors": lambda results, pictures, verdicts: _of(better_prior(results, pictures, verdicts)),
    "floors": _floors,
    "missing_k": _missing_k,
    "log_determinant": lambda results, pictures, verdicts: _of(negative_loss(results, pictures, verdicts)),
    "prior_cost": _prior_cost,
    "gradients": lambda results, pictures, verdicts: Shown((gradients(),)),
    "bound_gap": _bound_gap,
    "rate_distortion": lambda results, pictures, verdicts: Shown((rate_distortion(results),)),
    "bounds": _bounds,
    "overlap": _overlap,
}
