"""The settings of an evaluation of small images, and what is asked of it."""

from typing import Any

import numpy as np
import torch
from support.evaluations import evaluation

from regen.config.variant import EvaluateConfig
from regen.images.images import Images

__all__ = ["BERNOULLI", "GAUSSIAN", "MODELS", "SHAPE", "as_images", "log_mean", "settings"]

SHAPE = (1, 2, 3)
NETWORK = {"kind": "mlp", "hidden": [5], "activation": "relu"}
COUPLINGS = {**NETWORK, "kind": "realnvp", "couplings": 2, "networks": "one"}
BERNOULLI = {"kind": "bernoulli"}
GAUSSIAN = {"kind": "gaussian", "scale": 0.5}
VAE = {"family": "vae", "network": NETWORK, "latent": {"kind": "gaussian", "dim": 2}, "prior": {"kind": "standard"}}
MODELS: dict[str, dict[str, Any]] = {
    "vae": {**VAE, "likelihood": BERNOULLI},
    "gaussian vae": {**VAE, "likelihood": GAUSSIAN},
    "flow": {"family": "flow", "alpha": 0.05, "flow": COUPLINGS},
    "gan": {
        **{"family": "gan", "latent_dim": 3, "output": "probability"},
        **{"generator": {**NETWORK, "batch_norm": True}, "discriminator": NETWORK},
    },
    "autoencoder": {"family": "autoencoder", "network": NETWORK, "latent_dim": 2, "components": 2, "likelihood": BERNOULLI},
    "classifier": {"family": "classifier", "network": NETWORK, "dropout": 0.1, "classes": 3},
}


def settings(model: str = "vae", **changes: Any) -> EvaluateConfig:
    """Return the configuration of a model of `MODELS`; keys of `checks` may be changed by their own names."""
    return evaluation(MODELS[model], **{"shape": SHAPE, **changes})


def as_images(images: torch.Tensor) -> dict[str, Images]:
    """Return these images, uint8, as every split, with three classes."""
    return dict.fromkeys(("train", "validation", "test"), Images(images, torch.arange(len(images)) % 3))


def log_mean(log_values: np.ndarray, axis: int) -> np.ndarray:
    """Return log mean exp along an axis, by sums of the numbers themselves after the largest is taken out."""
    largest = log_values.max(axis, keepdims=True)
    found: np.ndarray = np.log(np.exp(log_values - largest).mean(axis)) + largest.squeeze(axis)
    return found
