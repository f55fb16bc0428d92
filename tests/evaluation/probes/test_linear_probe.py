from types import SimpleNamespace
from typing import Any

import pytest
import torch
from stand_ins import described, subject
from torch.distributions import Independent, Normal

from regen.common.errors import UserError
from regen.config.probes import LinearProbe
from regen.evaluation.probes.linear_probe import accuracy, balanced, linear_probe, posterior_means


def model(weights: torch.Tensor) -> Any:
    """Return an encoder whose posterior means are a linear map of the pixels."""

    def encoder(x: torch.Tensor) -> Independent:
        means = x.flatten(1) @ weights
        return Independent(Normal(means, torch.ones_like(means)), 1)

    return SimpleNamespace(encoder=encoder)


def test_labelled_images_are_as_many_of_every_class_and_none_twice() -> None:
    labels = torch.arange(60) % 3
    chosen = balanced(labels, 12, 5)
    assert torch.bincount(labels[chosen]).tolist() == [4, 4, 4] and len(set(chosen.tolist())) == 12
    assert balanced(labels, 12, 5).tolist() == chosen.tolist() != balanced(labels, 12, 6).tolist()


@pytest.mark.parametrize("count", [6, 13, 63])
def test_labels_that_cannot_be_drawn_are_one_line(count: int) -> None:
    with pytest.raises(UserError, match=rf"got {count} of 3 classes in 60 images; change probes.linear_probe in params.yaml$"):
        balanced(torch.arange(60) % 3, count, 0)
    with pytest.raises(UserError, match="of 0 classes"):
        balanced(torch.zeros(60, 2), count, 0)


def test_accuracy_is_the_share_of_test_labels_that_separable_classes_leave_right() -> None:
    labels = torch.arange(30) % 3
    x = torch.eye(3)[labels] + 0.01 * torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    asked = labels.clone()
    asked[:6] = (asked[:6] + 1) % 3
    assert accuracy(x, labels, x, asked) == pytest.approx(24 / 30)


def test_posterior_means_are_of_pixels_in_the_unit_interval() -> None:
    images = torch.tensor([[[[255, 0]]], [[[51, 102]]]], dtype=torch.uint8)
    assert posterior_means(model(torch.tensor([[2.0], [1.0]])), images).flatten().tolist() == pytest.approx([2.0, 0.8])


def test_what_an_encoder_keeps_is_found_and_what_it_loses_is_not() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 2
    pixels = torch.randint(0, 256, (400, 1, 1, 3), generator=generator, dtype=torch.uint8)
    pixels[:, 0, 0, 0] = 50 + 150 * labels.to(torch.uint8)
    images = described(pixels, labels)
    first, second = model(torch.tensor([[1.0], [0.0], [0.0]])), model(torch.tensor([[0.0], [1.0], [0.0]]))
    given = subject({"train": images.take(slice(200)), "test": images.take(slice(200, None))}, model=first, untrained=second)
    found = linear_probe(LinearProbe(labels=[20, 60], draws=3), [given], 0)
    assert found["n_images"] == 200 and [row["labels"] for row in found["rows"]] == [20] * 3 + [60] * 3
    by_input = {row["input"]: row for row in found["rows"] if row["labels"] == 60}
    assert list(by_input) == ["raw pixels", "posterior means", "posterior means, untrained"]
    assert by_input["posterior means"]["accuracy"] == by_input["raw pixels"]["accuracy"] == 1
    assert by_input["posterior means"]["standard_error"] == 0 and by_input["posterior means"]["draws"] == 3
    assert by_input["posterior means, untrained"]["accuracy"] == pytest.approx(0.5, abs=0.1)


def test_means_that_are_all_the_same_leave_chance() -> None:
    labels = torch.arange(60) % 2
    images = described(torch.zeros(60, 1, 1, 3, dtype=torch.uint8), labels)
    blind = model(torch.zeros(3, 1))
    given = subject({"train": images, "test": images}, model=blind, untrained=blind)
    assert {row["accuracy"] for row in linear_probe(LinearProbe(labels=[20], draws=2), [given], 0)["rows"]} == {0.5}
