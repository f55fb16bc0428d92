from collections.abc import Callable
from typing import Any

import pytest

from regen.config.base import parse
from regen.config.training import Training
from regen.config.variant import TrainConfig
from regen.training.schedule import Schedule, learning_rate, plan, snapshot_names

SETTINGS = {"objective": {"kind": "elbo"}, "optimizer": "adam", "learning_rate": 0.001, "batch_size": 128}
TRAINING = parse(Training, {**SETTINGS, "epochs": 40, "snapshot_epochs": [0, 1, 25, 40]}, "test")


def planned(images: int, limit: int | None, declared: int = 55_000, training: Training = TRAINING) -> Schedule:
    model = {"family": "classifier", "network": {"kind": "mlp", "hidden": [8], "activation": "relu"}, "dropout": 0.0, "classes": 2}
    names = {"variant": "tiny", "dataset": "mnist", "shape": [1, 4, 4], "images": {}, "model": model, "training": training.model_dump()}
    compute = {"threads": 1, "device": "cpu", "checkpoint_minutes": 0}
    config = parse(TrainConfig, {**names, "declared_images": declared, "max_steps": limit, "compute": compute}, "test")
    return plan(config, images)


def test_full_schedule_is_the_reports() -> None:
    schedule = planned(55_000, None)
    assert (schedule.epochs, schedule.steps_per_epoch, schedule.steps) == (40, 430, 17_200)
    assert schedule.snapshots == {("epoch", 0): 0, ("epoch", 1): 430, ("epoch", 25): 10_750, ("epoch", 40): 17_200}


def test_limited_steps_keep_whole_epochs_and_fractions() -> None:
    schedule = planned(1000, 60)
    assert (schedule.epochs, schedule.steps) == (7, 56)
    assert schedule.snapshots == {("epoch", 0): 0, ("epoch", 1): 1, ("epoch", 25): 35, ("epoch", 40): 56}


@pytest.mark.parametrize(("images", "limit", "epochs"), [(10_000, 5, 1), (100, 1_000_000, 40)])
def test_at_least_one_epoch_and_never_more_than_declared(images: int, limit: int, epochs: int) -> None:
    assert planned(images, limit).epochs == epochs


def by_step(schedule: Schedule) -> dict[int, int]:
    assert {unit for unit, _ in schedule.snapshots} == {"step"}
    return {number: at for (_, number), at in schedule.snapshots.items()}


def test_snapshots_by_step_are_the_reports_own_steps_of_the_full_schedule(resolved: Callable[[str], dict[str, Any]]) -> None:
    # uva3: 60,000 images in batches of 64 are 938 steps an epoch, 200 epochs 187,600; step 184,000 lies in epoch 197.
    schedule = plan(resolved("paper")["uva3-gan-mnist.train.json"], 60_000)
    assert (schedule.epochs, schedule.steps_per_epoch, schedule.steps) == (200, 938, 187_600)
    assert by_step(schedule) == {0: 0, 2_000: 2_000, 111_000: 111_000, 184_000: 184_000}
    assert -(-184_000 // schedule.steps_per_epoch) == 197


@pytest.mark.parametrize(
    ("images", "limit", "steps", "snapshots"),
    [
        # 19 steps an epoch, 3 epochs: 57 of 187,600, of which 0.61, 33.7 and 55.9.
        (1200, 60, 57, {0: 0, 2_000: 1, 111_000: 34, 184_000: 56}),
        # 19 steps an epoch, 200 epochs: 3,800 of 187,600, of which 40.5, 2,248.4 and 3,727.1.
        (1200, None, 3_800, {0: 0, 2_000: 41, 111_000: 2_248, 184_000: 3_727}),
        # Half of the steps on all images.
        (60_000, 93_800, 93_800, {0: 0, 2_000: 1_000, 111_000: 55_500, 184_000: 92_000}),
    ],
    ids=["few images and steps", "few images", "few steps"],
)
def test_snapshots_by_step_keep_their_fraction_of_a_shortened_run(
    images: int, limit: int | None, steps: int, snapshots: dict[int, int]
) -> None:
    declared = {"batch_size": 64, "epochs": 200, "snapshot_steps": [0, 2_000, 111_000, 184_000]}
    schedule = planned(images, limit, 60_000, parse(Training, {**SETTINGS, **declared}, "test"))
    assert (schedule.steps, by_step(schedule)) == (steps, snapshots)


def test_snapshots_by_epoch_and_by_step_may_fall_on_the_same_step() -> None:
    training = parse(Training, {**SETTINGS, "epochs": 2, "snapshot_epochs": [0, 1], "snapshot_steps": [0, 2, 4]}, "test")
    assert planned(256, None, 256, training).snapshots == {
        **{("epoch", 0): 0, ("epoch", 1): 2},
        **{("step", 0): 0, ("step", 2): 2, ("step", 4): 4},
    }


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


@pytest.mark.parametrize(
    ("epochs", "steps", "names"),
    [
        ([0, 1, 40], [], ["epoch-000", "epoch-001", "epoch-040"]),
        ([0, 121, 364, 1093, 3280], [], ["epoch-0000", "epoch-0121", "epoch-0364", "epoch-1093", "epoch-3280"]),
        ([5], [0, 2000, 1000000], ["epoch-005", "step-0000000", "step-0002000", "step-1000000"]),
    ],
)
def test_snapshots_have_numbers_of_one_width_so_that_their_names_sort_as_they_do(
    epochs: list[int], steps: list[int], names: list[str]
) -> None:
    training = parse(Training, {**SETTINGS, "epochs": 4000, "snapshot_epochs": epochs, "snapshot_steps": steps}, "test")
    found = snapshot_names(training)
    assert list(found) == [*(("epoch", epoch) for epoch in epochs), *(("step", step) for step in steps)]
    assert list(found.values()) == sorted(found.values()) == names


@pytest.mark.parametrize(
    ("epoch", "epochs", "drops"),
    [(1, 500, 0), (200, 500, 0), (201, 500, 1), (350, 500, 1), (351, 500, 2), (500, 500, 2), (2, 5, 0), (3, 5, 1), (4, 5, 1), (5, 5, 2)],
)
def test_the_rate_drops_after_its_epochs_and_at_the_same_fraction_of_a_cut_run(epoch: int, epochs: int, drops: int) -> None:
    dropping = {"learning_rate_drops": {"epochs": [200, 350], "factor": 0.631}}
    training = parse(Training, {**SETTINGS, **dropping, "epochs": 500, "snapshot_epochs": []}, "test")
    assert learning_rate(training, epoch, epochs) == pytest.approx(0.001 * 0.631**drops)
