"""Loss curves: training and validation -ELBO against the epoch, seeds as a band."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from regen.figures.style import BLUE, VERMILLION

__all__ = ["loss_curves"]


def loss_curves(histories: list[pd.DataFrame], declared_epochs: int) -> Figure:
    """Draw the negative ELBO (nats an image); one history a seed, the line is their mean, the band their range."""
    figure = Figure()
    axes = figure.add_subplot()
    epochs = histories[0]["epoch"]
    for column, label, colour, dash in (
        ("train_neg_elbo_nats", "training (running mean)", BLUE, "-"),
        ("val_neg_elbo_nats", "validation", VERMILLION, "--"),
    ):
        values = pd.concat([history[column] for history in histories], axis=1)
        axes.plot(epochs, values.mean(axis=1), dash, color=colour, label=label, marker="." if len(epochs) <= 15 else "")
        axes.fill_between(epochs, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    axes.set_xlabel("epoch" if len(epochs) == declared_epochs else f"epoch (of {len(epochs)}; the report trains {declared_epochs})")
    axes.set_ylabel("-ELBO (nats an image)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    # The first epoch is far above the rest; the last ones are what a reader compares.
    if values.to_numpy().min() > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    axes.legend()
    return figure
