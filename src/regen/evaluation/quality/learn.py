"""How the network of a feature space comes about: trained on a data set's labels, or left random where there are none."""

from pathlib import Path
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.config.features import FeaturesConfig, Labeller
from regen.config.model import Classifier, Regressor
from regen.config.training import CrossEntropy, SquaredError
from regen.config.variant import TrainConfig
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.measures import ALONE, Reference, measures
from regen.images.images import Images
from regen.models.build import build
from regen.training.loop import train
from regen.training.terms import mean_terms

__all__ = ["account", "labeller", "train_features"]

OBJECTIVES: dict[str, CrossEntropy | SquaredError] = {
    "classes": CrossEntropy(kind="cross_entropy"),
    "factors": SquaredError(kind="squared_error"),
}


def labeller(config: FeaturesConfig, labels: torch.Tensor) -> Labeller:
    """Return the network for labels (N,) of classes or (N, F) of factors; F = 0 means that there are none."""
    if labels.ndim == 1:
        classes = config.classes or int(labels.max()) + 1
        model = Classifier(family="classifier", network=config.network, dropout=config.dropout, classes=classes)
        return Labeller(model=model, shape=config.shape, labels="classes")
    factors = labels.shape[1]
    regressor = Regressor(family="regressor", network=config.network, dropout=config.dropout, factors=max(1, factors))
    return Labeller(model=regressor, shape=config.shape, labels="factors" if factors else "nothing")


def train_features(
    config: FeaturesConfig, chosen: Labeller, images: dict[str, Images], folder: Path, device: torch.device, code: str = ""
) -> FeatureSpace:
    """Return the feature space of a data set; without labels the network keeps its random weights.

    images: `train` and `validation`, prepared. `folder` receives the checkpoint, `code` is what this depends on.
    """
    seed = derive_seed(config.seed, "features", config.dataset)
    if chosen.labels == "nothing":
        torch.manual_seed(seed)
        return FeatureSpace(build(chosen.model, config.shape).to(device), config.shape, chosen.labels)
    training = TrainConfig(
        variant=f"features-{config.dataset}",
        dataset=config.dataset,
        shape=config.shape,
        images=config.images,
        model=chosen.model,
        training=config.schedule.training(OBJECTIVES[chosen.labels]),
        declared_images=len(images["train"]),
        max_steps=config.max_steps,
        compute=config.compute,
    )
    model, _ = train(training, seed, images, folder, device, code, rate=f"features.{config.dataset}.schedule.learning_rate")
    return FeatureSpace(model, config.shape, chosen.labels)


def account(config: FeaturesConfig, space: FeatureSpace, labelled: Images, reference: Reference) -> dict[str, Any]:
    """Return what is to be known of a feature space: how well its network labels test images, and the floor of every measure.

    labelled: test images with labels, prepared. The floor: the first training images held against the test images.
    """
    train, own = measures(reference.train[: config.n_samples], reference)
    test, shown = measures(reference.test, reference, ALONE)
    # Every training image is its own nearest.
    del train["nearest_train_ratio"]
    return {
        "dataset": config.dataset,
        "data_source": config.data_source,
        "labels": space.labels,
        "labels_of": config.labels,
        "n_features": reference.test_features.shape[1],
        "n_images": len(reference.test),
        "test": {"n_images": len(labelled), **(mean_terms(space.model, labelled) if space.labels != "nothing" else {})},
        "floor": [{"images": "training images", **train, **own}, {"images": "test images", **test, **shown}],
    }
