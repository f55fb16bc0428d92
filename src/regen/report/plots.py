"""The charts that the reports' figures ask for, made from the results: curves, snapshots, measures, classes, the naive estimator."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import pandas as pd

from regen.metrics import metric
from regen.params.figures import History, Measures, ReportFigure, Snapshots
from regen.params.schema import ReportConfig, ReportedVariant
from regen.report.charts import Chart, dots, heatmap, lines
from regen.report.names import size_label
from regen.results import Results, headline

__all__ = ["labels", "naive_estimator", "plots"]

BEFORE, END = "before training", "end of training"
POINTS = 100
"""Epochs a curve shows at most: of longer histories every second, third, ... and the last."""

Table = Mapping[str, Any]


def plots(results: Results, figure: ReportFigure) -> list[Chart]:
    """Return the charts of a figure, none where it shows pictures or nothing was measured."""
    match figure.chart:
        case None:
            return []
        case History() as spec:
            return _history(results, figure, spec)
        case Snapshots() as spec:
            return _snapshots(results, figure, spec)
        case Measures() as spec:
            return [chart for measure in spec.measures for chart in _measure(results, figure, measure, spec.images)]
        case spec:
            kinds = {"classes": _classes, "confusion": _confusion, "prior_sampling": naive_estimator, "latents": _latents}
            if spec.kind == "losses":
                return [chart for name in figure.variants for chart in _losses(results, name)]
            return kinds[spec.kind](results, figure.variants)


def labels(config: ReportConfig, names: Sequence[str]) -> dict[str, str]:
    """Return the human name of each variant; those that share one have their own name behind it."""
    titles = {name: config.variants[name].title for name in names}
    return {name: title if list(titles.values()).count(title) == 1 else f"{title} ({name})" for name, title in titles.items()}


def _axis(name: str, per_image: bool = False) -> str:
    one = metric(name)
    label = one.label[0].upper() + one.label[1:]
    return f"{label} ({one.unit}{' per image' if per_image else ''})" if one.unit else label


def _judged(name: str) -> str:
    """Return the title of an axis on which models are compared: it says which way is better."""
    better = metric(name).better
    return f"{_axis(name)}{f', {better} is better' if better else ''}"


def _sources(results: Results, names: Iterable[str], file: str) -> str:
    chosen = list(names)
    which = chosen[0] if len(chosen) == 1 else "{" + ",".join(chosen) + "}" if len(chosen) <= 3 else "*"
    return f"results/{results.config.preset}/{which}/*/{file}"


def _curve(tables: Sequence[pd.DataFrame], column: str, kind: str, limit: int | None = None) -> list[Table]:
    """Return the mean over seeds of a column and its range, a row an epoch."""
    if not tables or any(column not in table for table in tables):
        return []
    longest = max(map(len, tables))
    stride = math.ceil(longest / POINTS)
    rows: list[Table] = []
    for index in range(longest):
        values = [float(table[column].iloc[index]) for table in tables if index < len(table)]
        epoch = next(int(table["epoch"].iloc[index]) for table in tables if index < len(table))
        shown = (index % stride == 0 or index == longest - 1) and (limit is None or epoch <= limit)
        if shown and all(map(math.isfinite, values)):
            row: dict[str, Any] = {"x": epoch, "y": _short(fmean(values)), "kind": kind}
            rows.append(row | ({"low": _short(min(values)), "high": _short(max(values))} if len(values) > 1 else {}))
    return rows


def _short(value: float) -> float:
    """Return a number with six digits: what a drawing can show."""
    return float(f"{value:.6g}")


def _wide(rows: Sequence[Table]) -> bool:
    """Say whether values span more than a factor of ten, so that a logarithmic axis shows them better."""
    values = [float(row[key]) for row in rows for key in ("y", "value") if key in row]
    return min(values) > 0 and max(values) > 10 * min(values)


def _losses(results: Results, name: str) -> list[Chart]:
    variant, tables = results.config.variants[name], list(results.histories(name).values())
    source, about = _sources(results, [name], "history.csv"), f"{variant.title}, against the epoch"
    if variant.model.family == "gan":
        critic = all("train_critic" in table for table in tables)
        first = "train_critic" if critic else "train_discriminator_nats"
        second = "train_generator" if critic else "train_generator_nats"
        judge = "critic" if critic else "discriminator"
        score = "score" if critic else "accuracy"
        pairs = (
            ("Training loss" if critic else "Training loss (nats per image)", {first: judge, second: "generator"}),
            (
                "Critic's score" if critic else "Share judged rightly",
                {f"train_{score}_real": "real images", f"train_{score}_fake": "generated images"},
            ),
        )
        found = [(title, [row for column, kind in columns.items() for row in _curve(tables, column, kind)]) for title, columns in pairs]
        return [Chart(lines(rows, "epoch", title, points=False), f"{title}, {about}.", source, True) for title, rows in found if rows]
    quantity = headline(tables)
    if quantity is None:
        return []
    rows = [row for split, kind in (("train", "training"), ("val", "validation")) for row in _curve(tables, f"{split}_{quantity}", kind)]
    found = [(_axis(quantity, True), rows), (_axis("objective_nats", True), _curve(tables, "train_objective_nats", "training"))]
    return [
        Chart(lines(rows, "epoch", title, log_y=_wide(rows), points=False), f"{title}, {about}.", source, True)
        for title, rows in found
        if rows
    ]


def _history(results: Results, figure: ReportFigure, spec: History) -> list[Chart]:
    names = labels(results.config, figure.variants)
    charts = []
    for column in spec.columns:
        rows = [
            row
            for name in figure.variants
            for row in _curve(_with(results.config.variants[name], results.histories(name), column), column, names[name], spec.epochs)
        ]
        if not rows:
            continue
        split, _, quantity = column.partition("_")
        when = "training" if split == "train" else "validation"
        unit = metric(quantity).unit
        title = f"{_axis(quantity, bool(unit))}, {when}"
        chart = lines(rows, "epoch", title, log_y=bool(unit) and _wide(rows), points=False)
        drawn = {row["kind"] for row in rows}
        absent = _absent(names, drawn)
        about = f"{', '.join(name for name in names.values() if name in drawn)} alone; not recorded: {absent}" if absent else ""
        described = f"{title}, against the epoch: {figure.title}."
        charts.append(Chart(chart, described, _sources(results, figure.variants, "history.csv"), True, about))
        if spec.mean and split == "val":
            charts.append(_mean(results, figure, column, spec.epochs, f"{title}, mean over the epochs"))
    return charts


def _mean(results: Results, figure: ReportFigure, column: str, epochs: int | None, title: str) -> Chart:
    """Return a column's mean over the epochs, a row a variant; the range is that of the seeds."""
    rows = []
    for name, label in labels(results.config, figure.variants).items():
        tables = _with(results.config.variants[name], results.histories(name), column)
        values = [float(table[column][:epochs].mean()) for table in tables if column in table]
        if values:
            rows.append(_over_seeds(label, values, "mean", f"{fmean(values):,.1f}"))
    return Chart(dots(rows, title), f"{title}: {figure.title}.", _sources(results, figure.variants, "history.csv"))


def _over_seeds(label: str, values: Sequence[float], kind: str, text: str) -> Table:
    """Return a row of a dot plot: the mean of the seeds, and their range where there are several."""
    ends = {"low": min(values), "high": max(values)} if len(values) > 1 else {}
    return {"label": label, "value": fmean(values), "kind": kind, "text": text, **ends}


def _with(variant: ReportedVariant, histories: Mapping[int, pd.DataFrame], column: str) -> list[pd.DataFrame]:
    """Return the histories, with the training objective of a weighted -ELBO made of its terms where it was not recorded."""
    split, _, quantity = column.partition("_")
    objective: Any = variant.training.objective
    tables = []
    for table in histories.values():
        weighted = quantity == "objective_nats" and objective.kind == "elbo" and not objective.log_det_times_dim
        if weighted and column not in table and f"{split}_kl_nats" in table:
            table = table.assign(**{column: table[f"{split}_recon_nats"] + objective.kl_weight * table[f"{split}_kl_nats"]})
        tables.append(table)
    return tables


def _moments(run: Table, images: str, epochs: int) -> dict[str, Table]:
    """Return the moment -> its row of quality_details.json; the end of training has a row of its own, which the last snapshot repeats."""
    prefix = "" if images == "samples" else f"{images}, "
    found = {}
    for row in run.get("rows", []):
        name = str(row["images"])
        moment = END if name == images else name.removeprefix(prefix)
        if moment == END or (name.startswith(prefix) and moment.startswith((BEFORE, "epoch ", "step "))):
            found[moment] = row
    if f"epoch {epochs}" in found:
        found.pop(END, None)
    return found


def _when(moment: str) -> float:
    """Return where a moment lies in the order of training."""
    known = {BEFORE: 0.0, END: math.inf}
    return known[moment] if moment in known else float(moment.split()[-1].replace(",", ""))


def _at(results: Results, name: str, moment: str) -> str:
    """Return when a snapshot was taken that is called by the report's epoch or step: a schedule that was cut has all of them earlier."""
    variant = results.config.variants[name]
    unit, _, number = moment.partition(" ")
    if unit not in ("epoch", "step") or variant.max_steps is None or not results.histories(name):
        return moment
    return f"{unit} {float(number.replace(',', '')) * results.epochs(name) / variant.training.epochs:,g}"


def _absent(names: Mapping[str, str], drawn: Iterable[str]) -> str:
    """Name the variants that are not drawn; empty where all are."""
    there = set(drawn)
    return ", ".join(name for name in names.values() if name not in there)


def _snapshots(results: Results, figure: ReportFigure, spec: Snapshots) -> list[Chart]:
    names = labels(results.config, figure.variants)
    rows: list[Table] = []
    for name in figure.variants:
        epochs = results.config.variants[name].training.epochs
        runs = [_moments(run, spec.images, epochs) for run in results.quality_details(name).values()]
        for moment in sorted({moment for run in runs for moment in run}, key=_when):
            values = [run[moment][spec.measure] for run in runs if run.get(moment, {}).get(spec.measure) is not None]
            if values:
                ends = {"low": _short(min(values)), "high": _short(max(values))} if len(values) > 1 else {}
                rows.append({"x": _at(results, name, moment), "y": _short(fmean(values)), "kind": names[name], **ends})
    if not rows:
        return []
    order = sorted({row["x"] for row in rows}, key=_when)
    title = _judged(spec.measure)
    chart = lines(rows, "", title, log_y=_wide(rows), ordinal=order)
    described = f"{title} of {spec.images} over training: {figure.title}."
    absent = _absent(names, (row["kind"] for row in rows))
    title = f"Not measured: {absent}" if absent else ""
    return [Chart(chart, described, _sources(results, figure.variants, "quality_details.json"), True, title)]


def _measure(results: Results, figure: ReportFigure, measure: str, images: Sequence[str]) -> list[Chart]:
    """Return a dot plot of the trained variants for every size of images: what is measured on one size compares with no other."""
    names = labels(results.config, figure.variants)
    one = metric(measure)
    groups: dict[str, list[Table]] = {}
    for name in figure.variants:
        for kind in images or [""]:
            values = _finals(results, name, measure, kind)
            if values:
                row = _over_seeds(names[name], values, kind or "trained model", f"{one.text(fmean(values))} {one.unit}".strip())
                groups.setdefault(size_label(results.config.variants[name]), []).append(row)
    charts = []
    absent = _absent(names, (row["label"] for rows in groups.values() for row in rows))
    for size, rows in groups.items():
        title = _judged(measure) + (f", {size} images" if len(groups) > 1 else "")
        described = f"{title}, one row for each model: {figure.title}."
        source = _sources(results, figure.variants, "quality.json")
        charts.append(Chart(dots(rows, title, log=_wide(rows)), described, source, True, f"Not measured: {absent}" if absent else ""))
    return charts


def _finals(results: Results, name: str, measure: str, images: str) -> list[float]:
    """Return a measure of the trained variant, a value a seed: of these images, or the scalar itself."""
    if images:
        tables: list[Table] = [
            row for run in results.quality_details(name).values() for row in run.get("rows", []) if row["images"] == images
        ]
    else:
        first, second = results.metrics(name), results.quality(name)
        tables = [{**second.get(seed, {}), **first.get(seed, {})} for seed in dict.fromkeys([*first, *second])]
    return [float(table[measure]) for table in tables if table.get(measure) is not None]


def _classes(results: Results, variants: Sequence[str]) -> list[Chart]:
    names, rows = labels(results.config, variants), []
    real: list[float] = []
    for name in variants:
        tables = [{row["images"]: row for row in run.get("rows", [])} for run in results.quality_details(name).values()]
        counts = [table["samples"]["class_counts"] for table in tables if "class_counts" in table.get("samples", {})]
        real = next(
            (_shares(table["test images"]["class_counts"]) for table in tables if "class_counts" in table.get("test images", {})), real
        )
        for digit, values in enumerate(zip(*map(_shares, counts), strict=True)):
            ends = {"low": min(values), "high": max(values)} if len(values) > 1 else {}
            rows.append({"label": str(digit), "value": fmean(values), "kind": names[name], "text": f"{fmean(values):.1%}", **ends})
    rows += [{"label": str(digit), "value": share, "kind": "test images", "text": f"{share:.1%}"} for digit, share in enumerate(real)]
    if not rows:
        return []
    described = f"Share of each class among samples of {', '.join(names.values())}, and among the test images."
    return [Chart(dots(rows, "Share of the samples", percent=True), described, _sources(results, variants, "quality_details.json"), True)]


def _shares(counts: Sequence[int]) -> list[float]:
    return [count / sum(counts) for count in counts]


def _confusion(results: Results, variants: Sequence[str]) -> list[Chart]:
    matrix = next((run["confusion"] for run in results.details(variants[0]).values() if "confusion" in run), None)
    if matrix is None:
        return []
    right, total = sum(row[index] for index, row in enumerate(matrix)), sum(map(sum, matrix))
    cells = [
        {"x": str(column), "y": str(row), "value": count / max(sum(counts), 1), "text": str(count)}
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
    ]
    described = f"Confusion matrix: {right:,} of {total:,} test images lie on the diagonal."
    return [Chart(heatmap(cells, "Predicted class", "True class"), described, _sources(results, variants, "details.json"))]


def naive_estimator(results: Results, variants: Sequence[str]) -> list[Chart]:
    """Return the bias of log p(x) estimated with samples from the prior, against their number."""
    names, rows = labels(results.config, variants), []
    for name in variants:
        tables = [run["prior_sampling"] for run in results.details(name).values() if run.get("prior_sampling")]
        for same in zip(*tables, strict=False):
            bias = fmean(row["bias_nats"] for row in same)
            if bias > 0:
                rows.append({"x": same[0]["prior_samples"], "y": _short(bias), "kind": names[name]})
    if not rows:
        return []
    title = "Bias of -log p(x) (nats per image)"
    chart = lines(rows, "Samples from the prior", title, log_x=True, log_y=True)
    described = f"{title} against the number of samples from the prior, one curve for each model."
    return [Chart(chart, described, _sources(results, variants, "details.json"), True)]


def _latents(results: Results, variants: Sequence[str]) -> list[Chart]:
    """Return how many latents carry how much: the KL of each, largest first."""
    names, rows = labels(results.config, variants), []
    for name in variants:
        for run in list(results.details(name).values())[:1]:
            values = sorted((row["kl_nats"] for row in run.get("latents", []) if "kl_nats" in row), reverse=True)
            rows += [{"x": index, "y": _short(value), "kind": names[name]} for index, value in enumerate(values, 1) if value > 1e-4]
    if not rows:
        return []
    chart = lines(rows, "Latent, by rank", "KL of the latent (nats per image)", log_y=True)
    described = "KL of every latent, largest first, one curve for each model."
    return [Chart(chart, described, _sources(results, variants, "details.json"), True)]
