"""Every probe by the name of its configuration."""

from collections.abc import Callable
from typing import Any

from regen.evaluation.probes.code_fit import code_fit
from regen.evaluation.probes.early_gradients import early_gradients
from regen.evaluation.probes.estimator_variance import estimator_variance
from regen.evaluation.probes.fine_tuning import fine_tuning
from regen.evaluation.probes.gradient_variance import gradient_variance
from regen.evaluation.probes.linear_probe import linear_probe
from regen.evaluation.probes.midpoints import midpoints
from regen.evaluation.probes.prior_cost import prior_cost
from regen.evaluation.probes.reshape import reshape
from regen.evaluation.probes.single_latents import single_latents
from regen.evaluation.probes.upsamplings import upsamplings

__all__ = ["PROBES"]

PROBES: dict[str, Callable[..., dict[str, Any]]] = {
    "linear_probe": linear_probe,
    "fine_tuning": fine_tuning,
    "code_fit": code_fit,
    "estimator_variance": estimator_variance,
    "gradient_variance": gradient_variance,
    "early_gradients": early_gradients,
    "prior_cost": prior_cost,
    "reshape": reshape,
    "midpoints": midpoints,
    "single_latents": single_latents,
    "upsamplings": upsamplings,
}
"""Each returns its scalars and rows from its settings, its subjects (`Subject`) and a seed."""
