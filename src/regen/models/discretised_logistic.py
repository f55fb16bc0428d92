"""The logistic distribution over the 256 levels of an 8-bit image."""

import torch
from torch.distributions import Distribution, constraints
from torch.nn.functional import logsigmoid, softplus

__all__ = ["DiscretisedLogistic"]

LEVELS = 256


class DiscretisedLogistic(Distribution):
    """P(x = k / 255) = F((k + 1/2) / 255) - F((k - 1/2) / 255), F a logistic; the end levels take the tails.

    loc (...) in [0, 1]; scale a number or (...). Source: Kingma et al. (2016), arXiv:1606.04934, appendix C.
    """

    arg_constraints: dict[str, constraints.Constraint] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.unit_interval

    def __init__(self, loc: torch.Tensor, scale: torch.Tensor | float) -> None:
        self.loc, self.scale = loc, torch.as_tensor(scale, dtype=loc.dtype, device=loc.device)
        super().__init__(loc.shape)

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        """Return log P of values k / 255, shape (...), in nats.

        With a and b the standardised edges of the bin, log(F(b) - F(a)) = log F(b) + log F(-a) + log(1 - exp(a - b)).
        """
        half = 0.5 / (LEVELS - 1)
        above = logsigmoid((value + half - self.loc) / self.scale)
        below = logsigmoid(-(value - half - self.loc) / self.scale)
        inside = above + below + torch.log(-torch.expm1(-2 * half / self.scale))
        first, last = value < half, value > 1 - half
        return torch.where(first, above, torch.where(last, below, inside))

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> torch.Tensor:
        """Draw values k / 255, shape (*sample_shape, ...)."""
        uniform = torch.rand(self._extended_shape(torch.Size(sample_shape)), device=self.loc.device)
        continuous = self.loc + self.scale * torch.logit(uniform, eps=1e-7)
        return (continuous.clamp(0, 1) * (LEVELS - 1)).round() / (LEVELS - 1)

    @property
    def mean(self) -> torch.Tensor:
        """The mean of the logistic clipped to [0, 1]: that of the levels up to their rounding (below 1e-4 for scales from 1/255)."""
        return self.scale * (softplus(self.loc / self.scale) - softplus((self.loc - 1) / self.scale))
