"""Small GANs for the loop, and the same training written by hand in plain torch."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from regen.common.determinism import derive_seed
from regen.config.base import parse
from regen.config.variant import TrainConfig
from regen.images.images import Images

__all__ = ["BATCH", "CHOICES", "LATENTS", "ByHand", "config", "gan_config"]

LATENTS, BATCH, RATE, BETAS = 3, 16, 0.01, (0.5, 0.9)
# The gradient of a bias before batch normalisation is zero but for rounding errors: Adam's own 1e-8 would make whole steps of them.
EPSILON = 1e-3
GENERATOR = {"kind": "mlp", "hidden": [5], "activation": "leaky_relu_0.2", "batch_norm": True}
DISCRIMINATOR = {"kind": "mlp", "hidden": [6], "activation": "leaky_relu_0.2"}
# Loss, gradient penalty, instance noise, dropout, and whether the discriminator is normalised over its batch.
CHOICES: dict[str, tuple[str, float | None, float | None, float, bool]] = {
    "saturating": ("saturating", None, None, 0.0, False),
    "non-saturating": ("non_saturating", None, None, 0.0, False),
    "wasserstein": ("wasserstein", 10.0, None, 0.0, False),
    "instance noise": ("non_saturating", None, 0.5, 0.0, False),
    "dropout": ("non_saturating", None, None, 0.3, False),
    "normalised discriminator": ("saturating", None, None, 0.0, True),
}


def gan_config(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return model and objective of one of `CHOICES`."""
    loss, penalty, noise, dropout, normalised = CHOICES[name]
    output = "score" if loss == "wasserstein" else "probability"
    networks = {"generator": GENERATOR, "discriminator": {**DISCRIMINATOR, "batch_norm": normalised}}
    model = {"family": "gan", "latent_dim": LATENTS, **networks, "dropout": dropout, "output": output}
    return model, {"kind": "adversarial", "loss": loss, "gradient_penalty": penalty, "instance_noise": noise}


def config(name: str, images: int, **changes: Any) -> TrainConfig:
    """Return the training of one of `CHOICES` on so many images: one epoch unless `changes` says otherwise."""
    model, objective = gan_config(name)
    settings = {
        "optimizer": "adam",
        "learning_rate": RATE,
        "betas": list(BETAS),
        "epsilon": EPSILON,
        "batch_size": BATCH,
        "epochs": 1,
        **changes,
    }
    names = {"variant": "tiny", "dataset": "mnist", "shape": [1, 4, 4], "images": {}, "model": model}
    rest = {"declared_images": images, "max_steps": None, "compute": {"threads": 1, "device": "cpu", "checkpoint_minutes": 0}}
    return parse(TrainConfig, {**names, "training": {**settings, "objective": objective}, **rest}, "test")


def norm(size: int, normalised: bool) -> list[nn.Module]:
    return [nn.BatchNorm1d(size)] if normalised else []


class ByHand:
    """Two networks and two optimisers without anything of regen but its seeds.

    With `stale` the generator's turn sees the discriminator as it was before its own turn.
    """

    def __init__(self, name: str, stale: bool = False) -> None:
        self.loss, self.penalty, self.noise, dropout, normalised = CHOICES[name]
        self.stale = stale
        torch.manual_seed(derive_seed(0, "initialise"))
        self.generator = nn.Sequential(nn.Linear(LATENTS, 5), nn.BatchNorm1d(5), nn.LeakyReLU(0.2), nn.Linear(5, 16), nn.Tanh())
        middle = [*norm(6, normalised), nn.LeakyReLU(0.2), *([nn.Dropout(dropout)] if dropout else [])]
        self.discriminator = nn.Sequential(nn.Linear(16, 6), *middle, nn.Linear(6, 1))
        self.optimizers = [
            torch.optim.Adam(player.parameters(), lr=RATE, betas=BETAS, eps=EPSILON) for player in (self.discriminator, self.generator)
        ]
        self.sums: dict[str, float] = {}

    def epoch(self, images: Images, epoch: int = 1) -> Iterator[None]:
        """Train for an epoch, one step at a time."""
        torch.manual_seed(derive_seed(0, "epoch", epoch))
        pixels = images.images.to(torch.get_default_dtype()).flatten(1) / 255
        for index in torch.randperm(len(images)).split(BATCH):
            self.step(2 * pixels[index] - 1)
            yield

    def step(self, real: torch.Tensor) -> None:
        before = copy.deepcopy(self.discriminator)
        fake = self.generator(torch.randn(len(real), LATENTS))
        first = self.judge(self.discriminator, real), self.judge(self.discriminator, fake.detach())
        self.update(0, self.of_discriminator(*first) + self.penalised(real, fake.detach()))
        judged = self.judge(before if self.stale else self.discriminator, fake)
        second = self.of_generator(judged)
        self.update(1, second)
        self.add("critic" if self.penalty else "discriminator_nats", self.of_discriminator(*first), len(real))
        self.add("generator" if self.penalty else "generator_nats", second, len(real))

    def judge(self, discriminator: nn.Module, images: torch.Tensor) -> torch.Tensor:
        noisy = images if self.noise is None else images + self.noise * torch.randn_like(images)
        judged: torch.Tensor = discriminator(noisy)
        return judged

    def of_discriminator(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        if self.loss == "wasserstein":
            return fake.mean() - real.mean()
        return cross_entropy(real, torch.ones_like(real)) + cross_entropy(fake, torch.zeros_like(fake))

    def of_generator(self, judged: torch.Tensor) -> torch.Tensor:
        losses: dict[str, Callable[[], torch.Tensor]] = {
            "saturating": lambda: -cross_entropy(judged, torch.zeros_like(judged)),
            "non_saturating": lambda: cross_entropy(judged, torch.ones_like(judged)),
            "wasserstein": lambda: -judged.mean(),
        }
        return losses[self.loss]()

    def penalised(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor | float:
        if self.penalty is None:
            return 0.0
        share = torch.rand(len(real), 1)
        between = (share * real + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(self.discriminator(between).sum(), between, create_graph=True)
        penalty = ((slope.square().sum(1).sqrt() - 1) ** 2).mean()
        self.add("gradient_penalty", penalty, len(real))
        return self.penalty * penalty

    def update(self, player: int, loss: torch.Tensor) -> None:
        self.optimizers[player].zero_grad()
        loss.backward()
        self.optimizers[player].step()

    def add(self, name: str, mean: torch.Tensor, count: int) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + mean.item() * count

    def values(self) -> list[torch.Tensor]:
        """Return weights and buffers, the generator's first."""
        return [value.clone() for part in (self.generator, self.discriminator) for value in part.state_dict().values()]
