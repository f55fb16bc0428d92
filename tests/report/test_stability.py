"""Jumps of a training loss: found in histories written by hand."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from forms import both, chapters

from regen.params.schema import ReportConfig

ReportOf = Callable[..., ReportConfig]
FLOW = "uva3-realnvp-mnist"


def write(root: Path, config: ReportConfig, train: Sequence[float], validation: Sequence[float], quantity: str = "nll_nats") -> None:
    path = root / "results" / config.preset / FLOW / "0/history.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{epoch},{a},{b}" for epoch, (a, b) in enumerate(zip(train, validation, strict=True), 1)]
    path.write_text("\n".join([f"epoch,train_{quantity},val_{quantity}", *rows]) + "\n")


def test_a_jump_is_told_with_the_spread_of_the_last_epochs(report_config: ReportOf, tmp_path: Path) -> None:
    config = report_config("paper")
    # The spread is of the last ten of twelve epochs; 109 after 100 is no jump, 1,500 after 109 is.
    write(tmp_path, config, [200, 100, 109, 1500, *[90] * 8], [999, 998, 120, 130, *[115] * 7, 117.5])
    for form in both(config, tmp_path):
        assert "109.0 to 1,500.0 nats in epoch 4. In the last 10 epochs validation lies between 115.0 and 130.0, at the end 117.5." in form
    text = chapters(both(config, tmp_path)[0])
    assert "- `uva3-realnvp-mnist`, seed 0: 109.0 to" in text["uva3"] and "rose by more than 10 %" not in text["vu4a"]


@pytest.mark.parametrize("train", [[200, 100, 50], [100, 109, 118], [-100, -95, -90], [100]])
def test_a_loss_that_falls_or_drifts_does_not_jump(train: list[float], report_config: ReportOf, tmp_path: Path) -> None:
    config = report_config("paper")
    write(tmp_path, config, train, train)
    assert "from one epoch to the next" not in both(config, tmp_path)[0]
    # What is not finite jumped; so did a negative loss by its size.
    write(tmp_path, config, [100, float("nan")], [100, 90])
    assert "100.0 to nan nats in epoch 2" in both(config, tmp_path)[0]
    write(tmp_path, config, [-100, -85], [-100, -85])
    assert "-100.0 to -85.0 nats in epoch 2" in both(config, tmp_path)[0]
