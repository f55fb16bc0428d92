"""Intervals of a mean over images."""

import numpy as np
import torch

__all__ = ["bootstrap_interval"]


def bootstrap_interval(values: torch.Tensor, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean over images; values (N,), N >= 2."""
    # scipy.stats takes half a second to import: only where it is needed.
    from scipy.stats import bootstrap

    result = bootstrap((values.cpu().numpy(),), np.mean, n_resamples=2000, batch=100, method="percentile", rng=np.random.default_rng(seed))
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
