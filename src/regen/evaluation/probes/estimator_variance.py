"""How noisy the score-function estimators are, Algorithm 1 as printed among them (ai3611, section 2.3)."""

from typing import Any

import torch
from torch.distributions import Bernoulli, Independent

from regen.common.determinism import derive_seed
from regen.config.probes import EstimatorVariance
from regen.evaluation.probes.subject import Subject
from regen.images.batches import to_unit_interval
from regen.models.score_function import ESTIMATORS, RunningAverage

__all__ = ["estimator_variance", "gradient_standard_deviations"]

BATCH = 32
DECAY = 0.9
BURN_IN = 50
"""Draws that the running averages settle in."""

SAMPLES = {name: 2 if name == "leave_one_out" else 1 for name in ESTIMATORS}


def estimator_variance(settings: EstimatorVariance, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return the standard deviation of every estimator's gradient on one batch of test images, before training and at its end."""
    (subject,) = subjects
    x = to_unit_interval(subject.prepared("test").images[:BATCH])
    rows = []
    for state, model in (("before training", subject.untrained), ("final", subject.model)):
        torch.manual_seed(derive_seed(seed, "estimators", state))
        for name, deviation in gradient_standard_deviations(model, x, settings.repeats).items():
            facts = {"state": state, "estimator": name, "samples": SAMPLES[name]}
            rows.append({**facts, "gradient_standard_deviation": deviation, "repeats": settings.repeats})
    return {"n_images": len(x), "rows": rows}


def gradient_standard_deviations(model: Any, x: torch.Tensor, repeats: int) -> dict[str, float]:
    """Return, by estimator, the root of the summed variances of all entries of a gradient over `repeats` draws of the latents.

    It is the gradient of the mean reconstruction of images x (B, C, H, W), in nats, with respect to q's logits (B, d). All estimators see
    the same draws; the running averages are of this batch.
    """
    with torch.no_grad():
        logits = model.encoder(x).base_dist.logits
    logits.requires_grad_()
    averages = {name: RunningAverage(DECAY).to(x.device) for name in ESTIMATORS}
    gradients: dict[str, list[torch.Tensor]] = {name: [] for name in ESTIMATORS}
    for _ in range(BURN_IN + repeats):
        q = Independent(Bernoulli(logits=logits), 1)
        z = q.sample(torch.Size([max(SAMPLES.values())]))
        with torch.no_grad():
            recon = -model.decoder(z).log_prob(x)
        log_q = q.log_prob(z)
        for name, estimator in ESTIMATORS.items():
            used = slice(SAMPLES[name])
            gradients[name] += torch.autograd.grad(estimator(recon[used], log_q[used], averages[name]), logits, retain_graph=True)
    kept = {name: torch.stack(values[BURN_IN:]).double() for name, values in gradients.items()}
    return {name: values.var(0).sum().sqrt().item() for name, values in kept.items()}
