"""Every measure of a set of images against the test images, under the names that docs/metrics.md defines."""

from functools import cached_property
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.evaluation.quality.classes import class_measures
from regen.evaluation.quality.distances import density_and_coverage, frechet, kernel, nearest_distances, precision_and_recall, shuffled
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.pixels import blockiness, laplacian_variance, period_two_energy

__all__ = ["ALONE", "TREND", "Reference", "measures"]

ALONE = ("digits_covered", "class_kl_nats", "top_class_share", "mean_confidence", "confident_share", "laplacian_variance", "blockiness")
"""What images show without a distance from the test images."""

TREND = ("frechet_classifier_distance", "kernel_classifier_distance", "kernel_standard_error", "checkerboard_energy", *ALONE)
"""What is followed over the snapshots: cheap."""

LEAST_CONFIDENT = 0.1
"""The part of the test images that the classifier is least sure of: another image is confident where it lies above them."""


class Reference:
    """What images are held against: training and test images uint8 (N, C, H, W) in a feature space, each computed when it is asked for.

    `prepared` are the test images as the model sees them, for what pixels show; by default the same. `seed` is of the orders in which
    features are compared, and so of their blocks.
    """

    def __init__(
        self, space: FeatureSpace, train: torch.Tensor, test: torch.Tensor, prepared: torch.Tensor | None = None, seed: int = 0
    ) -> None:
        self.space = space
        self.train = train
        self.test = test
        self.prepared = test if prepared is None else prepared
        self.seed = seed

    @cached_property
    def test_features(self) -> torch.Tensor:
        """Features of the test images (N, F)."""
        return self.space.features(self.test)

    @cached_property
    def train_features(self) -> torch.Tensor:
        """Features of the training images (M, F)."""
        return self.space.features(self.train)

    @cached_property
    def nearest_train(self) -> float:
        """Median distance of a test image to its nearest training image."""
        return _median(nearest_distances(self.test_features, self.train_features))

    @cached_property
    def confidence(self) -> float:
        """The classifier's confidence that all test images but the least confident ones exceed; of a space with classes."""
        probabilities = self.space.probabilities(self.test_features)
        assert probabilities is not None
        return probabilities.max(1).values.double().quantile(LEAST_CONFIDENT).item()

    @cached_property
    def period_two(self) -> float | None:
        """Power of the prepared test images at period 2."""
        return period_two_energy(self.prepared)


def measures(images: torch.Tensor, reference: Reference, keys: tuple[str, ...] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scalars of images uint8 (N, C, H, W), all or those of `ALONE` or `TREND`, and their tables.

    Distances, precision, recall, density and coverage depend on the number of images: they take as many of either as there are of both.
    """
    features = reference.space.features(images)
    scalars: dict[str, Any] = {"laplacian_variance": laplacian_variance(images), "blockiness": blockiness(images)}
    tables: dict[str, Any] = {}
    probabilities = reference.space.probabilities(features)
    if probabilities is not None:
        classes, tables = class_measures(probabilities)
        confident = probabilities.max(1).values.double() > reference.confidence
        scalars |= {**classes, "confident_share": confident.double().mean().item()}
    if keys != ALONE:
        scalars |= _distances(features, reference)
        period_two = period_two_energy(images)
        scalars["checkerboard_energy"] = period_two / reference.period_two if period_two is not None and reference.period_two else None
    if keys is None:
        scalars |= _neighbours(features, reference)
    return scalars, tables


def _distances(features: torch.Tensor, reference: Reference) -> dict[str, float]:
    """Return how far features (N, F) lie from those of the test images."""
    real, generated = _as_many(features, reference)
    distance, error = kernel(real, generated)
    return {
        "frechet_classifier_distance": frechet(real, generated),
        "kernel_classifier_distance": distance,
        "kernel_standard_error": error,
    }


def _neighbours(features: torch.Tensor, reference: Reference) -> dict[str, float | None]:
    """Return what the nearest test and training images of features (N, F) say."""
    real, generated = _as_many(features, reference)
    precision, recall = precision_and_recall(real, generated)
    density, coverage = density_and_coverage(real, generated)
    nearest = _median(nearest_distances(features, reference.train_features))
    return {
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
        "nearest_train_ratio": nearest / reference.nearest_train if reference.nearest_train else None,
    }


def _as_many(features: torch.Tensor, reference: Reference) -> tuple[torch.Tensor, ...]:
    """Return features of test images and features (N, F), as many of either as there are of both, each in a random order of its own."""
    count = min(len(features), len(reference.test_features))
    orders = (derive_seed(reference.seed, "order", of) for of in ("test images", "images"))
    return tuple(shuffled(values, count, order) for values, order in zip((reference.test_features, features), orders, strict=True))


def _median(values: torch.Tensor) -> float:
    """Return the median of values (N,): of an even number the mean of the middle two."""
    return values.double().quantile(0.5).item()
