"""Sample quality of one model: every measure of its samples, its draws, its snapshots and the model before training."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
from torch.distributions import Distribution

from regen.common.determinism import derive_seed
from regen.common.errors import UserError
from regen.config.features import QualityConfig
from regen.config.model import AutoEncoder, Vae
from regen.config.training import Preparation
from regen.evaluation.quality.features import FeatureSpace
from regen.evaluation.quality.measures import ALONE, TREND, Reference, measures
from regen.evaluation.quality.paths import path_measures, paths
from regen.evaluation.quality.reconstructions import reconstructions
from regen.images.batches import to_levels
from regen.images.images import Images
from regen.images.prepare import prepare
from regen.models.build import build

__all__ = ["generate", "quality"]

BLOCK = 500
"""Images generated at once."""

LEAST = 20
"""Test images: ten blocks of two."""

DRAWN = ("frechet_classifier_distance", "kernel_classifier_distance", "precision", "recall", "density", "coverage")
"""Measures of draws that are scalars too, with the suffix `_draws`."""

DETAILED = ("blockiness", "confident_share")
"""Measures that the tables alone have: the scalars are for one glance."""

Shown = Literal["means", "draws", "means with noise"]

CODES = {"standard": "codes from N(0, I)", "gaussian": "codes from one Gaussian"}
"""An auto-encoder's distributions of codes beside the mixture that it samples from."""

PAIRS = 100
"""Most pairs of generated images whose paths are measured: a tenth of the samples where these are few."""


def quality(
    config: QualityConfig, seed: int, model: Any, snapshots: dict[str, Any], images: dict[str, Images], space: FeatureSpace
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scalars (quality.json) and the tables (quality_details.json) of one model.

    images: `train` and `test` of the data set (binarised, if the variant's are), and `prepared`, the test images as the model sees them.
    A model that cannot sample has none of the scalars; samples that are not finite have only the word for it, in `sampler`.

    Raises
    ------
    UserError
        If there are fewer than `LEAST` test images.
    """
    if (n_images := len(images["test"])) < LEAST:
        problem = f"expected at least {LEAST} test images of {config.dataset}, got {n_images}"
        raise UserError(f"{config.variant}: {problem}; choose a larger source in params.yaml")
    facts = {"data_source": config.data_source, "n_images": min(config.n_samples, n_images), "features": space.labels}
    if not hasattr(model, "sample"):
        return {**facts, "sampler": "none"}, {}
    test, prepared = (images[name].images[: config.n_samples] for name in ("test", "prepared"))
    reference = Reference(space, images["train"].images, test, prepared, derive_seed(config.seed, seed, config.variant, "reference"))
    state, scalars, tables = _judge(generate(model, config, seed), reference)
    facts |= {"n_samples": config.n_samples, "sampler": state}
    rows = [{"images": "samples", **scalars, **tables}]
    settings = config.model
    drawn: dict[str, Any] = {}
    bernoulli = isinstance(settings, Vae | AutoEncoder) and settings.likelihood.kind == "bernoulli"
    noisy = bernoulli and config.values == "grey"
    if bernoulli and state != "not finite":
        _, drawn, more = _judge(generate(model, config, seed, "draws"), reference)
        rows.append({"images": "draws", **drawn, **more})
        if noisy:
            _, values, more = _judge(generate(model, config, seed, "means with noise"), reference, TREND)
            rows.append({"images": "means with noise", **values, **more})
    for name, images_of in _others(config, seed, model, snapshots, prepared, draws=bernoulli and isinstance(settings, Vae)).items():
        _, values, more = _judge(images_of(), reference, TREND)
        rows.append({"images": name, **values, **more})
    real = {"test images": prepared, **({"binarised test images": _binarised(images["prepared"])[: len(prepared)]} if noisy else {})}
    for name, shown in real.items():
        values, more = measures(shown, reference, ALONE)
        rows.append({"images": name, **values, **more})
    details: dict[str, Any] = {"rows": rows}
    if state != "not finite" and not (isinstance(settings, Vae) and settings.latent.kind == "bernoulli"):
        found = paths(model, min(PAIRS, config.n_samples // 10), derive_seed(config.seed, seed, "paths"))
        details["paths"] = [{"path": name, **path_measures(points, space)} for name, points in found.items()]
    scalars = {key: value for key, value in scalars.items() if key not in DETAILED}
    return {**facts, **scalars, **{f"{key}_draws": drawn[key] for key in DRAWN if key in drawn}}, details


def _others(
    config: QualityConfig, seed: int, model: Any, snapshots: dict[str, Any], test: torch.Tensor, draws: bool
) -> dict[str, Callable[[], torch.Tensor]]:
    """Return what else makes images: the model before training and at its snapshots, an auto-encoder's other distributions of codes.

    The codes are fitted after training, so an auto-encoder's snapshots have no samples. A model with an encoder also has reconstructions
    of the test images at all of these moments, and, if asked for, draws from its likelihood.
    """
    torch.manual_seed(derive_seed(seed, "initialise"))
    untrained = build(config.model, config.shape).eval().to(next(model.parameters()).device)
    moments = {"before training": untrained, **snapshots}
    found: dict[str, Callable[[], torch.Tensor]] = {}
    if isinstance(config.model, AutoEncoder):
        found |= {CODES[prior]: partial(generate, model, config, seed, prior=prior) for prior in CODES}
    else:
        found |= {name: partial(generate, one, config, seed) for name, one in moments.items()}
    if draws:
        found |= {f"draws, {name}": partial(generate, one, config, seed, "draws") for name, one in moments.items()}
    if isinstance(config.model, Vae | AutoEncoder):
        found["reconstructions"] = partial(reconstructions, model, test)
        found |= {f"reconstructions, {name}": partial(reconstructions, one, test) for name, one in moments.items()}
    return found


@torch.no_grad()
def generate(model: Any, config: QualityConfig, seed: int, shown: Shown = "means", **of: str) -> torch.Tensor:
    """Return `n_samples` images (N, C, H, W): the decoder's means where there is one, or draws from its likelihood at the same latents.

    `means with noise` adds independent Gaussian noise of the draws' variance to every pixel and clips to [0, 1].
    `of` goes to the model's `latents`: an auto-encoder's `prior`.
    """
    blocks = []
    for first in range(0, config.n_samples, BLOCK):
        torch.manual_seed(derive_seed(config.seed, seed, "samples", first))
        z = model.latents(min(BLOCK, config.n_samples - first), **of)
        blocks.append(model.images(z) if shown == "means" else _noisy(model.decoder(z), shown))
    return torch.cat(blocks)


def _noisy(p: Distribution, shown: Shown) -> torch.Tensor:
    if shown == "draws":
        return p.sample()
    return (p.mean + p.variance.sqrt() * torch.randn_like(p.mean)).clamp(0, 1)


def _binarised(images: Images) -> torch.Tensor:
    """Return the images as a variant that binarises them once would see them."""
    # Their draws are the processor's.
    drawn = prepare(images.to(torch.device("cpu")), Preparation(binarisation="fixed"), "test")
    return drawn.images.to(images.images.device)


def _judge(samples: torch.Tensor, reference: Reference, keys: tuple[str, ...] | None = None) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return whether samples are finite and differ, their scalars (those of `keys`) and their tables."""
    if not samples.isfinite().all():
        return "not finite", {}, {}
    levels = to_levels(samples)
    state = "constant" if (levels == levels[:1]).all() else "finite"
    return state, *measures(levels, reference, keys)
