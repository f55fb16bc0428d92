"""Bounds on log p(x), per image and in nats: every one reads the same distributions."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch.distributions import Distribution, Independent, Normal, kl_divergence

from regen.models.flows import StandardGaussian

__all__ = [
    "ElboTerms",
    "LatentVariables",
    "LogWeights",
    "elbo_terms",
    "free_bits",
    "iwae_objective",
    "kl_nats",
    "kl_nats_per_latent",
    "mse_per_pixel",
    "over_samples",
    "weigh",
]


class LatentVariables(Protocol):
    """What a bound needs of a model: q(z | x), p(x | z) and p(z)."""

    @property
    def encoder(self) -> Callable[[torch.Tensor], Distribution]:
        """Map images x (B, C, H, W) in [0, 1] to q(z | x)."""

    @property
    def decoder(self) -> Callable[[torch.Tensor], Distribution]:
        """Map latents z (..., d) to p(x | z)."""

    @property
    def prior(self) -> Callable[[], Distribution]:
        """Return p(z)."""


class ElboTerms(NamedTuple):
    """The two parts of -ELBO, shape (B,), in nats; q, its sample z (B, d), of several (L, B, d), and the likelihood p(x | z) there."""

    recon_nats: torch.Tensor
    kl_nats: torch.Tensor
    q: Distribution
    z: torch.Tensor
    likelihood: Distribution

    @property
    def neg_elbo_nats(self) -> torch.Tensor:
        """-ELBO = -E_q log p(x | z) + KL(q(z | x), p(z)), shape (B,)."""
        return self.recon_nats + self.kl_nats

    def named(self) -> dict[str, torch.Tensor]:
        """Return -ELBO and its parts under the names of the metrics."""
        return {"neg_elbo_nats": self.neg_elbo_nats, "recon_nats": self.recon_nats, "kl_nats": self.kl_nats}


def kl_nats(q: Distribution, p: Distribution, z: torch.Tensor) -> torch.Tensor:
    """Return KL(q, p), shape (B,), in nats: the closed form where there is one, else its estimate at z (B, d) drawn from q."""
    try:
        return kl_divergence(q, p if isinstance(p, StandardGaussian) else p.expand(q.batch_shape))
    except NotImplementedError:
        return q.log_prob(z) - p.log_prob(z)


def kl_nats_per_latent(q: Distribution, p: Distribution) -> torch.Tensor:
    """Return KL(q, p) of every latent, shape (B, d), in nats, of a q and a p whose latents are independent."""
    divergence: torch.Tensor = kl_divergence(q.base_dist, p.base_dist.expand(q.base_dist.batch_shape))  # type: ignore[attr-defined]
    return divergence


def free_bits(q: Distribution, p: Distribution, least: float) -> torch.Tensor:
    """Return the sum over latents of max(least, KL of the latent averaged over the batch), a scalar, in nats.

    Source: the free bits of Kingma et al. (2016), arXiv:1606.04934, with every latent a group of its own.
    """
    return kl_nats_per_latent(q, p).mean(0).clamp(min=least).sum()


def over_samples(values: torch.Tensor) -> torch.Tensor:
    """Return values (B,) as they are, and those of several samples, (L, B), averaged over these."""
    return values.mean(0) if values.ndim > 1 else values


def elbo_terms(model: LatentVariables, x: torch.Tensor, target: torch.Tensor | None = None, samples: int = 1) -> ElboTerms:
    """Return the parts of -ELBO at one sample of q, or averaged over several, pathwise where q allows it.

    x (B, C, H, W) in [0, 1] is what q sees, `target` (x itself if None) what is reconstructed.
    Source: Kingma and Welling (2014), equations 3 and 7.
    """
    q = model.encoder(x)
    shape = torch.Size([samples] if samples > 1 else [])
    z = q.rsample(shape) if q.has_rsample else q.sample(shape)
    likelihood = model.decoder(z)
    recon, kl = -likelihood.log_prob(x if target is None else target), kl_nats(q, model.prior(), z)
    return ElboTerms(over_samples(recon), over_samples(kl), q, z, likelihood)


def mse_per_pixel(likelihood: Distribution, x: torch.Tensor) -> torch.Tensor:
    """Return the squared error of the mean of p(x | z) from images x (B, C, H, W), averaged over their C H W values, shape (B,)."""
    return (likelihood.mean - x).square().flatten(1).mean(1)


class LogWeights(NamedTuple):
    """log p(x | z), log p(z) and log q(z | x), each (K, B), in nats."""

    log_likelihood: torch.Tensor
    log_prior: torch.Tensor
    log_posterior: torch.Tensor

    @property
    def log_w(self) -> torch.Tensor:
        """Log w = log p(x | z) + log p(z) - log q(z | x), shape (K, B). Source: Burda et al. (2016), equation 7."""
        return self.log_likelihood + self.log_prior - self.log_posterior


def weigh(model: LatentVariables, x: torch.Tensor, z: torch.Tensor, q: Distribution, rows: int | None = None) -> LogWeights:
    """Return the three parts of log w for x (B, C, H, W) in [0, 1] and z (K, B, d) drawn from q, decoding so many `rows` of z at once."""
    likelihood = torch.cat([model.decoder(part).log_prob(x) for part in z.split(rows or len(z))])
    return LogWeights(likelihood, model.prior().log_prob(z), q.log_prob(z))


def iwae_objective(
    model: LatentVariables, x: torch.Tensor, samples: int, doubly_reparameterised: bool
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return what to minimise for -L_K = -log (1/K sum_k w_k), shape (B,), and what is reported of it.

    The gradient goes through the normalised weights (Burda et al., 2016, equation 14), or, doubly reparameterised, the
    encoder's through their squares (Tucker et al., 2019, arXiv:1810.04152, equation 8; Gaussian q only).
    """
    q = model.encoder(x)
    z = q.rsample(torch.Size([samples]))
    if not doubly_reparameterised:
        parts = weigh(model, x, z, q)
        objective = math.log(samples) - parts.log_w.logsumexp(0)
        bound = objective
    else:
        # log q without its own parameters' gradient: what is left reaches the encoder through z alone.
        parts = weigh(model, x, z, Independent(Normal(q.mean.detach(), q.stddev.detach()), 1))
        log_w = parts.log_w
        normalised = log_w.detach().softmax(0)
        bound = math.log(samples) - log_w.detach().logsumexp(0)
        if z.requires_grad:
            z.register_hook(lambda gradient: gradient * normalised.unsqueeze(-1))
        surrogate = -(normalised * log_w).sum(0)
        objective = surrogate - surrogate.detach() + bound
    recon = -parts.log_likelihood.mean(0)
    kl = (parts.log_posterior - parts.log_prior).mean(0)
    return objective, {"objective_nats": bound, "neg_elbo_nats": recon + kl, "recon_nats": recon, "kl_nats": kl}
