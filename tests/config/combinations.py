"""Choices in params.yaml: a whole file of few small data sets with one variant, what is changed of it, and the line that refuses it."""

import copy
from typing import Any

import pytest

from regen.common.errors import UserError
from regen.config.base import parse
from regen.params.schema import Params

__all__ = ["CONV", "ELBO", "VAE", "Bad", "Good", "changed", "refusal", "variant"]

Good = tuple[str, dict[str, Any]]
"""Data set and variant."""
Bad = tuple[str, dict[str, Any], list[str]]
"""Good variant, what is changed of it, and what the line must say: the key, the value, what is allowed."""

DATASETS = {
    "grey": {"kind": "mnist", "shape": [1, 28, 28], "values": "grey", "classes": 10},
    "binary": {"kind": "mnist", "shape": [1, 28, 28], "values": "binary", "classes": None},
    "odd": {"kind": "mnist", "shape": [1, 5, 5], "values": "grey", "classes": None},
    "narrow": {"kind": "mnist", "shape": [3, 28, 30], "values": "grey", "classes": 10},
    "colour": {"kind": "mnist", "shape": [3, 32, 32], "values": "grey", "classes": 10},
}
CONV = {"kind": "conv", "channels": [4, 8], "hidden": [8], "activation": "relu", "decoder_activation": "relu", "batch_norm": False}
CONV |= {"upsampling": {"kind": "nearest"}}
VAE = {
    "family": "vae",
    "network": {"kind": "mlp", "hidden": [8], "activation": "relu"},
    "latent": {"kind": "gaussian", "dim": 4},
    "prior": {"kind": "standard"},
    "likelihood": {"kind": "bernoulli"},
}
ELBO = {"kind": "elbo"}
TRAINING = {"optimizer": "adam", "learning_rate": 0.1, "batch_size": 8, "epochs": 2, "snapshot_epochs": [], "objective": ELBO}


def variant(model: dict[str, Any], objective: dict[str, Any], **images: Any) -> dict[str, Any]:
    described = {"report": "own", "title": "Title", "assumed": [], "images": images}
    return {**described, "model": model, "training": {**TRAINING, "objective": objective}}


def params(dataset: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return a whole params.yaml with a few small data sets and one variant."""
    made = {"split": {"train": 2, "validation": 2, "test": 2}, "sources": {"embedded": {"status": "stand-in", "files": {}}}}
    protocol = {name: [{"importance_samples": [1], "n_images": None}] for name in DATASETS}
    checks = {"n_images": 2, "sum_over": 16, "chains": 1, "temperatures": 1, "prior_samples": 100}
    preset = {"sources": dict.fromkeys(DATASETS, "embedded"), "max_images": {}, "max_steps": {}, "likelihood": protocol}
    features = {"network": VAE["network"], "dropout": 0.0, "schedule": {"learning_rate": 0.1, "batch_size": 8, "epochs": 1}}
    return {
        "seed": 0,
        "memory_mb": 1,
        "compute": {"threads": 1, "device": "cpu", "checkpoint_minutes": 0},
        "presets": {"quick": {**preset, "samples": dict.fromkeys(DATASETS, 20), "checks": checks}},
        "datasets": {name: {**about, **made} for name, about in DATASETS.items()},
        "features": {name: {"labels": name, **features} for name in DATASETS},
        "reports": {"own": {"title": "Title", "author": "Author", "year": None, "about": "About.", "notes": []}},
        "variants": {dataset: {"tested": values}},
    }


def changed(good: Good, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the params with a data set's good variant after these changes: a key with dots, or `dataset` itself."""
    dataset, values = copy.deepcopy(good)
    for key, value in changes.items():
        if key == "dataset":
            dataset = value
            continue
        *parents, last = key.split(".")
        node = values
        for part in parents:
            node = node[part]
        node[last] = value
    return params(dataset, values)


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(UserError) as caught:
        parse(Params, values, "params.yaml")
    return str(caught.value)
