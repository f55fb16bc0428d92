"""All metrics of one trained model, under the names that docs/metrics.md defines."""

import math
from typing import Any

import torch

from regen.config.variant import EvaluateConfig
from regen.determinism import derive_seed
from regen.evaluation.likelihood import ImportanceSampled, bootstrap_interval, importance_sampled_nll
from regen.models.likelihoods import nll_constant_nats, nll_kind
from regen.models.vae import LatentVariableModel
from regen.training.terms import mean_terms

__all__ = ["evaluate"]


def evaluate(
    config: EvaluateConfig, seed: int, model: LatentVariableModel, images: dict[str, torch.Tensor]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scalars (metrics.json) and the tables (details.json) of one model.

    images: uint8 (N, C, H, W) under `train`, `validation` and `test`, on the model's device. The scalars are of the test images.
    """
    splits = []
    for split, values in images.items():
        torch.manual_seed(derive_seed(config.seed, seed, "terms", split))
        splits.append({"split": split, "n_images": len(values), **mean_terms(model, values)})
    rows = []
    for protocol in config.likelihood:
        test = images["test"][: protocol.n_images]
        torch.manual_seed(derive_seed(config.seed, seed, "nll", protocol.importance_samples))
        estimate = importance_sampled_nll(model, test, protocol.importance_samples)
        rows.append(_likelihood_row(config, seed, estimate, protocol.importance_samples))
    headline, most_samples = rows[-1], max(rows, key=lambda row: row["importance_samples"])
    scalars = ("nll_nats", "nll_nats_low", "nll_nats_high", "bits_per_dim", "n_images", "importance_samples")
    metrics = {
        **{name: value for row in splits if row["split"] == "test" for name, value in row.items() if name != "split"},
        **{name: headline[name] for name in scalars},
        **{name: most_samples[name] for name in ("ess_mean", "ess_min", "max_weight_mean")},
        "nll_kind": nll_kind(config.model.likelihood, config.values),
        "data_source": config.data_source,
    }
    return metrics, {"splits": splits, "likelihood": rows}


def _likelihood_row(config: EvaluateConfig, seed: int, estimate: ImportanceSampled, samples: int) -> dict[str, Any]:
    """Return one reading of the likelihood: K samples on n images."""
    dimensions = math.prod(config.shape)
    nll = estimate.nll_nats + nll_constant_nats(nll_kind(config.model.likelihood, config.values), dimensions)
    low, high = bootstrap_interval(nll, derive_seed(config.seed, seed, "bootstrap"))
    return {
        "importance_samples": samples,
        "n_images": len(nll),
        "nll_nats": nll.mean().item(),
        "nll_nats_low": low,
        "nll_nats_high": high,
        "bits_per_dim": nll.mean().item() / (dimensions * math.log(2)),
        "ess_mean": estimate.ess.mean().item(),
        "ess_min": estimate.ess.min().item(),
        "max_weight_mean": estimate.max_weight.mean().item(),
    }
