"""The resolved configurations of the probes: experiments that claims call for beside the evaluation of every variant."""

from typing import Annotated, Literal

from pydantic import Field

from regen.config.base import Config, Positive
from regen.config.features import QualityConfig
from regen.config.variant import DataSource

__all__ = [
    "CodeFit",
    "EarlyGradients",
    "EstimatorVariance",
    "FineTuning",
    "GradientVariance",
    "LinearProbe",
    "Midpoints",
    "PriorCost",
    "ProbeConfig",
    "ProbedVariant",
    "Reshape",
    "Settings",
    "SingleLatents",
    "Upsamplings",
]

Several = Annotated[int, Field(ge=2)]


class LinearProbe(Config):
    """Numbers of labels, and random draws of the labelled images for each."""

    kind: Literal["linear_probe"] = "linear_probe"
    labels: Annotated[list[Positive], Field(min_length=1)]
    draws: Several


class FineTuning(Config):
    """Numbers of labels, random draws of the labelled images for each, and rising numbers of steps after which a classifier is tested."""

    kind: Literal["fine_tuning"] = "fine_tuning"
    labels: Annotated[list[Positive], Field(min_length=1)]
    draws: Several
    steps: Annotated[list[Positive], Field(min_length=1)]


class GradientVariance(Config):
    """Samples of q and batch sizes, each with each; batches drawn, and gradients of each batch."""

    kind: Literal["gradient_variance"] = "gradient_variance"
    samples: Annotated[list[Positive], Field(min_length=1)]
    batch_sizes: Annotated[list[Positive], Field(min_length=1)]
    batches: Several
    repeats: Several


class CodeFit(Config):
    """Codes of either sample (fewer if there are no more), permutations of them, and initialisations of a mixture."""

    kind: Literal["code_fit"] = "code_fit"
    codes: Several
    permutations: Positive
    initialisations: Positive


class EstimatorVariance(Config):
    """Repeated draws of a gradient."""

    kind: Literal["estimator_variance"] = "estimator_variance"
    repeats: Several


class EarlyGradients(Config):
    """Batches that a gradient's norm is averaged over."""

    kind: Literal["early_gradients"] = "early_gradients"
    batches: Positive


class PriorCost(Config):
    """Numbers of latents, observations of each family, and the most prior samples that are drawn."""

    kind: Literal["prior_cost"] = "prior_cost"
    latents: Annotated[list[Positive], Field(min_length=2)]
    observations: Several
    limit: Several


class Reshape(Config):
    """Nothing to choose: the samples are those of the variant's sample quality."""

    kind: Literal["reshape"] = "reshape"


class Midpoints(Config):
    """Pairs of test images (fewer if there are no more)."""

    kind: Literal["midpoints"] = "midpoints"
    pairs: Several


class SingleLatents(Config):
    """Random directions to hold the dimensions against, and points along each."""

    kind: Literal["single_latents"] = "single_latents"
    random_directions: Several
    points: Several


class Upsamplings(Config):
    """Nothing to choose: the samples are those of the variants' sample quality."""

    kind: Literal["upsamplings"] = "upsamplings"


Settings = Annotated[
    LinearProbe
    | FineTuning
    | CodeFit
    | EstimatorVariance
    | GradientVariance
    | EarlyGradients
    | PriorCost
    | Reshape
    | Midpoints
    | SingleLatents
    | Upsamplings,
    Field(discriminator="kind"),
]


class ProbedVariant(QualityConfig):
    """A variant whose weights of the preset's first seed are probed."""

    first_seed: int
    batch_size: Positive


class ProbeConfig(Config):
    """Resolved for `probe`: one probe, named by the kind of its settings; without variants there is no data source."""

    settings: Settings
    variants: list[ProbedVariant]
    data_source: DataSource | None
    seed: int
    threads: Positive
    device: Literal["cpu", "cuda", "auto"]
