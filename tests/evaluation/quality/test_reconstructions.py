"""Reconstructions and noisy means of models whose outputs are known, and the rows that they stand in."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from samplers import SHAPE, made, settings

from regen.common.determinism import derive_seed
from regen.evaluation.quality import reconstructions as module
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.measures import Reference, measures
from regen.evaluation.quality.quality import generate, quality
from regen.evaluation.quality.reconstructions import reconstructions
from regen.images.images import Images

Space = Callable[[list[int]], FeatureSpace]


def judged(blobs: Callable[..., Images]) -> dict[str, Images]:
    return {"train": blobs(60, SHAPE, 0), "test": blobs(50, SHAPE, 1), "prepared": blobs(50, SHAPE, 2)}


@pytest.mark.parametrize("name", ["vae", "gaussian vae", "bernoulli latents", "autoencoder"])
def test_a_reconstruction_is_decoded_from_the_code_without_noise(
    name: str, blobs: Callable[..., Images], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, images = made(name), blobs(13, SHAPE, 0).images
    with torch.no_grad():
        out = model.encoder.network(images.float() / 255) if hasattr(model.encoder, "network") else model.encoder(images.float() / 255)
        # Mean and log-variance; logits of binary latents; a code.
        z = {"bernoulli latents": (out > 0).float(), "autoencoder": out}.get(name, out[:, :4])
        expected = torch.sigmoid(model.decoder.network(z))
    monkeypatch.setattr(module, "BLOCK", 5)
    torch.testing.assert_close(reconstructions(model, images), expected, rtol=1e-5, atol=1e-6)


def test_the_rows_of_reconstructions_are_of_the_prepared_test_images(blobs: Callable[..., Images], pixel_space: Space) -> None:
    images, model, early = judged(blobs), made("vae"), made("vae", spread=2.0)
    _, details = quality(settings("vae"), 0, model, {"epoch 2": early}, images, pixel_space(SHAPE))
    rows = {row["images"]: row for row in details["rows"]}
    order = derive_seed(0, 0, "tiny", "reference")
    reference = Reference(pixel_space(SHAPE), images["train"].images, images["test"].images[:40], images["prepared"].images[:40], order)
    for name, one in (("reconstructions", model), ("reconstructions, epoch 2", early)):
        levels = (reconstructions(one, images["prepared"].images[:40]) * 255).round().to(torch.uint8)
        expected = {key: value for key, value in measures(levels, reference)[0].items() if key in rows[name]}
        assert {key: rows[name][key] for key in expected} == expected
        assert rows[name]["class_counts"] != rows["samples"]["class_counts"] and sum(rows[name]["class_counts"]) == 40


def test_noisy_means_have_the_variance_of_the_draws_until_they_are_clipped() -> None:
    config = settings("vae", 700)
    # Smaller weights: means about 1/2, where noise of standard deviation 1/2 is clipped beyond one deviation.
    model = made("vae", spread=0.01)
    means, noisy = generate(model, config, 0), generate(model, config, 0, "means with noise")
    assert means.sub(0.5).abs().max() < 0.02 and noisy.min() == 0 and noisy.max() == 1
    noise = (noisy - means).flatten()
    # A normal one cut off at one deviation: E min(z^2, 1) = 1 - 2 phi(1), a quarter of it.
    expected = 0.25 * (1 - 2 * math.exp(-0.5) / math.sqrt(2 * math.pi))
    spread = noise.square().std().item() / math.sqrt(len(noise))
    assert abs(noise.square().mean().item() - expected) < 4 * spread + 0.002
    share = (noisy == 0).double().mean().item()
    assert abs(share - 0.1587) < 4 * math.sqrt(0.1587 * 0.8413 / len(noise)) + 0.01
    # Pixels are independent.
    correlation = np.corrcoef(noise.reshape(700, -1).numpy().T)[np.triu_indices(16, 1)]
    assert np.abs(correlation).max() < 5 / math.sqrt(700)


def test_noisy_means_of_certain_pixels_are_the_means() -> None:
    model = made("vae", spread=400.0)
    means = generate(model, settings("vae"), 0)
    certain = (means == 0) | (means == 1)
    assert certain.any() and torch.equal(generate(model, settings("vae"), 0, "means with noise")[certain], means[certain])


def test_binarised_test_images_are_black_and_white_at_the_grey_rate(blobs: Callable[..., Images], pixel_space: Space) -> None:
    images = judged(blobs)
    _, details = quality(settings("vae"), 0, made("vae"), {}, images, pixel_space(SHAPE))
    found = next(row for row in details["rows"] if row["images"] == "binarised test images")
    generator = torch.Generator().manual_seed(3)
    drawn = torch.stack([torch.bernoulli(images["prepared"].images[:40] / 255, generator=generator) for _ in range(200)])
    edges = torch.nn.functional.conv2d(drawn.flatten(0, 1), torch.tensor([[[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]]))
    each = edges.flatten(1).var(1, correction=0).reshape(200, 40).mean(1)
    assert abs(found["laplacian_variance"] - each.mean().item()) < 4 * each.std().item()
    # Classes see bright pixels only, and every image has black and white ones: far from the confidence in grey.
    assert "frechet_classifier_distance" not in found and sum(found["class_counts"]) == 40


def test_binary_data_has_neither_noisy_means_nor_binarised_images(blobs: Callable[..., Images], pixel_space: Space) -> None:
    config = settings("vae").model_copy(update={"values": "binary"})
    _, details = quality(config, 0, made("vae"), {}, judged(blobs), pixel_space(SHAPE))
    names = [row["images"] for row in details["rows"]]
    assert names[:4] == ["samples", "draws", "before training", "draws, before training"]
    assert names[4:] == ["reconstructions", "reconstructions, before training", "test images"]


def test_nine_of_ten_test_images_are_confident(blobs: Callable[..., Images], pixel_space: Space) -> None:
    space, test = pixel_space(SHAPE), blobs(50, SHAPE, 1).images
    reference = Reference(space, test, test)
    assert measures(test, reference)[0]["confident_share"] == pytest.approx(0.9)

    # By hand: softmax of ten times the first ten pixels, its largest value against the fifth-lowest of 50.
    def confidence(images: torch.Tensor) -> np.ndarray:
        scores = np.exp(10 * images.flatten(1)[:, :10].double().numpy() / 255)
        return np.asarray((scores / scores.sum(1, keepdims=True)).max(1))

    others = blobs(90, SHAPE, 5).images // 8 * 7
    expected = (confidence(others) > np.quantile(confidence(test), 0.1)).mean()
    assert 0.2 < expected < 0.8
    assert measures(others, reference)[0]["confident_share"] == pytest.approx(expected)
    assert measures(torch.full_like(test, 7), reference)[0]["confident_share"] == 0
