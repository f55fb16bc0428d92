"""Intervals of a mean over images."""

import numpy as np
import torch

__all__ = ["bootstrap_interval"]

RESAMPLES, AT_ONCE = 2000, 100
"""Resampled means of an interval, and how many of them are drawn at once."""


def bootstrap_interval(values: torch.Tensor, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the mean over images; values (N,), N >= 2.

    As scipy.stats.bootstrap computes it, which takes a second to import.
    """
    sample, rng = values.cpu().numpy(), np.random.default_rng(seed)
    means = [sample[rng.integers(0, len(sample), (AT_ONCE, len(sample)))].mean(axis=1) for _ in range(RESAMPLES // AT_ONCE)]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(low), float(high)
