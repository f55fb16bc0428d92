"""Loss curves: training and validation against the epoch, seeds as a band."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from regen.figures.style import BLUE, GREEN, VERMILLION

__all__ = ["Quantity", "adversarial_curves", "loss_curves", "quantity_of"]


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
        values = _band(axes, histories, column, label, colour, dash)
        lowest, highest = min(lowest, values.min()), max(highest, values.max())
    axes.set_xlabel(_epochs(len(epochs), declared_epochs))
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


def adversarial_curves(histories: list[pd.DataFrame], declared_epochs: int) -> Figure:
    """Draw what discriminator and generator minimise in training, above how the discriminator judges; seeds as in `loss_curves`."""
    critic = "train_critic" in histories[0]
    losses = (("train_critic", "critic"), ("train_generator", "generator"))
    judged = (("train_score_real", "on training images"), ("train_score_fake", "on generated images"))
    if not critic:
        losses = (("train_discriminator_nats", "discriminator"), ("train_generator_nats", "generator"))
        judged = (("train_accuracy_real", "on training images"), ("train_accuracy_fake", "on generated images"))
    figure = Figure(figsize=(6.4, 6.4))
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, columns in ((upper, losses), (lower, judged)):
        for (column, label), colour, dash in zip(columns, (BLUE, VERMILLION), ("-", "--"), strict=True):
            _band(axes, histories, column, label, colour, dash)
        axes.legend()
    upper.set_ylabel("loss (scores, no unit)" if critic else "loss (nats an image)")
    lower.set_ylabel("critic's score" if critic else "share judged rightly")
    lower.set_xlabel(_epochs(len(histories[0]), declared_epochs))
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _band(axes: Axes, histories: list[pd.DataFrame], column: str, label: str, colour: str, dash: str) -> np.ndarray:
    """Draw the mean over seeds of a column and its range; return all values (epochs, seeds)."""
    epochs = histories[0]["epoch"]
    values = pd.concat([history[column] for history in histories], axis=1)
    axes.plot(epochs, values.mean(axis=1), dash, color=colour, label=label, marker="." if len(epochs) <= 15 else "")
    axes.fill_between(epochs, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    return values.to_numpy()


def _epochs(run: int, declared: int) -> str:
    return "epoch" if run == declared else f"epoch (of {run}; the report trains {declared})"
