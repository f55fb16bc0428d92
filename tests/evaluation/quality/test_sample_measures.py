"""All measures of a set of images together: memorisation, ratios to the test images, and which keys are asked for."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from regen.common.determinism import derive_seed
from regen.evaluation.quality.distances import kernel, shuffled
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.measures import ALONE, TREND, Reference, measures
from regen.images.images import Images

SHAPE = [1, 4, 4]
COUNT = 400


@pytest.fixture
def reference(blobs: Callable[..., Images], pixel_space: Callable[[list[int]], FeatureSpace]) -> Reference:
    return Reference(pixel_space(SHAPE), blobs(600, SHAPE, 0).images, blobs(COUNT, SHAPE, 1).images)


def vectors(images: torch.Tensor) -> np.ndarray:
    return images.flatten(1).double().numpy() / 255


def nearest(images: torch.Tensor, others: torch.Tensor) -> np.ndarray:
    distances, _ = cKDTree(vectors(others)).query(vectors(images))
    return np.asarray(distances)


def test_copies_of_training_images_are_at_no_distance_from_them(reference: Reference) -> None:
    scalars, _ = measures(reference.train[100:300], reference)
    # Single precision knows the square of a distance to (F + 2) eps times the squares of both.
    off = math.sqrt((16 + 2) * torch.finfo(torch.float32).eps * 2 * (vectors(reference.train) ** 2).sum(1).max())
    assert scalars["nearest_train_ratio"] == pytest.approx(0, abs=off / np.median(nearest(reference.test, reference.train)))


def test_fresh_images_are_as_far_from_training_images_as_test_images(reference: Reference, blobs: Callable[..., Images]) -> None:
    fresh = blobs(COUNT, SHAPE, 2).images
    scalars, _ = measures(fresh, reference)
    distances, usual = nearest(fresh, reference.train), nearest(reference.test, reference.train)
    assert COUNT % 2 == 0
    expected = np.median(distances) / np.median(usual)
    assert scalars["nearest_train_ratio"] == pytest.approx(expected, rel=1e-4)
    # One median among the other's distances: half of them below, but for 4 standard errors of two shares of 400.
    share = float((distances < np.median(usual)).mean())
    assert abs(share - 0.5) < 4 * math.sqrt(0.25 / COUNT + 0.25 / COUNT)
    low, high = np.quantile(usual, (0.5 - 4 * math.sqrt(0.5 / COUNT), 0.5 + 4 * math.sqrt(0.5 / COUNT))) / np.median(usual)
    assert 0.8 < low < scalars["nearest_train_ratio"] < high < 1.2


def test_the_kernel_distance_has_its_own_standard_error(reference: Reference, blobs: Callable[..., Images]) -> None:
    images = blobs(90, SHAPE, 4).images
    scalars, _ = measures(images, reference)
    values = []
    # Blocks are of images in random orders of the reference's seed.
    orders = (derive_seed(reference.seed, "order", of) for of in ("test images", "images"))
    test, generated = (
        vectors(shuffled(one, 90, order)).reshape(10, 9, 16) for one, order in zip((reference.test, images), orders, strict=True)
    )
    for x, y in zip(test, generated, strict=True):
        among_x, among_y, between = ((one @ other.T / 16 + 1) ** 3 for one, other in ((x, x), (y, y), (x, y)))
        values.append((among_x.sum() - among_x.trace() + among_y.sum() - among_y.trace()) / 72 - 2 * between.mean())
    # The features are in single precision.
    rounding = 100 * torch.finfo(torch.float32).eps * max(among_x.max(), among_y.max())
    assert scalars["kernel_classifier_distance"] == pytest.approx(np.mean(values), abs=rounding)
    assert scalars["kernel_standard_error"] == pytest.approx(np.std(values, ddof=1) / math.sqrt(10), abs=rounding)


def test_files_sorted_by_class_are_at_the_distance_of_shuffled_ones(reference: Reference, blobs: Callable[..., Images]) -> None:
    drawn = blobs(COUNT, SHAPE, 4)
    grouped = Reference(reference.space, reference.train, reference.test[(torch.arange(COUNT) % 10).argsort(stable=True)])
    found = [measures(drawn.images, one)[0] for one in (reference, grouped)]
    # In file order every block would hold test images of one class only, far from blocks of all classes.
    in_order, _ = kernel(grouped.test_features, reference.space.features(drawn.images))
    for one in found:
        assert abs(one["kernel_classifier_distance"]) < in_order / 10


def test_shuffled_features_are_the_same_ones_in_an_order_of_the_seed() -> None:
    features = torch.arange(30.0)[:, None]
    assert shuffled(features, 30, 0).flatten().sort().values.equal(torch.arange(30.0))
    assert not shuffled(features, 30, 0).equal(features) and not shuffled(features, 30, 0).equal(shuffled(features, 30, 1))
    assert shuffled(features, 12, 0).equal(shuffled(features, 30, 0)[:12])


def test_over_many_orders_the_kernel_distance_is_that_of_all_pairs(reference: Reference, blobs: Callable[..., Images]) -> None:
    images, count = blobs(60, SHAPE, 4).images, 400
    test = reference.test[:60]
    found = np.array(
        [
            measures(images, Reference(reference.space, reference.train, test, seed=seed), TREND)[0]["kernel_classifier_distance"]
            for seed in range(count)
        ]
    )
    x, y = vectors(test), vectors(images)
    among_x, among_y, between = ((one @ other.T / 16 + 1) ** 3 for one, other in ((x, x), (y, y), (x, y)))
    expected = (among_x.sum() - among_x.trace() + among_y.sum() - among_y.trace()) / (60 * 59) - 2 * between.mean()
    assert abs(found.mean() - expected) < 4 * found.std(ddof=1) / math.sqrt(count)


def test_half_of_the_distance_is_half_of_the_ratio(pixel_space: Callable[[list[int]], FeatureSpace]) -> None:
    # One bright pixel on black, 40 levels from the training images in the test set and 20 in the samples.
    def bright(level: int) -> torch.Tensor:
        images = torch.zeros(24, *SHAPE, dtype=torch.uint8)
        images.flatten(1)[torch.arange(24), torch.arange(24) % 16] = level
        return images

    scalars, _ = measures(bright(120), Reference(pixel_space(SHAPE), bright(100), bright(140)))
    assert scalars["nearest_train_ratio"] == pytest.approx(0.5, rel=1e-4)


def test_the_checkerboard_energy_is_over_that_of_the_test_images(reference: Reference) -> None:
    # Half of the contrast about a constant: a quarter of the power; 127.5 is no level, so even distances from 100 are halved exactly.
    test = 100 + 2 * (reference.test // 4)
    samples = 100 + reference.test // 4
    scalars, _ = measures(samples, Reference(reference.space, reference.train, test))
    assert scalars["checkerboard_energy"] == pytest.approx(0.25, rel=1e-4)
    assert scalars["laplacian_variance"] == pytest.approx(measures(test, reference)[0]["laplacian_variance"] / 4, rel=1e-4)


def test_black_test_images_have_no_ratios(reference: Reference) -> None:
    black = torch.zeros(40, *SHAPE, dtype=torch.uint8)
    scalars, _ = measures(reference.test, Reference(reference.space, black, black))
    assert (scalars["checkerboard_energy"], scalars["nearest_train_ratio"]) == (None, None)


def test_only_the_keys_that_are_asked_for_are_there(reference: Reference, blobs: Callable[..., Images]) -> None:
    images = blobs(90, SHAPE, 4).images
    whole, tables = measures(images, reference)
    for keys in (TREND, ALONE):
        scalars, same = measures(images, reference, keys)
        assert scalars == {key: whole[key] for key in keys} and same == tables
    assert set(ALONE) < set(TREND) < set(whole)


def test_samples_and_test_images_do_not_change_places(reference: Reference) -> None:
    # Of the ten classes the samples have the even ones only, each image twice: all are good, and odd test images are out of reach.
    even = torch.cat([reference.test[::2]] * 2)
    scalars, tables = measures(even, reference)
    assert scalars["precision"] == 1 and tables["class_counts"] == [80, 0] * 5
    assert 0.5 <= scalars["recall"] < 0.75 and 0.5 <= scalars["coverage"] < 0.75
    assert (scalars["digits_covered"], scalars["class_kl_nats"]) == (5, pytest.approx(math.log(2)))
