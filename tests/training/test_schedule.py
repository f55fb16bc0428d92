import pytest

from regen.config.variant import Training
from regen.training.schedule import plan

TRAINING = Training(optimizer="adam", learning_rate=0.001, batch_size=128, epochs=40, snapshot_epochs=[0, 1, 25, 40])


def test_full_schedule_is_the_reports() -> None:
    schedule = plan(TRAINING, 55_000, None)
    assert (schedule.epochs, schedule.steps_per_epoch, schedule.steps) == (40, 430, 17_200)
    assert schedule.snapshots == {0: 0, 1: 430, 25: 10_750, 40: 17_200}


def test_limited_steps_keep_whole_epochs_and_fractions() -> None:
    schedule = plan(TRAINING, 1000, 60)
    assert (schedule.epochs, schedule.steps) == (7, 56)
    assert schedule.snapshots == {0: 0, 1: 1, 25: 35, 40: 56}


@pytest.mark.parametrize(("images", "limit", "epochs"), [(10_000, 5, 1), (100, 1_000_000, 40)])
def test_at_least_one_epoch_and_never_more_than_declared(images: int, limit: int, epochs: int) -> None:
    assert plan(TRAINING, images, limit).epochs == epochs
