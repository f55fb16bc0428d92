"""The gallery of models: samples, distance, recall, likelihood and training cost of each, by data; what may stand in one table."""

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from regen.claims.interval import Z
from regen.common.files import read_json
from regen.metrics import METRICS
from regen.params.schema import ReportedVariant
from regen.report.charts import Chart, dots, scatter
from regen.report.likelihoods import KINDS, Likelihood, Pair, data_of, likelihoods, pairs
from regen.report.names import data_label, duration, family_label, rounded, size_label, spread
from regen.report.pictures import Pictures, Thumbnail
from regen.results import Missing, Results

__all__ = ["Floor", "Group", "Model", "floor", "groups", "table"]

DISTANCE = "frechet_classifier_distance"

AXES = {
    "probability": "−log p(x) (nats per image)",
    "density": "−log p(x) of a density (nats per image)",
    "unnormalised": "−log p(x) of grey values (nats per image)",
}
SCORES = {"probability": "likelihood", "density": "density of pixel values", "unnormalised": "Bernoulli score of grey values"}
"""What stands on an axis of a kind, in a chart's title."""


Data = tuple[str, int, int, bool]
"""What `data_of` returns."""


@dataclass(frozen=True)
class Model:
    """A row of the gallery; numbers are means over seeds, None where the model has none."""

    variant: str
    title: str
    report: str
    family: str
    thumbnail: Thumbnail | None
    distances: list[float]
    distance: str
    distance_range: str
    recall: float | None
    likelihood: Likelihood | None
    seconds: float | None
    """Of one processor."""
    seeds: int
    epochs: str
    images: int | None
    """How many it was trained on; None where the data card is not there."""
    faulty: bool
    """Whether its training loss has a fault that was put in on purpose."""

    @property
    def cost(self) -> str:
        """Processor time of one training."""
        return "" if self.seconds is None else duration(self.seconds)


@dataclass(frozen=True)
class Floor:
    """The distance that real images of the same size reach."""

    images: str
    value: float


@dataclass(frozen=True)
class Group:
    """Models whose images are the same: data set and size; likelihoods of one kind at a time."""

    id: str
    title: str
    notes: list[str]
    models: list[Model]
    floor: Floor | None
    kinds: list[tuple[str, str, list[Likelihood], list[Pair]]]
    charts: list[Chart]


def groups(results: Results, pictures: Pictures) -> list[Group]:
    """Return the models by data set and size of images, those with the nearest samples first."""
    found = likelihoods(results)
    costs = _costs(results)
    by_data: dict[Data, list[str]] = {}
    for name, variant in results.config.variants.items():
        if variant.model.family != "classifier":
            by_data.setdefault(data_of(variant), []).append(name)
    made = []
    for data, names in by_data.items():
        models = [_model(results, pictures, name, found.get(name), costs.get(name)) for name in names]
        models = [model for model in models if model.seeds]
        if models:
            made.append(_group(results, data, models))
    return made


def _model(results: Results, pictures: Pictures, name: str, likelihood: Likelihood | None, seconds: float | None) -> Model:
    variant = results.config.variants[name]
    try:
        distances = list(results.measure(name, "samples", DISTANCE).values())
        recall = fmean(results.measure(name, "samples", "recall").values())
    except Missing:
        distances, recall = [], None
    shown, between = spread(distances) if distances else ("", "")
    ran = min(map(len, results.histories(name).values()), default=0)
    declared = variant.training.epochs
    return Model(
        variant=name,
        title=variant.title,
        report=variant.report,
        family=family_label(variant),
        thumbnail=pictures.thumbnail(name, variant.title),
        distances=distances,
        distance=shown,
        distance_range=between,
        recall=recall,
        likelihood=likelihood,
        seconds=seconds,
        seeds=max(len(results.metrics(name)), len(results.quality(name))),
        epochs=(f"{ran} of " if 0 < ran < declared else "") + f"{declared} epochs",
        images=_trained_on(results, variant),
        faulty=bool(getattr(variant.training.objective, "log_det_times_dim", False)),
    )


def _trained_on(results: Results, variant: ReportedVariant) -> int | None:
    """Return the number of training images; with the validation images where the test set is held out in their place."""
    try:
        counts = results.card(variant.dataset)["counts"]
    except Missing:
        return None
    return int(counts["train"] + (counts["validation"] if variant.training.held_out == "test" else 0))


def _costs(results: Results) -> dict[str, float]:
    """Return the variant -> processor seconds of a training, the mean over the seeds that have them; of dated evidence alone.

    The clock's seconds compare nothing: other programs ran beside some trainings. Nor does processor time beside a GPU.
    """
    path = results.root / "results" / results.config.preset / "provenance.json"
    if not path.exists():
        return {}
    stages = read_json(path)
    found: dict[str, list[float]] = {}
    for stage, facts in stages.items():
        name, _, rest = stage.partition("/")
        timed = rest.endswith("/train") and facts.get("device") == "cpu" and "cpu_seconds" in facts
        if timed and name in results.config.variants:
            found.setdefault(name, []).append(facts["cpu_seconds"])
    return {name: fmean(values) for name, values in found.items()}


def _group(results: Results, data: Data, models: list[Model]) -> Group:
    models = sorted(models, key=lambda model: (not model.distances, fmean(model.distances) if model.distances else 0.0))
    variant = results.config.variants[models[0].variant]
    own = [model.likelihood for model in models if model.likelihood is not None]
    kinds = []
    for kind, said in KINDS.items():
        same = sorted((one for one in own if one.kind == kind), key=lambda one: one.best)
        if same:
            kinds.append((kind, said, same, pairs(results, same)))
    return Group(
        id=f"{data[0]}-{data[1]}" + ("-luminance" if data[3] else ""),
        title=f"{data_label(variant)} at {size_label(variant)}" + (", luminance" if data[3] else ""),
        notes=_notes(results, data[0], models),
        models=models,
        floor=floor(results, data, [model.variant for model in models]),
        kinds=kinds,
        charts=[chart for kind, _, same, _ in kinds for chart in _likelihood_charts(results, kind, same)] + _scatters(models, kinds),
    )


def _notes(results: Results, dataset: str, models: Sequence[Model]) -> list[str]:
    """Say what the images are, in what features distances are taken where no labels are there, and whether the trainings compare."""
    notes = []
    with suppress(Missing):
        notes.append(str(results.card(dataset)["description"]).rstrip("."))
    if results.features().get(dataset, {}).get("labels") == "nothing":
        notes.append("No labels come with them: distances are taken in the features of a network with random weights")
    counts = sorted({model.images for model in models if model.images is not None})
    if len(counts) > 1:
        notes.append(f"Models are trained on {counts[0]:,} of them or, with the validation images, on {counts[-1]:,}: their rows say which")
    if any(" of " in model.epochs for model in models):
        notes.append("Some models were trained for fewer epochs than their report's: their rows say how many")
    return notes


def floor(results: Results, data: Data, names: Sequence[str]) -> Floor | None:
    """Return the distance of training images to which samples of these variants, of one data, compare.

    Of the data set's own size, or brought to the size of the probe `reshape`.
    """
    if data[3]:
        return None
    if any(results.config.variants[name].images.size is None for name in names):
        space = results.features().get(data[0], {})
        rows = [row for row in space.get("floor", []) if row["images"] == "training images"]
        return Floor("training images", float(rows[0][DISTANCE])) if rows else None
    try:
        probe = results.probe("reshape")
    except Missing:
        return None
    if not probe["variants"] or data_of(results.config.variants[probe["variants"][0]]) != data:
        return None
    rows = [row for row in probe["rows"] if (row["images"], row["reshape"]) == ("training images", "right")]
    return Floor(f"training images brought to {data[1]}×{data[2]} and back", float(rows[0][DISTANCE])) if rows else None


def _likelihood_charts(results: Results, kind: str, found: Sequence[Likelihood]) -> list[Chart]:
    """Return the dot plot of likelihoods: the exact or annealed value in front, importance sampling beside it."""
    titles = [results.config.variants[one.variant].title for one in found]
    rows: list[dict[str, Any]] = []
    for one, title in zip(found, titles, strict=True):
        label = title if titles.count(title) == 1 else f"{title} ({results.config.variants[one.variant].report})"
        if one.exact is not None:
            near = f"{rounded(one.exact, max(one.exact_error, 0.05))} nats by {one.by}"
            ends = {"low": one.exact - Z * one.exact_error, "high": one.exact + Z * one.exact_error}
            rows.append({"label": label, "value": one.exact, "kind": "exact or annealed", "text": near, **ends})
        many = "upper bound, one draw of noise" if one.one_draw else "importance sampling"
        text = f"{rounded(one.value + one.step, 0.05)} nats, K = {one.most_samples:,}"
        ends = {"low": one.low + one.step, "high": one.high + one.step}
        rows.append({"label": label, "value": one.value + one.step, "kind": many, "text": text, **ends})
    axis = AXES[kind]
    described = f"Dot plot of {axis}, lower is better: " + ", ".join(f"{row['label']} {row['text']}" for row in rows) + "."
    spans = max(row["value"] for row in rows) > 3 * min(row["value"] for row in rows) > 0
    source, title = f"results/{results.config.preset}/*/*/details.json", _sentence_case(SCORES[kind])
    return [] if len(found) < 2 else [Chart(dots(rows, axis, log=spans), described, source, True, title)]


def _sentence_case(title: str) -> str:
    return title[:1].upper() + title[1:]


def _scatters(models: Sequence[Model], kinds: Sequence[tuple[str, str, list[Likelihood], list[Pair]]]) -> list[Chart]:
    """Return sample quality against likelihood, and both against training cost, where at least three models have both."""
    titles = {model.variant: model for model in models}
    charts = []
    for kind, _, found, _ in kinds:
        rows = [
            {"x": one.best, "y": fmean(model.distances), "kind": model.family, "name": model.title}
            for one in found
            if (model := titles[one.variant]).distances
        ]
        if len(rows) > 2:
            charts.append(_scatter(rows, AXES[kind], "Fréchet distance of samples", f"Quality of samples against {SCORES[kind]}"))
    for axis, what, values in (
        (
            "Fréchet distance of samples",
            "Quality of samples",
            {model.variant: fmean(model.distances) for model in models if model.distances},
        ),
        *((AXES[kind], _sentence_case(SCORES[kind]), {one.variant: one.best for one in found}) for kind, _, found, _ in kinds),
    ):
        rows = [
            {"x": model.seconds / 60, "y": values[model.variant], "kind": model.family, "name": model.title}
            for model in models
            if model.seconds and model.variant in values
        ]
        if len(rows) > 2:
            charts.append(_scatter(rows, "Processor minutes of a training", axis, f"{what} against cost"))
    return charts


def _scatter(rows: Sequence[dict[str, Any]], x: str, y: str, title: str) -> Chart:
    wide = {axis: max(row[axis] for row in rows) > 8 * min(row[axis] for row in rows) > 0 for axis in ("x", "y")}
    described = f"Scatter plot of {y} against {x}, a point for each of {len(rows)} models."
    return Chart(scatter(rows, x, y, log_x=wide["x"], log_y=wide["y"]), described, live=True, title=title)


def table(results: Results) -> str:
    """Return every metric of every model and seed as CSV."""
    keys = list(METRICS)
    found: list[dict[str, Any]] = []
    for name, variant in results.config.variants.items():
        first, second = results.metrics(name), results.quality(name)
        for seed in dict.fromkeys([*first, *second]):
            values = {**second.get(seed, {}), **first.get(seed, {})}
            about = {"variant": name, "title": variant.title, "data": data_label(variant), "size": size_label(variant), "seed": seed}
            found.append({**about, "nll_kind": values.get("nll_kind", ""), **{key: values[key] for key in keys if key in values}})
    used = list(dict.fromkeys(key for row in found for key in ("variant", "title", "data", "size", "seed", "nll_kind") if key in row))
    used += [key for key in keys if any(key in row for row in found)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, used, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return stream.getvalue()
