"""Columns of history.csv of several variants against the epoch."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from regen.figures.charts.chart import Chart, Drawn, Told, band, count, epoch_axis, labels, log_axis, seeds_of
from regen.figures.style import DASHES, LINES
from regen.params.figures import History, ReportFigure
from regen.params.schema import ReportConfig, ReportedVariant
from regen.results import histories

__all__ = ["draw_history"]

QUANTITIES = {
    "objective_nats": ("what is minimised", "nats", ".1f"),
    "neg_elbo_nats": ("-ELBO", "nats", ".1f"),
    "recon_nats": ("reconstruction error", "nats", ".1f"),
    "kl_nats": ("KL", "nats", ".2f"),
    "nll_nats": ("negative log-likelihood", "nats", ".1f"),
    "cross_entropy_nats": ("cross-entropy", "nats", ".4f"),
    "accuracy": ("accuracy", "", ".4f"),
    "mse_per_pixel": ("squared error a pixel", "", ".4f"),
}
SPLITS = {"train": "training", "val": "validation"}


class Line(NamedTuple):
    """What is drawn of one variant and column: values (epochs, seeds)."""

    variant: str
    column: str
    epochs: list[int]
    values: np.ndarray


def draw_history(config: ReportConfig, figure: ReportFigure, root: Path) -> Drawn | None:
    """Draw a line a variant and column: a panel a column, or one panel of all columns for a single variant. None without results.

    Raises
    ------
    UserError
        If a history is not the CSV that training writes.
    """
    spec = figure.chart
    assert isinstance(spec, History)
    runs = {name: list(found.values()) for name in figure.variants if (found := histories(root, config, name))}
    lines = [
        line
        for column in spec.columns
        for name, tables in runs.items()
        if (line := _line(config.variants[name], name, tables, column, spec.epochs)) is not None
    ]
    if not lines:
        return None
    single = len(figure.variants) == 1
    columns = list(dict.fromkeys(line.column for line in lines))
    shown = [columns] if single else [[column] for column in columns]
    short = labels(figure.variants)
    chart = Chart(figsize=(6.4 if len(shown) == 1 else 4.8 * len(shown), 3.8))
    panels = chart.subplots(1, len(shown), squeeze=False)[0]
    for axes, together in zip(panels, shown, strict=True):
        drawn = [line for line in lines if line.column in together]
        for line in drawn:
            place = columns.index(line.column) if single else figure.variants.index(line.variant)
            told = Told(_split(line.column) if single else short[line.variant], *_quantity(line.column)[1:])
            style = {"color": LINES[place % len(LINES)], "linestyle": DASHES[place % len(DASHES)]}
            where = [f"epoch {epoch}" for epoch in line.epochs]
            band(chart, axes, line.epochs, line.values, where, told, marker="." if len(line.epochs) <= 15 else "", **style)
            if spec.mean:
                axes.axhline(np.nanmean(line.values), linewidth=1, alpha=0.7, label=f"{told.label}, mean over epochs", **style)
        last = max(line.epochs[-1] for line in drawn)
        epoch_axis(axes, last, max(_declared(config, line.variant, spec.epochs) for line in drawn))
        name, unit, _ = _quantity(together[0])
        axes.set_ylabel(f"{name}{f' ({unit} an image)' if unit else ''}")
        if not single:
            axes.set_title(_split(together[0]))
        if unit:
            log_axis(axes, min(np.nanmin(line.values) for line in drawn), max(np.nanmax(line.values) for line in drawn))
        axes.legend(fontsize=9)
    caption = _caption(config, figure, spec, lines, short) + f" {seeds_of(len(tables) for tables in runs.values()).capitalize()}."
    return Drawn(chart, caption, _description(lines, runs), list(runs))


def _line(variant: ReportedVariant, name: str, tables: list[pd.DataFrame], column: str, limit: int | None) -> Line | None:
    """Return a column of a variant's histories up to an epoch; None if one of them lacks it."""
    found = [_values(variant, table, column) for table in tables]
    if any(one is None for one in found):
        return None
    epochs = max((table["epoch"] for table in tables), key=len)
    kept = epochs <= (limit or epochs.max())
    values = pd.concat(found, axis=1).to_numpy(dtype=float)[kept.to_numpy()]
    return Line(name, column, epochs[kept].astype(int).tolist(), values)


def _values(variant: ReportedVariant, table: pd.DataFrame, column: str) -> "pd.Series | None":
    """Return a column; what is minimised is the -ELBO at its own weight, recorded in training where that is another quantity."""
    split, _, quantity = column.partition("_")
    if column in table:
        return table[column]
    objective = variant.training.objective
    if quantity == "objective_nats" and objective.kind == "elbo" and not objective.log_det_times_dim and f"{split}_kl_nats" in table:
        return table[f"{split}_recon_nats"] + objective.kl_weight * table[f"{split}_kl_nats"]
    return None


def _quantity(column: str) -> tuple[str, str, str]:
    return QUANTITIES[column.partition("_")[2]]


def _split(column: str) -> str:
    return SPLITS[column.partition("_")[0]]


def _declared(config: ReportConfig, variant: str, limit: int | None) -> int:
    declared = config.variants[variant].training.epochs
    return declared if limit is None else min(declared, limit)


def _caption(config: ReportConfig, figure: ReportFigure, spec: History, lines: list[Line], short: dict[str, str]) -> str:
    """Say where every line ends, and its mean if that is drawn; and what has no results."""
    parts = []
    for column in dict.fromkeys(line.column for line in lines):
        name, unit, form = _quantity(column)
        own = [line for line in lines if line.column == column]
        ends = ", ".join(
            f"{short[line.variant]} {np.nanmean(line.values[-1]):{form}}"
            + (f" (mean over epochs {np.nanmean(line.values):{form}})" if spec.mean else "")
            for line in own
        )
        parts.append(f"{_split(column).capitalize()}, {name} at the end: {ends}{f' {unit}' if unit else ''}.")
    run = {(line.epochs[-1], _declared(config, line.variant, spec.epochs)) for line in lines}
    parts += [
        (count(epochs, "epoch") if epochs >= declared else f"{epochs} of {count(declared, 'epoch')}") + "."
        for epochs, declared in sorted(run)
    ]
    if missing := [name for name in figure.variants if name not in {line.variant for line in lines}]:
        parts.append(f"Not measured: {', '.join(missing)}.")
    return " ".join(parts)


def _description(lines: list[Line], runs: dict[str, list[pd.DataFrame]]) -> str:
    drawn = ", ".join(dict.fromkeys(f"{_split(line.column)} {_quantity(line.column)[0]}" for line in lines))
    return f"Line chart against the epoch of {drawn}; {count(len(runs), 'variant')}: {', '.join(runs)}."
