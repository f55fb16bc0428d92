"""What a variant does to its data set's images before it sees them: resize, binarise."""

from typing import Any

import torch
from torch.nn.functional import interpolate

from regen.data.images import Images
from regen.determinism import derive_seed

__all__ = ["prepare"]


def prepare(images: Images, config: Any, split: str, training: bool = False) -> Images:
    """Return images resized (bilinear, rounded to uint8) and binarised (each value k / 255 is 255 with that probability).

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
    return Images(pixels, images.labels, images.label_names)
