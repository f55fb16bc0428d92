"""What a wrong reshape would make of a GAN's images (vu4a, section 3.3)."""

from typing import Any

import torch

from regen.config.probes import Reshape
from regen.evaluation.probes.subject import Subject
from regen.evaluation.quality.measures import measures
from regen.evaluation.quality.quality import generate
from regen.images.batches import to_levels

__all__ = ["channel_standard_deviation", "reshape", "wrongly_reshaped"]


def reshape(settings: Reshape, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return the Frechet distance and the colour of the samples that sample quality judges, and of training images, reshaped either way."""
    (subject,) = subjects
    samples = to_levels(generate(subject.model, subject.config, subject.config.first_seed))
    groups = {"samples": samples, "training images": subject.prepared("train").images[: len(samples)]}
    rows = []
    for name, images in groups.items():
        for way, shaped in (("right", images), ("wrong", wrongly_reshaped(images))):
            distance, _ = measures(shaped, subject.reference, ("frechet_classifier_distance",))
            rows.append({"images": name, "reshape": way, **distance, "channel_standard_deviation": channel_standard_deviation(shaped)})
    return {"n_images": len(subject.reference.test), "n_samples": len(samples), "rows": rows}


def wrongly_reshaped(images: torch.Tensor) -> torch.Tensor:
    """Return images (N, C, H, W) whose values were read in their order as (H, W, C), shape (N, C, H, W)."""
    channels, height, width = images.shape[1:]
    return images.reshape(-1, height, width, channels).permute(0, 3, 1, 2).contiguous()


def channel_standard_deviation(images: torch.Tensor) -> float:
    """Return how coloured images uint8 (N, C, H, W) are: a pixel's standard deviation over its channels, in units of [0, 1], the mean."""
    blocks: list[float] = [(block.float() / 255).std(1, correction=0).double().sum().item() for block in images.split(1000)]
    return sum(blocks) / (len(images) * images.shape[2] * images.shape[3])
