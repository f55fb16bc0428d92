"""Measures of images over the snapshots, measures of the trained variants side by side, and the classes of samples."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from regen.common.errors import UserError
from regen.figures.charts.chart import Chart, Drawn, Told, band, count, labels, log_axis, seeds_of
from regen.figures.charts.tables import MEASURES, finals, of_images, reference
from regen.figures.style import BLUE, DASHES, LINES, MARKERS
from regen.params.figures import Measures, ReportFigure, Snapshots
from regen.params.schema import ReportConfig
from regen.results import histories

__all__ = ["draw_classes", "draw_measures", "draw_snapshots"]

BEFORE, END = "before training", "end of training"


def draw_snapshots(config: ReportConfig, figure: ReportFigure, root: Path) -> Drawn | None:
    """Draw a measure of the images at every snapshot, a line a variant, seeds as a band; None without results."""
    spec = figure.chart
    assert isinstance(spec, Snapshots)
    found = {}
    for name in figure.variants:
        runs = [_moments(rows, spec, config.variants[name].training.epochs) for rows in of_images(root, config, name).values()]
        if any(runs):
            found[name] = runs
    if not found:
        return None
    ticks = sorted({moment for runs in found.values() for run in runs for moment in run}, key=_when)
    name, unit, form = MEASURES[spec.measure]
    short, chart = labels(figure.variants), Chart(figsize=(6.8, 3.8))
    axes = chart.add_subplot()
    for variant, runs in found.items():
        place = figure.variants.index(variant)
        style = {"color": LINES[place % len(LINES)], "linestyle": DASHES[place % len(DASHES)], "marker": MARKERS[place % len(MARKERS)]}
        values = np.array([[run.get(tick, math.nan) for run in runs] for tick in ticks])
        band(chart, axes, range(len(ticks)), values, ticks, Told(short[variant], unit, form), markersize=5, **style)
    real: dict[tuple[str, float], list[str]] = {}
    for variant in found:
        if value := reference(root, config, variant, spec.measure):
            real.setdefault(value, []).append(short[variant])
    for (images, level), of in real.items():
        label = images if len(of) == len(found) else f"{images}, for {', '.join(of)}"
        axes.axhline(level, color="black", linewidth=1, linestyle=_dash(images), label=label)
    axes.set_xticks(range(len(ticks)), [tick.replace(" ", "\n", 1) for tick in ticks])
    axes.set_ylabel(f"{name}{f' ({unit})' if unit else ''}")
    drawn = [*(value for _, value in real), *(point.y for line in chart.series for point in line)]
    log_axis(axes, min(drawn), max(drawn))
    axes.legend(fontsize=9)
    ends = ", ".join(
        f"{short[variant]} {np.mean([run[max(run, key=_when)] for run in runs if run]):{form}}" for variant, runs in found.items()
    )
    caption = f"{name} of {spec.images} over training; at the end: {ends}. {seeds_of(map(len, found.values())).capitalize()}."
    caption += _shortened(config, root, list(found))
    description = f"Line chart of the {name} at {', '.join(ticks)}; {count(len(found), 'variant')}: {', '.join(found)}."
    return Drawn(chart, caption + _missing(figure, list(found)), description, list(found))


def _shortened(config: ReportConfig, root: Path, variants: list[str]) -> str:
    """Say which moments the report's epochs stand for where a training ended before the last of them; nothing where none did."""
    lengths = {(len(table), config.variants[name].training.epochs) for name in variants for table in histories(root, config, name).values()}
    short = [f"{ran} of {count(declared, 'epoch')}" for ran, declared in sorted(lengths) if ran < declared]
    return f" Run: {', '.join(short)}; each moment is at its share of the steps." if short else ""


def _moments(rows: dict[str, dict[str, float]], spec: Snapshots, epochs: int) -> dict[str, float]:
    """Return the moment -> the measure; the end of training has a row of its own, which a snapshot at the last epoch repeats."""
    prefix = "" if spec.images == "samples" else f"{spec.images}, "
    found = {}
    for images, row in rows.items():
        moment = END if images == spec.images else images.removeprefix(prefix)
        known = moment == END or (images.startswith(prefix) and moment.startswith((BEFORE, "epoch ", "step ")))
        if known and row.get(spec.measure) is not None:
            found[moment] = float(row[spec.measure])
    if f"epoch {epochs}" in found:
        found.pop(END, None)
    return found


def _when(moment: str) -> float:
    """Return where a moment lies in the order of training."""
    known = {BEFORE: 0.0, END: math.inf}
    return known[moment] if moment in known else float(moment.split()[-1].replace(",", ""))


def draw_measures(config: ReportConfig, figure: ReportFigure, root: Path) -> Drawn | None:
    """Draw measures of the trained variants, a panel a measure, a row a variant, the range over seeds as a line; None without results."""
    spec = figure.chart
    assert isinstance(spec, Measures)
    kinds: list[str | None] = [*spec.images] or [None]
    found: dict[tuple[str, str, str | None], list[float]] = {
        (measure, name, images): values
        for measure in spec.measures
        for name in figure.variants
        for images in kinds
        if (values := finals(root, config, name, measure, images))
    }
    if not found:
        return None
    shown = [name for name in figure.variants if any(key[1] == name for key in found)]
    panels = [measure for measure in spec.measures if any(key[0] == measure for key in found)]
    short = labels(figure.variants)
    chart = Chart(figsize=(2.2 + 2.6 * len(panels), 1.5 + 0.32 * len(shown) + 0.2 * len(kinds)))
    for axes, measure in zip(chart.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels, strict=True):
        name, unit, form = MEASURES[measure]
        for place, images in enumerate(kinds):
            look: dict[str, Any] = {"color": LINES[place % len(LINES)], "marker": MARKERS[place % len(MARKERS)]}
            for row, variant in enumerate(shown):
                values = found.get((measure, variant, images), [])
                if values:
                    # Images of one variant stand below each other.
                    height = row + 0.5 * ((place + 0.5) / len(kinds) - 0.5)
                    _dot(chart, axes, values, height, Told(f"{short[variant]}{f', {images}' if images else ''}", unit, form), look)
            if images is not None and any(key[2] == images for key in found):
                axes.plot([], [], linestyle="none", label=images, **look)
        for row, variant in enumerate(shown):
            if real := reference(root, config, variant, measure):
                axes.plot([real[1]] * 2, [row - 0.5, row + 0.5], color="black", linewidth=1, linestyle=_dash(real[0]), label=real[0])
        axes.set_yticks(range(len(shown)), [short[variant] for variant in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.margins(x=0.12)
        axes.set_xlabel(f"{name}{f' ({unit})' if unit else ''}")
    legend = {label: handle for axes in chart.axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if legend:
        chart.legend(list(legend.values()), list(legend), loc="outside upper center", ncols=min(4, len(legend)), fontsize=9)
    caption = f"{_ends(panels, found, short)} {seeds_of(map(len, found.values())).capitalize()}."
    names = ", ".join(MEASURES[measure][0] for measure in panels)
    description = f"Dot plot of {names}, a row a variant: {', '.join(shown)}."
    return Drawn(chart, caption + _missing(figure, shown), description, shown)


def _dot(chart: Chart, axes: Axes, values: list[float], height: float, told: Told, look: dict[str, Any]) -> None:
    """Draw the mean over seeds as a dot on the line of their range."""
    mean, low, high = float(np.mean(values)), min(values), max(values)
    axes.plot([low, high], [height, height], color=look["color"], linewidth=1.5)
    axes.plot([mean], [height], linestyle="none", markersize=6, **look)
    chart.say(axes, [mean], [height], [f"{told.label}: {told.say(mean, low, high)}"])


def _ends(panels: Sequence[str], found: dict[tuple[str, str, str | None], list[float]], short: dict[str, str]) -> str:
    """Say the values of the first kind of images, a measure after the other."""
    parts = []
    for measure in panels:
        name, unit, form = MEASURES[measure]
        first = next(key[2] for key in found if key[0] == measure)
        values = ", ".join(f"{short[key[1]]} {np.mean(found[key]):{form}}" for key in found if key[0] == measure and key[2] == first)
        parts.append(f"{name[0].upper()}{name[1:]}{f' of {first}' if first else ''}: {values}{f' {unit}' if unit else ''}.")
    return " ".join(parts)


def draw_classes(config: ReportConfig, figure: ReportFigure, root: Path) -> Drawn | None:
    """Draw the classes of samples as shares, a panel a variant, those of the test images as marks; None without results."""
    found = {}
    for name in figure.variants:
        rows = of_images(root, config, name)
        tables = [(run["samples"], run.get("test images", {})) for run in rows.values() if run.get("samples", {}).get("class_counts")]
        if tables:
            found[name] = tables
    if not found:
        return None
    short = labels(figure.variants)
    columns = len(found) if len(found) <= 3 else 2
    chart = Chart(figsize=(3.2 * columns + 0.4, 2.5 * math.ceil(len(found) / columns) + 0.5))
    panels = chart.subplots(math.ceil(len(found) / columns), columns, squeeze=False, sharey=True).flatten()
    told = []
    for axes, (name, tables) in zip(panels, found.items(), strict=False):
        shares = np.array([_shares(row["class_counts"], name) for row, _ in tables])
        classes, mean = np.arange(shares.shape[1]), shares.mean(0)
        axes.bar(classes, mean, color=BLUE, width=0.7, label="samples")
        if len(shares) > 1:
            axes.vlines(classes, shares.min(0), shares.max(0), color="black", linewidth=1.2)
        chart.say(axes, classes, mean, [f"{short[name]}, class {one}: {share:.1%} of samples" for one, share in enumerate(mean)])
        if tables[0][1].get("class_counts"):
            real = _shares(tables[0][1]["class_counts"], name)
            axes.plot(classes, real, "_", color=LINES[1], markersize=11, markeredgewidth=2, label="test images")
        axes.set_xticks(classes)
        axes.set_title(short[name])
        axes.set_xlabel("class")
        top = int(mean.argmax())
        told.append(f"{short[name]} {top} ({mean[top]:.1%})")
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    chart.axes[0].set_ylabel("share")
    handles, names = chart.axes[0].get_legend_handles_labels()
    chart.legend(handles, names, loc="outside upper center", ncols=2, fontsize=9)
    caption = f"Classes of samples, as a classifier sees them. Most frequent: {', '.join(told)}."
    caption += f" {seeds_of(map(len, found.values())).capitalize()}."
    description = f"Bar charts, one a variant ({', '.join(found)}), of the share of each class among samples and test images."
    return Drawn(chart, caption + _missing(figure, list(found)), description, list(found))


def _shares(counts: list[int], name: str) -> np.ndarray:
    values = np.array(counts, dtype=float)
    if values.ndim != 1 or values.sum() <= 0:
        raise UserError(f"quality_details.json of {name}: expected counts of classes, got {counts}; delete it and run 'dvc repro'")
    shares: np.ndarray = values / values.sum()
    return shares


def _dash(images: str) -> str:
    """Return how the line of real images is drawn: a panel may have that of the test images, the next that of the training images."""
    return ":" if images.startswith("test") else "-."


def _missing(figure: ReportFigure, shown: list[str]) -> str:
    absent = [name for name in figure.variants if name not in shown]
    return f" Not measured: {', '.join(absent)}." if absent else ""
