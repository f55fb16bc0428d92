"""Discriminator and generator in the first steps: does the saturating loss's gradient vanish? (uva3, question 2.4)."""

from typing import Any

import torch

from regen.common.determinism import derive_seed
from regen.config.probes import EarlyGradients
from regen.evaluation.probes.subject import Subject
from regen.images.batches import to_unit_interval
from regen.models.gan import Gan, discriminator_terms
from regen.training.objectives import GENERATOR_LOSSES

__all__ = ["area_under_curve", "early_gradients", "step_measures"]

LOSSES = ("saturating", "non_saturating")


def early_gradients(settings: EarlyGradients, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return a row a snapshot: the discriminator on real and generated images, and the norm of the generator's gradient under both losses.

    Every row has the same training images and latents. Snapshots of a shortened run that fall on one step give one row.
    """
    (subject,) = subjects
    images, size = subject.prepared("train").images, subject.config.batch_size
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(derive_seed(seed, "real images")))
    chosen = [block.to(images.device) for block in order[: settings.batches * size].split(size)]
    rows: list[dict[str, Any]] = []
    for model, note in subject.snapshots:
        if rows and rows[-1]["run_step"] == note["step"]:
            continue
        torch.manual_seed(derive_seed(seed, "latents"))
        found = [step_measures(model, to_unit_interval(images[block])) for block in chosen]
        means = {name: sum(one[name] for one in found) / len(found) for name in found[0]}
        rows.append({"step": note["report_step"], "run_step": note["step"], **means})
    return {"batches": len(chosen), "batch_size": size, "rows": rows}


def step_measures(model: Gan, x: torch.Tensor) -> dict[str, float]:
    """Return what a training step would see, of real images x (B, C, H, W) in [0, 1] and as many generated ones.

    In training mode: the generator normalises by the batch, as it does in training.
    """
    model.train()
    judged = model.discriminator(model.generator(model.latents(len(x)))).squeeze(1)
    with torch.no_grad():
        real = model.discriminator(model.seen(x)).squeeze(1)
        terms = discriminator_terms(real, judged.detach(), model.output)
    found = {name: value.mean().item() for name, value in terms.items()}
    found["area_under_curve"] = area_under_curve(real, judged.detach())
    for loss in LOSSES:
        _, value = GENERATOR_LOSSES[loss](judged)
        gradients = torch.autograd.grad(value.mean(), list(model.generator.parameters()), retain_graph=True)
        found[f"{loss}_gradient_norm"] = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    return found


def area_under_curve(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Return the share of pairs of a real and a generated image, of logits (B,) each, in which the real one is larger; ties count half."""
    apart = real[:, None] - fake[None, :]
    return ((apart > 0).double() + 0.5 * (apart == 0)).mean().item()
