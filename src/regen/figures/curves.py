"""Loss curves: training and validation against the epoch, seeds as a band."""

from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from regen.figures.style import BLUE, GREEN, VERMILLION

__all__ = ["Quantity", "loss_curves", "quantity_of"]


class Quantity(NamedTuple):
    """A column of history.csv that a model is judged by, without its `train_` or `val_`."""

    column: str
    label: str
    unit: str
    form: str


QUANTITIES = (
    Quantity("neg_elbo_nats", "Negative ELBO", "nats", ".1f"),
    Quantity("nll_nats", "Negative log-likelihood", "nats", ".1f"),
    Quantity("cross_entropy_nats", "Cross-entropy", "nats", ".4f"),
    Quantity("recon_nats", "Reconstruction error", "nats", ".1f"),
)
"""The first of these that a history has is its headline."""


def quantity_of(histories: list[pd.DataFrame]) -> Quantity | None:
    """Return the headline of these histories; None without histories or without one of `QUANTITIES`."""
    return next((one for one in QUANTITIES if histories and all(f"val_{one.column}" in history for history in histories)), None)


def loss_curves(histories: list[pd.DataFrame], declared_epochs: int) -> Figure:
    """Draw the headline (an image); one history a seed, the line is their mean, the band their range.

    Where something else was minimised (`train_objective_nats`), that is drawn too.
    """
    quantity = quantity_of(histories)
    if quantity is None:
        raise ValueError("histories: expected a column of QUANTITIES in each")
    figure = Figure()
    axes = figure.add_subplot()
    epochs = histories[0]["epoch"]
    lowest, highest = float("inf"), float("-inf")
    objective = all("train_objective_nats" in history for history in histories)
    for column, label, colour, dash in (
        (f"train_{quantity.column}", "training (running mean)", BLUE, "-"),
        (f"val_{quantity.column}", "validation", VERMILLION, "--"),
        ("train_objective_nats", "what is minimised, training (running mean)", GREEN, "-."),
    ):
        if any(column not in history for history in histories):
            continue
        values = pd.concat([history[column] for history in histories], axis=1)
        lowest, highest = min(lowest, values.to_numpy().min()), max(highest, values.to_numpy().max())
        axes.plot(epochs, values.mean(axis=1), dash, color=colour, label=label, marker="." if len(epochs) <= 15 else "")
        axes.fill_between(epochs, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    axes.set_xlabel("epoch" if len(epochs) == declared_epochs else f"epoch (of {len(epochs)}; the report trains {declared_epochs})")
    name = "-ELBO" if quantity.column == "neg_elbo_nats" else quantity.label
    axes.set_ylabel(f"{name}{' and objective' if objective else ''} ({quantity.unit} an image)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    # The first epoch is far above the rest; the last ones are what a reader compares.
    if lowest > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        # Over more than a decade the labels of every tick would lie on each other.
        if highest > 10 * lowest:
            axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.legend()
    return figure
