"""What the loss curves draw is what history.csv says."""

import itertools
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from regen.figures.charts.curves import loss_curves
from regen.figures.style import apply_style
from regen.results import quantity_of

FIRST = """epoch,step,train_neg_elbo_nats,val_neg_elbo_nats
1,8,250.5,210.25
2,16,200,180
3,24,150,140.5
"""
SECOND = FIRST.replace("250.5", "260.5").replace("140.5", "138.5")


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(text))


def test_one_seed_is_drawn_as_it_is() -> None:
    figure = loss_curves([table(FIRST)], declared_epochs=3)
    lines = {line.get_label(): line for line in figure.axes[0].lines}

    assert set(lines) == {"training (running mean)", "validation"}
    for line in lines.values():
        assert list(line.get_xdata()) == [1, 2, 3]
    assert list(lines["training (running mean)"].get_ydata()) == [250.5, 200, 150]
    assert list(lines["validation"].get_ydata()) == [210.25, 180, 140.5]
    axes = figure.axes[0]
    assert axes.get_xlabel() == "epoch" and "nats" in axes.get_ylabel()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training (running mean)", "validation"]


def test_seeds_are_a_mean_and_a_band() -> None:
    figure = loss_curves([table(FIRST), table(SECOND)], declared_epochs=3)
    train, validation = figure.axes[0].lines
    bands = [collection for collection in figure.axes[0].collections if isinstance(collection, PolyCollection)]

    assert list(train.get_ydata()) == [255.5, 200, 150]
    assert list(validation.get_ydata()) == [210.25, 180, 139.5]
    points = {tuple(point) for point in bands[0].get_paths()[0].vertices}
    assert {(1.0, 250.5), (1.0, 260.5), (2.0, 200.0), (3.0, 150.0)} <= points
    assert {(3.0, 138.5), (3.0, 140.5)} <= {tuple(point) for point in bands[1].get_paths()[0].vertices}


def test_a_shortened_run_says_so_on_its_axis() -> None:
    label = loss_curves([table(FIRST)], declared_epochs=40).axes[0].get_xlabel()
    assert "3" in label and "40" in label


@pytest.mark.parametrize(("shift", "scale"), [(0, "log"), (-200, "linear")])
def test_a_negative_loss_is_drawn_on_a_linear_axis(shift: float, scale: str) -> None:
    history = table(FIRST)
    history[["train_neg_elbo_nats", "val_neg_elbo_nats"]] += shift
    figure = loss_curves([history], declared_epochs=3)

    assert figure.axes[0].get_yscale() == scale
    assert np.isfinite(figure.axes[0].get_ylim()).all()


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("nll_nats", "Negative log-likelihood (nats an image)"),
        ("cross_entropy_nats", "Cross-entropy (nats an image)"),
        ("recon_nats", "Reconstruction error (nats an image)"),
    ],
)
def test_a_model_without_elbo_is_drawn_by_what_it_minimises(column: str, label: str) -> None:
    history = table(FIRST.replace("neg_elbo_nats", column))
    # Other columns of the same history: an accuracy, a squared error.
    history["train_accuracy"] = history["val_mse_per_pixel"] = 0.5
    axes = loss_curves([history], declared_epochs=3).axes[0]

    assert axes.get_ylabel() == label
    assert [line.get_label() for line in axes.lines] == ["training (running mean)", "validation"]
    assert [list(line.get_ydata()) for line in axes.lines] == [[250.5, 200, 150], [210.25, 180, 140.5]]


def test_the_headline_of_a_latent_variable_model_is_its_elbo() -> None:
    history = table(FIRST)
    for column in ("recon_nats", "kl_nats", "mse_per_pixel"):
        history[f"train_{column}"] = history[f"val_{column}"] = 1.0
    quantity = quantity_of([history, history])

    assert quantity is not None and (quantity.column, quantity.label, quantity.unit) == ("neg_elbo_nats", "Negative ELBO", "nats")
    axes = loss_curves([history], declared_epochs=3).axes[0]
    assert [list(line.get_ydata()) for line in axes.lines] == [[250.5, 200, 150], [210.25, 180, 140.5]]


def test_without_a_known_quantity_there_is_no_headline() -> None:
    other = table(FIRST.replace("neg_elbo_nats", "accuracy"))

    assert quantity_of([]) is None and quantity_of([other]) is None and quantity_of([table(FIRST), other]) is None
    with pytest.raises(ValueError, match="expected a column of QUANTITIES in each"):
        loss_curves([other], declared_epochs=3)


@pytest.mark.parametrize(("objective", "scale"), [([300, 280, 260], "log"), ([90, -10, -200], "linear")])
def test_what_was_minimised_has_a_panel_of_its_own(objective: list[float], scale: str) -> None:
    first, second = table(FIRST), table(SECOND)
    first["train_objective_nats"], second["train_objective_nats"] = objective, [value + 4 for value in objective]
    upper, lower = loss_curves([first, second], declared_epochs=3).axes
    (third,) = lower.lines

    assert [line.get_label() for line in (*upper.lines, third)] == ["training (running mean)", "validation", "training (running mean)"]
    assert list(third.get_xdata()) == [1, 2, 3] and list(third.get_ydata()) == [value + 2 for value in objective]
    # The other two are as they are without it, and no two share colour or dash.
    assert list(upper.lines[0].get_ydata()) == [255.5, 200, 150] and list(upper.lines[1].get_ydata()) == [210.25, 180, 139.5]
    assert len({line.get_color() for line in (*upper.lines, third)}) == len({line.get_linestyle() for line in (*upper.lines, third)}) == 3
    assert (upper.get_ylabel(), lower.get_ylabel()) == ("-ELBO (nats an image)", "what is minimised (nats an image)")
    # A negative objective cannot be drawn on a logarithmic axis.
    assert (upper.get_yscale(), lower.get_yscale()) == ("log", scale)


def labels(figure: Figure, axis: str) -> list[tuple[str, float, float]]:
    """Return the texts of the labels that are seen beside an axis, and from where to where each goes along it, in order."""
    FigureCanvasAgg(figure).draw()
    axes = figure.axes[0]
    low, high = sorted(axes.get_ylim() if axis == "y" else axes.get_xlim())
    ticks = getattr(axes, f"{axis}axis")
    shown = [tick for tick in [*ticks.get_major_ticks(), *ticks.get_minor_ticks()] if low <= tick.get_loc() <= high]
    boxes = [(tick.label1.get_text(), tick.label1.get_window_extent()) for tick in shown if tick.label1.get_text()]
    return sorted(
        [(text, box.y0 if axis == "y" else box.x0, box.y1 if axis == "y" else box.x1) for text, box in boxes], key=lambda one: one[1]
    )


@pytest.mark.parametrize("first", [250.5, 2000, 100000])
def test_labels_of_the_loss_do_not_lie_on_each_other(first: float) -> None:
    apply_style()
    found = labels(loss_curves([table(FIRST.replace("250.5", str(first)))], declared_epochs=3), "y")
    assert len(found) >= 3
    assert all(below[2] <= above[1] for below, above in itertools.pairwise(found))


def test_a_single_epoch_is_one_tick() -> None:
    apply_style()
    figure = loss_curves([table(FIRST).head(1)], declared_epochs=3)
    assert [text for text, _, _ in labels(figure, "x")] == ["1"]
