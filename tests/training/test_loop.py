import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from adversaries import CHOICES, gan_config

from regen.common.errors import UserError
from regen.common.files import read_tensors
from regen.config.base import parse
from regen.config.variant import TrainConfig
from regen.images.images import Images
from regen.training import loop
from regen.training.checkpoints import Checkpoint, Pace
from regen.training.loop import train
from regen.training.objectives import Objective, Turn

CPU = torch.device("cpu")


MLP = {"kind": "mlp", "hidden": [8], "activation": "relu"}
CONV = {"kind": "conv", "channels": [4], "hidden": [8], "activation": "leaky_relu_0.2", "decoder_activation": "relu", "batch_norm": True}
CONV |= {"upsampling": {"kind": "nearest"}}
GANS = {f"gan, {name}": gan_config(name) for name in CHOICES if name != "saturating"}
HIDDEN = {"hidden": [8], "activation": "relu"}
COUPLINGS = {"kind": "realnvp", "couplings": 2, "networks": "one", **HIDDEN}
VAE: dict[str, Any] = {
    "family": "vae",
    "network": MLP,
    "latent": {"kind": "gaussian", "dim": 2},
    "prior": {"kind": "standard"},
    "likelihood": {"kind": "bernoulli"},
}
SCORE_FUNCTION = {"kind": "score_function", "estimator": "running_average", "samples": 1, "decay": 0.5}
# Model, and what its training has beside the settings below.
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "mlp": (VAE, {}),
    "score function": ({**VAE, "latent": {"kind": "bernoulli", "dim": 4}}, {"objective": SCORE_FUNCTION}),
    "average as printed": (
        {**VAE, "latent": {"kind": "bernoulli", "dim": 4}},
        {"objective": {**SCORE_FUNCTION, "estimator": "as_printed", "decay": None}},
    ),
    "Gumbel-softmax": (
        {**VAE, "network": CONV, "latent": {"kind": "bernoulli", "dim": 4}},
        {"objective": {"kind": "gumbel_softmax", "temperature": 0.5}},
    ),
    "warm-up": (VAE, {"objective": {"kind": "elbo", "samples": 2, "warm_up_epochs": 3, "free_nats_per_latent": 0.1}}),
    "squared error": ({**VAE, "likelihood": {"kind": "gaussian", "scale": 1.0}}, {"objective": {"kind": "mean_squared_error"}}),
    "dequantised": ({**VAE, "likelihood": {"kind": "continuous_bernoulli", "dequantised": True}}, {}),
    "batch norm": ({**VAE, "network": CONV}, {}),
    "flow": ({"family": "flow", "alpha": 1e-5, "flow": COUPLINGS}, {"objective": {"kind": "nll"}, "clip_norm": 0.1}),
    "learned noise": (
        {"family": "flow", "alpha": 1e-5, "flow": {**COUPLINGS, "learn_gain": True}, "dequantisation": {"kind": "learned", **HIDDEN}},
        {"objective": {"kind": "nll"}},
    ),
    "flow prior": ({**VAE, "prior": COUPLINGS}, {"objective": {"kind": "elbo", "log_det_times_dim": True}}),
    "iwae": (VAE, {"objective": {"kind": "iwae", "samples": 3, "gradient": "doubly_reparameterised"}}),
    "autoencoder": (
        {"family": "autoencoder", "network": MLP, "latent_dim": 2, "likelihood": {"kind": "bernoulli"}, "components": 2},
        {"objective": {"kind": "reconstruction"}},
    ),
    "classifier": (
        {"family": "classifier", "network": MLP, "dropout": 0.5, "classes": 3},
        {"objective": {"kind": "cross_entropy"}},
    ),
    **{name: (model, {"objective": objective}) for name, (model, objective) in GANS.items()},
}


def config(name: str = "mlp", /, **changes: object) -> TrainConfig:
    model, training = VARIANTS[name]
    settings = {"objective": {"kind": "elbo"}, "optimizer": "adam", "learning_rate": 0.01, "batch_size": 16, "epochs": 4}
    return parse(
        TrainConfig,
        {
            "variant": "tiny",
            "dataset": "mnist",
            "shape": [1, 4, 4],
            "images": {},
            "model": model,
            "training": {**settings, "snapshot_epochs": [0, 2, 4], **training, **changes},
            "declared_images": 70,
            "max_steps": None,
            "compute": {"threads": 1, "device": "cpu", "checkpoint_minutes": 0},
        },
        "test",
    )


@pytest.fixture
def images() -> dict[str, Images]:
    generator = torch.Generator().manual_seed(0)
    pattern = torch.rand(1, 1, 4, 4, generator=generator).round() * 200
    noisy = (pattern + 55 * torch.rand(90, 1, 4, 4, generator=generator)).to(torch.uint8)
    both = Images(noisy, torch.arange(90) % 3)
    return {"train": both.take(slice(70)), "validation": both.take(slice(70, None))}


def equal(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True))


def test_learns_and_records_every_epoch(images: dict[str, Images], tmp_path: Path) -> None:
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


def test_same_seed_same_bits_and_other_seed_other_weights(images: dict[str, Images], tmp_path: Path) -> None:
    first, history = train(config(), 0, images, tmp_path / "a", CPU)
    second, repeated = train(config(), 0, images, tmp_path / "b", CPU)
    other, _ = train(config(), 1, images, tmp_path / "c", CPU)
    assert equal(first, second) and history == repeated
    assert not equal(first, other)
    for name in ("epoch-000", "epoch-002", "epoch-004"):
        assert (tmp_path / "a" / f"{name}.safetensors").read_bytes() == (tmp_path / "b" / f"{name}.safetensors").read_bytes()


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("interrupted_after", [1, 3])
def test_interrupted_run_continues_to_the_same_bits(
    images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted_after: int, name: str
) -> None:
    whole, history = train(config(name), 0, images, tmp_path / "whole", CPU)
    saved = Checkpoint.save

    def save_and_stop(self: Checkpoint, *arguments: object) -> None:
        saved(self, *arguments)  # type: ignore[arg-type]
        if len(arguments[2]) == interrupted_after:  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(config(name), 0, images, tmp_path / "cut", CPU)
    epochs = []
    run_epoch = loop._train_epoch
    monkeypatch.setattr(loop, "_train_epoch", lambda run, x, epoch, bar: epochs.append(epoch) or run_epoch(run, x, epoch, bar))
    resumed, continued = train(config(name), 0, images, tmp_path / "cut", CPU)
    assert epochs == list(range(interrupted_after + 1, 5)), "the run began again instead of continuing"
    assert equal(whole, resumed) and history == continued
    # The order, too: it is that of the columns of history.csv.
    assert [list(row) for row in history] == [list(row) for row in continued]
    snapshots = [{path.name: path.read_bytes() for path in (tmp_path / folder).glob("epoch-*")} for folder in ("whole", "cut")]
    assert len(snapshots[0]) == 3 and snapshots[0] == snapshots[1]


@pytest.mark.parametrize("name", ["mlp", "score function", "batch norm", *GANS])
def test_a_run_cut_between_two_checkpoints_goes_on_from_the_last(
    images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole, history = train(config(name), 0, images, tmp_path / "whole", CPU)
    due, take_step, steps = iter([False, True]), loop._step, []

    def step_or_stop(*arguments: Any) -> Any:
        steps.append(1)
        if len(steps) == 18:  # in the fourth epoch of five steps; the one checkpoint is of the second
            raise KeyboardInterrupt
        return take_step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Pace, "due", lambda _: next(due, False))
        patch.setattr(loop, "_step", step_or_stop)
        with pytest.raises(KeyboardInterrupt):
            train(config(name), 0, images, tmp_path / "cut", CPU)
        resumed, continued = train(config(name), 0, images, tmp_path / "cut", CPU)
    assert len(steps) == 18 + 10
    assert equal(whole, resumed) and history == continued


def test_an_auto_encoders_mixture_is_fitted_to_the_codes_of_the_training_images(images: dict[str, Images], tmp_path: Path) -> None:
    model, _ = train(config("autoencoder"), 0, images, tmp_path, CPU)
    with torch.no_grad():
        codes = model.encoder(images["train"].images.float() / 255).double()
    # One Gaussian of greatest likelihood has the codes' mean and covariance (scikit-learn adds 1e-6 to the variances), and so has,
    # taken together, a mixture after a step of expectation maximisation.
    covariance = torch.cov(codes.T, correction=0) + 1e-6 * torch.eye(2)
    torch.testing.assert_close(model.gaussian.means[0], codes.mean(0))
    torch.testing.assert_close(model.gaussian.covariances[0], covariance)
    weights, means = model.mixture.weights, model.mixture.means
    mean = weights @ means
    torch.testing.assert_close(mean, codes.mean(0))
    spread = torch.einsum("m,mi,mj->ij", weights, means - mean, means - mean)
    torch.testing.assert_close((weights[:, None, None] * model.mixture.covariances).sum(0) + spread, covariance)


def test_checkpoint_of_another_run_is_never_resumed(images: dict[str, Images], tmp_path: Path) -> None:
    train(config(), 0, images, tmp_path / "a", CPU)
    fresh, _ = train(config(learning_rate=0.002), 0, images, tmp_path / "b", CPU)
    changed, _ = train(config(learning_rate=0.002), 0, images, tmp_path / "a", CPU)
    assert equal(fresh, changed)
    darker = {name: Images(value.images // 2, value.labels) for name, value in images.items()}
    fresh, _ = train(config(), 0, darker, tmp_path / "c", CPU)
    train(config(), 0, images, tmp_path / "d", CPU)
    changed, _ = train(config(), 0, darker, tmp_path / "d", CPU)
    assert equal(fresh, changed)
    relabelled = {name: Images(value.images, (value.labels + 1) % 3) for name, value in images.items()}
    fresh, _ = train(config("classifier"), 0, relabelled, tmp_path / "e", CPU)
    train(config("classifier"), 0, images, tmp_path / "f", CPU)
    changed, _ = train(config("classifier"), 0, relabelled, tmp_path / "f", CPU)
    assert equal(fresh, changed)


def test_truncated_checkpoint_starts_over(images: dict[str, Images], tmp_path: Path) -> None:
    whole, _ = train(config(), 0, images, tmp_path, CPU)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:500])
    again, history = train(config(), 0, images, tmp_path, CPU)
    assert equal(whole, again) and len(history) == 4


def poison(monkeypatch: pytest.MonkeyPatch, step: int) -> list[dict[str, torch.Tensor]]:
    """Let a term of this step, of five an epoch, be no number; return what the steps record, one after the other."""
    made, steps = loop.objective_of, []

    class Poisoned(Objective):
        def __init__(self, training: Any) -> None:
            super().__init__()
            self.terms = made(training)

        def players(self, model: torch.nn.Module) -> list[torch.nn.Module]:
            return self.terms.players(model)

        def turns(self, *batch: Any) -> Iterator[Turn]:
            for objective, values in self.terms.turns(*batch):
                steps.append({name: value.detach().clone() for name, value in values.items()})
                if len(steps) == step:
                    values["kl_nats"] = values["kl_nats"] * float("nan")
                yield objective, values

    monkeypatch.setattr(loop, "objective_of", Poisoned)
    return steps


def test_non_finite_objective_stops_with_its_place(images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, 8)
    said = r"^tiny: epoch 2, step 8: expected a finite kl_nats, got nan; lower its {} in params.yaml$"
    with pytest.raises(UserError, match=said.format("training.learning_rate")):
        train(config(), 0, images, tmp_path / "variant", CPU)
    monkeypatch.undo()
    poison(monkeypatch, 8)
    with pytest.raises(UserError, match=said.format("features.mnist.schedule.learning_rate")):
        train(config(), 0, images, tmp_path / "features", CPU, rate="features.mnist.schedule.learning_rate")


@pytest.mark.parametrize(("step", "epoch", "at"), [(8, 2, 7), (11, 3, 10), (3, 1, 2)])
def test_a_training_that_may_stop_keeps_the_last_finite_epoch(
    step: int, epoch: int, at: int, images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, usual = train(config(), 0, images, tmp_path / "whole", CPU)
    before, _ = train(config(epochs=max(1, epoch - 1), snapshot_epochs=[]), 0, images, tmp_path / "before", CPU)
    snapshots = {"snapshot_epochs": [0, 1, 2, 4], "on_non_finite": "stop"}
    unharmed, history = train(config(**snapshots), 0, images, tmp_path / "unharmed", CPU)
    assert equal(whole, unharmed) and history == [{**row, "finite": 1} for row in usual]
    steps = poison(monkeypatch, step)
    stopped, history = train(config(**snapshots), 0, images, tmp_path / "stopped", CPU)
    assert [row["finite"] for row in history] == [1] * (epoch - 1) + [0]
    assert [list(row) for row in history] == [list(history[0])] * epoch and all(
        math.isfinite(value) for row in history for value in row.values()
    )
    assert history[:-1] == [{**row, "finite": 1} for row in usual[: epoch - 1]]
    assert (history[-1]["epoch"], history[-1]["step"]) == (epoch, at)
    # Means over the images of the epoch's finite steps; where there is none, over those of the epoch before.
    counted = steps[5 * (epoch - 1) : at] or steps[5 * (epoch - 2) : at]
    for name in counted[0]:
        mean = torch.cat([values[name] for values in counted]).double().mean().item()
        assert history[-1][f"train_{name}"] == pytest.approx(mean, rel=1e-12)
    if epoch > 1:
        assert equal(stopped, before)
    else:
        assert all(
            torch.equal(value, stopped.state_dict()[name])
            for name, value in read_tensors(tmp_path / "stopped/epoch-000.safetensors")[0].items()
        )
    # What was saved at or behind the step is gone.
    kept = [number for number in (0, 1, 2, 4) if 5 * number < step]
    assert sorted(path.name for path in (tmp_path / "stopped").glob("epoch-*")) == [f"epoch-{number:03d}.safetensors" for number in kept]


def test_a_training_whose_first_step_is_not_finite_is_an_error(
    images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, 1)
    with pytest.raises(UserError, match=r"^tiny: epoch 1, step 1: "):
        train(config(on_non_finite="stop"), 0, images, tmp_path, CPU)


def test_validation_that_is_not_finite_stops_too(images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, usual = train(config(epochs=2, snapshot_epochs=[]), 0, images, tmp_path / "usual", CPU)
    mean_terms, calls = loop.mean_terms, []

    def poisoned(*arguments: Any) -> dict[str, float]:
        calls.append(1)
        found = mean_terms(*arguments)
        return {name: float("inf") for name in found} if len(calls) == 2 else found

    monkeypatch.setattr(loop, "mean_terms", poisoned)
    _, history = train(config(on_non_finite="stop"), 0, images, tmp_path / "stopped", CPU)
    assert [row["finite"] for row in history] == [1, 0]
    trained = {name: value for name, value in usual[1].items() if name.startswith("train_")}
    assert len(trained) == 3 and {name: history[-1][name] for name in trained} == trained
    # Validation is of the weights kept, those of the epoch before: their KL needs no draws.
    assert history[-1]["val_kl_nats"] == history[0]["val_kl_nats"] == usual[0]["val_kl_nats"]


def test_a_last_batch_of_one_image_is_refused_where_batches_are_normalised(images: dict[str, Images], tmp_path: Path) -> None:
    odd = {**images, "train": images["train"].take(slice(65))}
    with pytest.raises(UserError, match=r"^tiny: expected at least 2 images in every batch .* got 1 in the last of 65 .*batch_size = 16;"):
        train(config("batch norm"), 0, odd, tmp_path / "normalised", torch.device("cpu"))
    single = {**images, "train": images["train"].take(slice(1))}
    with pytest.raises(UserError, match=r" got 1 in the last of 1 at "):
        train(config("batch norm"), 0, single, tmp_path / "single", torch.device("cpu"))
    train(config("mlp", epochs=1, snapshot_epochs=[]), 0, odd, tmp_path / "plain", torch.device("cpu"))
