"""Splits, the data card and their files."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from regen.common.errors import UserError
from regen.common.files import read_tensors
from regen.data.floors import floors
from regen.data.split import card, split, write
from regen.images.batches import images_of
from regen.images.images import Images
from regen.params.schema import DataConfig

MakeConfig = Callable[..., DataConfig]


def numbered(count: int, start: int = 0) -> Images:
    """Return images that carry their own number in their pixels and labels."""
    numbers = torch.arange(start, start + count)
    pixels = torch.stack([numbers // 256, numbers % 256], dim=1).to(torch.uint8)
    return Images(pixels.reshape(count, 2, 1, 1), numbers, ["number"])


def full(config: DataConfig) -> dict[str, Images]:
    return {"train": numbered(config.split.train + config.split.validation), "test": numbered(config.split.test)}


def sizes(splits: dict[str, Images]) -> list[int]:
    return [len(splits[name]) for name in ("train", "validation", "test")]


@pytest.mark.parametrize(("dataset", "expected"), [("mnist", [55000, 5000, 10000]), ("svhn", [65000, 8257, 26032])])
def test_full_size_gives_the_reports_own_sizes(make_config: MakeConfig, dataset: str, expected: list[int]) -> None:
    config = make_config(dataset)
    assert sizes(split(config, full(config))) == expected


@pytest.mark.parametrize(("count", "expected"), [(900, [799, 101]), (14607, [12961, 1646])])
def test_a_smaller_source_is_cut_in_proportion(make_config: MakeConfig, count: int, expected: list[int]) -> None:
    # 8,257 of 73,257 is 11.27 %: 101.4 of 900, 1,646.4 of 14,607.
    splits = split(make_config("svhn", "subset"), {"train": numbered(count), "test": numbered(7)})
    assert sizes(splits) == [*expected, 7]


def test_the_cut_is_a_permutation(make_config: MakeConfig) -> None:
    splits = split(make_config("mnist", "subset"), {"train": numbered(1200), "test": numbered(50)})
    together = torch.cat([splits["train"].labels, splits["validation"].labels])
    assert together.tolist() != list(range(1200))
    assert sorted(together.tolist()) == list(range(1200))
    assert splits["test"].labels.tolist() == list(range(50))
    for images in splits.values():
        high, low = images.images.long().reshape(len(images), 2).T
        assert torch.equal(256 * high + low, images.labels)


def test_the_cut_depends_on_the_seed_alone(make_config: MakeConfig) -> None:
    sets = {"train": numbered(1200), "test": numbered(50)}
    first, again, other = (split(make_config("mnist", "subset", seed=seed), sets)["train"].labels for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_an_official_validation_set_is_kept(make_config: MakeConfig) -> None:
    sets = {"train": numbered(12), "validation": numbered(4, 100), "test": numbered(3, 200)}
    splits = split(make_config("celeba", "subset"), sets)
    assert splits["validation"].labels.tolist() == [100, 101, 102, 103] and splits["train"].labels.tolist() == list(range(12))


def test_limits_take_the_first_images(make_config: MakeConfig) -> None:
    sets = {"train": numbered(1200), "test": numbered(50)}
    whole = split(make_config("mnist", "subset"), sets)
    limited = split(make_config("mnist", "subset", max_images={"train": 10, "validation": 500, "test": 3}), sets)
    assert sizes(limited) == [10, 100, 3]
    assert torch.equal(limited["train"].labels, whole["train"].labels[:10])


def test_an_official_source_of_another_size_is_refused(make_config: MakeConfig) -> None:
    config = make_config("mnist")
    with pytest.raises(UserError, match="expected 10000 test images, got 9999"):
        split(config, {**full(config), "test": numbered(9999)})
    with pytest.raises(UserError, match="expected 55000 train images, got 54999"):
        split(config, {**full(config), "train": numbered(59999)})


@pytest.mark.parametrize(("train", "test", "empty"), [(900, 0, "test"), (3, 5, "validation"), (0, 5, "train")])
def test_an_empty_split_is_refused(make_config: MakeConfig, train: int, test: int, empty: str) -> None:
    with pytest.raises(UserError, match=f"expected {empty} images, got none"):
        split(make_config("svhn", "subset"), {"train": numbered(train), "test": numbered(test)})


def test_card(make_config: MakeConfig) -> None:
    pixels = torch.tensor([0, 255, 51, 51], dtype=torch.uint8).reshape(1, 1, 2, 2)
    images = Images(pixels, torch.zeros(1, 0))
    files = {"a.mat": "md5:" + "0" * 32}
    config = make_config("svhn", "subset", shape=[1, 2, 2], files=files)
    splits = {"train": images, "validation": images, "test": images}
    assert card(config, splits) == {
        "dataset": "svhn",
        "source": "subset",
        "data_source": "subset",
        "checksum_state": "mirror",
        "counts": {"train": 1, "validation": 1, "test": 1},
        "declared": {"train": 65000, "validation": 8257, "test": 26032},
        "shape": [1, 2, 2],
        "values": "grey",
        "mean": pytest.approx((0 + 1 + 0.2 + 0.2) / 4),
        "floors": floors(config, splits),
        "label_names": [],
        "files": files,
        "description": "a subset of SVHN; 1 training, 1 validation and 1 test images",
    }


@pytest.mark.parametrize(
    ("dataset", "status", "state", "words"),
    [
        ("mnist", "official", "official", ["MNIST, official files"]),
        ("svhn", "grey", "mirror", ["cropped again in grey", "not the official pixels", "not comparable with published SVHN numbers"]),
        ("celeba", "subset", "mirror", ["a subset of CelebA"]),
        ("celeba", "official", "official", ["first images of each official partition"]),
        ("celeba", "stand-in", "generated", ["stand-in, not CelebA", "drawn faces"]),
        ("svhn", "stand-in", "generated", ["stand-in, not SVHN"]),
        ("binarized_mnist", "stand-in", "generated", ["stand-in, not MNIST"]),
    ],
)
def test_a_description_says_what_the_images_are(make_config: MakeConfig, dataset: str, status: str, state: str, words: list[str]) -> None:
    made = card(make_config(dataset, status), {name: numbered(1) for name in ("train", "validation", "test")})
    assert made["checksum_state"] == state and "\n" not in made["description"]
    assert all(word in made["description"] for word in words)


def test_a_limited_set_is_called_limited(make_config: MakeConfig) -> None:
    config = make_config("mnist", max_images={"train": 9, "validation": 9, "test": 2})
    made = card(config, {name: numbered(2) for name in ("train", "validation", "test")})
    assert made["description"].endswith("limited by the preset")


def test_files_hold_what_was_written(tmp_path: Path) -> None:
    splits = {"train": numbered(300), "validation": numbered(4), "test": Images(numbered(3).images, torch.rand(3, 2))}
    write(splits, tmp_path / "deep" / "mnist")
    assert sorted(path.name for path in (tmp_path / "deep" / "mnist").iterdir()) == [
        "test.safetensors",
        "train.safetensors",
        "validation.safetensors",
    ]
    for name, images in splits.items():
        again = images_of(tmp_path / "deep" / "mnist", name)
        assert torch.equal(again.images, images.images) and torch.equal(again.labels, images.labels)
        stored, _ = read_tensors(tmp_path / "deep" / "mnist" / f"{name}.safetensors")
        assert set(stored) == {"images", "labels"} and torch.equal(stored["labels"], images.labels)


def test_the_same_images_give_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write({"train": Images(numbered(5).images, torch.empty(5, 0))}, tmp_path / folder)
    assert (tmp_path / "a" / "train.safetensors").read_bytes() == (tmp_path / "b" / "train.safetensors").read_bytes()
