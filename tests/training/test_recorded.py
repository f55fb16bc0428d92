"""What a step sees, minimises and records: weights of the KL, noise, a counted log-determinant, fresh binarisations, rates, clipping."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit, logit
from scipy.stats import norm
from torch import nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from regen.config.base import parse
from regen.config.model import RealNvp
from regen.config.training import Training
from regen.config.variant import TrainConfig
from regen.images.images import Images
from regen.models.flows import FlowPrior, StandardNormal
from regen.models.likelihoods import BernoulliPixels
from regen.models.objectives import free_bits
from regen.models.vae import FairCoins, LatentVariableModel
from regen.training import loop
from regen.training.adam import Adam
from regen.training.objectives import Elbo, Iwae, Objective, Turn, objective_of

CPU = torch.device("cpu")
SHAPE = [1, 4, 4]
LOGITS = torch.linspace(-2, 2, 16).view(1, 4, 4)
MEAN, SCALE = 0.7, 0.6
# KL(N(MEAN, SCALE^2), N(0, 1)) a latent.
KL = 0.5 * (MEAN**2 + SCALE**2 - 1) - math.log(SCALE)


class Encoder(nn.Module):
    """q(z | x) = N(MEAN, SCALE^2) whatever x is; keeps what it was shown."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.full((dim,), MEAN))
        self.shown: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> Distribution:
        self.shown.append(x)
        mean = self.mean.expand(len(x), -1)
        return Independent(Normal(mean, torch.full_like(mean, SCALE)), 1)


class Decoder(nn.Module):
    """p(x | z) is the same for every z."""

    def forward(self, z: torch.Tensor) -> Distribution:
        p: Distribution = BernoulliPixels()(LOGITS.expand(*z.shape[:-1], *LOGITS.shape))
        return p


def constant(dim: int = 3) -> LatentVariableModel:
    return LatentVariableModel(Encoder(dim), Decoder(), StandardNormal(dim))


def cross_entropy(x: torch.Tensor) -> np.ndarray:
    values, p = x.double().flatten(1).numpy(), 1 / (1 + np.exp(-LOGITS.flatten().double().numpy()))
    nats: np.ndarray = -(values * np.log(p) + (1 - values) * np.log(1 - p)).sum(1)
    return nats


def training(**changes: Any) -> Training:
    settings = {"objective": {"kind": "elbo"}, "optimizer": "adam", "learning_rate": 0.01, "batch_size": 16, "epochs": 3}
    return parse(Training, {**settings, "snapshot_epochs": [], **changes}, "test")


def step(model: LatentVariableModel, x: torch.Tensor, **changes: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    made: tuple[torch.Tensor, dict[str, torch.Tensor]] = objective_of(training(**changes))(model, x, torch.zeros(len(x)))
    return made


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(50, *SHAPE, generator=torch.Generator().manual_seed(0))


def test_the_elbo_itself_is_recorded_once(x: torch.Tensor) -> None:
    objective, recorded = step(constant(), x)
    expected = cross_entropy(x) + 3 * KL
    assert set(recorded) == {"neg_elbo_nats", "recon_nats", "kl_nats"}
    np.testing.assert_allclose(recorded["neg_elbo_nats"].detach(), expected, rtol=1e-5)
    assert objective.item() == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.1, 2.0, 10.0])
def test_a_weighted_kl_is_minimised_and_minus_elbo_recorded(weight: float, x: torch.Tensor) -> None:
    model = constant()
    objective, recorded = step(model, x, objective={"kind": "elbo", "kl_weight": weight})
    recon = cross_entropy(x)

    assert set(recorded) == {"objective_nats", "neg_elbo_nats", "recon_nats", "kl_nats"}
    np.testing.assert_allclose(recorded["objective_nats"].detach(), recon + weight * 3 * KL, rtol=1e-5)
    np.testing.assert_allclose(recorded["neg_elbo_nats"].detach(), recon + 3 * KL, rtol=1e-5)
    assert objective.item() == pytest.approx((recon + weight * 3 * KL).mean(), rel=1e-5)
    # The decoder knows no z: the gradient is the KL's, weight times the mean.
    objective.backward()
    np.testing.assert_allclose(model.encoder.mean.grad, weight * MEAN, rtol=1e-5, atol=1e-7)


def test_the_kls_weight_rises_over_the_warm_up(x: torch.Tensor) -> None:
    recon, objective = cross_entropy(x), objective_of(training(objective={"kind": "elbo", "kl_weight": 2.0, "warm_up_epochs": 2}))
    for epochs, weight in ((0.0, 0.0), (0.5, 0.5), (1.5, 1.5), (2.0, 2.0), (7.0, 2.0), (math.inf, 2.0)):
        objective.epochs = epochs
        model = constant()
        value, recorded = objective(model, x, torch.zeros(len(x)))
        np.testing.assert_allclose(recorded["objective_nats"].detach(), recon + weight * 3 * KL, rtol=1e-5)
        np.testing.assert_allclose(recorded["neg_elbo_nats"].detach(), recon + 3 * KL, rtol=1e-5)
        np.testing.assert_allclose(
            objective.held_out(model, x, torch.zeros(len(x)))["objective_nats"].detach(), recon + weight * 3 * KL, rtol=1e-5
        )
        value.backward()
        np.testing.assert_allclose(model.encoder.mean.grad, weight * MEAN, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("least", "counted", "pull"), [(0.9 * KL, KL, MEAN), (1.1 * KL, 1.1 * KL, 0.0)])
def test_a_latent_counts_no_less_than_its_free_bits(least: float, counted: float, pull: float, x: torch.Tensor) -> None:
    model = constant()
    objective, recorded = step(model, x, objective={"kind": "elbo", "free_nats_per_latent": least})
    np.testing.assert_allclose(recorded["objective_nats"].detach(), cross_entropy(x) + 3 * counted, rtol=1e-5)
    np.testing.assert_allclose(recorded["neg_elbo_nats"].detach(), cross_entropy(x) + 3 * KL, rtol=1e-5)
    # Below its free bits a latent is not pulled to the prior.
    objective.backward()
    np.testing.assert_allclose(model.encoder.mean.grad, pull, rtol=1e-5, atol=1e-7)


def test_free_bits_are_of_the_batchs_mean() -> None:
    # KL of N(m, 1) is m^2 / 2: two images with 0 and 2, 2 and 0, 0 and 0.02 nats, in the mean 1, 1 and 0.01.
    q = Independent(Normal(torch.tensor([[0.0, 2.0, 0.0], [2.0, 0.0, 0.2]]), torch.ones(2, 3)), 1)
    assert free_bits(q, StandardNormal(3)(), 0.5).item() == pytest.approx(1 + 1 + 0.5)
    assert free_bits(q, StandardNormal(3)(), 1.5).item() == pytest.approx(4.5)


@pytest.mark.parametrize("targets", ["noisy", "clean"])
def test_noise_is_on_what_is_minimised_and_not_on_minus_elbo(targets: str, x: torch.Tensor) -> None:
    model = constant()
    torch.manual_seed(3)
    objective, recorded = step(model, x, noise={"scale": 0.1, "targets": targets})
    noisy, clean = model.encoder.shown

    assert torch.equal(clean, x) and not torch.equal(noisy, x)
    recon = cross_entropy(noisy if targets == "noisy" else x)
    np.testing.assert_allclose(recorded["objective_nats"].detach(), recon + 3 * KL, rtol=1e-5)
    np.testing.assert_allclose(recorded["neg_elbo_nats"], cross_entropy(x) + 3 * KL, rtol=1e-5)
    np.testing.assert_allclose(recorded["recon_nats"], cross_entropy(x), rtol=1e-5)
    assert objective.item() == pytest.approx((recon + 3 * KL).mean(), rel=1e-5)
    # Only what is minimised has a gradient.
    assert recorded["objective_nats"].requires_grad and not recorded["neg_elbo_nats"].requires_grad


def test_noise_is_white_of_its_scale_and_clipped() -> None:
    middle, model = torch.full((2000, *SHAPE), 0.5), constant()
    torch.manual_seed(4)
    step(model, middle, noise={"scale": 0.1, "targets": "clean"})
    added, n = (model.encoder.shown[0] - middle).double(), middle.numel()
    # n normal values: the mean's error is scale / sqrt(n), the standard deviation's scale / sqrt(2 n); five scales from either end.
    assert abs(added.mean().item()) < 4 * 0.1 / math.sqrt(n)
    assert abs(added.std().item() - 0.1) < 4 * 0.1 / math.sqrt(2 * n)
    neighbours = (added[:, 0, :, :-1] * added[:, 0, :, 1:]).mean().item()
    assert abs(neighbours) < 4 * 0.1**2 / math.sqrt(2000 * 12)

    ends = torch.stack([torch.zeros(SHAPE), torch.ones(SHAPE)] * 200)
    step(model, ends, noise={"scale": 0.1, "targets": "clean"})
    shown = model.encoder.shown[2]
    assert shown.min() == 0 and shown.max() == 1
    # Half of the noise points outwards.
    assert abs((shown == ends).double().mean().item() - 0.5) < 4 * 0.5 / math.sqrt(ends.numel())


@pytest.mark.parametrize("samples", [1, 3])
def test_a_log_determinant_counted_once_a_latent_is_minimised_and_not_recorded_as_minus_elbo(samples: int, x: torch.Tensor) -> None:
    couplings, dim, shift = 3, 4, 0.3
    flow = {"kind": "realnvp", "couplings": couplings, "networks": "one_each", "hidden": [5], "activation": "relu"}
    prior = FlowPrior(dim, parse(RealNvp, flow, "test"))
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.zero_()
        for name, parameter in prior.named_parameters():
            if name.endswith("networks.0.2.bias"):
                parameter.fill_(shift)
    model = LatentVariableModel(Encoder(dim), Decoder(), prior)
    objective, recorded = step(model, x, objective={"kind": "elbo", "log_det_times_dim": True, "samples": samples})

    # Every coupling scales half of the latents by exp(tanh(shift)); -log p(z) has the log-determinant once, the fault dim times.
    log_det = couplings * dim / 2 * math.tanh(shift)
    assert recorded["objective_nats"].shape == (50,)
    np.testing.assert_allclose((recorded["objective_nats"] - recorded["neg_elbo_nats"]).detach(), (dim - 1) * log_det, rtol=1e-4)
    assert objective.item() == pytest.approx(recorded["objective_nats"].mean().item(), rel=1e-6)
    np.testing.assert_allclose(recorded["recon_nats"].detach(), cross_entropy(x), rtol=1e-5)


def copies_held_out(model: LatentVariableModel, x: torch.Tensor, copies: int, **objective: Any) -> np.ndarray:
    """Return what is minimised of so many copies of images held out, (copies, images)."""
    made = objective_of(training(objective=objective))
    torch.manual_seed(5)
    with torch.no_grad():
        found = made.held_out(model, x.repeat(copies, 1, 1, 1), torch.zeros(copies * len(x)))
    assert set(found) == {"objective_nats"}
    return found["objective_nats"].double().numpy().reshape(copies, len(x))


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_held_out_the_squared_error_is_a_mean_over_pixels_and_the_kl_one_over_latents(weight: float, x: torch.Tensor) -> None:
    objective = objective_of(training(objective={"kind": "mean_squared_error", "kl_weight": weight}))
    found = objective.held_out(constant(), x, torch.zeros(len(x)))
    expected = ((x.double() - LOGITS.double().sigmoid()) ** 2).mean((1, 2, 3)) + weight * KL
    assert set(found) == {"objective"}
    np.testing.assert_allclose(found["objective"].detach(), expected, rtol=1e-5)


@pytest.mark.parametrize("gradient", ["normalised_weights", "doubly_reparameterised"])
@pytest.mark.parametrize("samples", [1, 3])
def test_held_out_the_importance_weighted_bound_is_that_of_quadrature(samples: int, gradient: str, x: torch.Tensor) -> None:
    # Nothing depends on z: log w is log p(x) + log p(z) - log q(z), and the bound's gap an integral over the draws.
    nodes, masses = hermegauss(40)
    masses = masses / masses.sum()
    log_ratio = norm.logpdf(MEAN + SCALE * nodes) - norm.logpdf(nodes) + math.log(SCALE)
    gaps = -np.log(np.mean(np.meshgrid(*[np.exp(log_ratio)] * samples), axis=0))
    probability = np.prod(np.meshgrid(*[masses] * samples), axis=0)
    gap = (probability * gaps).sum()
    if samples == 1:
        assert gap == pytest.approx(KL)
    error = math.sqrt((probability * (gaps - gap) ** 2).sum() / 2000)
    found = copies_held_out(constant(1), x[:10], 2000, kind="iwae", samples=samples, gradient=gradient)
    assert (np.abs(found.mean(0) - cross_entropy(x[:10]) - gap) < 4 * error).all() and error < gap / 20


class Coin(nn.Module):
    """q(z | x): one coin, of these log-odds whatever x is."""

    def __init__(self, log_odds: float) -> None:
        super().__init__()
        self.log_odds = log_odds

    def forward(self, x: torch.Tensor) -> Distribution:
        return Independent(Bernoulli(logits=torch.full((len(x), 1), self.log_odds)), 1)


class Dimmed(nn.Module):
    """p(x | z) has the logits LOGITS times z (..., 1)."""

    def forward(self, z: torch.Tensor) -> Distribution:
        p: Distribution = BernoulliPixels()(LOGITS * z[..., None, None])
        return p


def test_held_out_gumbel_softmax_is_of_relaxed_latents_with_the_kl_of_coins(x: torch.Tensor) -> None:
    log_odds, temperature, copies = 1.5, 0.8, 4000
    # (log-odds + the logit of a uniform number) / temperature is the relaxed latent's logit.
    z = expit((log_odds + logit((np.arange(2000) + 0.5) / 2000)) / temperature)
    p, logits = expit(log_odds), z[:, None] * LOGITS.flatten().double().numpy()
    recon = (np.logaddexp(0, logits)[:, None] - x[:10].double().flatten(1).numpy() * logits[:, None]).sum(2)
    kl = math.log(2) + p * math.log(p) + (1 - p) * math.log(1 - p)
    model = LatentVariableModel(Coin(log_odds), Dimmed(), FairCoins(1))
    found = copies_held_out(model, x[:10], copies, kind="gumbel_softmax", temperature=temperature)
    error = recon.std(0) / math.sqrt(copies)
    assert (np.abs(found.mean(0) - recon.mean(0) - kl) < 4 * error).all() and error.max() < kl / 10


def config(binarisation: str | None = None, **changes: Any) -> TrainConfig:
    model = {
        "family": "vae",
        "network": {"kind": "mlp", "hidden": [8], "activation": "relu"},
        "latent": {"kind": "gaussian", "dim": 2},
        "prior": {"kind": "standard"},
        "likelihood": {"kind": "bernoulli"},
    }
    names = {"variant": "tiny", "dataset": "mnist", "shape": SHAPE, "images": {"binarisation": binarisation}, "model": model}
    rest = {"declared_images": 60, "max_steps": None, "compute": {"threads": 1, "device": "cpu", "checkpoint_minutes": 10}}
    return parse(TrainConfig, {**names, "training": training(**changes).model_dump(), **rest}, "test")


@pytest.fixture
def images() -> dict[str, Images]:
    """Return grey images whose labels are their own numbers."""
    pixels = torch.randint(0, 256, (60, *SHAPE), generator=torch.Generator().manual_seed(1), dtype=torch.int16).to(torch.uint8)
    return {"train": Images(pixels, torch.arange(60)), "validation": Images(pixels[:20], torch.arange(20))}


def visits(settings: TrainConfig, images: dict[str, Images], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Return what every visit of the training images showed, in the order of the images, one tensor an epoch."""
    batches: list[tuple[torch.Tensor, torch.Tensor]] = []

    class Watched(Objective):
        def __init__(self, of: Training) -> None:
            super().__init__()
            self.objective = objective_of(of)

        def turns(self, model: Any, x: torch.Tensor, labels: torch.Tensor) -> Iterator[Turn]:
            batches.append((labels.clone(), x.clone()))
            return self.objective.turns(model, x, labels)

    monkeypatch.setattr(loop, "objective_of", Watched)
    loop.train(settings, 0, images, folder, CPU)
    steps = math.ceil(60 / settings.training.batch_size)
    shown = []
    for start in range(0, len(batches), steps):
        labels, x = (torch.cat(parts) for parts in zip(*batches[start : start + steps], strict=True))
        assert sorted(labels.tolist()) == list(range(60))
        shown.append(x[labels.argsort()])
    return shown


def test_images_are_binarised_anew_at_every_visit(images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = visits(config("every_epoch", epochs=40, batch_size=25), images, tmp_path, monkeypatch)
    assert len(shown) == 40 and set(torch.cat(shown).unique().tolist()) == {0, 1}
    # No image of 16 grey pixels looks the same at all 40 visits.
    assert all((torch.stack([epoch[image] for epoch in shown]) != shown[0][image]).any() for image in range(60))

    p, drawn = images["train"].images.double() / 255, torch.stack(shown).double()
    variance = (p * (1 - p)).sum().item()
    assert abs((drawn.mean(0) - p).sum().item()) < 4 * math.sqrt(variance / 40)
    # Two visits in a row agree no more than independent coins do: each pixel's product of deviations has mean 0 and variance p^2 (1-p)^2.
    together = ((drawn[:-1:2] - p) * (drawn[1::2] - p)).sum().item()
    assert abs(together) < 4 * math.sqrt(20 * ((p * (1 - p)) ** 2).sum().item())


@pytest.mark.parametrize("binarisation", [None, "fixed"])
def test_otherwise_every_visit_shows_the_images_as_they_are(
    binarisation: str | None, images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = visits(config(binarisation), images, tmp_path, monkeypatch)
    assert len(shown) == 3 and all(torch.equal(epoch, images["train"].images.float() / 255) for epoch in shown)


def test_history_has_the_objective_beside_minus_elbo(images: dict[str, Images], tmp_path: Path) -> None:
    _, history = loop.train(config(objective={"kind": "elbo", "kl_weight": 5.0}), 0, images, tmp_path, CPU)
    for row in history:
        assert row["train_objective_nats"] == pytest.approx(row["train_recon_nats"] + 5 * row["train_kl_nats"], rel=1e-5)
        assert row["train_neg_elbo_nats"] == pytest.approx(row["train_recon_nats"] + row["train_kl_nats"], rel=1e-5)
        # Held out, both are of draws of their own; the KL is in closed form.
        assert row["val_objective_nats"] == pytest.approx(row["val_recon_nats"] + 5 * row["val_kl_nats"], rel=0.05)


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"objective": {"kind": "elbo"}}, None),
        ({"objective": {"kind": "elbo", "samples": 3}}, None),
        ({"objective": {"kind": "elbo", "warm_up_epochs": 2}}, "objective_nats"),
        ({"objective": {"kind": "elbo", "free_nats_per_latent": 0.1}}, "objective_nats"),
        ({"objective": {"kind": "iwae", "samples": 3, "gradient": "normalised_weights"}}, "objective_nats"),
        ({"objective": {"kind": "mean_squared_error"}}, "objective"),
        ({"noise": {"scale": 0.1, "targets": "noisy"}}, "objective_nats"),
    ],
)
def test_what_is_minimised_has_a_column_of_training_and_of_validation_where_it_is_not_minus_elbo(
    changes: dict[str, Any], column: str | None, images: dict[str, Images], tmp_path: Path
) -> None:
    _, history = loop.train(config(**changes), 0, images, tmp_path, CPU)
    expected = {f"{split}_{column}" for split in ("train", "val")} if column else set()
    assert {name for row in history for name in row if "objective" in name} == expected


def test_validation_of_what_is_minimised_changes_nothing_else(
    images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(objective={"kind": "iwae", "samples": 3, "gradient": "normalised_weights"})
    model, history = loop.train(settings, 0, images, tmp_path / "a", CPU)
    monkeypatch.setattr(Iwae, "held_out", Objective.held_out)
    other, without = loop.train(settings, 0, images, tmp_path / "b", CPU)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True))
    assert [{name: value for name, value in row.items() if name != "val_objective_nats"} for row in history] == without


def test_held_out_the_importance_weighted_bound_is_tighter_than_the_elbo(images: dict[str, Images], tmp_path: Path) -> None:
    _, history = loop.train(config(objective={"kind": "iwae", "samples": 50, "gradient": "normalised_weights"}), 0, images, tmp_path, CPU)
    for row in history:
        assert row["val_objective_nats"] < row["val_neg_elbo_nats"]


@pytest.mark.parametrize(("limit", "expected"), [(None, [step / 4 for step in range(12)]), (8, [3 * step / 8 for step in range(8)])])
def test_a_step_knows_how_much_of_the_reports_schedule_has_passed(
    limit: int | None, expected: list[float], images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 60 images in batches of 16: 4 steps an epoch, 3 epochs, or 2 where a preset cuts them, which stand for all 3.
    passed, turns = [], Elbo.turns

    def watched(self: Elbo, *arguments: Any) -> Iterator[Turn]:
        passed.append(self.epochs)
        return turns(self, *arguments)

    monkeypatch.setattr(Elbo, "turns", watched)
    cut = config(objective={"kind": "elbo", "warm_up_epochs": 2}).model_copy(update={"max_steps": limit})
    loop.train(cut, 0, images, tmp_path, CPU)
    assert passed == pytest.approx(expected)


def test_every_epoch_has_the_rate_of_its_stage(images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates, run_epoch = [], loop._train_epoch

    def watched(run: Any, *rest: Any) -> Any:
        done = run_epoch(run, *rest)
        (optimizer,) = run.optimizers
        rates.append(optimizer.learning_rate)
        return done

    monkeypatch.setattr(loop, "_train_epoch", watched)
    loop.train(config(learning_rate_stages=2, epochs=4), 0, images, tmp_path, CPU)
    # One epoch at the rate, three at its tenth.
    assert rates == pytest.approx([0.01, 0.001, 0.001, 0.001], rel=1e-12)


def test_gradients_are_clipped_to_a_joint_norm(images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms, adam_step = [], Adam.step

    def watched(self: Adam) -> None:
        norms.append(math.sqrt(sum(p.grad.square().sum().item() for p in self.parameters if p.grad is not None)))
        adam_step(self)

    monkeypatch.setattr(Adam, "step", watched)
    for clip_norm in (None, 1e-2):
        loop.train(config(clip_norm=clip_norm), 0, images, tmp_path / str(clip_norm), CPU)
    free, clipped = norms[: len(norms) // 2], norms[len(norms) // 2 :]
    assert min(free) > 0.1
    assert clipped == pytest.approx([1e-2] * len(clipped), rel=1e-3)
