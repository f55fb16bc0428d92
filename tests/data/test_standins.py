"""Stand-ins: sizes, honest splits, and the measures in which they resemble what they stand in for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from regen.data.read import read
from regen.data.standins.digits import binarized_digits, digits
from regen.data.standins.faces import FACTORS, draw_faces, faces
from regen.data.standins.glyphs import COUNTS, glyphs
from regen.data.standins.street import street
from regen.images.images import Images
from regen.params.schema import DataConfig

STANDINS = {"mnist": digits, "binarized_mnist": binarized_digits, "svhn": street, "celeba": faces}
MakeConfig = Callable[..., DataConfig]
SMALL_FACES = {"kind": "celeba", "shape": [3, 32, 32], "values": "grey", "classes": None, "split": {"train": 9, "validation": 9, "test": 9}}
SHAPES = {"mnist": (1, 28, 28), "binarized_mnist": (1, 28, 28), "svhn": (3, 32, 32), "celeba": (3, 64, 64)}


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, Images]]:
    return {name: make(0) for name, make in STANDINS.items()}


@pytest.mark.parametrize("name", SHAPES)
def test_sizes(made: dict[str, dict[str, Images]], name: str) -> None:
    counts = {"train": 1000, "validation": 200, "test": 200} if name == "celeba" else {"train": 2400, "validation": 300, "test": 300}
    assert {key: len(images) for key, images in made[name].items()} == counts
    for images in made[name].values():
        assert images.images.shape[1:] == SHAPES[name] and images.images.dtype == torch.uint8
        assert len(images.labels) == len(images)
        # No two images of a split are equal: the maps and the colours tell copies of a base digit apart.
        assert len(images.images.flatten(1).unique(dim=0)) == len(images)


def test_read_finds_the_stand_in(make_config: MakeConfig, made: dict[str, dict[str, Images]], tmp_path: Path) -> None:
    again = read(make_config("binarized_mnist", "stand-in"), tmp_path)
    for name, images in made["binarized_mnist"].items():
        assert torch.equal(again[name].images, images.images)


@pytest.mark.parametrize("name", SHAPES)
def test_fewer_images_are_the_first_of_more(make_config: MakeConfig, made: dict[str, dict[str, Images]], name: str, tmp_path: Path) -> None:
    limits = {"train": 13, "validation": 2, "test": 5000}
    fewer = read(make_config(name, "stand-in", max_images=limits), tmp_path)
    assert [len(fewer[key]) for key in limits] == [13, 2, len(made[name]["test"])]
    for key, images in fewer.items():
        assert torch.equal(images.images, made[name][key].images[: len(images)])
        assert torch.equal(images.labels, made[name][key].labels[: len(images)])


def test_faces_of_another_size_are_the_same_faces(make_config: MakeConfig, made: dict[str, dict[str, Images]], tmp_path: Path) -> None:
    limits = {"train": 3, "validation": 1, "test": 2}
    small = read(make_config("celeba32", "stand-in", **SMALL_FACES, max_images=limits), tmp_path)["train"]
    whole = made["celeba"]["train"].take(slice(3))
    assert small.images.shape == (3, 3, 32, 32) and torch.equal(small.labels, whole.labels)
    # Half as many pixels, of edges as many pixels wide: the same but for these.
    half = torch.nn.functional.avg_pool2d(whole.images.float(), 2)
    assert (small.images.float() - half).abs().mean() < 6


def test_another_seed_gives_other_images(made: dict[str, dict[str, Images]]) -> None:
    assert not torch.equal(STANDINS["celeba"](1)["test"].images, made["celeba"]["test"].images)


def test_no_base_digit_is_in_two_splits() -> None:
    parts = glyphs(0)
    rows = np.concatenate([part.rows for part in parts.values()])
    assert sorted(rows.tolist()) == list(range(1797))
    assert [len(part.rows) for part in parts.values()] == [1437, 180, 180]
    assert list(parts) == list(COUNTS)
    for part in parts.values():
        assert part.labels.tolist() == load_digits().target[part.rows].tolist()


@pytest.mark.parametrize("name", ["mnist", "svhn"])
def test_digits_are_still_readable(made: dict[str, dict[str, Images]], name: str) -> None:
    """A nearest neighbour in the training split names most test digits: the labels belong to the images."""
    images, labels = (made[name]["train"].images, made[name]["test"].images), made[name]["train"].labels
    vectors = [split.double().mean(dim=1).flatten(1) for split in images]
    # Contrast of street numbers has either sign; the square of the correlation has not.
    vectors = [torch.nn.functional.normalize(vector - vector.mean(dim=1, keepdim=True)) for vector in vectors]
    guessed = labels[(vectors[1] @ vectors[0].T).square().argmax(dim=1)]
    accuracy = (guessed == made[name]["test"].labels).double().mean().item()
    assert accuracy > (0.9 if name == "mnist" else 0.5)


def test_digits_resemble_mnist(made: dict[str, dict[str, Images]]) -> None:
    images = made["mnist"]["train"].images
    # MNIST: 81 % of the pixels are exactly 0, the mean is 0.1307, and a frame of 4 pixels around the 20x20 box is nearly empty.
    assert (images == 0).double().mean().item() == pytest.approx(0.81, abs=0.04)
    assert images.double().mean().item() / 255 == pytest.approx(0.1307, abs=0.02)
    assert ((images > 0) & (images < 230)).double().mean().item() < 0.15
    frame = images.clone()
    frame[:, :, 3:25, 3:25] = 0
    assert frame.double().mean().item() / 255 < 0.005
    assert made["mnist"]["train"].labels.bincount(minlength=10).min() > 200


def test_the_binarised_digits_are_bernoulli_draws_of_the_grey_ones(made: dict[str, dict[str, Images]]) -> None:
    grey, drawn = made["mnist"]["train"].images.double() / 255, made["binarized_mnist"]["train"].images
    assert drawn.unique().tolist() == [0, 255]
    assert drawn[grey == 0].max() == 0 and drawn[grey == 1].min() == 255
    unsure = (grey > 0.3) & (grey < 0.4)
    expected, count = grey[unsure].mean().item(), int(unsure.sum())
    assert (drawn[unsure] == 255).double().mean().item() == pytest.approx(expected, abs=4 * (0.25 / count) ** 0.5)


def test_street_numbers_resemble_svhn(made: dict[str, dict[str, Images]]) -> None:
    images = made["svhn"]["train"].images.double()
    # The official training subset: mean 119, deviation within an image 30, between images 42 (of 255).
    assert images.mean().item() == pytest.approx(119, abs=15)
    assert images.std(dim=(2, 3)).mean().item() == pytest.approx(30, abs=6)
    assert images.mean(dim=(2, 3)).std().item() == pytest.approx(42, abs=8)
    # In colour: the channels differ.
    assert (images[:, 0] - images[:, 2]).abs().mean().item() > 5


def test_faces_follow_their_factors(made: dict[str, dict[str, Images]]) -> None:
    base = np.array([0.3, 0.5, 0.4, 0.2, 0.6, 0.5, 0.3, 0.3], dtype=np.float32)
    for column, factor in enumerate(FACTORS):
        low, high = base.copy(), base.copy()
        low[column], high[column] = (-1 if factor in ("pose", "light") else 0), 1
        pair = draw_faces(np.stack([low, high])).astype(float)
        assert np.abs(pair[0] - pair[1]).mean() > 0.3, factor
    faces = made["celeba"]["validation"]
    assert faces.label_names == FACTORS and faces.labels.dtype == torch.float32
    assert np.array_equal(draw_faces(faces.labels[:7].numpy()), faces.images[:7].numpy())
    skin, cheek = faces.labels[:, FACTORS.index("skin")], faces.images[:, :, 38:42, 30:34].double().mean(dim=(1, 2, 3))
    assert torch.corrcoef(torch.stack([skin, cheek]))[0, 1] < -0.9


def test_a_face_is_lit_from_the_side_that_its_label_names() -> None:
    lit = np.zeros((2, len(FACTORS)), dtype=np.float32)
    lit[:, FACTORS.index("light")] = [-1, 1]
    left, right = draw_faces(lit).astype(float)[:, 0, 34:46, 22:42].mean(axis=1)
    assert left[:6].mean() > left[-6:].mean() + 10 and right[-6:].mean() > right[:6].mean() + 10
