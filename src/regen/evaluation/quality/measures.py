"""Every measure of a set of images against the test images, under the names that docs/metrics.md defines."""

from functools import cached_property
from typing import Any

import torch

from regen.evaluation.quality.classes import class_measures
from regen.evaluation.quality.distances import density_and_coverage, frechet, kernel, nearest_distances, precision_and_recall, shuffled
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.pixels import laplacian_variance, period_two_energy

__all__ = ["ALONE", "TREND", "Reference", "measures"]

ALONE = ("digits_covered", "class_kl_nats", "top_class_share", "mean_confidence", "laplacian_variance")
"""What images show by themselves, without test images to hold them against."""

TREND = ("frechet_classifier_distance", "kernel_classifier_distance", "kernel_standard_error", *ALONE)
"""What is followed over the snapshots: cheap."""


class Reference:
    """What images are held against: training and test images uint8 (N, C, H, W) in a feature space, each computed when it is asked for.

    `prepared` are the test images as the model sees them, for what pixels show; by default the same.
    """

    def __init__(self, space: FeatureSpace, train: torch.Tensor, test: torch.Tensor, prepared: torch.Tensor | None = None) -> None:
        self.space = space
        self.train = train
        self.test = test
        self.prepared = test if prepared is None else prepared

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
        return nearest_distances(self.test_features, self.train_features).median().item()

    @cached_property
    def period_two(self) -> float | None:
        """Power of the prepared test images at period 2."""
        return period_two_energy(self.prepared)


def measures(images: torch.Tensor, reference: Reference, keys: tuple[str, ...] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scalars of images uint8 (N, C, H, W), all or those of `keys`, and their tables.

    Distances, precision, recall, density and coverage depend on the number of images: they take as many of either as there are of both.
    """
    features = reference.space.features(images)
    count = min(len(features), len(reference.test_features))
    real, generated = shuffled(reference.test_features, count), shuffled(features, count)
    distance, error = kernel(real, generated)
    scalars: dict[str, Any] = {
        "frechet_classifier_distance": frechet(real, generated),
        "kernel_classifier_distance": distance,
        "kernel_standard_error": error,
    }
    tables: dict[str, Any] = {}
    probabilities = reference.space.probabilities(features)
    if probabilities is not None:
        classes, tables = class_measures(probabilities)
        scalars |= classes
    scalars["laplacian_variance"] = laplacian_variance(images)
    if keys is not None:
        return {key: value for key, value in scalars.items() if key in keys}, tables
    precision, recall = precision_and_recall(real, generated)
    density, coverage = density_and_coverage(real, generated)
    nearest = nearest_distances(features, reference.train_features).median().item()
    period_two = period_two_energy(images)
    return scalars | {
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
        "nearest_train_ratio": nearest / reference.nearest_train if reference.nearest_train else None,
        "checkerboard_energy": period_two / reference.period_two if period_two is not None and reference.period_two else None,
    }, tables
