"""The settings of an evaluation of small images."""

from collections.abc import Sequence
from typing import Any

from regen.config.base import parse
from regen.config.variant import EvaluateConfig

__all__ = ["evaluation"]


def evaluation(model: dict[str, Any], shape: Sequence[int], **changes: Any) -> EvaluateConfig:
    """Return the configuration for a model; keys of `checks` may be changed by their own names."""
    checks = {"n_images": 8, "sum_over": 4096, "chains": 2, "temperatures": 3, "prior_samples": 100}
    values = {
        **{"variant": "tiny", "dataset": "mnist", "data_source": "stand-in", "shape": list(shape), "values": "grey", "images": {}},
        **{"model": model, "likelihood": [{"importance_samples": [1, 20], "n_images": None}]},
        **{"checks": {key: changes.pop(key, value) for key, value in checks.items()}, "run_checks": [], "memory_mb": 1000},
        **{"seed": 0, "threads": 1, "device": "cpu"},
    }
    return parse(EvaluateConfig, {**values, **changes}, "test")
