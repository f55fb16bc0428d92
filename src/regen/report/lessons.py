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
from regen.report.charts import Chart, bars, lines
from regen.report.exhibits import Viewer, gradients, rate_distortion, samples_needed
from regen.report.findings import Finding, better_prior, negative_loss, units
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
    viewers: tuple[Viewer, ...] = ()


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
    tables = [run["likelihood"] for run in results.details(name).values() if run.get("likelihood")]
    rows = [
        {
            "x": same[0]["importance_samples"],
            "y": fmean(row["nll_nats"] for row in same) - less * log(same[0]["importance_samples"]),
            "kind": kind,
        }
        for kind, less in (("with 1/K", 0), ("1/K left out", 1))
        for same in zip(*tables, strict=True)
    ]
    if not rows:
        raise Missing(f"{name} has no likelihood by K")
    chart = lines(rows, "Importance samples K", "-log p(x) (nats per image)", log_x=True)
    return Shown((Chart(chart, "-log p(x) against K, with and without the 1/K.", f"results/*/{name}/*/details.json", True),))


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


def _grids(results: Results, pictures: Pictures, verdicts: Verdicts) -> Shown:
    name = "ai3611-vae-z2-mnist"
    found = (
        (pictures.find(name, kind), title) for kind, title in (("square", "even grid from −5 to 5"), ("manifold", "quantiles of the prior"))
    )
    pair = []
    for picture, title in found:
        if picture is not None and picture.grids:
            pair.append((pictures.cut(picture, picture.grids[0], f"{name}-{picture.kind}.png", f"Decoded images on the {title}"), title))
    return Shown(pair=tuple(pair))


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
    "bits": lambda results, pictures, verdicts: _of(units(results, pictures, verdicts)),
    "missing_k": _missing_k,
    "log_determinant": lambda results, pictures, verdicts: _of(negative_loss(results, pictures, verdicts)),
    "prior_cost": _prior_cost,
    "gradients": lambda results, pictures, verdicts: Shown((gradients(),)),
    "bound_gap": _bound_gap,
    "rate_distortion": lambda results, pictures, verdicts: Shown((rate_distortion(results),)),
    "grids": _grids,
    "overlap": _overlap,
}
