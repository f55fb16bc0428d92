"""A trained model behind MLflow's pyfunc: what its folder holds, and what it makes of its input.

A folder has `model.json` (configuration and shape) and `final.safetensors`; MLflow adds the modules that this one imports. Nothing is
pickled.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from regen.config.base import Config, Positive, load
from regen.config.model import Model
from regen.evaluation.restore import restore

__all__ = ["INPUTS", "Description", "Served"]

INPUTS = {
    "vae": "images -> reconstructions",
    "autoencoder": "images -> reconstructions",
    "gan": "latents -> images",
    "flow": "latents -> images",
    "classifier": "images -> probabilities of classes",
}
"""What goes in and comes out, by family: float32, images (N, C, H, W) in [0, 1], latents (N, d) of the prior."""


class Description(Config):
    """model.json: the model's configuration, and the shape (C, H, W) of its images."""

    model: Model
    shape: list[Positive]


class Served:
    """A model that predicts from arrays, by `INPUTS`."""

    def __init__(self, description: Description, model: Any) -> None:
        self.family = description.model.family
        self.model = model

    @torch.no_grad()
    def predict(self, values: "np.ndarray[Any, np.dtype[np.float32]]") -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Return the float32 output for a float32 input."""
        x = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
        match self.family:
            case "vae":
                out = self.model.images(self.model.encoder(x).mean)
            case "autoencoder":
                out = self.model.images(self.model.encoder(x))
            case "classifier":
                out = self.model(x).softmax(1)
            case _:
                out = self.model.images(x)
        found: np.ndarray[Any, np.dtype[np.float32]] = out.float().numpy()
        return found


def _load_pyfunc(path: str) -> Served:
    """Return the model of a folder: the function that MLflow's `loader_module` is asked for."""
    torch.distributions.Distribution.set_default_validate_args(False)
    description = load(Description, Path(path, "model.json"))
    model, _ = restore(description.model, description.shape, Path(path, "final.safetensors"))
    return Served(description, model)
