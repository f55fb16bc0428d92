"""A generative adversarial network: samples without a density."""

import torch
from torch import nn
from torch.nn.functional import softplus

from regen.config.model import Gan as GanConfig
from regen.models.flows import StandardNormal
from regen.models.networks import decoder_network, encoder_network

__all__ = ["Gan"]


class Gan(nn.Module):
    """A generator G of images in [-1, 1], z ~ N(0, I), and a discriminator D (Goodfellow et al., 2014, arXiv:1406.2661).

    The discriminator returns logits of being real, or a critic's scores: `output` says which.
    """

    def __init__(self, config: GanConfig, shape: list[int]) -> None:
        super().__init__()
        self.output = config.output
        self.unit_range = config.real_range == "unit"
        self.generator = nn.Sequential(decoder_network(config.generator, shape, config.latent_dim), nn.Tanh())
        self.discriminator = encoder_network(config.discriminator, shape, 1, config.dropout)
        self.prior = StandardNormal(config.latent_dim)

    def terms(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what validation and evaluation report, each (B,): of each image in [0, 1] and of one generated beside it."""
        real = self.discriminator(self.seen(x)).squeeze(1)
        fake = self.discriminator(self.generator(self.latents(len(x)))).squeeze(1)
        return discriminator_terms(real, fake, self.output)

    def seen(self, x: torch.Tensor) -> torch.Tensor:
        """Return images x (B, C, H, W) in [0, 1] as the discriminator sees real ones: in [-1, 1], or as they are."""
        return x if self.unit_range else 2 * x - 1

    def latents(self, count: int) -> torch.Tensor:
        """Return `count` draws of the prior, (count, d)."""
        z: torch.Tensor = self.prior().sample(torch.Size([count]))
        return z

    def images(self, z: torch.Tensor) -> torch.Tensor:
        """Return the generator's images at z (B, d), (B, C, H, W) in [0, 1]; where real ones are seen so, what is below 0 is black."""
        generated: torch.Tensor = self.generator(z)
        return generated.clamp(0, 1) if self.unit_range else (generated + 1) / 2

    def sample(self, count: int) -> torch.Tensor:
        """Draw images (count, C, H, W) in [0, 1]."""
        return self.images(self.latents(count))


def discriminator_terms(real: torch.Tensor, fake: torch.Tensor, output: str) -> dict[str, torch.Tensor]:
    """Return what a discriminator minimises and how it does, from its outputs on real and on generated images, each (B,).

    Of probabilities: -log D(x) - log(1 - D(G(z))) in nats, 2 log 2 for one that knows nothing (Goodfellow et al., 2014, equation 1).
    Of scores: D(G(z)) - D(x), without a unit, minus an estimate of the Wasserstein distance up to a factor.
    """
    if output == "score":
        return {"critic": fake - real, "score_real": real, "score_fake": fake}
    return {
        "discriminator_nats": softplus(-real) + softplus(fake),
        "accuracy_real": (real > 0).float(),
        "accuracy_fake": (fake <= 0).float(),
        "probability_real": real.sigmoid(),
        "probability_fake": fake.sigmoid(),
    }
