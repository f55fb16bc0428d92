"""-log p(x) by annealed importance sampling from the prior: an estimate that does not use q."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch

from regen.evaluation.held_out.memory import BLOCK
from regen.images.batches import to_unit_interval
from regen.models.vae import FairCoins, LatentVariableModel

__all__ = ["annealed_nll", "temperatures"]

LEAPFROGS = 10
ACCEPTANCE = 0.65
"""Wu et al. (2017): leapfrog steps a transition, and the share of accepted proposals that the step size is steered to."""

Weigh = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def temperatures(count: int) -> torch.Tensor:
    """Return 0 = beta_0 < ... < beta_count = 1, shape (count + 1,): a sigmoid's values, dense at both ends."""
    s = torch.sigmoid(torch.linspace(-4, 4, count + 1, dtype=torch.float64))
    return (s - s[0]) / (s[-1] - s[0])


def annealed_nll(model: LatentVariableModel, images: torch.Tensor, chains: int, count: int) -> torch.Tensor:
    """Return -log p(x) in nats, shape (N,), from `chains` runs over `count` temperatures for images uint8 (N, C, H, W).

    Each run goes from p(z) to p(z) p(x | z) by way of p(z) p(x | z)^beta, with a transition that leaves each of them as it is: Hamiltonian
    Monte Carlo, or a Gibbs sweep over binary latents. The estimate of log p(x) is a lower bound in expectation.
    Source: Neal (2001), arXiv:physics/9803008; Wu et al. (2017), arXiv:1611.04273, section 3.
    """
    blocks = images.split(max(1, BLOCK // chains))
    return torch.cat([_block(model, to_unit_interval(block), chains, temperatures(count).tolist()) for block in blocks])


def _block(model: LatentVariableModel, x: torch.Tensor, chains: int, betas: list[float]) -> torch.Tensor:
    def weigh(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return log p(z) and log p(x | z), each (chains, B)."""
        return model.prior().log_prob(z), model.decoder(z).log_prob(x)

    with torch.no_grad():
        z = model.prior().sample(torch.Size([chains, len(x)]))
        log_w = torch.zeros(chains, len(x), dtype=torch.float64, device=x.device)
        transition: Any = Gibbs(weigh) if isinstance(model.prior, FairCoins) else Hamiltonian(weigh, len(x), x.device)
        for before, beta in pairwise(betas):
            log_w += (beta - before) * weigh(z)[1].double()
            z = transition(z, beta)
        return math.log(chains) - log_w.logsumexp(0)


class Hamiltonian:
    """Hamiltonian Monte Carlo with a step size an image, steered towards `ACCEPTANCE` as the chains go."""

    def __init__(self, weigh: Weigh, images: int, device: torch.device) -> None:
        self.weigh = weigh
        self.step = torch.full((images, 1), 0.1, device=device)

    def slope(self, z: torch.Tensor, beta: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return log p(z) p(x | z)^beta, (chains, B), and its gradient (chains, B, d)."""
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            prior, likelihood = self.weigh(z)
            target = prior + beta * likelihood
            (gradient,) = torch.autograd.grad(target.sum(), z)
        return target.detach(), gradient

    def __call__(self, z: torch.Tensor, beta: float) -> torch.Tensor:
        """Return the next state (chains, B, d)."""
        momentum, at = torch.randn_like(z), z
        target, gradient = self.slope(z, beta)
        energy = 0.5 * momentum.square().sum(-1) - target
        for _ in range(LEAPFROGS):
            momentum = momentum + 0.5 * self.step * gradient
            at = at + self.step * momentum
            target, gradient = self.slope(at, beta)
            momentum = momentum + 0.5 * self.step * gradient
        proposed = 0.5 * momentum.square().sum(-1) - target
        # A trajectory that leaves the numbers is refused.
        accepted = torch.rand_like(energy).log() < energy - proposed
        share = accepted.float().mean(0)[:, None]
        self.step = (self.step * torch.where(share > ACCEPTANCE, 1.02, 0.98)).clamp(1e-4, 1.0)
        return torch.where(accepted[..., None], at, z)


class Gibbs:
    """One sweep over binary latents, each drawn given all others."""

    def __init__(self, weigh: Weigh) -> None:
        self.weigh = weigh

    def __call__(self, z: torch.Tensor, beta: float) -> torch.Tensor:
        """Return the next state (chains, B, d)."""
        prior, likelihood = self.weigh(z)
        for unit in range(z.shape[-1]):
            flipped = z.clone()
            flipped[..., unit] = 1 - flipped[..., unit]
            other_prior, other = self.weigh(flipped)
            odds = other_prior - prior + beta * (other - likelihood)
            flip = torch.rand_like(odds) < torch.sigmoid(odds)
            z = torch.where(flip[..., None], flipped, z)
            prior, likelihood = torch.where(flip, other_prior, prior), torch.where(flip, other, likelihood)
        return z
