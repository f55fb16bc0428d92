"""The training loop: every model, every data set, every preset."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from regen.common.determinism import derive_seed
from regen.common.errors import UserError
from regen.common.files import write_tensors
from regen.config.variant import TrainConfig
from regen.images.batches import batches
from regen.images.images import Images
from regen.models.build import build
from regen.training.adam import Adam
from regen.training.checkpoints import Checkpoint, Pace, fingerprint
from regen.training.objectives import Objective, objective_of
from regen.training.schedule import Schedule, learning_rate, plan
from regen.training.terms import mean_terms

__all__ = ["History", "train"]

History = list[dict[str, float]]

CHECK_EVERY = 50
"""Steps between two looks at the numbers: a GPU need not wait for us at every step."""


@dataclass(frozen=True)
class _Run:
    config: TrainConfig
    schedule: Schedule
    model: Any
    objective: Objective
    optimizers: list[Adam]
    folder: Path


def train(config: TrainConfig, seed: int, images: dict[str, Images], folder: Path, device: torch.device) -> tuple[Any, History]:
    """Train one variant; return the model and one row of history an epoch.

    images: prepared, under `train` and `validation` (held out). `folder` receives the snapshots (`epoch-025.safetensors`,
    `step-002000.safetensors`, ...) and, while the run lasts, its checkpoint: an interrupted run continues from there.

    Raises
    ------
    UserError
        If a term is not finite, in training or in validation: variant, epoch, step and term. If an epoch would end with a batch of
        one image and the model normalises by batches.
    """
    tensors = [tensor for split in images.values() for tensor in (split.images, split.labels)]
    checkpoint = Checkpoint(folder, fingerprint({**config.model_dump(), "device": device.type}, seed, tensors))
    schedule = plan(config, len(images["train"]))
    torch.manual_seed(derive_seed(seed, "initialise"))
    model = build(config.model, config.shape).to(device)
    objective = objective_of(config.training).to(device)
    optimizers = [_optimizer(config, player) for player in objective.players(model)]
    run = _Run(config, schedule, model, objective, optimizers, folder)
    _require_batches(run, len(images["train"]))
    state = nn.ModuleDict({"model": model, "objective": objective})
    history = checkpoint.restore(state, optimizers)
    train_images, validation_images = images["train"].to(device), images["validation"].to(device)
    if not history:
        _save_snapshots(run, 0)
    # Quiet unless a person watches (disable=None).
    done = len(history) * schedule.steps_per_epoch
    pace = Pace(config.compute.checkpoint_minutes)
    with tqdm(total=schedule.steps, initial=done, desc=config.variant, unit="step", disable=None) as bar:
        for epoch in range(len(history) + 1, schedule.epochs + 1):
            # A stream of its own for every epoch: what is drawn does not depend on where a run was interrupted.
            torch.manual_seed(derive_seed(seed, "epoch", epoch))
            row: dict[str, float] = {"epoch": epoch, "step": epoch * schedule.steps_per_epoch}
            row |= {f"train_{name}": value for name, value in _train_epoch(run, train_images, epoch, bar).items()}
            torch.manual_seed(derive_seed(seed, "validation", epoch))
            row |= {f"val_{name}": value for name, value in mean_terms(model, validation_images).items()}
            for name, value in row.items():
                _require_finite(run, epoch, int(row["step"]), name, value)
            history.append(row)
            if pace.due() and epoch < schedule.epochs:
                checkpoint.save(state, optimizers, history)
    if hasattr(model, "fit_codes"):
        model.fit_codes(train_images.images, derive_seed(seed, "mixture"))
    return model, history


def _require_batches(run: _Run, n_images: int) -> None:
    """Refuse a last batch of one image where the batch's own statistics are used: it has none."""
    normalised = any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in run.model.modules())
    if normalised and n_images % run.config.training.batch_size == 1:
        raise UserError(
            f"{run.config.variant}: expected at least 2 images in every batch to normalise by, got 1 in the last of {n_images} "
            f"at training.batch_size = {run.config.training.batch_size}; change presets.*.max_images in params.yaml"
        )


def _optimizer(config: TrainConfig, player: nn.Module) -> Adam:
    training = config.training
    first, second = training.betas
    return Adam(player.parameters(), training.learning_rate, (first, second), training.epsilon)


def _train_epoch(run: _Run, images: Images, epoch: int, bar: "tqdm[Any]") -> dict[str, float]:
    """Run one epoch and return the running mean of every term."""
    training = run.config.training
    for optimizer in run.optimizers:
        optimizer.learning_rate = learning_rate(training, epoch, run.schedule.epochs)
    run.model.train()
    sums: list[torch.Tensor] = []
    names: list[str] = []
    for x, labels in batches(images, training.batch_size, torch.default_generator):
        if run.config.images.binarisation == "every_epoch":
            x = torch.bernoulli(x)
        terms = _step(run, x, labels)
        names = list(terms)
        sums.append(torch.stack([value.detach() for value in terms.values()]).sum(1, dtype=torch.float64))
        step = (epoch - 1) * run.schedule.steps_per_epoch + len(sums)
        _save_snapshots(run, step)
        bar.update()
        if len(sums) % CHECK_EVERY == 0 or len(sums) == run.schedule.steps_per_epoch:
            _check_finite(run, names, sums, epoch)
            bar.set_postfix({name: f"{value / len(x):.2f}" for name, value in zip(names, sums[-1].tolist(), strict=True)}, refresh=False)
    return dict(zip(names, (torch.stack(sums).sum(0) / len(images)).tolist(), strict=True))


def _step(run: _Run, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Give every player its turn; return the terms of all."""
    recorded: dict[str, torch.Tensor] = {}
    turns = run.objective.turns(run.model, x, labels)
    for optimizer, (objective, terms) in zip(run.optimizers, turns, strict=True):
        optimizer.zero_grad()
        # The other players' weights get no gradient: it would be thrown away.
        objective.backward(inputs=optimizer.parameters)
        if run.config.training.clip_norm is not None:
            nn.utils.clip_grad_norm_(optimizer.parameters, run.config.training.clip_norm)
        optimizer.step()
        recorded |= terms
    return recorded


def _check_finite(run: _Run, names: list[str], sums: list[torch.Tensor], epoch: int) -> None:
    """Stop at the epoch's first step that has a term which is not finite."""
    for index, values in enumerate(torch.stack(sums).tolist()):
        for name, value in zip(names, values, strict=True):
            _require_finite(run, epoch, (epoch - 1) * run.schedule.steps_per_epoch + index + 1, name, value)


def _require_finite(run: _Run, epoch: int, step: int, name: str, value: float) -> None:
    if not math.isfinite(value):
        raise UserError(
            f"{run.config.variant}: epoch {epoch}, step {step}: expected a finite {name}, got {value}; "
            "lower its training.learning_rate in params.yaml"
        )


def _save_snapshots(run: _Run, step: int) -> None:
    """Write the weights for every epoch or step of the report that falls on this step."""
    for (unit, number), at in run.schedule.snapshots.items():
        if at == step:
            note = {"epoch" if unit == "epoch" else "report_step": number, "step": step, "steps": run.schedule.steps}
            name = f"epoch-{number:03d}" if unit == "epoch" else f"step-{number:06d}"
            write_tensors(run.folder / f"{name}.safetensors", run.model.state_dict(), note)
