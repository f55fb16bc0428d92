"""A feature space whose features are the pixels, and small sets of images."""

from collections.abc import Callable

import pytest
import torch

from regen.config.base import parse
from regen.config.model import Classifier
from regen.evaluation.quality.features import FeatureSpace
from regen.images.images import Images
from regen.models.build import build


@pytest.fixture(scope="session")
def pixel_space() -> Callable[[list[int]], FeatureSpace]:
    """Return a maker of the space of a shape: features are pixels in [0, 1]; p(class) is the softmax of the first ten pixels, tenfold."""

    def make(shape: list[int]) -> FeatureSpace:
        size = shape[0] * shape[1] * shape[2]
        network = {"kind": "mlp", "hidden": [size], "activation": "relu"}
        model = build(parse(Classifier, {"family": "classifier", "network": network, "dropout": 0.5, "classes": 10}, "test"), shape)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
            # Pixels are never negative, so the activation between the layers leaves them as they are.
            model.network[0].weight.copy_(torch.eye(size))
            model.network[-1].weight.copy_(10 * torch.eye(10, size))
        return FeatureSpace(model, shape, "classes")

    return make


@pytest.fixture(scope="session")
def blobs() -> Callable[..., Images]:
    """Return a drawer of images of ten classes: in class k the k-th pixel is bright, the others are dark, with noise on all."""

    def draw(count: int, shape: list[int], seed: int) -> Images:
        generator = torch.Generator().manual_seed(seed)
        labels = torch.arange(count) % 10
        levels = 80 * torch.rand(count, *shape, generator=generator)
        levels.flatten(1)[torch.arange(count), labels] += 150
        return Images(levels.to(torch.uint8), labels)

    return draw
