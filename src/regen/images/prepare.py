"""What a variant does to its data set's images before it sees them: grey, resize, binarise, repeat the channel."""

from pathlib import Path
from typing import Literal, Protocol

import torch
from torch.nn.functional import interpolate

from regen.common.determinism import derive_seed
from regen.config.training import Preparation
from regen.images.batches import images_of
from regen.images.images import Images

__all__ = ["judged_images", "prepare", "trained_on", "training_images"]


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
    """Return images without colour, resized, binarised and repeated in channels, each where the configuration asks for it.

    Resizing is bilinear and rounds to uint8; k / 255 is the probability of 255.
    The binarisation of a split is the same in every run. Images that are binarised anew at every visit stay grey where
    they are for training: the loop draws them.
    """
    pixels = images.images
    if config.luminance:
        pixels = torch.cat([_luminance(block) for block in pixels.split(1000)])
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


def _luminance(images: torch.Tensor) -> torch.Tensor:
    """Return images uint8 (N, 3, H, W) whose channels are all the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, as Pillow's."""
    red, green, blue = images.to(torch.int32).unbind(1)
    luma = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    return luma.to(torch.uint8).unsqueeze(1).repeat(1, 3, 1, 1)


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

    `train` (all images trained on) and `test` have the data set's own size, and are without colour or binarised if the variant's are;
    `prepared` are the test images as the variant sees them.
    """
    values = config.images.model_copy(update={"size": None, "channels": None})
    test = images_of(folder, "test")
    return {
        "train": trained_on(config, folder, values),
        "test": prepare(test, values, "test"),
        "prepared": prepare(test, config.images, "test"),
    }


def trained_on(config: Judged, folder: Path, preparation: Preparation | None = None) -> Images:
    """Return all images that a variant trained on, prepared as it sees them or in another way; `folder` has the splits."""
    splits = ("train", "validation") if config.held_out == "test" else ("train",)
    return _joined([prepare(images_of(folder, split), preparation or config.images, split) for split in splits])


def _joined(parts: list[Images]) -> Images:
    return Images(torch.cat([one.images for one in parts]), torch.cat([one.labels for one in parts]))
