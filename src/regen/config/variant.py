"""The resolved configurations of one variant for `train` and `evaluate`, and which choices go together."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regen.config.base import Config, Name, Positive
from regen.config.model import ConvEncoder, Encoder, Gan, Model, PixelFlow, RealNvp, Vae
from regen.config.training import Adversarial, Elbo, Preparation, Training, Values

__all__ = [
    "Check",
    "Checks",
    "Compute",
    "DataSource",
    "EvaluateConfig",
    "LikelihoodProtocol",
    "TrainConfig",
    "check_combination",
    "check_encoder",
    "check_images",
]

DataSource = Literal["official", "subset", "grey", "stand-in", "own"]

OBJECTIVES = {
    "gaussian": ("elbo", "iwae", "mean_squared_error"),
    "bernoulli": ("score_function", "gumbel_softmax"),
    "flow": ("nll",),
    "autoencoder": ("reconstruction",),
    "gan": ("adversarial",),
    "classifier": ("cross_entropy",),
    "regressor": ("squared_error",),
}


def check_combination(model: Model, training: Training) -> None:
    """Refuse choices that do not go together.

    Raises
    ------
    ValueError
        Key, value and what is allowed.
    """
    objective = training.objective
    allowed = OBJECTIVES[model.latent.kind if isinstance(model, Vae) else model.family]
    if isinstance(model, Vae) and isinstance(model.prior, RealNvp):
        if model.latent.kind == "bernoulli":
            raise ValueError(f"model.prior.kind = '{model.prior.kind}': allowed with Bernoulli latents: 'standard'")
        if model.latent.dim % 2:
            raise ValueError(f"model.latent.dim = {model.latent.dim}: allowed with a coupling: an even number")
    if objective.kind not in allowed:
        with_what = f"{model.latent.kind} latents" if isinstance(model, Vae) else f"family '{model.family}'"
        raise ValueError(f"training.objective.kind = '{objective.kind}': allowed with {with_what}: {', '.join(allowed)}")
    if isinstance(objective, Elbo):
        flow_prior = isinstance(model, Vae) and isinstance(model.prior, RealNvp)
        if objective.log_det_times_dim and not flow_prior:
            raise ValueError("training.objective.log_det_times_dim = true: allowed with a 'realnvp' prior only")
        if objective.free_nats_per_latent is not None and flow_prior:
            raise ValueError(
                f"training.objective.free_nats_per_latent = {objective.free_nats_per_latent}: allowed with a 'standard' prior only, "
                "whose KL is a sum over latents"
            )
    if isinstance(model, Gan) and isinstance(objective, Adversarial):
        output = "score" if objective.loss == "wasserstein" else "probability"
        if model.output != output:
            raise ValueError(f"model.output = '{model.output}': allowed with loss '{objective.loss}': '{output}'")
        if objective.gradient_penalty is not None and model.discriminator.batch_norm:
            # The penalty is of single images (Gulrajani et al., 2017, section 4).
            raise ValueError("model.discriminator.batch_norm = true: allowed with loss 'wasserstein': false")
    if training.batch_size == 1 and (where := _normalised(model)) is not None:
        raise ValueError(f"training.batch_size = 1: allowed with {where}.batch_norm = true: from 2, one image has no variance")
    if training.noise is not None and objective.kind != "elbo":
        raise ValueError(f"training.noise: allowed with objective 'elbo' only, not '{objective.kind}'")


def _normalised(model: Model) -> str | None:
    """Return the key of the first network that normalises by batches; None if there is none."""
    parts = ("network", "generator", "discriminator")
    return next((f"model.{part}" for part in parts if getattr(getattr(model, part, None), "batch_norm", False)), None)


def check_images(model: Model, training: Training, images: Preparation, shape: list[int], values: Values, classes: int | None) -> None:
    """Refuse a model that does not fit its images: shape (C, H, W) as prepared, values and number of classes of the data set.

    Raises
    ------
    ValueError
        Key, value and what is allowed.
    """
    if values == "binary" and images.binarisation is not None:
        raise ValueError(f"images.binarisation = '{images.binarisation}': allowed on binary images: null")
    if values == "binary" and images.size is not None:
        raise ValueError(f"images.size = {images.size}: allowed on binary images: null")
    if values == "binary" and images.luminance:
        raise ValueError("images.luminance = true: allowed on binary images: false")
    binary = values == "binary" or images.binarisation is not None
    likelihood = getattr(model, "likelihood", None)
    if binary and likelihood is not None and likelihood.kind != "bernoulli":
        raise ValueError(f"model.likelihood.kind = '{likelihood.kind}': allowed on binary images: 'bernoulli'")
    if binary and training.noise is not None:
        raise ValueError("training.noise: allowed on grey images only")
    levels = likelihood is not None and likelihood.kind == "discretised_logistic"
    if levels and training.noise is not None and training.noise.targets == "noisy":
        raise ValueError(
            "training.noise.targets = 'noisy': allowed with likelihood 'discretised_logistic': 'clean', for noise leaves the levels"
        )
    if isinstance(model, PixelFlow) and (binary or shape[0] * shape[1] * shape[2] % 2):
        raise ValueError("model.family = 'flow': allowed on grey images with an even number of values")
    if model.family == "classifier" and model.classes != classes:
        raise ValueError(f"model.classes = {model.classes}: allowed on this data set: {classes or 'no classifier, it has no classes'}")
    for name in ("network", "generator", "discriminator"):
        check_encoder(getattr(model, name, None), shape, f"model.{name}")


def check_encoder(network: Encoder | None, shape: list[int], where: str) -> None:
    """Refuse a network whose convolutions cannot halve images of shape (C, H, W)."""
    if isinstance(network, ConvEncoder) and (shape[1] % 2 ** len(network.channels) or shape[2] % 2 ** len(network.channels)):
        raise ValueError(f"{where}.channels = {network.channels}: allowed: no more than {shape[1]}x{shape[2]} can be halved")


class Compute(Config):
    """How training runs: threads a process, device, most minutes between two checkpoints (0: one after every epoch)."""

    threads: Positive
    device: Literal["cpu", "cuda", "auto"]
    checkpoint_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LikelihoodProtocol(Config):
    """Numbers of importance samples K, rising, on `n_images` test images (null: on all); the largest K is drawn and gives the result."""

    importance_samples: Annotated[list[Positive], Field(min_length=1)]
    n_images: Annotated[int, Field(ge=2)] | None

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.importance_samples != sorted(set(self.importance_samples)):
            raise ValueError(f"importance_samples = {self.importance_samples}: allowed: rising numbers, each once")
        return self


class Checks(Config):
    """How the likelihood is estimated again, on `n_images` test images.

    `sum_over`: most latents of an exact sum or grid; `chains`, `temperatures`: of annealed importance sampling; `prior_samples`: of the
    naive estimator.
    """

    n_images: Annotated[int, Field(ge=2)]
    sum_over: Positive
    chains: Positive
    temperatures: Positive
    prior_samples: Annotated[int, Field(ge=100)]


Check = Literal["annealed", "prior_sampling"]


class TrainConfig(Config):
    """Resolved for `train`: one variant; shape is of the prepared images, `max_steps` limits the optimiser steps.

    `declared_images` is the number of training images that the report's own schedule counts its steps by.
    """

    variant: Name
    dataset: Name
    shape: list[Positive]
    images: Preparation
    model: Model
    training: Training
    declared_images: Positive
    max_steps: Positive | None
    compute: Compute


class EvaluateConfig(Config):
    """Resolved for `evaluate`: one variant and its likelihood protocol; shape and values are of the prepared images."""

    variant: Name
    dataset: Name
    data_source: DataSource
    shape: list[Positive]
    values: Values
    images: Preparation
    model: Model
    likelihood: list[LikelihoodProtocol]
    checks: Checks
    run_checks: list[Check]
    memory_mb: Positive
    seed: int
    threads: Positive
    device: Literal["cpu", "cuda", "auto"]
