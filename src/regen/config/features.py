"""The resolved configurations of the feature networks and of sample quality."""

from typing import Literal

from regen.config.base import Config, Name, Positive, PositiveFloat
from regen.config.model import Dropout, Encoder, Model
from regen.config.training import Objective, Preparation, Training, Values
from regen.config.variant import Compute, DataSource

__all__ = ["FeatureNetwork", "FeaturesConfig", "Labeller", "QualityConfig"]


class FeatureSchedule(Config):
    """How a feature network is trained."""

    learning_rate: PositiveFloat
    batch_size: Positive
    epochs: Positive

    def training(self, objective: Objective) -> Training:
        """Return the schedule of an objective."""
        return Training(objective=objective, optimizer="adam", **self.model_dump())


class FeatureNetwork(Config):
    """A network in whose features the samples of a data set are compared; `labels` is the data set with the labels, if not itself."""

    labels: Name | None = None
    images: Preparation = Preparation()
    network: Encoder
    dropout: Dropout
    schedule: FeatureSchedule


class FeaturesConfig(FeatureNetwork):
    """Resolved for `features`: the network of one data set; `n_samples` images hold the training images against the test images."""

    dataset: Name
    labels: Name
    data_source: DataSource
    shape: list[Positive]
    classes: Positive | None
    n_samples: Positive
    max_steps: Positive | None
    compute: Compute
    seed: int


class Labeller(Config):
    """What a file of feature weights says of its network."""

    model: Model
    shape: list[Positive]
    labels: Literal["classes", "factors", "nothing"]


class QualityConfig(Config):
    """Resolved for `quality`: one variant and how many images it is asked for; shape and values are of the prepared images."""

    variant: Name
    dataset: Name
    data_source: DataSource
    shape: list[Positive]
    values: Values
    images: Preparation
    held_out: Literal["validation", "test"]
    model: Model
    n_samples: Positive
    seed: int
    threads: Positive
    device: Literal["cpu", "cuda", "auto"]
