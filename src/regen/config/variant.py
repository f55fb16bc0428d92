"""What may be chosen of one variant, and its resolved configurations for `train` and `evaluate`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regen.config.base import Config, Name, Positive, PositiveFloat

__all__ = [
    "Bernoulli",
    "Compute",
    "DataSource",
    "EvaluateConfig",
    "Gaussian",
    "Latent",
    "LikelihoodProtocol",
    "Model",
    "Network",
    "Prior",
    "TrainConfig",
    "Training",
    "Values",
]

DataSource = Literal["official", "subset", "grey", "stand-in"]
Values = Literal["grey", "binary"]


class Network(Config):
    """Layers of the encoder; the decoder is its mirror."""

    kind: Literal["mlp"]
    hidden: Annotated[list[Positive], Field(min_length=1)]
    activation: Literal["relu"]


class Latent(Config):
    """Posterior family q(z | x) and the number of latent dimensions."""

    kind: Literal["gaussian"]
    dim: Positive


class Prior(Config):
    """Prior p(z)."""

    kind: Literal["standard"]


class Bernoulli(Config):
    """p(x | z) = Bernoulli(logits); on grey values an unnormalised cross-entropy."""

    kind: Literal["bernoulli"]


class Gaussian(Config):
    """p(x | z) = N(sigmoid(logits), scale^2) on values in [0, 1]."""

    kind: Literal["gaussian"]
    scale: PositiveFloat


class Model(Config):
    """Independent choices that together make a latent-variable model."""

    network: Network
    latent: Latent
    prior: Prior
    likelihood: Annotated[Bernoulli | Gaussian, Field(discriminator="kind")]


class Training(Config):
    """A report's own schedule."""

    optimizer: Literal["adam"]
    learning_rate: PositiveFloat
    batch_size: Positive
    epochs: Positive
    snapshot_epochs: list[Annotated[int, Field(ge=0)]]

    @model_validator(mode="after")
    def _snapshots_fit(self) -> Self:
        if self.snapshot_epochs != sorted(set(self.snapshot_epochs)) or max(self.snapshot_epochs, default=0) > self.epochs:
            raise ValueError(f"snapshot_epochs = {self.snapshot_epochs}: allowed: rising, each from 0 to 'epochs' ({self.epochs})")
        return self


class Compute(Config):
    """How training runs: threads a process, device, epochs between checkpoints."""

    threads: Positive
    device: Literal["cpu", "cuda", "auto"]
    checkpoint_every: Positive


class LikelihoodProtocol(Config):
    """K importance samples on the first `n_images` test images (null: on all)."""

    importance_samples: Positive
    n_images: Positive | None


class TrainConfig(Config):
    """Resolved for `train`: one variant; `max_steps` limits its optimiser steps."""

    variant: Name
    dataset: Name
    shape: list[Positive]
    model: Model
    training: Training
    max_steps: Positive | None
    compute: Compute


class EvaluateConfig(Config):
    """Resolved for `evaluate`: one variant and its likelihood protocol."""

    variant: Name
    dataset: Name
    data_source: DataSource
    shape: list[Positive]
    values: Values
    model: Model
    likelihood: list[LikelihoodProtocol]
    seed: int
    threads: Positive
    device: Literal["cpu", "cuda", "auto"]
