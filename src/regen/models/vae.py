"""The latent-variable model: q(z | x), p(x | z), p(z), each a torch distribution."""

import torch
from torch import nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from regen.config.model import Likelihood, Vae
from regen.models.flows import FlowPrior, StandardNormal
from regen.models.likelihoods import LIKELIHOODS
from regen.models.networks import decoder_network, encoder_network
from regen.models.objectives import elbo_terms, mse_per_pixel

__all__ = ["BernoulliEncoder", "Decoder", "FairCoins", "GaussianEncoder", "LatentVariableModel", "latent_variable_model"]


class GaussianEncoder(nn.Module):
    """q(z | x) = N(mean(x), diag exp(log-variance(x))): the last layer gives both halves."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> Distribution:
        """Map images x (B, C, H, W) in [0, 1] to a distribution over z (B, d)."""
        mean, log_variance = self.network(x).chunk(2, dim=-1)
        return Independent(Normal(mean, torch.exp(0.5 * log_variance)), 1)


class BernoulliEncoder(nn.Module):
    """q(z | x): independent Bernoulli latents, the last layer gives their logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> Distribution:
        """Map images x (B, C, H, W) in [0, 1] to a distribution over z in {0, 1} (B, d)."""
        return Independent(Bernoulli(logits=self.network(x)), 1)


class Decoder(nn.Module):
    """p(x | z): a network whose outputs parametrise the likelihood."""

    def __init__(self, network: nn.Module, likelihood: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.likelihood = likelihood

    def forward(self, z: torch.Tensor) -> Distribution:
        """Map latents z (..., d) to a distribution over images (..., C, H, W)."""
        p: Distribution = self.likelihood(self.network(z))
        return p


class FairCoins(nn.Module):
    """p(z): independent Bernoulli(1/2) in d dimensions."""

    logits: torch.Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("logits", torch.zeros(dim), persistent=False)

    def forward(self) -> Distribution:
        """Return p(z), event shape (d,)."""
        return Independent(Bernoulli(logits=self.logits), 1)


class LatentVariableModel(nn.Module):
    """An encoder q(z | x), a decoder p(x | z) and a prior p(z) (Kingma and Welling, 2014, arXiv:1312.6114)."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior

    def terms(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what training and evaluation report of each image, each (B,): -ELBO, its parts, the squared error."""
        terms = elbo_terms(self, x)
        return {**terms.named(), "mse_per_pixel": mse_per_pixel(terms.likelihood, x)}

    def latents(self, count: int) -> torch.Tensor:
        """Return `count` draws of the prior, (count, d)."""
        z: torch.Tensor = self.prior().sample(torch.Size([count]))
        return z

    def images(self, z: torch.Tensor) -> torch.Tensor:
        """Return the decoder's means at z (N, d), (N, C, H, W) in [0, 1]."""
        means: torch.Tensor = self.decoder(z).mean
        return means

    def sample(self, count: int) -> torch.Tensor:
        """Return the decoder's means at `count` draws of the prior, (count, C, H, W) in [0, 1]."""
        return self.images(self.latents(count))


ENCODERS: dict[str, tuple[type[nn.Module], int]] = {"gaussian": (GaussianEncoder, 2), "bernoulli": (BernoulliEncoder, 1)}
"""Encoder and numbers of parameters a latent."""

STANDARD_PRIORS: dict[str, type[nn.Module]] = {"gaussian": StandardNormal, "bernoulli": FairCoins}


def latent_variable_model(config: Vae, shape: list[int]) -> LatentVariableModel:
    """Return the model of a configuration (`regen.config.model.Vae`) for images of shape (C, H, W)."""
    dim = config.latent.dim
    encoder, parameters = ENCODERS[config.latent.kind]
    # One after the other: the order in which weights are drawn is part of a run's result.
    return LatentVariableModel(
        encoder=encoder(encoder_network(config.network, shape, parameters * dim)),
        decoder=Decoder(decoder_network(config.network, shape, dim), likelihood(config.likelihood)),
        prior=FlowPrior(dim, config.prior) if config.prior.kind == "realnvp" else STANDARD_PRIORS[config.latent.kind](dim),
    )


def likelihood(config: Likelihood) -> nn.Module:
    """Return the likelihood of a configuration (`regen.config.model.Likelihood`)."""
    return LIKELIHOODS[config.kind](**config.model_dump(exclude={"kind"}))
