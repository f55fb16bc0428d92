"""A model from its configuration: the one place where a family's name meets its class."""

from collections.abc import Callable
from typing import Any

from torch import nn

from regen.config.model import Model
from regen.models.autoencoder import AutoEncoder
from regen.models.classifier import Classifier, Regressor
from regen.models.gan import Gan
from regen.models.pixel_flow import PixelFlow
from regen.models.vae import latent_variable_model

__all__ = ["FAMILIES", "build"]

FAMILIES: dict[str, Callable[[Any, list[int]], nn.Module]] = {
    "vae": latent_variable_model,
    "flow": PixelFlow,
    "autoencoder": AutoEncoder,
    "gan": Gan,
    "classifier": Classifier,
    "regressor": Regressor,
}


def build(config: Model, shape: list[int]) -> Any:
    """Return the model of a configuration (`regen.config.model.Model`) for images of shape (C, H, W).

    Every model is a module with `terms(x, labels)`, what is reported of each image; what else it can do (`decoder`, `log_prob`,
    `sample`) depends on the family.
    """
    return FAMILIES[config.family](config, shape)
