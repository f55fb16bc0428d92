"""What is said beside the loss curves of one variant: caption and description."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regen.figures.charts.losses import losses
from regen.params.schema import ReportConfig

NAME = "vu4a-flowvae-mnist-logdet-times-d"


@pytest.mark.parametrize("minimised", [False, True])
def test_what_is_minimised_is_named_where_it_is_drawn(minimised: bool, small: Callable[..., ReportConfig], tmp_path: Path) -> None:
    config = small(NAME)
    path = tmp_path / "results" / config.preset / NAME / "0/history.csv"
    path.parent.mkdir(parents=True)
    more = (",train_objective_nats", ",-70", ",-90") if minimised else ("", "", "")
    rows = ("epoch,train_neg_elbo_nats,val_neg_elbo_nats", "1,200,150.25", "2,160,140.5")
    path.write_text("\n".join(row + end for row, end in zip(rows, more, strict=True)) + "\n")
    drawn = losses(config, NAME, tmp_path)
    assert drawn is not None and "Validation ends at 140.5 nats." in drawn.caption
    assert ("in training it ends at -90.0 nats" in drawn.caption) == minimised
    assert ("below, what is minimised in training" in drawn.description) == minimised
    assert drawn.description.startswith("Line charts of the negative ELBO" if minimised else "Line chart of the negative ELBO")
