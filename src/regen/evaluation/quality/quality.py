"""Sample quality of one model: every measure of its samples, its draws, its snapshots and the model before training."""

from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.common.errors import UserError
from regen.config.features import QualityConfig
from regen.config.model import AutoEncoder, Vae
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.measures import TREND, Reference, measures
from regen.evaluation.quality.paths import path_measures, paths
from regen.images.batches import to_levels
from regen.images.images import Images
from regen.models.build import build

__all__ = ["generate", "quality"]

BLOCK = 500
"""Images generated at once."""

LEAST = 20
"""Test images: ten blocks of two."""

PAIRS = 100
"""Most pairs of generated images whose paths are measured: a tenth of the samples where these are few."""


def quality(
    config: QualityConfig, seed: int, model: Any, snapshots: dict[str, Any], images: dict[str, Images], space: FeatureSpace
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scalars (quality.json) and the tables (quality_details.json) of one model.

    images: prepared, `train` and `test`. A model that cannot sample has none of the scalars; samples that are not finite have
    only the word for it, in `sampler`.

    Raises
    ------
    UserError
        If there are fewer than `LEAST` test images.
    """
    if (n_images := len(images["test"])) < LEAST:
        problem = f"expected at least {LEAST} test images of {config.dataset}, got {n_images}"
        raise UserError(f"{config.variant}: {problem}; choose a larger source in params.yaml")
    facts = {"data_source": config.data_source, "n_images": min(config.n_samples, len(images["test"])), "features": space.labels}
    if not hasattr(model, "sample"):
        return {**facts, "sampler": "none"}, {}
    reference = Reference(space, images["train"].images, images["test"].images[: config.n_samples])
    rows = []
    samples = generate(model, config, seed)
    state, scalars, tables = _judge(samples, reference)
    rows.append({"images": "samples", **scalars, **tables})
    settings = config.model
    if isinstance(settings, Vae | AutoEncoder) and settings.likelihood.kind == "bernoulli" and state != "not finite":
        _, values, more = _judge(generate(model, config, seed, draws=True), reference)
        rows.append({"images": "draws", **values, **more})
    torch.manual_seed(derive_seed(seed, "initialise"))
    untrained = {"before training": build(config.model, config.shape).eval().to(samples.device)}
    for name, snapshot in {**untrained, **snapshots}.items():
        _, values, _ = _judge(generate(snapshot, config, seed), reference, TREND)
        rows.append({"images": name, **values})
    details: dict[str, Any] = {"rows": rows}
    if state != "not finite" and not (isinstance(settings, Vae) and settings.latent.kind == "bernoulli"):
        found = paths(model, min(PAIRS, config.n_samples // 10), derive_seed(config.seed, seed, "paths"))
        details["paths"] = [{"path": name, **path_measures(images, space)} for name, images in found.items()]
    return {**facts, "n_samples": len(samples), "sampler": state, **scalars}, details


@torch.no_grad()
def generate(model: Any, config: QualityConfig, seed: int, draws: bool = False) -> torch.Tensor:
    """Return `n_samples` images (N, C, H, W): the decoder's means where there is one, or draws from its likelihood at the same latents."""
    blocks = []
    for first in range(0, config.n_samples, BLOCK):
        torch.manual_seed(derive_seed(config.seed, seed, "samples", first))
        z = model.latents(min(BLOCK, config.n_samples - first))
        blocks.append(model.decoder(z).sample() if draws else model.images(z))
    return torch.cat(blocks)


def _judge(samples: torch.Tensor, reference: Reference, keys: tuple[str, ...] | None = None) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return whether samples are finite and differ, their scalars (those of `keys`) and their tables."""
    if not samples.isfinite().all():
        return "not finite", {}, {}
    levels = to_levels(samples)
    state = "constant" if (levels == levels[:1]).all() else "finite"
    return state, *measures(levels, reference, keys)
