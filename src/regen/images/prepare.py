"""What a variant does to its data set's images before it sees them: resize, repeat the channel, binarise."""

from pathlib import Path
from typing import Literal, Protocol

import torch
from torch.nn.functional import interpolate

from regen.common.determinism import derive_seed
from regen.config.training import Preparation
from regen.images.batches import images_of
from regen.images.images import Images

__all__ = ["judged_images", "prepare", "training_images"]


class HoldsOut(Protocol):
    """A part of a configuration that says which split is held out."""

    @property
    def held_out(self) -> Literal["validation", "test"]:
        """The split that is not trained on."""


class Trained(Protocol):
    """What is asked of a configuration of a training."""

    @property
    def images(self) -> Preparation:
        """What is done to the images."""

    @property
    def training(self) -> HoldsOut:
        """How the variant is trained."""


class Judged(HoldsOut, Protocol):
    """What is asked of a configuration by which samples are judged."""

    @property
    def images(self) -> Preparation:
        """What is done to the images."""


def prepare(images: Images, config: Preparation, split: str, training: bool = False) -> Images:
    """Return images resized (bilinear, rounded to uint8), binarised (k / 255 is the probability of 255), repeated in channels.

    The binarisation of a split is the same in every run. Images that are binarised anew at every visit stay grey where
    they are for training: the loop draws them.
    """
    pixels = images.images
    if config.size is not None:
        size = (config.size, config.size)
        blocks = [interpolate(block.float(), size, mode="bilinear", antialias=True).round().to(torch.uint8) for block in pixels.split(1000)]
        pixels = torch.cat(blocks)
    if config.binarisation is not None and not (training and config.binarisation == "every_epoch"):
        generator = torch.Generator().manual_seed(derive_seed("binarise", split))
        blocks = [torch.bernoulli(block.float() / 255, generator=generator).to(torch.uint8) * 255 for block in pixels.split(1000)]
        pixels = torch.cat(blocks)
    if config.channels is not None:
        pixels = pixels.repeat(1, config.channels, 1, 1)
    return Images(pixels, images.labels, images.label_names)


def training_images(config: Trained, folder: Path) -> dict[str, Images]:
    """Return what a configuration (`regen.config.variant.TrainConfig`) trains on, prepared: `train`, and `validation`, which is held out.

    `folder` has the splits. With `held_out: test` the validation images are trained on too.
    """
    splits = {split: images_of(folder, split) for split in ("train", "validation")}
    if config.training.held_out == "test":
        both = [prepare(images, config.images, split, training=True) for split, images in splits.items()]
        return {"train": _joined(both), "validation": prepare(images_of(folder, "test"), config.images, "test")}
    return {split: prepare(images, config.images, split, training=split == "train") for split, images in splits.items()}


def judged_images(config: Judged, folder: Path) -> dict[str, Images]:
    """Return what the samples of a configuration (`regen.config.features.QualityConfig`) are held against.

    `train` (all images trained on) and `test` have the data set's own size, and are binarised if the variant's are; `prepared` are the test
    images as the variant sees them.
    """
    values = config.images.model_copy(update={"size": None, "channels": None})
    trained = ("train", "validation") if config.held_out == "test" else ("train",)
    test = images_of(folder, "test")
    return {
        "train": _joined([prepare(images_of(folder, split), values, split) for split in trained]),
        "test": prepare(test, values, "test"),
        "prepared": prepare(test, config.images, "test"),
    }


def _joined(parts: list[Images]) -> Images:
    return Images(torch.cat([one.images for one in parts]), torch.cat([one.labels for one in parts]))
