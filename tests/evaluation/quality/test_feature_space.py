"""What a labeller sees: images made comparable, features and probabilities by hand, and files that are refused in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import softmax

from regen.common.errors import UserError
from regen.common.files import write_tensors
from regen.config.base import parse
from regen.config.features import Labeller
from regen.evaluation.quality import features
from regen.evaluation.quality.features import FeatureSpace, comparable
from regen.models.build import build

CPU = torch.device("cpu")
SHAPE = [1, 4, 4]
NETWORK = {"kind": "mlp", "hidden": [6, 5], "activation": "relu"}
CONV = {"kind": "conv", "channels": [3, 4], "hidden": [5], "activation": "relu", "batch_norm": True}


def note(network: dict[str, Any], labels: str = "classes", shape: list[int] = SHAPE) -> dict[str, Any]:
    last = {"family": "classifier", "classes": 10} if labels == "classes" else {"family": "regressor", "factors": 3}
    return {"model": {**last, "network": network, "dropout": 0.5}, "shape": shape, "labels": labels}


def network_of(saved: dict[str, Any]) -> Any:
    labeller = parse(Labeller, saved, "test")
    torch.manual_seed(0)
    return build(labeller.model, labeller.shape)


def images(count: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, *shape), generator=generator, dtype=torch.int16).to(torch.uint8)


def by_pillow(values: np.ndarray, size: int) -> np.ndarray:
    """Return values (H, W) resized with a triangle that is as wide as the reduction, in 32-bit floats."""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR))


def test_images_of_the_right_shape_stay_as_they_are() -> None:
    pixels = images(3, 3, 8, 8)
    np.testing.assert_array_equal(comparable(pixels, [3, 8, 8]), pixels.numpy().astype(np.float32) / np.float32(255))


def test_coloured_images_become_grey_and_small() -> None:
    pixels = images(4, 3, 32, 32)
    grey = pixels.numpy().astype(float).mean(1) / 255
    found = comparable(pixels, [1, 28, 28])
    assert found.shape == (4, 1, 28, 28)
    np.testing.assert_allclose(found[:, 0], [by_pillow(image, 28) for image in grey], atol=1e-5)
    # Repeated and enlarged, as the reports do with MNIST.
    enlarged = comparable(images(2, 1, 28, 28), [3, 32, 32])
    expected = [by_pillow(image / 255, 32) for image in images(2, 1, 28, 28)[:, 0].numpy().astype(float)]
    for channel in range(3):
        np.testing.assert_allclose(enlarged[:, channel], expected, atol=1e-5)


def test_grey_in_three_channels_is_grey_again() -> None:
    pixels = images(4, 1, 6, 6)
    np.testing.assert_allclose(comparable(pixels.repeat(1, 3, 1, 1), [1, 6, 6]), pixels.numpy() / 255, rtol=1e-6)


@pytest.mark.parametrize("network", [NETWORK, CONV], ids=["mlp", "conv"])
def test_features_enter_the_last_layer_and_probabilities_are_its_softmax(network: dict[str, Any]) -> None:
    model = network_of(note(network))
    space = FeatureSpace(model, SHAPE, "classes")
    pixels = images(12, *SHAPE)
    seen: list[torch.Tensor] = []
    hook = model.network[-1].register_forward_hook(lambda module, entered, out: seen.extend([entered[0], out]))
    with torch.no_grad():
        model.eval()(pixels.float() / 255)
    hook.remove()
    entered, out = (value.numpy() for value in seen)
    found = space.features(pixels)
    np.testing.assert_allclose(found, entered, atol=1e-6)
    assert found.shape == (12, 5)
    np.testing.assert_allclose(space.probabilities(found), softmax(out, axis=1), atol=1e-6)


def test_features_are_without_dropout_batch_statistics_and_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    space = FeatureSpace(network_of(note(CONV)).train(), SHAPE, "classes")
    pixels = images(12, *SHAPE)
    whole = space.features(pixels)
    assert whole.equal(space.features(pixels)) and not whole.requires_grad
    torch.testing.assert_close(space.features(pixels[:1]), whole[:1])
    monkeypatch.setattr(features, "BATCH", 5)
    torch.testing.assert_close(space.features(pixels), whole)


@pytest.mark.parametrize("labels", ["factors", "nothing"])
def test_only_classes_have_probabilities(labels: str) -> None:
    space = FeatureSpace(network_of(note(NETWORK, labels)), SHAPE, labels)
    assert space.probabilities(space.features(images(3, *SHAPE))) is None


@pytest.mark.parametrize("labels", ["classes", "factors", "nothing"])
def test_a_space_read_back_is_the_same(labels: str, tmp_path: Path) -> None:
    saved, model = note(CONV, labels), network_of(note(CONV, labels))
    # Running statistics of batch normalisation are in the file too.
    model.train()(torch.rand(20, *SHAPE))
    path = tmp_path / "network.safetensors"
    write_tensors(path, model.state_dict(), saved)
    space = FeatureSpace.read(path, CPU)
    assert (space.labels, space.shape) == (labels, SHAPE)
    assert space.features(images(5, *SHAPE)).equal(FeatureSpace(model, SHAPE, labels).features(images(5, *SHAPE)))


def test_a_missing_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        FeatureSpace.read(tmp_path / "network.safetensors", CPU)
    assert (
        str(caught.value) == f"{tmp_path}/network.safetensors: expected a safetensors file, got nothing there; run 'dvc repro' to make it"
    )


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (None, "allowed: a valid dictionary"),
        ({**note(NETWORK), "labels": "colours"}, "labels = \"colours\": allowed: 'classes', 'factors' or 'nothing'"),
        ({key: value for key, value in note(NETWORK).items() if key != "shape"}, "shape: missing"),
        ({**note(NETWORK), "more": 1}, "more = 1: unknown key"),
        (note({**NETWORK, "hidden": [7, 5]}), "network.0.weight"),
        (note({**NETWORK, "hidden": [6, 5, 4]}), "network.9.weight"),
        (note(NETWORK, "factors"), "network.6.weight"),
        (note(NETWORK, shape=[1, 5, 5]), "network.0.weight"),
    ],
    ids=["no note", "labels", "no shape", "unknown key", "another width", "another layer", "another output", "another shape"],
)
def test_a_note_that_does_not_fit_is_refused_in_one_line(saved: Any, said: str, tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    write_tensors(path, network_of(note({**NETWORK, "hidden": [6, 5]})).state_dict(), saved)
    with pytest.raises(UserError) as caught:
        FeatureSpace.read(path, CPU)
    assert str(caught.value).startswith(f"{path}: ") and said in str(caught.value) and "\n" not in str(caught.value)


def test_a_broken_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    write_tensors(path, network_of(note(NETWORK)).state_dict(), note(NETWORK))
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"\x80\x04N."):
        path.write_bytes(content)
        with pytest.raises(UserError) as caught:
            FeatureSpace.read(path, CPU)
        assert str(caught.value).startswith(f"{path}: expected a safetensors file") and "\n" not in str(caught.value)
