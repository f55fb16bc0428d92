"""Two players in one loop: against the same steps in plain torch, turn by turn, with noise, with dropout, in snapshots."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from adversaries import CHOICES, ByHand, config, gan_config
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from regen.common.determinism import derive_seed
from regen.common.files import read_tensors
from regen.config.base import parse
from regen.config.model import Gan as GanConfig
from regen.config.training import Training
from regen.images import batches
from regen.images.images import Images
from regen.models.build import build
from regen.models.gan import Gan
from regen.training import loop
from regen.training.adam import Adam
from regen.training.objectives import Objective, objective_of

CPU = torch.device("cpu")
SHAPE = [1, 4, 4]
COUNT = 70


@pytest.fixture
def images() -> dict[str, Images]:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (COUNT + 20, *SHAPE), generator=generator, dtype=torch.int16).to(torch.uint8)
    both = Images(pixels, torch.arange(len(pixels)))
    return {"train": both.take(slice(COUNT)), "validation": both.take(slice(COUNT, None))}


def made(name: str) -> tuple[Gan, Objective]:
    """Return a model of `CHOICES` in training mode and its objective."""
    model, objective = gan_config(name)
    settings = {"objective": objective, "optimizer": "adam", "learning_rate": 0.01, "batch_size": 16, "epochs": 1}
    torch.manual_seed(0)
    return build(parse(GanConfig, model, "test"), SHAPE).train(), objective_of(parse(Training, settings, "test"))


def values(model: Gan) -> list[torch.Tensor]:
    return [value.clone() for part in (model.generator, model.discriminator) for value in part.state_dict().values()]


def largest_difference(first: list[torch.Tensor], second: list[torch.Tensor]) -> float:
    return max((a.double() - b.double()).abs().max().item() for a, b in zip(first, second, strict=True))


@pytest.fixture
def double_precision(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compute in double precision: in single, two orders of the same sums end a millionth apart on some processors."""
    monkeypatch.setattr(batches, "to_unit_interval", lambda images: images.double() / 255)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("name", CHOICES)
def test_an_epoch_is_that_of_plain_torch(name: str, images: dict[str, Images], tmp_path: Path) -> None:
    model, (row,) = loop.train(config(name, COUNT), 0, images, tmp_path, CPU)
    hand, stale = ByHand(name), ByHand(name, stale=True)
    for one in (hand, stale):
        for _ in one.epoch(images["train"]):
            pass

    # Weights, and the running statistics of batch normalisation with their counters; five steps of Adam at 0.01.
    assert largest_difference(values(model), hand.values()) < 1e-10
    assert largest_difference(values(model), stale.values()) > 1e-3, "the generator's turn saw the discriminator before its own turn"
    assert {name: row[f"train_{name}"] for name in hand.sums} == pytest.approx({n: v / COUNT for n, v in hand.sums.items()}, rel=1e-10)


def test_validation_is_of_held_out_images_in_evaluation_mode_without_noise(images: dict[str, Images], tmp_path: Path) -> None:
    for name in ("instance noise", "dropout"):
        _, (row,) = loop.train(config(name, COUNT), 0, images, tmp_path / name, CPU)
        hand = ByHand(name)
        for _ in hand.epoch(images["train"]):
            pass
        torch.manual_seed(derive_seed(0, "validation", 1))
        generator, discriminator = hand.generator.eval(), hand.discriminator.eval()
        with torch.no_grad():
            real = discriminator(2 * images["validation"].images.float().flatten(1) / 255 - 1)
            fake = discriminator(generator(torch.randn(20, 3)))
        nats = cross_entropy(real, torch.ones_like(real)) + cross_entropy(fake, torch.zeros_like(fake))
        assert row["val_discriminator_nats"] == pytest.approx(nats.item(), rel=1e-5)
        assert (row["val_probability_real"], row["val_probability_fake"]) == pytest.approx(
            (real.sigmoid().mean().item(), fake.sigmoid().mean().item()), rel=1e-5
        )
        assert (row["val_accuracy_real"], row["val_accuracy_fake"]) == ((real > 0).double().mean(), (fake <= 0).double().mean())
        assert "val_generator_nats" not in row


def gradients(player: nn.Module) -> list[torch.Tensor]:
    return [parameter.grad.clone() for parameter in player.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("name", CHOICES)
def test_each_turn_changes_its_own_player_alone(
    name: str, images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    players: list[nn.Module] = []
    changes: list[list[bool]] = []
    left: list[list[torch.Tensor]] = [[], []]
    build_model, adam_step = loop.build, Adam.step

    def watched_build(*arguments: Any) -> Any:
        model = build_model(*arguments)
        players.extend([model.discriminator, model.generator])
        return model

    def watched_step(self: Adam) -> None:
        turn = len(changes) % 2
        before = [[value.detach().clone() for value in player.parameters()] for player in players]
        adam_step(self)
        changes.append([not all(map(torch.equal, was, now.parameters())) for was, now in zip(before, players, strict=True)])
        # The turn gave the other player no gradient: it is what the other's own turn has left.
        other = gradients(players[1 - turn])
        assert len(other) == len(left[1 - turn]) and all(map(torch.equal, other, left[1 - turn]))
        left[turn] = gradients(players[turn])

    monkeypatch.setattr(loop, "build", watched_build)
    monkeypatch.setattr(Adam, "step", watched_step)
    loop.train(config(name, COUNT), 0, images, tmp_path, CPU)
    assert changes == [[True, False], [False, True]] * 5


@pytest.mark.parametrize("name", CHOICES)
def test_discriminator_and_generator_are_the_players_and_the_first_turn_does_not_reach_the_generator(name: str) -> None:
    model, objective = made(name)
    assert objective.players(model) == [model.discriminator, model.generator]
    discriminator, generator = (list(player.parameters()) for player in objective.players(model))
    assert {id(one) for one in discriminator} ^ {id(one) for one in generator} == {id(one) for one in model.parameters()}

    (first, _), (second, _) = objective.turns(model, torch.rand(8, *SHAPE), torch.zeros(8))
    assert torch.autograd.grad(first, generator, allow_unused=True, retain_graph=True) == (None,) * len(generator)
    # First layer and last weights: the first of each reaches to the other end of the network.
    assert all(gradient.abs().max() > 0 for gradient in torch.autograd.grad(first, [discriminator[0], discriminator[-2]]))
    assert all(gradient.abs().max() > 0 for gradient in torch.autograd.grad(second, [generator[0], generator[-2]]))


def test_the_generators_turn_sees_what_the_discriminators_turn_has_made() -> None:
    model, objective = made("non-saturating")
    turns = objective.turns(model, torch.rand(8, *SHAPE), torch.zeros(8))
    next(turns)
    # Whatever it sees, it now has the logit 1.5: -log D = log(1 + exp(-1.5)).
    with torch.no_grad():
        model.discriminator[-1].weight.zero_()
        model.discriminator[-1].bias.fill_(1.5)
    value, recorded = next(turns)
    assert value.item() == pytest.approx(math.log1p(math.exp(-1.5)), rel=1e-6)
    assert set(recorded) == {"generator_nats"} and recorded["generator_nats"].shape == (8,)


def shown(name: str, x: torch.Tensor, fixed: torch.Tensor | None = None) -> list[torch.Tensor]:
    """Return what the discriminator is shown in both turns; `fixed` is the generator's only image if it is given."""
    model, objective = made(name)
    seen: list[torch.Tensor] = []
    model.discriminator.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].detach().clone()))
    if fixed is not None:
        model.generator.register_forward_hook(lambda _, arguments, out: fixed.expand(len(x), *SHAPE).clone().requires_grad_())
    list(objective.turns(model, x, torch.zeros(len(x))))
    return seen


def test_both_turns_are_about_the_same_generated_images_and_real_ones_in_minus_one_to_one() -> None:
    x = torch.tensor([0.0, 0.25, 0.5, 1.0]).view(4, 1, 1, 1).expand(4, *SHAPE)
    real, fake, again = shown("non-saturating", x)
    assert torch.equal(real[:, 0, 0, 0], torch.tensor([-1.0, -0.5, 0.0, 1.0])) and torch.equal(real, 2 * x - 1)
    assert torch.equal(fake, again) and -1 < fake.min() < 0 < fake.max() < 1


def test_instance_noise_is_white_of_its_scale_on_all_that_the_discriminator_sees() -> None:
    n, scale = 2000, 0.5
    drawn = shown("instance noise", torch.full((n, *SHAPE), 0.75), torch.full(SHAPE, -0.25))
    # A real image of 0.75 is one of 0.5 in [-1, 1].
    noises = [(one - clean).double() for one, clean in zip(drawn, (0.5, -0.25, -0.25), strict=True)]
    count = n * 16
    for noise in noises:
        # The mean's error is scale / sqrt(count), the standard deviation's scale / sqrt(2 count), that of a mean product scale^2 / sqrt.
        assert abs(noise.mean().item()) < 4 * scale / math.sqrt(count)
        assert abs(noise.std().item() - scale) < 4 * scale / math.sqrt(2 * count)
        assert abs((noise[:, 0, :, :-1] * noise[:, 0, :, 1:]).mean().item()) < 4 * scale**2 / math.sqrt(n * 12)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert abs((noises[one] * noises[other]).mean().item()) < 4 * scale**2 / math.sqrt(count)


def test_without_instance_noise_the_discriminator_sees_the_images_themselves() -> None:
    fixed = torch.full(SHAPE, -0.25)
    for name in ("saturating", "dropout", "wasserstein"):
        first, second, *between, last = shown(name, torch.full((5, *SHAPE), 0.75), fixed)
        assert torch.equal(first, torch.full((5, *SHAPE), 0.5))
        assert all(torch.equal(one, fixed.expand(5, *SHAPE)) for one in (second, last))
        assert len(between) == (name == "wasserstein")


def test_batch_normalisation_counts_one_batch_of_a_generator_and_three_of_a_discriminator(
    images: dict[str, Images], tmp_path: Path
) -> None:
    model, _ = loop.train(config("normalised discriminator", COUNT), 0, images, tmp_path, CPU)
    counters = {name: value.item() for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")}
    # Five steps; validation counts nothing.
    assert counters == {"generator.0.1.num_batches_tracked": 5, "discriminator.1.num_batches_tracked": 15}


def test_snapshots_by_step_are_the_weights_at_their_step(images: dict[str, Images], tmp_path: Path) -> None:
    # The declared run has twice the images and 18 steps; this one has 10.
    settings = config("saturating", 2 * COUNT, epochs=2, snapshot_steps=[0, 6, 11, 18], snapshot_epochs=[1])
    assert math.ceil(2 * COUNT / 16) * 2 == 18
    loop.train(settings, 0, images, tmp_path, CPU)
    hand = ByHand("saturating")
    by_step = [hand.values()]
    for epoch in (1, 2):
        by_step += [hand.values() for _ in hand.epoch(images["train"], epoch)]

    # 6/18 and 11/18 of 10 steps are 3.33 and 6.11.
    for file, at, note in (
        ("step-000000", 0, {"report_step": 0}),
        ("step-000006", 3, {"report_step": 6}),
        ("step-000011", 6, {"report_step": 11}),
        ("step-000018", 10, {"report_step": 18}),
        ("epoch-001", 5, {"epoch": 1}),
    ):
        tensors, said = read_tensors(tmp_path / f"{file}.safetensors")
        model, _ = made("saturating")
        model.load_state_dict(tensors)
        assert said == {**note, "step": at, "steps": 10}
        assert largest_difference(values(model), by_step[at]) < 1e-6
        if at > 0:
            assert largest_difference(values(model), by_step[at - 1]) > 1e-3
    assert len(list(tmp_path.glob("*-*.safetensors"))) == 5
