import pytest

from regen.config.base import parse
from regen.config.training import Training
from regen.training.schedule import learning_rate, plan

SETTINGS = {"objective": {"kind": "elbo"}, "optimizer": "adam", "learning_rate": 0.001, "batch_size": 128}
TRAINING = parse(Training, {**SETTINGS, "epochs": 40, "snapshot_epochs": [0, 1, 25, 40]}, "test")


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


def test_without_stages_the_rate_is_constant() -> None:
    assert [learning_rate(TRAINING, epoch, 40) for epoch in (1, 20, 40)] == [0.001] * 3


def staged(stages: int, epochs: int) -> Training:
    return parse(Training, {**SETTINGS, "learning_rate_stages": stages, "epochs": epochs, "snapshot_epochs": []}, "test")


def test_eight_stages_are_burdas() -> None:
    # Burda et al.: stage i = 1 ... 8 lasts 3^(i-1) epochs at 1e-4 round(10^(1 - (i-1)/7), 1): 3,280 in all, from 1e-3 to 1e-4.
    printed = [1e-3, 7.2e-4, 5.2e-4, 3.7e-4, 2.7e-4, 1.9e-4, 1.4e-4, 1e-4]
    assert printed == pytest.approx([1e-4 * round(10 ** (1 - (i - 1) / 7), 1) for i in range(1, 9)], rel=1e-12)
    expected = [rate for i, rate in enumerate(printed) for _ in range(3**i)]
    assert len(expected) == 3280

    rates = [learning_rate(staged(8, 3280), epoch, 3280) for epoch in range(1, 3281)]
    assert rates == pytest.approx(expected, rel=1e-12)


def test_five_stages_fall_from_a_rate_to_its_tenth_and_a_short_run_keeps_their_fractions() -> None:
    # 10^(1 - i/4) for i = 0 ... 4, rounded: 10, 5.6, 3.2, 1.8, 1.
    expected = [1e-3] + 3 * [5.6e-4] + 9 * [3.2e-4] + 27 * [1.8e-4] + 81 * [1e-4]
    training = staged(5, 121)
    assert [learning_rate(training, epoch, 121) for epoch in range(1, 122)] == pytest.approx(expected, rel=1e-12)
    # Epoch e of 11 begins where epoch 11 (e - 1) of 121 has ended: 0 | 11 | 22, 33 | 44 ...
    short = [1e-3, 3.2e-4, 1.8e-4, 1.8e-4] + 7 * [1e-4]
    assert [learning_rate(training, epoch, 11) for epoch in range(1, 12)] == pytest.approx(short, rel=1e-12)
    assert learning_rate(training, 1, 1) == pytest.approx(1e-3)
