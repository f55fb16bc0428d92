"""-log p(x): by importance sampling where the model has latents, exact where it has a density."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from regen.common.determinism import derive_seed
from regen.config.variant import EvaluateConfig
from regen.images.batches import to_unit_interval
from regen.images.images import Images
from regen.models.likelihoods import nll_constant_nats, nll_kind
from regen.models.objectives import log_weights
from regen.models.pixel_flow import PixelFlow
from regen.models.vae import LatentVariableModel

__all__ = ["ImportanceSampled", "bootstrap_interval", "flow_likelihood", "importance_sampled_nll", "latent_variable_likelihood"]

DECODES = 250
"""Decoder outputs held at once: they stay in the processor's cache; 1,000 take a tenth longer."""

Measured = tuple[dict[str, Any], dict[str, Any]]


class ImportanceSampled(NamedTuple):
    """Per image, each (N,): -log p(x) in nats, effective sample size (1 to K), largest normalised weight."""

    nll_nats: torch.Tensor
    ess: torch.Tensor
    max_weight: torch.Tensor


@torch.no_grad()
def importance_sampled_nll(model: LatentVariableModel, images: torch.Tensor, samples: int) -> ImportanceSampled:
    """Return -log (1/K sum_k w_k) with K samples of q for every image.

    images uint8 (N, C, H, W) on the model's device. The estimate of log p(x) is a lower bound in expectation.
    Source: Burda et al. (2016), arXiv:1509.00519, section 5.
    """
    blocks = [_block(model, to_unit_interval(block), samples) for block in images.split(max(1, DECODES // samples))]
    return ImportanceSampled(*(torch.cat(values) for values in zip(*blocks, strict=True)))


def _block(model: LatentVariableModel, x: torch.Tensor, samples: int) -> ImportanceSampled:
    """Draw all samples for a few images, at most `DECODES` decoder outputs at a time."""
    q = model.encoder(x)
    at_once = max(1, DECODES // len(x))
    sizes = [min(at_once, samples - done) for done in range(0, samples, at_once)]
    chunks = [log_weights(model, x, q.sample(torch.Size([size])), q) for size in sizes]
    # Sums of thousands of weights that differ by orders of magnitude: double precision costs nothing here.
    log_w = torch.cat(chunks).double()
    log_sum = log_w.logsumexp(0)
    return ImportanceSampled(
        nll_nats=math.log(samples) - log_sum,
        ess=torch.exp(2 * log_sum - (2 * log_w).logsumexp(0)),
        max_weight=torch.exp(log_w.max(0).values - log_sum),
    )


def bootstrap_interval(values: torch.Tensor, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean over images; values (N,), N >= 2."""
    # scipy.stats takes half a second to import: only where it is needed.
    from scipy.stats import bootstrap

    result = bootstrap((values.cpu().numpy(),), np.mean, n_resamples=2000, batch=100, method="percentile", rng=np.random.default_rng(seed))
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def latent_variable_likelihood(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> Measured:
    """Return the importance-sampled likelihood at every entry of the protocol; nothing for a model without latents."""
    if not isinstance(model, LatentVariableModel):
        return {}, {}
    settings: Any = config.model
    kind = nll_kind(settings.likelihood, config.values)
    rows = []
    for protocol in config.likelihood:
        test = images["test"].images[: protocol.n_images]
        torch.manual_seed(derive_seed(config.seed, seed, "nll", protocol.importance_samples))
        estimate = importance_sampled_nll(model, test, protocol.importance_samples)
        nll = estimate.nll_nats + nll_constant_nats(kind, math.prod(config.shape))
        weights = {
            "ess_mean": estimate.ess.mean().item(),
            "ess_min": estimate.ess.min().item(),
            "max_weight_mean": estimate.max_weight.mean().item(),
        }
        rows.append({**_row(config, seed, nll, protocol.importance_samples), **weights})
    headline, most_samples = rows[-1], max(rows, key=lambda row: row["importance_samples"])
    scalars = ("nll_nats", "nll_nats_low", "nll_nats_high", "bits_per_dim", "n_images", "importance_samples")
    metrics = {
        **{name: headline[name] for name in scalars},
        **{name: most_samples[name] for name in ("ess_mean", "ess_min", "max_weight_mean")},
        "nll_kind": kind,
    }
    return metrics, {"likelihood": rows}


@torch.no_grad()
def flow_likelihood(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> Measured:
    """Return the likelihood of a pixel flow on all test images, at one dequantisation each; nothing for other models."""
    if not isinstance(model, PixelFlow):
        return {}, {}
    torch.manual_seed(derive_seed(config.seed, seed, "nll", 1))
    nll = torch.cat([model.nll_nats(to_unit_interval(block)) for block in images["test"].images.split(DECODES)])
    row = _row(config, seed, nll.double(), 1)
    return {**row, "nll_kind": "probability"}, {"likelihood": [row]}


def _row(config: EvaluateConfig, seed: int, nll: torch.Tensor, samples: int) -> dict[str, Any]:
    """Return one reading of the likelihood: K samples on n images."""
    low, high = bootstrap_interval(nll, derive_seed(config.seed, seed, "bootstrap"))
    return {
        "importance_samples": samples,
        "n_images": len(nll),
        "nll_nats": nll.mean().item(),
        "nll_nats_low": low,
        "nll_nats_high": high,
        "bits_per_dim": nll.mean().item() / (math.prod(config.shape) * math.log(2)),
    }
