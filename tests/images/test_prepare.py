"""Resized and binarised images against PIL, and the binarisation against its own probabilities."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from regen.common.errors import UserError
from regen.common.files import write_tensors
from regen.config.base import parse
from regen.config.features import QualityConfig
from regen.config.training import Preparation
from regen.config.variant import TrainConfig
from regen.images.images import Images
from regen.images.prepare import judged_images, prepare, training_images

SPLITS = ("train", "validation", "test")


def grey(count: int, *shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *shape), generator=generator, dtype=torch.int16).to(torch.uint8)


def labelled(pixels: torch.Tensor) -> Images:
    return Images(pixels, torch.arange(len(pixels)), ["a", "b"])


@pytest.mark.parametrize(("shape", "size"), [((1, 28, 28), 32), ((3, 32, 32), 28), ((1, 28, 28), 14), ((3, 10, 10), 27)])
def test_resized_images_are_those_of_pil_rounded(shape: tuple[int, int, int], size: int) -> None:
    pixels = grey(4, *shape)
    resized = prepare(labelled(pixels), Preparation(size=size), "train").images

    assert resized.shape == (4, shape[0], size, size) and resized.dtype == torch.uint8
    # In PIL's mode F nothing is rounded on the way; single precision leaves less than 1e-3 of a level.
    channels = [Image.fromarray(channel.numpy().astype(np.float32)) for channel in pixels.flatten(0, 1)]
    expected = np.stack([np.asarray(channel.resize((size, size), Image.Resampling.BILINEAR)) for channel in channels])
    difference = np.abs(resized.flatten(0, 1).numpy() - expected)
    assert difference.max() <= 0.5 + 1e-3


def test_luminance_is_pillows_in_all_channels() -> None:
    pixels = grey(1003, 3, 4, 5)
    made = prepare(labelled(pixels), Preparation(luminance=True), "train")
    assert made.images.shape == pixels.shape and made.images.dtype == torch.uint8 and made.label_names == ["a", "b"]
    colour = Image.fromarray(pixels.permute(0, 2, 3, 1).reshape(-1, 5, 3).numpy())
    expected = torch.from_numpy(np.array(colour.convert("L"))).reshape(1003, 4, 5)
    assert all(torch.equal(made.images[:, channel], expected) for channel in range(3))
    # Grey images stay as they are: the weights add up to one.
    plain = grey(20, 1, 4, 4).repeat(1, 3, 1, 1)
    assert torch.equal(prepare(labelled(plain), Preparation(luminance=True), "test").images, plain)


def test_images_lose_their_colour_before_they_are_resized() -> None:
    images = labelled(grey(5, 3, 8, 8))
    first = prepare(images, Preparation(luminance=True), "test")
    both = prepare(images, Preparation(luminance=True, size=4), "test").images
    assert torch.equal(both, prepare(first, Preparation(size=4), "test").images)


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_a_constant_image_stays_constant(value: int) -> None:
    pixels = torch.full((2, 3, 28, 28), value, dtype=torch.uint8)
    for size in (9, 28, 32, 64):
        assert torch.equal(
            prepare(labelled(pixels), Preparation(size=size), "test").images, torch.full((2, 3, size, size), value, dtype=torch.uint8)
        )


def test_images_beyond_the_first_thousand_are_resized_as_alone() -> None:
    pixels = grey(1003, 1, 4, 4)
    whole = prepare(labelled(pixels), Preparation(size=6), "train").images
    assert len(whole) == 1003
    for index in (0, 999, 1000, 1002):
        assert torch.equal(whole[index : index + 1], prepare(labelled(pixels[index : index + 1]), Preparation(size=6), "train").images)


def test_nothing_to_do_leaves_the_images() -> None:
    images = labelled(grey(5, 1, 4, 4))
    assert torch.equal(prepare(images, Preparation(), "train", training=True).images, images.images)


@pytest.mark.parametrize(
    "config", [Preparation(size=6), Preparation(binarisation="fixed"), Preparation(size=6, binarisation="every_epoch")]
)
def test_labels_stay_with_their_images(config: Preparation) -> None:
    # Each image all black or all white by its label, which neither step can change.
    labels = torch.tensor([1, 0, 0, 1, 1])
    pixels = (255 * labels).to(torch.uint8).view(5, 1, 1, 1).expand(5, 1, 4, 4)
    prepared = prepare(Images(pixels, labels, ["black", "white"]), config, "validation")
    assert torch.equal(prepared.labels, labels) and prepared.label_names == ["black", "white"]
    assert torch.equal(prepared.images.flatten(1).double().mean(1), 255.0 * labels)


def test_fixed_binarisation_is_the_same_in_every_run_and_another_in_every_split() -> None:
    images, config = labelled(grey(1200, 1, 4, 4)), Preparation(binarisation="fixed")
    made = {}
    for seed, split in enumerate(SPLITS):
        torch.manual_seed(seed)
        made[split] = prepare(images, config, split).images
        # Neither the run's own random numbers nor who asks, training or evaluation, change it.
        torch.manual_seed(99)
        state = torch.get_rng_state()
        assert torch.equal(prepare(images, config, split, training=True).images, made[split])
        assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(made["train"], made["validation"]) and not torch.equal(made["validation"], made["test"])


def test_fixed_binarisation_is_black_or_white_with_the_grey_values_probability() -> None:
    pixels = grey(1200, 1, 8, 8)
    binary = prepare(labelled(pixels), Preparation(binarisation="fixed"), "train").images
    assert binary.dtype == torch.uint8 and binary.shape == pixels.shape and set(binary.unique().tolist()) == {0, 255}

    white, p = (binary == 255).double().numpy(), pixels.double().numpy() / 255
    # Independent coins of probability p: their sum has the variance sum p (1 - p), as a whole and among dark, middle and bright values.
    for low, high in ((0, 1), (0, 0.25), (0.25, 0.75), (0.75, 1)):
        chosen = (p >= low) & (p <= high)
        error = np.sqrt((p * (1 - p))[chosen].sum())
        assert abs(white[chosen].sum() - p[chosen].sum()) < 4 * error
    assert white[p == 0].max() == 0 and white[p == 1].min() == 1
    # Images before and behind the thousandth have coins of their own.
    neighbours = prepare(labelled(torch.full((2000, 1, 8, 8), 128, dtype=torch.uint8)), Preparation(binarisation="fixed"), "train").images
    assert not torch.equal(neighbours[:1000], neighbours[1000:])


def test_binarised_at_every_visit_means_grey_for_training_and_fixed_elsewhere() -> None:
    images = labelled(grey(50, 1, 4, 4))
    every, fixed = Preparation(binarisation="every_epoch"), Preparation(binarisation="fixed")

    assert torch.equal(prepare(images, every, "train", training=True).images, images.images)
    for split in SPLITS:
        assert torch.equal(prepare(images, every, split).images, prepare(images, fixed, split).images)


def test_images_are_resized_first_and_binarised_then() -> None:
    images = labelled(grey(20, 1, 8, 8))
    both = prepare(images, Preparation(size=11, binarisation="fixed"), "test").images
    resized = prepare(images, Preparation(size=11), "test")

    assert set(both.unique().tolist()) == {0, 255}
    assert torch.equal(both, prepare(resized, Preparation(binarisation="fixed"), "test").images)
    assert torch.equal(prepare(images, Preparation(size=11, binarisation="every_epoch"), "train", training=True).images, resized.images)


@pytest.mark.parametrize("config", [Preparation(), Preparation(size=6), Preparation(binarisation="fixed")])
def test_a_repeated_channel_is_three_times_the_same(config: Preparation) -> None:
    images = labelled(grey(20, 1, 4, 4))
    one = prepare(images, config, "test").images
    repeated = prepare(images, config.model_copy(update={"channels": 3}), "test").images
    assert repeated.shape == (20, 3, *one.shape[2:])
    assert all(torch.equal(repeated[:, channel], one[:, 0]) for channel in range(3))


def training(held_out: str, **images: Any) -> TrainConfig:
    model = {"family": "classifier", "network": {"kind": "mlp", "hidden": [8], "activation": "relu"}, "dropout": 0.0, "classes": 2}
    settings = {"objective": {"kind": "cross_entropy"}, "optimizer": "adam", "learning_rate": 0.1, "batch_size": 8, "epochs": 1}
    names = {"variant": "tiny", "dataset": "mnist", "shape": [1, 4, 4], "images": images, "model": model}
    rest = {"declared_images": 50, "max_steps": None, "compute": {"threads": 1, "device": "cpu", "checkpoint_minutes": 0}}
    return parse(TrainConfig, {**names, "training": {**settings, "held_out": held_out}, **rest}, "test")


def split_files(folder: Path, *names: str) -> dict[str, Images]:
    """Write these splits, 12 images for training, 5 for validation and 7 for the test, and return them."""
    counts = {"train": (0, 12), "validation": (12, 17), "test": (17, 24)}
    whole = Images(grey(24, 1, 4, 4), torch.arange(24))
    splits = {name: whole.take(slice(*counts[name])) for name in names}
    for name, images in splits.items():
        write_tensors(folder / f"{name}.safetensors", {"images": images.images, "labels": images.labels})
    return splits


def test_validation_images_are_held_out_and_test_images_not_even_looked_at(tmp_path: Path) -> None:
    splits = split_files(tmp_path, "train", "validation")
    seen = training_images(training("validation"), tmp_path)
    assert list(seen) == ["train", "validation"]
    for name, images in splits.items():
        assert torch.equal(seen[name].images, images.images) and torch.equal(seen[name].labels, images.labels)


def test_where_the_test_images_are_held_out_the_others_are_trained_on(tmp_path: Path) -> None:
    splits = split_files(tmp_path, *SPLITS)
    seen = training_images(training("test", channels=3), tmp_path)
    assert list(seen) == ["train", "validation"]
    assert (seen["train"].labels.tolist(), seen["validation"].labels.tolist()) == (list(range(17)), list(range(17, 24)))
    both = torch.cat([splits["train"].images, splits["validation"].images])
    assert torch.equal(seen["train"].images, both.expand(17, 3, 4, 4))
    assert torch.equal(seen["validation"].images, splits["test"].images.expand(7, 3, 4, 4))


def test_held_out_test_images_are_binarised_as_evaluation_sees_them(tmp_path: Path) -> None:
    splits = split_files(tmp_path, *SPLITS)
    for binarisation in ("fixed", "every_epoch"):
        seen = training_images(training("test", binarisation=binarisation), tmp_path)
        expected = {name: prepare(images, Preparation(binarisation="fixed"), name).images for name, images in splits.items()}
        assert torch.equal(seen["validation"].images, expected["test"])
        # Each split has coins of its own; images that are drawn anew at every visit are still grey.
        trained = expected if binarisation == "fixed" else {name: images.images for name, images in splits.items()}
        assert torch.equal(seen["train"].images, torch.cat([trained["train"], trained["validation"]]))


def test_test_images_that_are_held_out_and_missing_are_one_line(tmp_path: Path) -> None:
    split_files(tmp_path, "train", "validation")
    with pytest.raises(UserError, match=r"^[^\n]*test.safetensors: expected[^\n]*dvc repro[^\n]*$"):
        training_images(training("test"), tmp_path)


MLP = {"kind": "mlp", "hidden": [4], "activation": "relu"}


def judged(held_out: str, **images: Any) -> QualityConfig:
    model = {"family": "gan", "latent_dim": 2, "generator": MLP, "discriminator": MLP, "output": "probability"}
    facts = {
        "variant": "tiny",
        "dataset": "mnist",
        "data_source": "stand-in",
        "shape": [1, 4, 4],
        "images": images,
        "held_out": held_out,
        "values": "grey",
    }
    rest = {"model": model, "n_samples": 20, "seed": 0, "threads": 1, "device": "cpu"}
    return parse(QualityConfig, {**facts, **rest}, "test")


def test_samples_are_held_against_the_data_sets_own_images(tmp_path: Path) -> None:
    sets = split_files(tmp_path, "train", "validation", "test")
    config = judged("validation", size=8, channels=3)
    found = judged_images(config, tmp_path)
    assert found["train"].images.equal(sets["train"].images) and found["test"].images.equal(sets["test"].images)
    assert found["prepared"].images.equal(prepare(sets["test"], config.images, "test").images)
    assert found["prepared"].images.shape[1:] == (3, 8, 8)


def test_samples_of_a_binarised_model_are_held_against_binarised_images(tmp_path: Path) -> None:
    sets = split_files(tmp_path, "train", "validation", "test")
    found = judged_images(judged("validation", binarisation="every_epoch"), tmp_path)
    for split in ("train", "test"):
        assert set(found[split].images.unique().tolist()) <= {0, 255} and found[split].images.shape == sets[split].images.shape
    assert found["prepared"].images.equal(found["test"].images)


def test_samples_without_colour_are_held_against_images_without_colour(tmp_path: Path) -> None:
    for name in SPLITS:
        write_tensors(tmp_path / f"{name}.safetensors", {"images": grey(5, 3, 4, 4), "labels": torch.zeros(5)})
    found = judged_images(judged("validation", luminance=True), tmp_path)
    for images in found.values():
        assert torch.equal(images.images[:, 0], images.images[:, 2]) and images.images.shape[1] == 3


def test_all_images_that_were_trained_on_may_be_memorised(tmp_path: Path) -> None:
    sets = split_files(tmp_path, "train", "validation", "test")
    both = torch.cat([sets["train"].images, sets["validation"].images])
    assert judged_images(judged("test"), tmp_path)["train"].images.equal(both)
