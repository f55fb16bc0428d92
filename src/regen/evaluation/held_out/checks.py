"""The likelihood estimated again, in ways that do not share q(z | x): sums over latents, annealing, the prior itself."""

import math
from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.config.variant import EvaluateConfig
from regen.evaluation.held_out.annealed import annealed_nll
from regen.evaluation.held_out.exact import exact_nll, nodes
from regen.evaluation.held_out.importance_sampling import importance_sampled_nll
from regen.evaluation.held_out.likelihood import chosen
from regen.evaluation.held_out.prior_sampling import prior_sampling
from regen.images.images import Images
from regen.models.likelihoods import nll_constant_nats, nll_kind
from regen.models.vae import LatentVariableModel

__all__ = ["likelihood_checks"]


def likelihood_checks(config: EvaluateConfig, seed: int, model: Any, images: dict[str, Images]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return every estimate that applies, on the same few images, beside the protocol's; nothing for a model without latents.

    `difference_nats` is the importance-sampled -log p(x) minus the other one, in the mean over images.
    """
    if not isinstance(model, LatentVariableModel):
        return {}, {}
    settings, few = config.checks, chosen(config, images["test"], config.checks.n_images)
    at = nodes(model, settings.sum_over)
    if at is None and not config.run_checks:
        return {}, {}
    kind = nll_kind(config.model.likelihood, config.values)  # type: ignore[union-attr]
    constant = nll_constant_nats(kind, math.prod(config.shape))
    most = max(protocol.importance_samples[-1] for protocol in config.likelihood)
    torch.manual_seed(derive_seed(config.seed, seed, "checks", "importance sampling"))
    sampled = importance_sampled_nll(model, few, [most], config.memory_mb)[most].nll_nats
    truth = sampled
    rows: list[dict[str, Any]] = [{"estimate": "importance sampling", "decodes": most, "n_images": len(few), **_mean(sampled + constant)}]
    if "annealed" in config.run_checks:
        torch.manual_seed(derive_seed(config.seed, seed, "checks", "annealed"))
        truth = annealed_nll(model, few, settings.chains, settings.temperatures)
        counts = {"chains": settings.chains, "temperatures": settings.temperatures}
        rows.append({"estimate": "annealed importance sampling", **counts, **_compared(truth, sampled, constant)})
    if at is not None:
        truth, coarse = exact_nll(model, few, at, config.memory_mb)
        error = {} if coarse is None else {"grid_error_nats": (coarse - truth).abs().max().item()}
        rows.append({"estimate": at.name, "decodes": len(at.z), **error, **_compared(truth, sampled, constant)})
    tables: dict[str, Any] = {"checks": rows}
    if "prior_sampling" in config.run_checks:
        torch.manual_seed(derive_seed(config.seed, seed, "checks", "prior sampling"))
        naive = prior_sampling(model, few, settings.prior_samples, truth, config.memory_mb)
        tables["prior_sampling"] = [{**row, "nll_nats": row["nll_nats"] + constant, "truth": rows[-1]["estimate"]} for row in naive]
    return {}, tables


def _mean(nll: torch.Tensor) -> dict[str, float]:
    return {"nll_nats": nll.mean().item(), "standard_error_nats": (nll.std() / math.sqrt(len(nll))).item()}


def _compared(nll: torch.Tensor, sampled: torch.Tensor, constant: float) -> dict[str, Any]:
    """Return the mean of another estimate (N,), and the protocol's minus it on the same images."""
    difference = sampled - nll
    return {
        "n_images": len(nll),
        **_mean(nll + constant),
        "difference_nats": difference.mean().item(),
        "difference_standard_error_nats": (difference.std() / math.sqrt(len(nll))).item(),
        "largest_difference_nats": difference.abs().max().item(),
    }
