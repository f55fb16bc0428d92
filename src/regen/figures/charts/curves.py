"""Loss curves: training and validation against the epoch, seeds as a band."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from regen.figures.charts.chart import Chart, Told, band, epoch_axis, log_axis
from regen.figures.style import BLUE, GREEN, VERMILLION
from regen.results import quantity_of

__all__ = ["adversarial_curves", "loss_curves"]


def loss_curves(histories: list[pd.DataFrame], declared_epochs: int) -> Chart:
    """Draw the headline (an image); one history a seed, the line is their mean, the band their range.

    Where something else was minimised (`train_objective_nats`), that is drawn below on its own scale.
    """
    quantity = quantity_of(histories)
    if quantity is None:
        raise ValueError("histories: expected a column of QUANTITIES in each")
    name = "-ELBO" if quantity.column == "neg_elbo_nats" else quantity.label
    headline = (
        (f"train_{quantity.column}", "training (running mean)", BLUE, "-"),
        (f"val_{quantity.column}", "validation", VERMILLION, "--"),
    )
    shown: list[tuple[str, tuple[tuple[str, str, str, str], ...]]] = [(name, headline)]
    if all("train_objective_nats" in history for history in histories):
        shown.append(("what is minimised", (("train_objective_nats", "training (running mean)", GREEN, "-."),)))
    figure = Chart(figsize=(6.4, 6.4)) if len(shown) > 1 else Chart()
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (what, lines) in zip(panels, shown, strict=True):
        drawn = [
            _band(figure, axes, histories, column, Told(label, quantity.unit, quantity.form), colour, dash)
            for column, label, colour, dash in lines
            if all(column in history for history in histories)
        ]
        axes.set_ylabel(f"{what} ({quantity.unit} an image)")
        log_axis(axes, min(map(np.nanmin, drawn)), max(map(np.nanmax, drawn)))
        axes.legend()
    epoch_axis(panels[-1], len(histories[0]), declared_epochs)
    return figure


def adversarial_curves(histories: list[pd.DataFrame], declared_epochs: int) -> Chart:
    """Draw what discriminator and generator minimise in training, above how the discriminator judges; seeds as in `loss_curves`."""
    critic = "train_critic" in histories[0]
    losses = (("train_critic", "critic"), ("train_generator", "generator"))
    judged = (("train_score_real", "on training images"), ("train_score_fake", "on generated images"))
    if not critic:
        losses = (("train_discriminator_nats", "discriminator"), ("train_generator_nats", "generator"))
        judged = (("train_accuracy_real", "on training images"), ("train_accuracy_fake", "on generated images"))
    figure = Chart(figsize=(6.4, 6.4))
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, columns, unit in ((upper, losses, "" if critic else "nats"), (lower, judged, "")):
        for (column, label), colour, dash in zip(columns, (BLUE, VERMILLION), ("-", "--"), strict=True):
            _band(figure, axes, histories, column, Told(label, unit, ".3f"), colour, dash)
        axes.legend()
    upper.set_ylabel("loss (scores, no unit)" if critic else "loss (nats an image)")
    lower.set_ylabel("critic's score" if critic else "share judged rightly")
    epoch_axis(lower, len(histories[0]), declared_epochs)
    return figure


def _band(figure: Chart, axes: Axes, histories: list[pd.DataFrame], column: str, told: Told, colour: str, dash: str) -> np.ndarray:
    """Draw the mean over seeds of a column and its range; return all values (epochs, seeds)."""
    epochs = max((history["epoch"] for history in histories), key=len).tolist()
    values = pd.concat([history[column] for history in histories], axis=1).to_numpy(dtype=float)
    where = [f"epoch {epoch}" for epoch in epochs]
    band(figure, axes, epochs, values, where, told, color=colour, linestyle=dash, marker="." if len(epochs) <= 15 else "")
    return values
