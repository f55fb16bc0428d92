"""When a checkpoint is due: by a clock that the test turns."""

import pytest

from regen.training import checkpoints
from regen.training.checkpoints import Pace


def written(monkeypatch: pytest.MonkeyPatch, minutes: float, epochs: list[float]) -> list[float]:
    """Return at which minutes checkpoints are written if the epochs last so many minutes."""
    now = 1000.0
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now)
    pace, found = Pace(minutes), []
    for epoch in epochs:
        now += 60 * epoch
        if pace.due():
            found.append(now / 60 - 1000 / 60)
    return found


def test_checkpoints_are_as_far_apart_as_epochs_allow_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, 10, [4.0] * 8) == pytest.approx([8, 16, 24, 32])
    assert written(monkeypatch, 10, [1.0] * 25) == pytest.approx([10, 20])
    assert written(monkeypatch, 10, [0.01] * 900) == []


def test_epochs_longer_than_the_limit_have_one_each(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, 10, [12.0] * 3) == pytest.approx([12, 24, 36])
    assert written(monkeypatch, 10, [6.0] * 3) == pytest.approx([6, 12, 18])


def test_no_minute_is_a_checkpoint_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, 0, [0.0, 0.5, 3.0]) == pytest.approx([0.5, 3.5])
