"""Classifier and regressor: what is reported of an image, and the features before the last layer."""

from typing import Any

import numpy as np
import torch
from scipy.special import log_softmax

from regen.config.base import parse
from regen.config.model import Classifier, Regressor
from regen.models.build import build

SHAPE = [1, 3, 3]
NETWORK = {"kind": "mlp", "hidden": [6, 4], "activation": "relu"}


def labeller(kind: type[Any], **choices: Any) -> Any:
    torch.manual_seed(0)
    return build(parse(kind, {"network": NETWORK, "dropout": 0.5, **choices}, "test"), SHAPE).eval()


def by_hand(model: Any, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the features (B, 4) and the last layer's values."""
    values = x.flatten(1).numpy()
    first, second, last = (
        (weight.detach().numpy(), bias.detach().numpy()) for weight, bias in zip(*[iter(model.parameters())] * 2, strict=True)
    )
    for weight, bias in (first, second):
        values = np.maximum(values @ weight.T + bias, 0)
    return values, values @ last[0].T + last[1]


def test_features_are_what_enters_the_last_layer() -> None:
    x = torch.rand(5, *SHAPE)
    for model in (labeller(Classifier, family="classifier", classes=3), labeller(Regressor, family="regressor", factors=2)):
        features, out = by_hand(model, x)
        np.testing.assert_allclose(model.features(x).detach(), features, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model(x).detach(), out, rtol=1e-5, atol=1e-6)


def test_a_classifier_reports_its_cross_entropy_and_whether_it_is_right() -> None:
    model, x, labels = labeller(Classifier, family="classifier", classes=3), torch.rand(7, *SHAPE), torch.arange(7) % 3
    _, logits = by_hand(model, x)
    terms = {name: value.detach().numpy() for name, value in model.terms(x, labels).items()}
    np.testing.assert_allclose(terms["cross_entropy_nats"], -log_softmax(logits, axis=1)[range(7), labels], rtol=1e-5)
    np.testing.assert_array_equal(terms["accuracy"], logits.argmax(1) == labels.numpy())
    assert set(terms) == {"cross_entropy_nats", "accuracy"}


def test_a_regressor_reports_the_mean_squared_error_of_its_factors() -> None:
    model, x, factors = labeller(Regressor, family="regressor", factors=2), torch.rand(7, *SHAPE), torch.rand(7, 2)
    _, out = by_hand(model, x)
    terms = model.terms(x, factors)
    error = out - factors.numpy()
    np.testing.assert_allclose(terms["squared_error"].detach(), (error[:, 0] ** 2 + error[:, 1] ** 2) / 2, rtol=1e-5)
    assert set(terms) == {"squared_error"}
