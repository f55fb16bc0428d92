"""-log p(x) of the test images, by the protocol: by importance sampling where the model has latents, exact where it has a density."""

import math
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.config.variant import EvaluateConfig
from regen.evaluation.held_out.bootstrap import bootstrap_interval
from regen.evaluation.held_out.importance_sampling import ImportanceSampled, importance_sampled_nll, read_weights
from regen.evaluation.held_out.memory import BLOCK
from regen.images.batches import to_unit_interval
from regen.images.images import Images
from regen.models.dequantisation import NoDequantisation
from regen.models.likelihoods import nll_constant_nats, nll_kind
from regen.models.pixel_flow import PixelFlow
from regen.models.vae import LatentVariableModel

__all__ = ["chosen", "flow_likelihood", "latent_variable_likelihood"]

NOISES = 50
"""Most dequantisations of an image that a flow's likelihood is taken at: as many as the protocol's K, up to here."""

DIGITS = 6
"""Significant digits of a per-image value."""

WEIGHTS = ("ess_mean", "ess_min", "max_weight_mean")
"""What the weights of a row say of it."""

Measured = tuple[dict[str, Any], dict[str, Any]]


def chosen(config: EvaluateConfig, images: Images, count: int | None) -> torch.Tensor:
    """Return `count` of the images, uint8, drawn without replacement; None: all of them, in their order.

    They are the same ones for every model of a data set. A file's first images may be of one class only.
    """
    if count is None:
        return images.images
    generator = torch.Generator().manual_seed(derive_seed(config.seed, config.dataset, "chosen images"))
    return images.images[torch.randperm(len(images), generator=generator)[:count].to(images.images.device)]


def latent_variable_likelihood(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> Measured:
    """Return the importance-sampled likelihood at every K of every entry of the protocol; nothing for a model without latents."""
    if not isinstance(model, LatentVariableModel):
        return {}, {}
    settings: Any = config.model
    kind = nll_kind(settings.likelihood, config.values)
    constant = nll_constant_nats(kind, math.prod(config.shape))
    rows, values = [], []
    for protocol in config.likelihood:
        test = chosen(config, images["test"], protocol.n_images)
        torch.manual_seed(derive_seed(config.seed, seed, "nll", protocol.importance_samples[-1]))
        for samples, estimate in importance_sampled_nll(model, test, protocol.importance_samples, config.memory_mb).items():
            rows.append({**_row(config, seed, estimate.nll_nats + constant, samples), **_weights(estimate)})
        # Of the largest K, in the order of `chosen`.
        values.append(_per_image(samples, estimate.nll_nats + constant, ess=estimate.ess, max_weight=estimate.max_weight))
    most_samples = max(rows, key=lambda row: row["importance_samples"])
    metrics = {**_scalars(rows[-1]), **{name: most_samples[name] for name in WEIGHTS}, "nll_kind": kind}
    return metrics, {"likelihood": rows, "per_image": values}


@torch.no_grad()
def flow_likelihood(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> Measured:
    """Return the likelihood of a pixel flow on all test images; nothing for other models.

    With noise it is importance-weighted over dequantisations, -log (1/K sum_k p(y_k) / q(u_k | x)) at y_k in the levels of x: the bound of
    uniform and of learned noise alike. K are those of the protocol up to `NOISES`. Without noise it is a density, exact at one point.
    """
    if not isinstance(model, PixelFlow):
        return {}, {}
    blocks = images["test"].images.split(BLOCK)
    torch.manual_seed(derive_seed(config.seed, seed, "nll", 1))
    if isinstance(model.dequantisation, NoDequantisation):
        nll = torch.cat([model.nll_nats(to_unit_interval(block)) for block in blocks]).double()
        row = _row(config, seed, nll, 1)
        return {**_scalars(row), "nll_kind": "density"}, {"likelihood": [row], "per_image": [_per_image(1, nll)]}
    counts = sorted({1, *(count for protocol in config.likelihood for count in protocol.importance_samples if count <= NOISES)})
    draws = [torch.cat([-model.nll_nats(to_unit_interval(block)) for block in blocks]) for _ in range(counts[-1])]
    found = read_weights(torch.stack(draws).double(), counts)
    rows = [{**_row(config, seed, estimate.nll_nats, count), **_weights(estimate)} for count, estimate in found.items()]
    most = found[counts[-1]]
    per_image = _per_image(counts[-1], most.nll_nats, ess=most.ess, max_weight=most.max_weight)
    scalars = {**_scalars(rows[-1]), **{name: rows[-1][name] for name in WEIGHTS}}
    return {**scalars, "nll_kind": "probability"}, {"likelihood": rows, "per_image": [per_image]}


def _row(config: EvaluateConfig, seed: int, nll: torch.Tensor, samples: int) -> dict[str, Any]:
    """Return one reading of the likelihood: K samples on n images; no interval where a value is not finite."""
    finite = bool(nll.isfinite().all())
    low, high = bootstrap_interval(nll, derive_seed(config.seed, seed, "bootstrap")) if finite else (math.nan, math.nan)
    return {
        "importance_samples": samples,
        "n_images": len(nll),
        "nll_nats": nll.mean().item(),
        "nll_nats_low": low,
        "nll_nats_high": high,
        "bits_per_dim": nll.mean().item() / (math.prod(config.shape) * math.log(2)),
    }


def _weights(estimate: ImportanceSampled) -> dict[str, float]:
    values = (estimate.ess.mean(), estimate.ess.min(), estimate.max_weight.mean())
    return {name: value.item() for name, value in zip(WEIGHTS, values, strict=True)}


def _scalars(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("nll_nats", "nll_nats_low", "nll_nats_high", "bits_per_dim", "n_images", "importance_samples")}


def _per_image(samples: int, nll: torch.Tensor, **others: torch.Tensor) -> dict[str, Any]:
    """Return lists with one value an image."""
    values = {"nll_nats": nll, **others}
    return {
        "importance_samples": samples,
        "n_images": len(nll),
        **{name: [float(f"{value:.{DIGITS}g}") for value in column.tolist()] for name, column in values.items()},
    }
