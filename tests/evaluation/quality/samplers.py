"""Small models of every kind that can sample, and what is asked of them."""

from typing import Any

import torch

from regen.config.base import parse
from regen.config.features import QualityConfig
from regen.models.build import build

__all__ = ["MODELS", "SHAPE", "made", "settings"]

SHAPE = [1, 4, 4]
NETWORK = {"kind": "mlp", "hidden": [8], "activation": "relu"}


def vae(likelihood: str, latent: str = "gaussian") -> dict[str, Any]:
    scale = {"scale": 0.1} if likelihood in ("gaussian", "discretised_logistic") else {}
    parts = {"latent": {"kind": latent, "dim": 4}, "prior": {"kind": "standard"}, "likelihood": {"kind": likelihood, **scale}}
    return {"family": "vae", "network": NETWORK, **parts}


MODELS: dict[str, dict[str, Any]] = {
    "vae": vae("bernoulli"),
    "gaussian vae": vae("gaussian"),
    "bernoulli latents": vae("bernoulli", "bernoulli"),
    "gan": {
        **{"family": "gan", "latent_dim": 3, "output": "probability"},
        **{"generator": {**NETWORK, "batch_norm": True}, "discriminator": NETWORK},
    },
    "flow": {"family": "flow", "alpha": 0.05, "flow": {**NETWORK, "kind": "realnvp", "couplings": 2, "networks": "one"}},
    "autoencoder": {
        **{"family": "autoencoder", "network": NETWORK, "latent_dim": 2, "components": 3},
        "likelihood": {"kind": "gaussian", "scale": 0.1},
    },
    "autoencoder of binary pixels": {
        **{"family": "autoencoder", "network": NETWORK, "latent_dim": 2, "components": 3},
        "likelihood": {"kind": "bernoulli"},
    },
    "classifier": {"family": "classifier", "network": NETWORK, "dropout": 0.1, "classes": 10},
}


def settings(name: str, n_samples: int = 40, shape: list[int] = SHAPE, seed: int = 0) -> QualityConfig:
    facts = {"variant": "tiny", "dataset": "mnist", "data_source": "stand-in", "shape": shape, "images": {}, "model": MODELS[name]}
    facts |= {"held_out": "validation", "values": "grey"}
    return parse(QualityConfig, {**facts, "n_samples": n_samples, "seed": seed, "threads": 1, "device": "cpu"}, "test")


def made(name: str, shape: list[int] = SHAPE, spread: float = 3.0) -> Any:
    """Return a model of `MODELS` in evaluation mode; its weights are larger than at first, so that samples differ."""
    config = settings(name, shape=shape)
    torch.manual_seed(1)
    model = build(config.model, config.shape).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(spread)
    return model
