"""What the curves of two players draw is what history.csv says."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from regen.figures.charts.curves import adversarial_curves, loss_curves, quantity_of

PROBABILITY = """epoch,step,train_discriminator_nats,train_accuracy_real,train_accuracy_fake,train_generator_nats,val_discriminator_nats
1,19,1.25,0.875,0.75,0.625,1.5
2,38,1.125,0.5,0.9375,-0.25,1.375
3,57,0.5,1,0,3.5,1.0625
"""
SCORE = """epoch,step,train_critic,train_score_real,train_score_fake,train_gradient_penalty,train_generator,val_critic
1,19,-2.5,4.5,2,9,-2,-1
2,38,-8,3,-5,0.5,5,-7
3,57,-0.25,0.5,0.25,0.125,-0.25,-0.5
"""
# Of each kind of history: the labels of the upper and of the lower axes with their columns, and what the axes are of.
DRAWN = {
    PROBABILITY: (
        {"discriminator": "train_discriminator_nats", "generator": "train_generator_nats"},
        {"on training images": "train_accuracy_real", "on generated images": "train_accuracy_fake"},
        ("loss (nats an image)", "share judged rightly"),
    ),
    SCORE: (
        {"critic": "train_critic", "generator": "train_generator"},
        {"on training images": "train_score_real", "on generated images": "train_score_fake"},
        ("loss (scores, no unit)", "critic's score"),
    ),
}
NAMES = {PROBABILITY: "probability", SCORE: "score"}


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(StringIO(text))


def lines(axes: Axes) -> dict[str, list[float]]:
    """Return what the lines of an axes show, by label."""
    assert all(list(line.get_xdata()) == [1, 2, 3] for line in axes.lines)
    return {str(line.get_label()): list(line.get_ydata()) for line in axes.lines}


def bands(axes: Axes) -> list[set[tuple[float, float]]]:
    """Return the corners of the bands of an axes, in the order of its lines."""
    return [
        {(float(x), float(y)) for x, y in band.get_paths()[0].vertices} for band in axes.collections if isinstance(band, PolyCollection)
    ]


def axes_of(figure: Figure) -> tuple[Axes, Axes]:
    upper, lower = figure.axes
    assert upper.get_position().y0 > lower.get_position().y0
    return upper, lower


@pytest.mark.parametrize("text", DRAWN, ids=NAMES.get)
def test_one_seed_is_drawn_as_it_is(text: str) -> None:
    history, (losses, judged, labels) = table(text), DRAWN[text]
    upper, lower = axes_of(adversarial_curves([history], declared_epochs=3))

    assert lines(upper) == {label: history[column].tolist() for label, column in losses.items()}
    assert lines(lower) == {label: history[column].tolist() for label, column in judged.items()}
    assert (upper.get_ylabel(), lower.get_ylabel()) == labels
    assert lower.get_xlabel() == "epoch" and upper.get_xlabel() == ""
    for axes, columns in ((upper, losses), (lower, judged)):
        assert [text.get_text() for text in axes.get_legend().get_texts()] == list(columns)
        # Told apart without colour too.
        assert len({line.get_color() for line in axes.lines}) == len({line.get_linestyle() for line in axes.lines}) == 2
        # Losses of either sign: a logarithm would lose some.
        assert axes.get_yscale() == "linear"


@pytest.mark.parametrize("text", DRAWN, ids=NAMES.get)
def test_seeds_are_a_mean_and_a_band_from_least_to_most(text: str) -> None:
    first, (losses, judged, _) = table(text), DRAWN[text]
    # The second seed is above the first in one epoch, below it in the next, and the same in the last.
    second = first.copy()
    apart = np.array([0.5, -0.25, 0])
    for column in (*losses.values(), *judged.values()):
        second[column] = first[column] + apart
    for axes, columns in zip(axes_of(adversarial_curves([first, second], declared_epochs=3)), (losses, judged), strict=True):
        shown = lines(axes)
        for (label, column), corners in zip(columns.items(), bands(axes), strict=True):
            one, two, three = first[column].tolist()
            assert shown[label] == [one + 0.25, two - 0.125, three]
            assert {(1, one), (1, one + 0.5), (2, two - 0.25), (2, two), (3, three)} == corners


def test_a_history_without_validation_still_draws() -> None:
    history = table(PROBABILITY)
    alone = history[[column for column in history if not str(column).startswith("val_")]]
    for axes, other in zip(
        axes_of(adversarial_curves([alone], declared_epochs=3)), axes_of(adversarial_curves([history], declared_epochs=3)), strict=True
    ):
        assert lines(axes) == lines(other)


@pytest.mark.parametrize("text", DRAWN, ids=NAMES.get)
def test_two_players_have_no_headline(text: str) -> None:
    assert quantity_of([table(text)]) is None
    with pytest.raises(ValueError, match="expected a column of QUANTITIES in each"):
        loss_curves([table(text)], declared_epochs=3)


def test_a_shortened_run_says_so_on_its_axis() -> None:
    _, lower = axes_of(adversarial_curves([table(PROBABILITY)], declared_epochs=200))
    assert lower.get_xlabel() == "epoch (of 3; the report trains 200)"
