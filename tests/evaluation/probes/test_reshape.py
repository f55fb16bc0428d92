from types import SimpleNamespace

import pytest
import torch
from stand_ins import described, subject

from regen.config.probes import Reshape
from regen.evaluation.probes.reshape import channel_standard_deviation, reshape, wrongly_reshaped
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.measures import Reference


def test_the_wrong_reshape_reads_the_values_in_their_order() -> None:
    images = torch.arange(2 * 3 * 4 * 4).view(2, 3, 4, 4)
    wrong = wrongly_reshaped(images)
    assert wrong.shape == images.shape
    for n, c, h, w in [(0, 0, 0, 0), (0, 2, 0, 0), (0, 1, 2, 3), (1, 0, 3, 1)]:
        assert wrong[n, c, h, w] == 48 * n + (h * 4 + w) * 3 + c


def test_one_channel_has_no_wrong_reshape() -> None:
    images = torch.arange(32).view(2, 1, 4, 4)
    assert torch.equal(wrongly_reshaped(images), images)


def test_colour_is_the_deviation_over_the_channels() -> None:
    grey = torch.full((2, 3, 4, 4), 90, dtype=torch.uint8)
    assert channel_standard_deviation(grey) == 0
    grey[0, 0] = 240
    # Of 240, 90 and 90: 50 sqrt(2), in half of the images.
    assert channel_standard_deviation(grey) == pytest.approx(50 * 2**0.5 / 255 / 2)


def test_rows_are_of_the_same_images_either_way() -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (60, 1, 4, 4), generator=generator, dtype=torch.uint8).repeat(1, 3, 1, 1)
    pixels[:, :, :, :2] = 0
    space = SimpleNamespace(features=lambda x: x.float().mean(1).flatten(1), probabilities=lambda features: None)
    found = _found(pixels, space)  # type: ignore[arg-type]
    assert found["n_samples"] == 40 and found["n_images"] == 60
    rows = {(row["images"], row["reshape"]): row for row in found["rows"]}
    assert list(rows) == [("samples", "right"), ("samples", "wrong"), ("training images", "right"), ("training images", "wrong")]
    for kind in ("samples", "training images"):
        right, wrong = rows[kind, "right"], rows[kind, "wrong"]
        assert right["channel_standard_deviation"] == pytest.approx(0, abs=1e-8) and wrong["channel_standard_deviation"] > 0.05
        assert right["frechet_classifier_distance"] < wrong["frechet_classifier_distance"]


def _found(pixels: torch.Tensor, space: FeatureSpace) -> dict:
    model = SimpleNamespace(latents=lambda count: torch.zeros(count, 1), images=lambda z: pixels[: len(z)].float() / 255)
    config = SimpleNamespace(n_samples=40, seed=0, first_seed=0)
    given = subject({"train": described(pixels)}, model=model, config=config, reference=Reference(space, pixels, pixels))
    return reshape(Reshape(), [given], 0)
