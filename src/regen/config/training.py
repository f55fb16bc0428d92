"""How a variant is trained: what is minimised, on which images, with which schedule."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regen.config.base import Config, Positive, PositiveFloat

__all__ = [
    "Adversarial",
    "CrossEntropy",
    "Elbo",
    "GumbelSoftmax",
    "Iwae",
    "MeanSquaredError",
    "NegativeLogLikelihood",
    "Noise",
    "Objective",
    "Preparation",
    "RateDrops",
    "Reconstruction",
    "ScoreFunction",
    "SquaredError",
    "Training",
    "Values",
]


class Elbo(Config):
    """-E_q log p(x | z) + kl_weight KL, pathwise gradient, the expectation a mean over `samples` of q (lab1, equation 18).

    Over the first `warm_up_epochs` the weight of the KL rises linearly from 0 to `kl_weight`. With `free_nats_per_latent` a latent counts
    no less than so many nats, whose KL is averaged over the batch first. `log_det_times_dim` is vu4a's fault, made on purpose.
    """

    kind: Literal["elbo"]
    samples: Positive = 1
    kl_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    warm_up_epochs: Positive | None = None
    free_nats_per_latent: PositiveFloat | None = None
    log_det_times_dim: bool = False


class Iwae(Config):
    """-log (1/K sum_k w_k) with K = `samples`."""

    kind: Literal["iwae"]
    samples: Positive
    gradient: Literal["normalised_weights", "doubly_reparameterised"]


class MeanSquaredError(Config):
    """Squared error of the decoder's mean, averaged over pixels, + kl_weight times the KL, averaged over latents: no unit."""

    kind: Literal["mean_squared_error"]
    kl_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0


class GumbelSoftmax(Config):
    """-ELBO of Bernoulli latents with the reconstruction at relaxed ones, and the KL of the Bernoullis themselves in closed form."""

    kind: Literal["gumbel_softmax"]
    temperature: PositiveFloat


class ScoreFunction(Config):
    """-ELBO of Bernoulli latents, analytic KL, score-function gradient of the reconstruction.

    `decay` of the running average that is the baseline; null: the mean of all earlier steps.
    """

    kind: Literal["score_function"]
    estimator: Literal["no_baseline", "running_average", "leave_one_out", "as_printed"]
    samples: Positive
    decay: Annotated[float, Field(ge=0, lt=1)] | None = 0.9

    @model_validator(mode="after")
    def _samples_fit(self) -> Self:
        if self.estimator == "leave_one_out" and self.samples < 2:
            raise ValueError(f"samples = {self.samples}: allowed with estimator 'leave_one_out': from 2")
        if self.estimator != "leave_one_out" and self.samples != 1:
            raise ValueError(f"samples = {self.samples}: allowed with estimator '{self.estimator}': 1")
        return self


class NegativeLogLikelihood(Config):
    """-log p(x) of a model with a density."""

    kind: Literal["nll"]


class Reconstruction(Config):
    """-log p(x | code) of an auto-encoder."""

    kind: Literal["reconstruction"]


class Adversarial(Config):
    """The discriminator's cross-entropy against log(1 - D(G(z))) or -log D(G(z)); or Wasserstein with a gradient penalty.

    `instance_noise` is the standard deviation of white noise on the real and the generated images that the discriminator sees, on the
    scale of [-1, 1]; the penalty is taken without it.
    """

    kind: Literal["adversarial"]
    loss: Literal["saturating", "non_saturating", "wasserstein"]
    gradient_penalty: PositiveFloat | None = None
    instance_noise: PositiveFloat | None = None

    @model_validator(mode="after")
    def _penalty_fits(self) -> Self:
        if (self.loss == "wasserstein") != (self.gradient_penalty is not None):
            allowed = "a number, 10 in Gulrajani et al. (2017)" if self.loss == "wasserstein" else "none"
            raise ValueError(f"gradient_penalty = {self.gradient_penalty}: allowed with loss '{self.loss}': {allowed}")
        return self


class CrossEntropy(Config):
    """-log p(class | x) of a classifier."""

    kind: Literal["cross_entropy"]


class SquaredError(Config):
    """Squared error of a regressor."""

    kind: Literal["squared_error"]


Values = Literal["grey", "binary"]

Objective = Annotated[
    Elbo
    | Iwae
    | MeanSquaredError
    | GumbelSoftmax
    | ScoreFunction
    | NegativeLogLikelihood
    | Reconstruction
    | Adversarial
    | CrossEntropy
    | SquaredError,
    Field(discriminator="kind"),
]


class Noise(Config):
    """White noise of standard deviation `scale` on the inputs, clipped to [0, 1]; targets with the same noise or clean."""

    scale: PositiveFloat
    targets: Literal["noisy", "clean"]


class Preparation(Config):
    """What is done to the data set's images: resized, one channel repeated, binarised once or anew at every visit in training.

    `luminance`: the three channels all become the image's luminance.
    """

    luminance: bool = False
    size: Positive | None = None
    channels: Positive | None = None
    binarisation: Literal["fixed", "every_epoch"] | None = None

    def shape(self, shape: list[int]) -> list[int]:
        """Return (C, H, W) of prepared images."""
        channels, height, width = shape
        return [self.channels or channels, self.size or height, self.size or width]

    def values(self, values: Values) -> Values:
        """Return `grey` or `binary`, what the values of prepared images are."""
        return values if self.binarisation is None else "binary"


class RateDrops(Config):
    """After each of these epochs the learning rate is multiplied by `factor`."""

    epochs: Annotated[list[Positive], Field(min_length=1)]
    factor: Annotated[float, Field(gt=0, lt=1)]


class Training(Config):
    """A report's own schedule; `learning_rate_stages` n is Burda's: 3^(i-1) epochs at stage i, the rate falling tenfold.

    `held_out: test` trains on the validation images too and holds the test images out instead; nothing is chosen by either.
    `on_non_finite: stop` makes a training that leaves the finite numbers a result: it ends with the weights of the last finite epoch.
    """

    objective: Objective
    noise: Noise | None = None
    optimizer: Literal["adam"]
    learning_rate: PositiveFloat
    learning_rate_stages: Annotated[int, Field(ge=2)] | None = None
    learning_rate_drops: RateDrops | None = None
    betas: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=2, max_length=2)] = [0.9, 0.999]
    epsilon: PositiveFloat = 1e-8
    clip_norm: PositiveFloat | None = None
    batch_size: Positive
    epochs: Positive
    snapshot_epochs: list[Annotated[int, Field(ge=0)]] = []
    snapshot_steps: list[Annotated[int, Field(ge=0)]] = []
    held_out: Literal["validation", "test"] = "validation"
    on_non_finite: Literal["error", "stop"] = "error"

    def steps(self, n_images: int) -> int:
        """Return the optimiser steps of all epochs over `n_images`; the last batch of an epoch may be smaller."""
        return self.epochs * -(-n_images // self.batch_size)

    @model_validator(mode="after")
    def _schedule_fits(self) -> Self:
        if self.snapshot_epochs != sorted(set(self.snapshot_epochs)) or max(self.snapshot_epochs, default=0) > self.epochs:
            raise ValueError(f"snapshot_epochs = {self.snapshot_epochs}: allowed: rising, each from 0 to 'epochs' ({self.epochs})")
        if self.snapshot_steps != sorted(set(self.snapshot_steps)):
            raise ValueError(f"snapshot_steps = {self.snapshot_steps}: allowed: rising")
        if self.learning_rate_stages is not None and self.epochs != (total := (3**self.learning_rate_stages - 1) // 2):
            raise ValueError(f"epochs = {self.epochs}: allowed with learning_rate_stages = {self.learning_rate_stages}: {total}")
        if (drops := self.learning_rate_drops) is not None:
            if self.learning_rate_stages is not None:
                raise ValueError("learning_rate_drops: allowed without learning_rate_stages")
            if drops.epochs != sorted(set(drops.epochs)) or drops.epochs[-1] >= self.epochs:
                raise ValueError(f"learning_rate_drops.epochs = {drops.epochs}: allowed: rising, each below 'epochs' ({self.epochs})")
        if isinstance(self.objective, Elbo) and (self.objective.warm_up_epochs or 0) > self.epochs:
            raise ValueError(f"objective.warm_up_epochs = {self.objective.warm_up_epochs}: allowed: up to 'epochs' ({self.epochs})")
        return self
