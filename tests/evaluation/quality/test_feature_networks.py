"""How a feature network comes about: what its labels decide, how well it learns them, and what is to be known of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from regen.common.determinism import derive_seed
from regen.config.base import parse
from regen.config.features import FeaturesConfig
from regen.evaluation.quality.learn import account, labeller, train_features
from regen.evaluation.quality.measures import Reference
from regen.images.images import Images
from regen.training import loop

CPU = torch.device("cpu")
SHAPE = [1, 4, 4]
MEASURES = {
    *("frechet_classifier_distance", "kernel_classifier_distance", "kernel_standard_error", "precision", "recall", "density", "coverage"),
    *("digits_covered", "class_kl_nats", "top_class_share", "mean_confidence", "confident_share", "laplacian_variance", "blockiness"),
    *("nearest_train_ratio", "checkerboard_energy"),
}
CLASSES = {"digits_covered", "class_kl_nats", "top_class_share", "mean_confidence", "confident_share"}


def config(**changes: Any) -> FeaturesConfig:
    settings = {
        "labels": "mnist",
        "network": {"kind": "mlp", "hidden": [12], "activation": "relu"},
        "dropout": 0.1,
        "schedule": {"learning_rate": 0.02, "batch_size": 20, "epochs": 8},
        "dataset": "mnist",
        "data_source": "stand-in",
        "shape": SHAPE,
        "classes": 10,
        "n_samples": 60,
        "max_steps": None,
        "compute": {"threads": 1, "device": "cpu", "checkpoint_minutes": 10},
        "seed": 0,
    }
    return parse(FeaturesConfig, {**settings, **changes}, "test")


@pytest.fixture
def images(blobs: Callable[..., Images]) -> dict[str, Images]:
    counts = {"train": 200, "validation": 40, "test": 90}
    return {split: blobs(count, SHAPE, seed) for seed, (split, count) in enumerate(counts.items())}


def relabelled(images: dict[str, Images], labels: Callable[[Images], torch.Tensor]) -> dict[str, Images]:
    return {split: Images(values.images, labels(values)) for split, values in images.items()}


def test_the_labels_decide_what_the_network_learns() -> None:
    classes = labeller(config(), torch.tensor([3, 1, 4]))
    assert (classes.labels, classes.shape, classes.model.model_dump(include={"family", "classes"})) == (
        *("classes", SHAPE),
        {"family": "classifier", "classes": 10},
    )
    for labels, kind, factors in ((torch.zeros(3, 7), "factors", 7), (torch.zeros(3, 1), "factors", 1), (torch.zeros(3, 0), "nothing", 1)):
        for known in (10, None):
            chosen = labeller(config(classes=known), labels)
            assert (chosen.labels, chosen.model.model_dump(include={"family", "factors"})) == (
                kind,
                {"family": "regressor", "factors": factors},
            )
    assert labeller(config(dropout=0.3), torch.zeros(3, 0)).model.model_dump()["dropout"] == 0.3


def test_separable_classes_are_learned(images: dict[str, Images], tmp_path: Path) -> None:
    settings = config(dropout=0.0, schedule={"learning_rate": 0.02, "batch_size": 20, "epochs": 20})
    space = train_features(settings, labeller(settings, images["train"].labels), images, tmp_path, CPU)
    found = space.probabilities(space.features(images["test"].images))
    assert space.labels == "classes" and found is not None
    assert (found.argmax(1) == images["test"].labels).all()


def test_factors_that_are_linear_in_the_pixels_are_learned(images: dict[str, Images], tmp_path: Path) -> None:
    data = relabelled(images, lambda values: values.images.flatten(1)[:, :2].float() / 255)
    space = train_features(config(dropout=0.0), labeller(config(dropout=0.0), data["train"].labels), data, tmp_path, CPU)
    known = account(config(), space, data["test"], Reference(space, data["train"].images, data["test"].images[:60]))
    assert space.labels == "factors"
    with torch.no_grad():
        predicted = space.model(data["test"].images.float() / 255).numpy()
    error = float(((predicted - data["test"].labels.numpy()) ** 2).mean())
    assert known["test"] == {"n_images": 90, "squared_error": pytest.approx(error, rel=1e-5)}
    assert error < 0.2 * data["test"].labels.numpy().var(0).mean()
    first, second = known["floor"]
    assert set(first) == MEASURES - CLASSES - {"nearest_train_ratio"} | {"images"} and set(second) == {
        "images",
        "laplacian_variance",
        "blockiness",
    }


def test_training_is_cut_to_the_limit_of_steps(images: dict[str, Images], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    step = loop._step
    monkeypatch.setattr(loop, "_step", lambda *arguments: steps.append(1) or step(*arguments))
    chosen = labeller(config(), images["train"].labels)
    # 200 images in batches of 20 are ten steps an epoch.
    for limit, expected in ((25, 20), (None, 80)):
        steps.clear()
        train_features(config(max_steps=limit), chosen, images, tmp_path / str(limit), CPU)
        assert len(steps) == expected


def test_without_labels_the_network_is_random_and_the_same_every_time(images: dict[str, Images], tmp_path: Path) -> None:
    data = relabelled(images, lambda values: torch.zeros(len(values), 0))

    def weights(**changes: Any) -> torch.Tensor:
        settings = config(classes=None, **changes)
        space = train_features(settings, labeller(settings, data["train"].labels), data, tmp_path / "checkpoint", CPU)
        assert (space.labels, space.model.training) == ("nothing", False)
        return torch.cat([parameter.detach().flatten() for parameter in space.model.parameters()])

    first = weights()
    torch.manual_seed(99)
    assert weights().equal(first)
    assert not weights(seed=1).equal(first) and not weights(dataset="celeba").equal(first)
    assert not (tmp_path / "checkpoint").exists()
    # As drawn: no training changed them.
    torch.manual_seed(derive_seed(0, "features", "mnist"))
    assert torch.nn.Linear(16, 12).weight.flatten().equal(first[: 16 * 12])


def test_the_account_of_a_classifier(images: dict[str, Images], tmp_path: Path) -> None:
    settings = config(schedule={"learning_rate": 0.01, "batch_size": 20, "epochs": 1})
    space = train_features(settings, labeller(settings, images["train"].labels), images, tmp_path, CPU)
    known = account(settings, space, images["test"], Reference(space, images["train"].images, images["test"].images[:60]))
    with torch.no_grad():
        logits = space.model(images["test"].images.float() / 255).double().numpy()
    right = sum(int(row.argmax() == label) for row, label in zip(logits, images["test"].labels.tolist(), strict=True))
    assert 0 < right < 90, "An accuracy of 0 or 1 would show nothing."
    nats = float(np.mean(np.log(np.exp(logits).sum(1)) - logits[range(90), images["test"].labels]))
    expected = {"n_images": 90, "accuracy": pytest.approx(right / 90), "cross_entropy_nats": pytest.approx(nats, rel=1e-5)}
    assert known["test"] == expected
    facts = {"dataset": "mnist", "data_source": "stand-in", "labels": "classes", "labels_of": "mnist", "n_features": 12, "n_images": 60}
    assert {key: known[key] for key in facts} == facts and set(known) == {*facts, "test", "floor"}


def test_the_floor_is_of_training_images(images: dict[str, Images], tmp_path: Path, pixel_space: Callable[[list[int]], Any]) -> None:
    space = pixel_space(SHAPE)
    train, test = images["train"].images, images["test"].images[:60]
    first, second = account(config(), space, images["test"], Reference(space, train, test))["floor"]
    assert (first.pop("images"), second.pop("images")) == ("training images", "test images")
    # Every training image is its own nearest: that would say nothing.
    assert set(first) == MEASURES - {"nearest_train_ratio"} | {"top_class", "class_counts"}
    assert set(second) == CLASSES | {"laplacian_variance", "blockiness", "top_class", "class_counts"}
    # Class k shows in the k-th pixel, and there are as many images of each.
    assert (first["class_counts"], second["class_counts"]) == ([6] * 10, [6] * 10)
    # The first 60 training images against the 60 test images, both moments by numpy.
    x, y = (images.flatten(1).double().numpy() / 255 for images in (train[:60], test))
    one, other = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(one @ other).astype(complex)).real.sum()
    distance = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(one + other) - 2 * roots
    assert first["frechet_classifier_distance"] == pytest.approx(distance, rel=1e-4)
    noise = torch.randint(0, 256, (60, *SHAPE), generator=torch.Generator().manual_seed(5)).numpy() / 255
    gap = ((noise.reshape(60, -1).mean(0) - y.mean(0)) ** 2).sum()
    # The distance of means alone is a lower bound of the distance of noise.
    assert first["frechet_classifier_distance"] < gap / 10
    assert first["precision"] > 0.5 and first["recall"] > 0.5 and first["coverage"] > 0.5
