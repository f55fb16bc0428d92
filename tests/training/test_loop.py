from pathlib import Path

import pytest
import torch

from regen.config.base import parse
from regen.config.variant import TrainConfig
from regen.errors import UserError
from regen.training import loop
from regen.training.checkpoints import Checkpoint
from regen.training.loop import train

CPU = torch.device("cpu")


def config(**training: object) -> TrainConfig:
    settings = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 16, "epochs": 4, "snapshot_epochs": [0, 2, 4]}
    return parse(
        TrainConfig,
        {
            "variant": "tiny",
            "dataset": "mnist",
            "shape": [1, 4, 4],
            "model": {
                "network": {"kind": "mlp", "hidden": [8], "activation": "relu"},
                "latent": {"kind": "gaussian", "dim": 2},
                "prior": {"kind": "standard"},
                "likelihood": {"kind": "bernoulli"},
            },
            "training": {**settings, **training},
            "max_steps": None,
            "compute": {"threads": 1, "device": "cpu", "checkpoint_every": 1},
        },
        "test",
    )


@pytest.fixture
def images() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    pattern = torch.rand(1, 1, 4, 4, generator=generator).round() * 200
    noisy = (pattern + 55 * torch.rand(90, 1, 4, 4, generator=generator)).to(torch.uint8)
    return {"train": noisy[:70], "validation": noisy[70:]}


def equal(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True))


def test_learns_and_records_every_epoch(images: dict[str, torch.Tensor], tmp_path: Path) -> None:
    _, history = train(config(), 0, images, tmp_path, CPU)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert [row["step"] for row in history] == [5, 10, 15, 20]
    assert history[-1]["val_neg_elbo_nats"] < history[0]["val_neg_elbo_nats"]
    for row in history:
        assert row["train_neg_elbo_nats"] == pytest.approx(row["train_recon_nats"] + row["train_kl_nats"])
        assert row["val_neg_elbo_nats"] == pytest.approx(row["val_recon_nats"] + row["val_kl_nats"])
    assert sorted(path.name for path in tmp_path.glob("epoch-*")) == [
        "epoch-000.safetensors",
        "epoch-002.safetensors",
        "epoch-004.safetensors",
    ]


def test_same_seed_same_bits_and_other_seed_other_weights(images: dict[str, torch.Tensor], tmp_path: Path) -> None:
    first, history = train(config(), 0, images, tmp_path / "a", CPU)
    second, repeated = train(config(), 0, images, tmp_path / "b", CPU)
    other, _ = train(config(), 1, images, tmp_path / "c", CPU)
    assert equal(first, second) and history == repeated
    assert not equal(first, other)
    for name in ("epoch-000", "epoch-002", "epoch-004"):
        assert (tmp_path / "a" / f"{name}.safetensors").read_bytes() == (tmp_path / "b" / f"{name}.safetensors").read_bytes()


@pytest.mark.parametrize("interrupted_after", [1, 3])
def test_interrupted_run_continues_to_the_same_bits(
    images: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted_after: int
) -> None:
    whole, history = train(config(), 0, images, tmp_path / "whole", CPU)
    saved = Checkpoint.save

    def save_and_stop(self: Checkpoint, *arguments: object) -> None:
        saved(self, *arguments)  # type: ignore[arg-type]
        if len(arguments[2]) == interrupted_after:  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(config(), 0, images, tmp_path / "cut", CPU)
    epochs = []
    run_epoch = loop._train_epoch
    monkeypatch.setattr(loop, "_train_epoch", lambda run, x, epoch, bar: epochs.append(epoch) or run_epoch(run, x, epoch, bar))
    resumed, continued = train(config(), 0, images, tmp_path / "cut", CPU)
    assert epochs == list(range(interrupted_after + 1, 5)), "the run began again instead of continuing"
    assert equal(whole, resumed) and history == continued


def test_checkpoint_of_another_run_is_never_resumed(images: dict[str, torch.Tensor], tmp_path: Path) -> None:
    train(config(), 0, images, tmp_path / "a", CPU)
    fresh, _ = train(config(learning_rate=0.002), 0, images, tmp_path / "b", CPU)
    changed, _ = train(config(learning_rate=0.002), 0, images, tmp_path / "a", CPU)
    assert equal(fresh, changed)
    darker = {name: value // 2 for name, value in images.items()}
    fresh, _ = train(config(), 0, darker, tmp_path / "c", CPU)
    train(config(), 0, images, tmp_path / "d", CPU)
    changed, _ = train(config(), 0, darker, tmp_path / "d", CPU)
    assert equal(fresh, changed)


def test_truncated_checkpoint_starts_over(images: dict[str, torch.Tensor], tmp_path: Path) -> None:
    whole, _ = train(config(), 0, images, tmp_path, CPU)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:500])
    again, history = train(config(), 0, images, tmp_path, CPU)
    assert equal(whole, again) and len(history) == 4


def test_non_finite_objective_stops_with_its_place(
    images: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms, calls = loop.training_terms, []

    def poisoned(model: object, x: torch.Tensor) -> object:
        calls.append(1)
        objective, values = terms(model, x)  # type: ignore[arg-type]
        if len(calls) == 8:  # the third step of the second epoch of five steps
            values["kl_nats"] = values["kl_nats"] * float("nan")
        return objective, values

    monkeypatch.setattr(loop, "training_terms", poisoned)
    with pytest.raises(UserError, match=r"^tiny: epoch 2, step 8: expected a finite kl_nats, got nan; [^\n]*$"):
        train(config(), 0, images, tmp_path, CPU)
