"""Coupling flows as `torch.distributions` transforms, and the modules that own their networks."""

import torch
from torch import nn
from torch.distributions import Distribution, Independent, Normal, Transform, TransformedDistribution, constraints
from torch.distributions.kl import register_kl

from regen.config.model import RealNvp as RealNvpConfig
from regen.models.networks import mlp

__all__ = ["AffineCoupling", "Conditioner", "FlowPrior", "Permutation", "RealNvp", "StandardGaussian", "StandardNormal"]


class Conditioner(nn.Module):
    """log-scale (bounded by tanh) and shift of one half, computed from the other: one network, or one each.

    The bound is 1, or a gain a dimension that begins there and is learned (as in the code of Dinh et al., 2017).
    """

    def __init__(self, half: int, config: RealNvpConfig) -> None:
        super().__init__()
        outs = [2 * half] if config.networks == "one" else [half, half]
        self.networks = nn.ModuleList([mlp([half, *config.hidden, out], config.activation) for out in outs])
        self.gain = nn.Parameter(torch.ones(half)) if config.learn_gain else None

    def forward(self, kept: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map (..., d/2) to log-scale and shift, each (..., d/2)."""
        out = [network(kept) for network in self.networks]
        log_scale, shift = out if len(out) == 2 else out[0].chunk(2, dim=-1)
        bounded = torch.tanh(log_scale)
        return bounded if self.gain is None else self.gain * bounded, shift


class AffineCoupling(Transform):
    """y = (u1, u2 exp(s(u1)) + t(u1)) of the two halves of u (..., d); log |det| = sum s.

    Source: Dinh, Sohl-Dickstein and Bengio (2017), arXiv:1605.08803, equations 4 to 8.
    """

    domain = codomain = constraints.real_vector
    bijective = True

    def __init__(self, conditioner: nn.Module) -> None:
        super().__init__()
        self.conditioner = conditioner
        self._latest: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def _call(self, x: torch.Tensor) -> torch.Tensor:
        kept, changed = x.chunk(2, dim=-1)
        log_scale, shift = self.conditioner(kept)
        y = torch.cat([kept, changed * log_scale.exp() + shift], dim=-1)
        self._latest = (x, y, log_scale)
        return y

    def _inverse(self, y: torch.Tensor) -> torch.Tensor:
        kept, changed = y.chunk(2, dim=-1)
        log_scale, shift = self.conditioner(kept)
        x = torch.cat([kept, (changed - shift) * torch.exp(-log_scale)], dim=-1)
        self._latest = (x, y, log_scale)
        return x

    def log_abs_det_jacobian(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return log |dy/dx|, shape (...); of the pair computed last it is at hand, once."""
        # Handed out and forgotten: a transform and its inverse refer to each other, and would keep the tensors alive.
        latest, self._latest = self._latest, None
        if latest is not None and latest[0] is x and latest[1] is y:
            return latest[2].sum(-1)
        log_scale: torch.Tensor = self.conditioner(x.chunk(2, dim=-1)[0])[0]
        return log_scale.sum(-1)


class Permutation(Transform):
    """y = x[..., order]; its log-determinant is 0."""

    domain = codomain = constraints.real_vector
    bijective = True

    def __init__(self, order: torch.Tensor) -> None:
        super().__init__()
        self.order = order

    def _call(self, x: torch.Tensor) -> torch.Tensor:
        return x.index_select(-1, self.order)

    def _inverse(self, y: torch.Tensor) -> torch.Tensor:
        return y.index_select(-1, self.order.argsort())

    def log_abs_det_jacobian(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return zeros, shape (...)."""
        return x.new_zeros(x.shape[:-1])


class StandardGaussian(Independent):
    """N(0, I): a KL from a Gaussian needs neither its mean nor its scale."""


@register_kl(Independent, StandardGaussian)  # type: ignore[untyped-decorator]
def _kl_from_gaussian(q: Independent, p: StandardGaussian) -> torch.Tensor:
    """Return KL(N(m, diag s^2), N(0, I)) = sum (s^2 + m^2 - 1 - log s^2) / 2 (Kingma and Welling, 2014, appendix B)."""
    if not isinstance(q.base_dist, Normal):
        raise NotImplementedError
    variance = q.base_dist.scale.square()
    return (0.5 * (variance + q.base_dist.loc.square() - 1 - variance.log())).sum(-1)


class StandardNormal(nn.Module):
    """p(z) = N(0, I) in d dimensions."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        # Buffers follow the model to its device, and are no weights of a snapshot.
        self.register_buffer("mean", torch.zeros(dim), persistent=False)
        self.register_buffer("scale", torch.ones(dim), persistent=False)

    def forward(self) -> Distribution:
        """Return p(z), event shape (d,)."""
        return StandardGaussian(Normal(self.mean, self.scale), 1)


class RealNvp(nn.Module):
    """Couplings, each followed by a reversal, so that every coupling changes the half that the one before kept."""

    reversal: torch.Tensor

    def __init__(self, dim: int, config: RealNvpConfig) -> None:
        super().__init__()
        self.conditioners = nn.ModuleList([Conditioner(dim // 2, config) for _ in range(config.couplings)])
        self.register_buffer("reversal", torch.arange(dim - 1, -1, -1), persistent=False)

    def transforms(self) -> list[Transform]:
        """Return the layers from noise u (..., d) to data, new objects that share the weights."""
        return [layer for one in self.conditioners for layer in (AffineCoupling(one), Permutation(self.reversal))]


class FlowPrior(nn.Module):
    """p(z): a RealNVP flow of N(0, I)."""

    def __init__(self, dim: int, config: RealNvpConfig) -> None:
        super().__init__()
        self.base = StandardNormal(dim)
        self.flow = RealNvp(dim, config)

    def forward(self) -> TransformedDistribution:
        """Return p(z), event shape (d,), with log_prob and rsample."""
        return TransformedDistribution(self.base(), self.flow.transforms())

    def log_abs_det(self, z: torch.Tensor) -> torch.Tensor:
        """Return the flow's log |dz/du| at z (..., d), shape (...): log p(z) is the base's log density of u minus this."""
        total = z.new_zeros(z.shape[:-1])
        for transform in reversed(self.flow.transforms()):
            u = transform.inv(z)
            total, z = total + transform.log_abs_det_jacobian(u, z), u
        return total
