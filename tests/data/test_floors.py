"""Floors of the summed cross-entropy, against entropies worked out by hand and scipy's, and the known values of the real images."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import xlogy
from torch.nn.functional import interpolate

from regen.config.training import Preparation
from regen.data import floors as module
from regen.data.floors import floors
from regen.data.idx import read_idx
from regen.images.images import Images
from regen.params.schema import DataConfig

MakeConfig = Callable[..., DataConfig]


def images(*pixels: list[int], shape: tuple[int, ...] = (1, 1, 2)) -> Images:
    values = torch.tensor(pixels, dtype=torch.uint8).reshape(-1, *shape)
    return Images(values, torch.zeros(len(values), 0))


def noise(count: int, *shape: int, seed: int = 0) -> Images:
    levels = np.random.default_rng(seed).integers(0, 256, size=(count, *shape), dtype=np.uint8)
    return Images(torch.from_numpy(levels), torch.zeros(count, 0))


def entropy(p: float) -> float:
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def cross_entropy(x: np.ndarray, p: np.ndarray) -> float:
    """Return the mean over images (N, ...) of the sum over pixels."""
    return float((-xlogy(x, p) - xlogy(1 - x, 1 - p)).reshape(len(x), -1).sum(1).mean())


def test_the_floor_is_the_entropy_of_the_grey_values(make_config: MakeConfig) -> None:
    # 51 / 255 = 1/5, 102 / 255 = 2/5; black and white cost nothing.
    train, test = images([51, 102], [0, 255]), images([51, 0])
    rows = floors(make_config("mnist", shape=[1, 1, 2]), {"train": train, "test": test})
    assert [(row["size"], row["values"], row["split"]) for row in rows] == [([1, 1, 2], "grey", "train"), ([1, 1, 2], "grey", "test")]
    assert rows[0]["floor_nats"] == pytest.approx((entropy(0.2) + entropy(0.4)) / 2)
    assert rows[1]["floor_nats"] == pytest.approx(entropy(0.2))
    # The mean image is (1/10, 7/10), of the training images for all splits.
    assert rows[0]["mean_image_nats"] == pytest.approx(entropy(0.1) + entropy(0.7))
    assert rows[1]["mean_image_nats"] == pytest.approx(-0.2 * math.log(0.1) - 0.8 * math.log(0.9) - math.log(0.3))


def test_a_pixel_that_no_training_image_has_leaves_the_others_finite(make_config: MakeConfig) -> None:
    rows = floors(make_config("mnist", shape=[1, 1, 2]), {"train": images([0, 255], [0, 255]), "test": images([255, 0])})
    # Half a level of one of the two training images.
    least = 0.5 / 255 / 2
    assert rows[0]["mean_image_nats"] == pytest.approx(-2 * math.log(1 - least))
    assert rows[1]["mean_image_nats"] == pytest.approx(-2 * math.log(least))


def test_binary_images_have_no_floor(make_config: MakeConfig) -> None:
    binary = Images((noise(30, 1, 4, 4).images > 99).to(torch.uint8) * 255, torch.zeros(30, 0))
    (row,) = floors(make_config("binarized_mnist", shape=[1, 4, 4]), {"train": binary})
    assert (row["values"], row["floor_nats"]) == ("binary", 0)
    p = (binary.images > 0).double().mean(0)
    assert row["mean_image_nats"] == pytest.approx(sum(entropy(value) for value in p.flatten().tolist()))


def test_every_preparation_has_a_row_a_split(make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 7)
    preparations = [{}, {"size": 6}, {"size": 6, "channels": 3}, {"binarisation": "fixed"}]
    splits = {"train": noise(25, 1, 4, 4), "validation": noise(8, 1, 4, 4, seed=1), "test": noise(9, 1, 4, 4, seed=2)}
    rows = floors(make_config("mnist", shape=[1, 4, 4], preparations=preparations), splits)
    assert [row["size"] for row in rows[::3]] == [[1, 4, 4], [1, 6, 6], [3, 6, 6], [1, 4, 4]]
    assert [row["values"] for row in rows] == ["grey"] * 9 + ["binary"] * 3 and all(row["floor_nats"] == 0 for row in rows[9:])
    assert [row["split"] for row in rows] == ["train", "validation", "test"] * 4
    as_is = {name: split.images.double().numpy() / 255 for name, split in splits.items()}
    large = {
        name: interpolate(split.images.float(), (6, 6), mode="bilinear", antialias=True).round().double().numpy() / 255
        for name, split in splits.items()
    }
    for values, found in ((as_is, rows[:3]), (large, rows[3:6])):
        for row in found:
            x = values[row["split"]]
            assert row["floor_nats"] == pytest.approx(cross_entropy(x, x))
            assert row["mean_image_nats"] == pytest.approx(cross_entropy(x, values["train"].mean(0)))
            assert row["mean_image_nats"] > row["floor_nats"]
    # Three equal channels cost three times as much.
    for one, three in zip(rows[3:6], rows[6:9], strict=True):
        assert three["floor_nats"] == pytest.approx(3 * one["floor_nats"])
        assert three["mean_image_nats"] == pytest.approx(3 * one["mean_image_nats"])


def test_the_floors_of_mnist(make_config: MakeConfig, real: Callable[[str, str], Path]) -> None:
    config = make_config("mnist", preparations=[{}, Preparation(size=32).model_dump()])
    test = read_idx(config, real("mnist", "t10k-images-idx3-ubyte.gz"))["test"]
    rows = floors(config, {"train": test})
    # Known of all 70,000 images: 45.8 and 96.3 nats; a tenth of a standard deviation an image is 1 nat.
    assert [row["floor_nats"] for row in rows] == pytest.approx([45.8, 96.3], abs=1.5)
