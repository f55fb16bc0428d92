"""The histogram of classes against probabilities made by hand."""

import math

import pytest
import torch
from scipy.stats import entropy

from regen.evaluation.quality.classes import class_measures


def sure_of(counts: list[int], confidence: float = 0.9) -> torch.Tensor:
    """Return p(class | image): so many images of each class, all with the same confidence."""
    classes = len(counts)
    rows = torch.full((classes, classes), (1 - confidence) / (classes - 1)).fill_diagonal_(confidence)
    return rows.repeat_interleave(torch.tensor(counts), 0)


def test_a_uniform_histogram_has_no_divergence() -> None:
    scalars, tables = class_measures(sure_of([7] * 10, 0.7))
    assert scalars["class_kl_nats"] == pytest.approx(0, abs=1e-15)
    assert (scalars["digits_covered"], scalars["top_class_share"]) == (10, 0.1)
    assert scalars["mean_confidence"] == pytest.approx(0.7, rel=1e-6)
    assert tables == {"top_class": 0, "class_counts": [7] * 10}


def test_one_class_alone_is_log_ten_away() -> None:
    scalars, tables = class_measures(sure_of([0, 0, 0, 25, 0, 0, 0, 0, 0, 0]))
    assert scalars["class_kl_nats"] == pytest.approx(math.log(10), rel=1e-12)
    assert (scalars["digits_covered"], scalars["top_class_share"], tables["top_class"]) == (1, 1, 3)


def test_a_class_is_covered_from_a_tenth_of_its_share() -> None:
    # Of 1,000 images a class's uniform share is 100: from 10 on it is covered.
    scalars, _ = class_measures(sure_of([10, 9, 0, 11, 200, 200, 200, 200, 100, 70]))
    assert scalars["digits_covered"] == 8


def test_the_divergence_is_that_of_the_histogram_of_the_likeliest_classes() -> None:
    probabilities = torch.rand(200, 10, generator=torch.Generator().manual_seed(0)).pow(3) * torch.linspace(0.3, 1, 10)
    probabilities /= probabilities.sum(1, keepdim=True)
    rows = probabilities.tolist()
    likeliest = [row.index(max(row)) for row in rows]
    counts = [likeliest.count(name) for name in range(10)]
    scalars, tables = class_measures(probabilities)
    assert scalars["class_kl_nats"] == pytest.approx(entropy(counts, [1] * 10), rel=1e-12)
    assert scalars["mean_confidence"] == pytest.approx(sum(max(row) for row in rows) / 200, rel=1e-12)
    assert scalars["top_class_share"] == max(counts) / 200
    assert tables == {"top_class": counts.index(max(counts)), "class_counts": counts}
