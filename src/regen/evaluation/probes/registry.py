"""Every probe by the name of its configuration."""

from collections.abc import Callable
from typing import Any

from regen.evaluation.probes.code_fit import code_fit
from regen.evaluation.probes.early_gradients import early_gradients
from regen.evaluation.probes.estimator_variance import estimator_variance
from regen.evaluation.probes.linear_probe import linear_probe
from regen.evaluation.probes.midpoints import midpoints
from regen.evaluation.probes.prior_cost import prior_cost
from regen.evaluation.probes.reshape import reshape
from regen.evaluation.probes.single_latents import single_latents

__all__ = ["PROBES"]

PROBES: dict[str, Callable[..., dict[str, Any]]] = {
    "linear_probe": linear_probe,
    "code_fit": code_fit,
    "estimator_variance": estimator_variance,
    "early_gradients": early_gradients,
    "prior_cost": prior_cost,
    "reshape": reshape,
    "midpoints": midpoints,
    "single_latents": single_latents,
}
"""Each returns its scalars and rows from its settings, its subjects (`Subject`) and a seed."""
