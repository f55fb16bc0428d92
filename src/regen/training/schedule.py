"""How many steps a run takes, and at which of them its snapshots fall."""

from dataclasses import dataclass
from typing import Literal

from regen.config.training import Training
from regen.config.variant import TrainConfig

Moment = tuple[Literal["epoch", "step"], int]

__all__ = ["Schedule", "learning_rate", "plan", "snapshot_names"]


@dataclass(frozen=True)
class Schedule:
    """Epochs and steps of one run; `snapshots` maps the report's own epoch or step to a step of this run."""

    epochs: int
    steps_per_epoch: int
    snapshots: dict[Moment, int]

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.epochs * self.steps_per_epoch

    def report_epochs(self, training: Training, steps: int) -> float:
        """Return how many epochs of the report's own schedule have passed after so many steps of this run."""
        return steps * training.epochs / self.steps


def plan(config: TrainConfig, n_images: int) -> Schedule:
    """Return the schedule for `n_images` training images.

    A limit of `max_steps` shortens the run to whole epochs (one at least), and the report's epochs and steps keep their
    fraction of it: epoch 25 of 40 becomes the step at 25/40. So do its steps where there are fewer images than it declares.
    """
    training = config.training
    steps_per_epoch = -(-n_images // training.batch_size)
    epochs = training.epochs
    if config.max_steps is not None:
        epochs = min(epochs, max(1, config.max_steps // steps_per_epoch))
    steps, declared = epochs * steps_per_epoch, training.steps(config.declared_images)
    snapshots: dict[Moment, int] = {
        **{("epoch", epoch): round(epoch * steps / training.epochs) for epoch in training.snapshot_epochs},
        **{("step", step): round(step * steps / declared) for step in training.snapshot_steps},
    }
    return Schedule(epochs, steps_per_epoch, snapshots)


def snapshot_names(training: Training) -> dict[Moment, str]:
    """Return the file name of each snapshot, without its ending: numbers as wide as the largest of the unit, and 3 or 6 digits at least."""
    listed: tuple[tuple[Literal["epoch", "step"], list[int], int], ...] = (
        ("epoch", training.snapshot_epochs, 3),
        ("step", training.snapshot_steps, 6),
    )
    return {
        (unit, number): f"{unit}-{number:0{max(least, len(str(numbers[-1])))}d}" for unit, numbers, least in listed for number in numbers
    }


def learning_rate(training: Training, epoch: int, epochs: int) -> float:
    """Return the learning rate of an epoch (from 1) of a run of `epochs`, which may be shorter than the report's.

    With n stages, stage i lasts 3^(i-1) epochs at a tenth of the first rate times 10^(1 - (i-1)/(n-1)), rounded to one
    decimal. Source: Burda et al. (2016), arXiv:1509.00519, section 5 (n = 8). Drops multiply it after their epochs.
    """
    stages, drops = training.learning_rate_stages, training.learning_rate_drops
    declared = (epoch - 1) * training.epochs // epochs
    if drops is not None:
        return training.learning_rate * drops.factor ** sum(declared >= passed for passed in drops.epochs)
    if stages is None:
        return training.learning_rate
    stage = next(i for i in range(1, stages + 1) if declared < (3**i - 1) // 2)
    return training.learning_rate / 10 * round(10 ** (1 - (stage - 1) / (stages - 1)), 1)
