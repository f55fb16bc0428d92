"""How many steps a run takes, and at which of them its snapshots fall."""

from dataclasses import dataclass

from regen.config.variant import Training

__all__ = ["Schedule", "plan"]


@dataclass(frozen=True)
class Schedule:
    """Epochs and steps of one run; `snapshots` maps the report's epoch to a step of this run."""

    epochs: int
    steps_per_epoch: int
    snapshots: dict[int, int]

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.epochs * self.steps_per_epoch


def plan(training: Training, n_images: int, max_steps: int | None) -> Schedule:
    """Return the schedule for `n_images` training images.

    A limit of `max_steps` shortens the run to whole epochs (one at least), and the report's epochs keep their
    fraction of it: epoch 25 of 40 becomes the step at 25/40.
    """
    steps_per_epoch = -(-n_images // training.batch_size)
    epochs = training.epochs
    if max_steps is not None:
        epochs = min(epochs, max(1, max_steps // steps_per_epoch))
    steps = epochs * steps_per_epoch
    snapshots = {epoch: round(epoch * steps / training.epochs) for epoch in training.snapshot_epochs}
    return Schedule(epochs, steps_per_epoch, snapshots)
