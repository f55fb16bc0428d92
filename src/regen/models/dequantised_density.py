"""A density on [0, 1] as a distribution over the 256 levels of an 8-bit image."""

import math

import torch
from torch.distributions import Independent

__all__ = ["Dequantised"]

LEVELS = 256


class Dequantised(Independent):
    """P(x = k / 255), the integral of a density of independent values from k / 256 to (k + 1) / 256; event shape (C, H, W).

    The integral is estimated at one uniform draw a value, anew at every call: exp(log_prob) is unbiased, so importance sampling with it
    is, and log_prob is in the mean a lower bound. Source: Theis et al. (2016), arXiv:1511.01844, section 3.1.
    """

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        """Return log P of values k / 255 (..., C, H, W), in nats."""
        shape = self.batch_shape + self.event_shape
        noise = torch.rand(torch.broadcast_shapes(shape, value.shape), dtype=value.dtype, device=value.device)
        density: torch.Tensor = super().log_prob((value * (LEVELS - 1) + noise) / LEVELS)  # type: ignore[no-untyped-call]
        return density - self.event_shape.numel() * math.log(LEVELS)

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> torch.Tensor:
        """Draw values k / 255, (*sample_shape, ..., C, H, W)."""
        density: torch.Tensor = super().sample(torch.Size(sample_shape))
        return (density * LEVELS).floor().clamp(0, LEVELS - 1) / (LEVELS - 1)

    @property
    def mean(self) -> torch.Tensor:
        """The mean of the density on the scale of the levels, in [0, 1]: that of the levels up to their rounding."""
        density: torch.Tensor = super().mean
        return ((LEVELS * density - 0.5) / (LEVELS - 1)).clamp(0, 1)
