"""Bounds on log p(x), per image and in nats: every one reads the same distributions."""

from typing import NamedTuple

import torch
from torch.distributions import Distribution, kl_divergence

from regen.models.vae import LatentVariableModel

__all__ = ["ElboTerms", "elbo_terms", "log_weights"]


class ElboTerms(NamedTuple):
    """The two parts of -ELBO, shape (B,), in nats, and the likelihood p(x | z) at the sampled z."""

    recon_nats: torch.Tensor
    kl_nats: torch.Tensor
    likelihood: Distribution

    @property
    def neg_elbo_nats(self) -> torch.Tensor:
        """-ELBO = -E_q log p(x | z) + KL(q(z | x), p(z)), shape (B,)."""
        return self.recon_nats + self.kl_nats


def elbo_terms(model: LatentVariableModel, x: torch.Tensor) -> ElboTerms:
    """Return the parts of -ELBO at one pathwise sample of q and the analytic KL.

    x (B, C, H, W) in [0, 1]. Source: Kingma and Welling (2014), equation 3.
    """
    q = model.encoder(x)
    likelihood = model.decoder(q.rsample())
    return ElboTerms(-likelihood.log_prob(x), kl_divergence(q, model.prior()), likelihood)


def log_weights(model: LatentVariableModel, x: torch.Tensor, z: torch.Tensor, q: Distribution) -> torch.Tensor:
    """Return log w = log p(x | z) + log p(z) - log q(z | x), shape (K, B), in nats.

    x (B, C, H, W) in [0, 1]; z (K, B, d) drawn from q. Source: Burda et al. (2016), arXiv:1509.00519, equation 7.
    """
    log_p: torch.Tensor = model.decoder(z).log_prob(x) + model.prior().log_prob(z)
    return log_p - q.log_prob(z)
