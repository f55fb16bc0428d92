"""The training loop: every model, every data set, every preset."""

import math
from dataclasses import dataclass
from functools import partial
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
from regen.training.schedule import Schedule, learning_rate, plan, snapshot_names
from regen.training.terms import mean_terms, means

__all__ = ["FINITE", "History", "train"]

History = list[dict[str, float]]

FINITE = "finite"
"""Column of a history that may end otherwise: 1, or 0 in the row of an epoch whose numbers were not all finite."""

CHECK_EVERY = 50
"""Steps between two looks at the numbers: a GPU need not wait for us at every step."""


class NotFiniteError(UserError):
    """A term that is no finite number: epoch, step and means over the finite steps before it, if there were any."""

    def __init__(self, run: "_Run", epoch: int, step: int, name: str, value: float, finite: dict[str, float] | None = None) -> None:
        self.step, self.finite = step, finite or {}
        super().__init__(
            f"{run.config.variant}: epoch {epoch}, step {step}: expected a finite {name}, got {value}; lower its {run.rate} in params.yaml"
        )


@dataclass(frozen=True)
class _Run:
    config: TrainConfig
    schedule: Schedule
    model: Any
    objective: Objective
    optimizers: list[Adam]
    folder: Path
    rate: str


def train(
    config: TrainConfig,
    seed: int,
    images: dict[str, Images],
    folder: Path,
    device: torch.device,
    code: str = "",
    rate: str = "training.learning_rate",
) -> tuple[Any, History]:
    """Train one variant; return the model and one row of history an epoch.

    images: prepared, under `train` and `validation` (held out). `folder` receives the snapshots (`epoch-025.safetensors`,
    `step-002000.safetensors`, ...) and, while the run lasts, its checkpoint: an interrupted run continues from there,
    unless what it depends on (`code`, any text that names it) has changed. `rate` is the key in params.yaml that the learning rate is from.

    With `on_non_finite: stop` a term that is not finite ends the training: the model has the weights of the epoch before (or those before
    training), and the last row of history has the means up to that step (if it is its epoch's first, those of the epoch before), the
    validation of the weights kept, and 0 under `finite`.

    Raises
    ------
    UserError
        If a term is not finite, in training or in validation, and training is not to stop there: variant, epoch, step and term. If an
        epoch would end with a batch of one image and the model normalises by batches.
    """
    tensors = [tensor for split in images.values() for tensor in (split.images, split.labels)]
    checkpoint = Checkpoint(folder, fingerprint({**config.model_dump(), "device": device.type}, seed, tensors, code))
    schedule = plan(config, len(images["train"]))
    torch.manual_seed(derive_seed(seed, "initialise"))
    model = build(config.model, config.shape).to(device)
    objective = objective_of(config.training).to(device)
    optimizers = [_optimizer(config, player) for player in objective.players(model)]
    run = _Run(config, schedule, model, objective, optimizers, folder, rate)
    _require_batches(run, len(images["train"]))
    state = nn.ModuleDict({"model": model, "objective": objective})
    history = checkpoint.restore(state, optimizers)
    train_images, validation_images = images["train"].to(device), images["validation"].to(device)
    if not history:
        _save_snapshots(run, 0)
    # Quiet unless a person watches (disable=None).
    done = len(history) * schedule.steps_per_epoch
    pace = Pace(config.compute.checkpoint_minutes)
    stops = config.training.on_non_finite == "stop"
    kept = _copied(model) if stops else {}
    with tqdm(total=schedule.steps, initial=done, desc=config.variant, unit="step", disable=None) as bar:
        for epoch in range(len(history) + 1, schedule.epochs + 1):
            # A stream of its own for every epoch: what is drawn does not depend on where a run was interrupted.
            torch.manual_seed(derive_seed(seed, "epoch", epoch))
            row: dict[str, float] = {"epoch": epoch, "step": epoch * schedule.steps_per_epoch, **({FINITE: 1} if stops else {})}
            try:
                trained = _train_epoch(run, train_images, epoch, bar)
                row |= {f"train_{name}": value for name, value in trained.items()}
                row |= _validated(run, validation_images, seed, epoch, trained)
            except NotFiniteError as error:
                before = {name: value for name, value in (history or [{}])[-1].items() if name.startswith("train_")}
                finite = {f"train_{name}": value for name, value in error.finite.items()} or before
                # Without one finite step there is nothing to show.
                if not stops or not finite:
                    raise
                model.load_state_dict(kept)
                _drop_snapshots(run, error.step)
                row |= {"step": error.step - 1, FINITE: 0, **finite}
                history.append(row | _validated(run, validation_images, seed, epoch))
                break
            history.append(row)
            kept = _copied(model) if stops else {}
            if pace.due() and epoch < schedule.epochs:
                checkpoint.save(state, optimizers, history)
    if hasattr(model, "fit_codes"):
        model.fit_codes(train_images.images, derive_seed(seed, "mixture"))
    return model, history


def _copied(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _validated(run: _Run, images: Images, seed: int, epoch: int, trained: dict[str, float] | None = None) -> dict[str, float]:
    """Return the validation columns of an epoch, all finite; `trained` are its means in training."""
    step = epoch * run.schedule.steps_per_epoch
    torch.manual_seed(derive_seed(seed, "validation", epoch))
    row = {f"val_{name}": value for name, value in mean_terms(run.model, images).items()}
    torch.manual_seed(derive_seed(seed, "validation objective", epoch))
    run.objective.epochs = run.schedule.report_epochs(run.config.training, step)
    row |= {f"val_{name}": value for name, value in means(partial(run.objective.held_out, run.model), images).items()}
    for name, value in row.items():
        if not math.isfinite(value):
            raise NotFiniteError(run, epoch, step, name, value, trained)
    return row


def _require_batches(run: _Run, n_images: int) -> None:
    """Refuse a last batch of one image where the batch's own statistics are used: it has none."""
    normalised = any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in run.model.modules())
    size = run.config.training.batch_size
    if normalised and (n_images % size or min(n_images, size)) == 1:
        raise UserError(
            f"{run.config.variant}: expected at least 2 images in every batch to normalise by, got 1 in the last of {n_images} "
            f"at training.batch_size = {size}; change presets.*.max_images in params.yaml"
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
        run.objective.epochs = run.schedule.report_epochs(training, (epoch - 1) * run.schedule.steps_per_epoch + len(sums))
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
            if not math.isfinite(value):
                # Every batch but an epoch's last is full, and the last is not among those before.
                images = index * run.config.training.batch_size
                means = (torch.stack(sums[:index]).sum(0) / images).tolist() if index else []
                finite = dict(zip(names, means, strict=False))
                raise NotFiniteError(run, epoch, (epoch - 1) * run.schedule.steps_per_epoch + index + 1, name, value, finite)


def _snapshot(run: _Run, name: str) -> Path:
    return run.folder / f"{name}.safetensors"


def _save_snapshots(run: _Run, step: int) -> None:
    """Write the weights for every epoch or step of the report that falls on this step."""
    names = snapshot_names(run.config.training)
    for (unit, number), at in run.schedule.snapshots.items():
        if at == step:
            note = {"epoch" if unit == "epoch" else "report_step": number, "step": step, "steps": run.schedule.steps}
            write_tensors(_snapshot(run, names[unit, number]), run.model.state_dict(), note)


def _drop_snapshots(run: _Run, step: int) -> None:
    """Delete the weights of this step, whose terms are not finite, and of later ones."""
    names = snapshot_names(run.config.training)
    for moment, at in run.schedule.snapshots.items():
        if at >= step:
            _snapshot(run, names[moment]).unlink(missing_ok=True)
