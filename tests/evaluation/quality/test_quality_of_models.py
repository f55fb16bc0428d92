"""Sample quality of whole models: which rows and measures there are, broken samplers, and that a seed decides everything."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from samplers import MODELS, SHAPE, made, settings

from regen.common.determinism import derive_seed
from regen.common.errors import UserError
from regen.common.files import write_json
from regen.config.base import parse
from regen.config.variant import TrainConfig
from regen.evaluation.quality import quality as module
from regen.evaluation.quality.distances import shuffled
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.quality import generate, quality
from regen.evaluation.restore import moment, restore
from regen.images.images import Images
from regen.training.loop import train

DRAWN = {
    f"{key}_draws" for key in ("frechet_classifier_distance", "kernel_classifier_distance", "precision", "recall", "density", "coverage")
}
FACTS = {"data_source", "n_images", "features", "n_samples", "sampler"}
CHEAP = {
    *("frechet_classifier_distance", "kernel_classifier_distance", "kernel_standard_error", "laplacian_variance"),
    *("digits_covered", "class_kl_nats", "top_class_share", "mean_confidence", "checkerboard_energy"),
}
ALONE = {"laplacian_variance", "digits_covered", "class_kl_nats", "top_class_share", "mean_confidence"}
MEASURES = CHEAP | {"precision", "recall", "density", "coverage", "nearest_train_ratio"}
DETAILED = {"blockiness", "confident_share"}
TABLES = {"top_class", "class_counts"}
SAMPLERS = [name for name in MODELS if name != "classifier"]

Space = Callable[[list[int]], FeatureSpace]


@pytest.fixture
def images(blobs: Callable[..., Images]) -> dict[str, Images]:
    return judged(blobs, SHAPE)


def judged(blobs: Callable[..., Images], shape: list[int]) -> dict[str, Images]:
    """Return training and test images; the model sees the test images as they are."""
    return {"train": blobs(60, shape, 0), "test": blobs(50, shape, 1), "prepared": blobs(50, shape, 1)}


def rows(details: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rows of the table by what they are of; each stands once."""
    by_name = {row["images"]: row for row in details["rows"]}
    assert len(by_name) == len(details["rows"])
    return by_name


def numbers(value: Any) -> list[float]:
    """Return every number in a JSON value."""
    if isinstance(value, dict | list):
        return [number for item in (value.values() if isinstance(value, dict) else value) for number in numbers(item)]
    return [] if value is None or isinstance(value, str) else [float(value)]


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_has_flat_finite_scalars_and_its_rows(
    name: str, images: dict[str, Images], pixel_space: Space, tmp_path: Path
) -> None:
    scalars, details = quality(settings(name), 0, made(name), {}, images, pixel_space(SHAPE))
    write_json(tmp_path / "quality.json", scalars)
    written = json.loads((tmp_path / "quality.json").read_text())
    drawn = name in ("vae", "bernoulli latents", "autoencoder of binary pixels")
    assert set(written) == FACTS | MEASURES | (DRAWN if drawn else set()) and len(written) <= 25
    assert {key: written[key] for key in FACTS} == {
        **{"data_source": "stand-in", "features": "classes", "sampler": "finite"},
        **{"n_images": 40, "n_samples": 40},
    }
    assert all(isinstance(written[key], int | float) and math.isfinite(written[key]) for key in MEASURES)
    found = rows(details)
    others = ["codes from N(0, I)", "codes from one Gaussian"] if name.startswith("autoencoder") else ["before training"]
    again = [] if name in ("gan", "flow") else ["reconstructions", "reconstructions, before training"]
    real = ["test images", *(["binarised test images"] if drawn else [])]
    others += ["draws, before training"] if drawn and not name.startswith("autoencoder") else []
    assert list(found) == ["samples", *(["draws", "means with noise"] if drawn else []), *others, *again, *real]
    assert all(written[f"{key}_draws"] == pytest.approx(found["draws"][key], rel=1e-7) for key in MEASURES if f"{key}_draws" in written)
    assert {key: found["samples"][key] for key in MEASURES} == {key: scalars[key] for key in MEASURES}
    for row in ("samples", "draws")[: 1 + drawn]:
        assert set(found[row]) == MEASURES | DETAILED | TABLES | {"images"} and sum(found[row]["class_counts"]) == 40
    assert all(set(found[other]) == CHEAP | DETAILED | TABLES | {"images"} for other in [*others, *again])
    assert all(set(found[other]) == ALONE | DETAILED | TABLES | {"images"} for other in real)
    assert [path["path"] for path in details.get("paths", [])] == ([] if name == "bernoulli latents" else ["linear", "spherical", "pixels"])
    assert all(math.isfinite(number) for number in numbers(details))


def test_draws_are_black_and_white_at_the_latents_of_the_samples(images: dict[str, Images], pixel_space: Space) -> None:
    model, config = made("vae"), settings("vae", 700)
    means, draws = generate(model, config, 0), generate(model, config, 0, "draws")
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    deviation = (means * (1 - means)).sqrt()
    # Given the means every pixel is a coin of its own: sums within 4 standard errors, a pixel's and one that weighs by the means.
    assert ((draws - means).sum(0).abs() < 4 * deviation.square().sum(0).sqrt()).all()
    weights = means - means.mean(0)
    error = (weights * deviation).square().sum().sqrt()
    assert (weights * (draws - means)).sum().abs() < 4 * error
    # Draws at other latents would miss it by this.
    assert weights.square().sum() > 8 * error


def test_a_model_that_cannot_sample_has_no_measures(images: dict[str, Images], pixel_space: Space) -> None:
    found = quality(settings("classifier"), 0, made("classifier"), {}, images, pixel_space(SHAPE))
    assert found == ({"data_source": "stand-in", "n_images": 40, "features": "classes", "sampler": "none"}, {})


def spoiled(name: str, value: float) -> Any:
    """Return a model whose last image of every block has one value like this."""
    model = made(name)
    whole = model.images

    def images(z: torch.Tensor) -> torch.Tensor:
        made_images: torch.Tensor = whole(z).clone()
        made_images[-1, 0, 0, 0] = value
        return made_images

    model.images = images
    return model


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["vae", "gan"])
def test_samples_that_are_not_finite_are_said_to_be_and_nothing_else(
    name: str, value: float, images: dict[str, Images], pixel_space: Space
) -> None:
    model = spoiled(name, value)
    scalars, details = quality(settings(name), 0, model, {"epoch 1": model, "epoch 2": made(name)}, images, pixel_space(SHAPE))
    facts = {"data_source": "stand-in", "n_images": 40, "features": "classes"}
    assert scalars == {**facts, "n_samples": 40, "sampler": "not finite"}
    found = rows(details)
    assert (found["samples"], found["epoch 1"]) == ({"images": "samples"}, {"images": "epoch 1"})
    # What came before it broke is still judged.
    assert set(found["epoch 2"]) == set(found["before training"]) == CHEAP | DETAILED | TABLES | {"images"}
    moments = ["before training", "epoch 1", "epoch 2"]
    again = [f"draws, {moment}" for moment in moments] if name == "vae" else []
    again += ["reconstructions", *(f"reconstructions, {moment}" for moment in moments)] if name == "vae" else []
    assert list(found) == ["samples", *moments, *again, "test images", *(["binarised test images"] if name == "vae" else [])]
    assert all(len(found[row]) == 1 for row in ("reconstructions", "reconstructions, epoch 1") if row in found) and "paths" not in details


@pytest.mark.parametrize("name", SAMPLERS)
def test_weights_that_are_not_numbers_are_no_crash(name: str, images: dict[str, Images], pixel_space: Space) -> None:
    scalars, details = quality(settings(name), 0, made(name, spread=math.nan), {}, images, pixel_space(SHAPE))
    assert scalars["sampler"] == "not finite" and not set(scalars) & MEASURES
    assert "paths" not in details and {"samples", "test images"} <= set(rows(details)) and "draws" not in rows(details)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_constant_image_is_said_to_be_one_and_measured(name: str, images: dict[str, Images], pixel_space: Space) -> None:
    # With weights of zero every latent is the same grey; of the flow, what it makes of one noise.
    model = made(name, spread=0.0)
    if name == "flow":
        model.images = lambda z: torch.full((len(z), *SHAPE), 0.5)
    scalars, details = quality(settings(name), 0, model, {}, images, pixel_space(SHAPE))
    assert scalars["sampler"] == "constant" and set(scalars) - DRAWN == FACTS | MEASURES
    assert all(math.isfinite(number) for number in numbers([scalars, details]))
    assert (scalars["laplacian_variance"], scalars["top_class_share"], scalars["checkerboard_energy"]) == pytest.approx(
        (0, 1, 0), abs=1e-12
    )
    assert scalars["digits_covered"] == 1 and scalars["class_kl_nats"] == pytest.approx(math.log(10))
    assert scalars["coverage"] < 1
    x = images["test"].images[:40].flatten(1).double().numpy() / 255
    # Against a point the distance is |m - c|^2 + tr S; sigmoid(0) is level 128.
    expected = ((x.mean(0) - 128 / 255) ** 2).sum() + x.var(0, ddof=1).sum()
    assert scalars["frechet_classifier_distance"] == pytest.approx(expected, rel=1e-5)
    for path in details.get("paths", []):
        assert (path["length"], path["largest_step"]) == (None, None)


@pytest.mark.parametrize(("n_samples", "n_test"), [(70, 50), (40, 50), (50, 50)])
def test_more_samples_than_test_images_or_the_reverse(n_samples: int, n_test: int, images: dict[str, Images], pixel_space: Space) -> None:
    model, config = made("gan"), settings("gan", n_samples)
    scalars, _ = quality(config, 0, model, {}, images, pixel_space(SHAPE))
    count = min(n_samples, n_test)
    assert (scalars["n_samples"], scalars["n_images"]) == (n_samples, count)
    # As many of either as there are of both, in random orders of variant and seed.
    seed = derive_seed(config.seed, 0, config.variant, "reference")
    first, second = (derive_seed(seed, "order", of) for of in ("test images", "images"))
    x = shuffled(images["test"].images[:n_samples], count, first).flatten(1).double().numpy() / 255
    y = shuffled((generate(model, config, 0) * 255).round(), count, second).flatten(1).double().numpy() / 255
    assert len(x) == len(y) == count
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(first @ second).astype(complex)).real.sum()
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(first + second) - 2 * roots
    assert scalars["frechet_classifier_distance"] == pytest.approx(expected, rel=1e-4)
    # The share of real balls is a multiple of 1 / count.
    assert scalars["recall"] * count == pytest.approx(round(scalars["recall"] * count), abs=1e-4)
    assert scalars["coverage"] * count == pytest.approx(round(scalars["coverage"] * count), abs=1e-9)
    assert all(math.isfinite(scalars[key]) for key in MEASURES)


def test_odd_sizes_have_no_checkerboard_energy(pixel_space: Space, blobs: Callable[..., Images]) -> None:
    shape = [1, 5, 5]
    images = judged(blobs, shape)
    scalars, details = quality(settings("vae", shape=shape), 0, made("vae", shape), {}, images, pixel_space(shape))
    assert scalars.pop("checkerboard_energy") is None
    assert set(scalars) - DRAWN == FACTS | MEASURES - {"checkerboard_energy"}
    assert all(math.isfinite(number) for number in numbers([scalars, details]))


def test_images_of_another_shape_than_the_features_are_judged(pixel_space: Space, blobs: Callable[..., Images]) -> None:
    shape = [3, 6, 6]
    images = judged(blobs, shape)
    scalars, _ = quality(settings("gan", shape=shape), 0, made("gan", shape), {}, images, pixel_space(SHAPE))
    assert set(scalars) == FACTS | MEASURES and all(math.isfinite(scalars[key]) for key in MEASURES)


@pytest.mark.parametrize("name", ["gan", "vae"])
def test_before_training_is_the_model_as_training_initialised_it(
    name: str, images: dict[str, Images], pixel_space: Space, tmp_path: Path
) -> None:
    kind = {"kind": "elbo"} if name == "vae" else {"kind": "adversarial", "loss": "non_saturating"}
    schedule = {"objective": kind, "optimizer": "adam", "learning_rate": 0.05, "batch_size": 20, "epochs": 2, "snapshot_epochs": [0, 1]}
    facts = {"variant": "tiny", "dataset": "mnist", "shape": SHAPE, "images": {}, "model": MODELS[name], "declared_images": 60}
    compute = {"threads": 1, "device": "cpu", "checkpoint_minutes": 10}
    config = parse(TrainConfig, {**facts, "training": schedule, "max_steps": None, "compute": compute}, "test")
    model, _ = train(config, 3, {"train": images["train"], "validation": images["test"]}, tmp_path, torch.device("cpu"))
    first, later = (restore(config.model, SHAPE, tmp_path / f"epoch-{epoch:03d}.safetensors") for epoch in (0, 1))
    _, details = quality(settings(name), 3, model.eval(), {"epoch 0": first[0], "epoch 1": later[0]}, images, pixel_space(SHAPE))
    found = {name: {key: value for key, value in row.items() if key != "images"} for name, row in rows(details).items()}
    assert found["before training"] == found["epoch 0"] != found["epoch 1"]
    # Under its own name a snapshot of step 0 is the same row: it does not stand twice.
    _, again = quality(settings(name), 3, model, {moment(first[1]): first[0]}, images, pixel_space(SHAPE))
    assert {key: value for key, value in rows(again)["before training"].items() if key != "images"} == found["epoch 0"]


def test_a_snapshot_of_the_model_itself_has_the_measures_of_its_samples(images: dict[str, Images], pixel_space: Space) -> None:
    model = made("gan")
    scalars, details = quality(settings("gan"), 0, model, {"epoch 9": model}, images, pixel_space(SHAPE))
    assert {key: rows(details)["epoch 9"][key] for key in CHEAP} == {key: scalars[key] for key in CHEAP}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_seed_decides_every_byte(name: str, images: dict[str, Images], pixel_space: Space, tmp_path: Path) -> None:
    def written(of_variant: int, of_evaluation: int = 0) -> bytes:
        found = quality(settings(name, seed=of_evaluation), of_variant, made(name), {}, images, pixel_space(SHAPE))
        write_json(tmp_path / "found.json", found)
        return (tmp_path / "found.json").read_bytes()

    first = written(0)
    torch.manual_seed(55)
    assert written(0) == first
    assert written(1) != first and written(0, 1) != first


def test_images_are_generated_in_blocks_with_streams_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 30)
    model = made("gan")
    samples = generate(model, settings("gan", 70), 0)
    assert samples.shape == (70, *SHAPE)
    # A block does not depend on the ones behind it, and no two are the same.
    torch.testing.assert_close(generate(model, settings("gan", 60), 0), samples[:60], rtol=0, atol=0)
    assert not samples[:30].equal(samples[30:60])
    # Both seeds matter, the variant's and the evaluation's.
    assert not generate(model, settings("gan", 70), 1).equal(samples) and not generate(model, settings("gan", 70, seed=1), 0).equal(samples)


def test_fewer_than_twenty_test_images_are_refused_in_one_line(images: dict[str, Images], pixel_space: Space) -> None:
    few = {**images, "test": images["test"].take(slice(19))}
    with pytest.raises(UserError) as refused:
        quality(settings("gan"), 0, made("gan"), {}, few, pixel_space(SHAPE))
    assert str(refused.value) == "tiny: expected at least 20 test images of mnist, got 19; choose a larger source in params.yaml"
    enough = {**images, "test": images["test"].take(slice(20))}
    scalars, _ = quality(settings("gan"), 0, made("gan"), {}, enough, pixel_space(SHAPE))
    assert all(math.isfinite(scalars[key]) for key in MEASURES)
