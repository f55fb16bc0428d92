"""A deterministic auto-encoder that is made generative: distributions fitted to its training codes."""

import torch
from torch import nn
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, MultivariateNormal, Normal

from regen.config.model import AutoEncoder as AutoEncoderConfig
from regen.models.networks import decoder_network, encoder_network
from regen.models.vae import Decoder, likelihood

__all__ = ["CODE_PRIORS", "AutoEncoder", "Mixture"]

CODE_PRIORS = ("standard", "gaussian", "mixture")
"""N(0, I), one Gaussian with the codes' mean and covariance, and the Gaussian mixture."""

MAX_ITERATIONS = 1000


class Mixture(nn.Module):
    """A Gaussian mixture of full covariances over codes (d,): weights (M,), means (M, d), covariances (M, d, d), in double precision."""

    weights: torch.Tensor
    means: torch.Tensor
    covariances: torch.Tensor

    def __init__(self, components: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.full((components,), 1 / components, dtype=torch.float64))
        self.register_buffer("means", torch.zeros(components, dim, dtype=torch.float64))
        self.register_buffer("covariances", torch.eye(dim, dtype=torch.float64).repeat(components, 1, 1))

    def fit(self, codes: torch.Tensor, seed: int) -> None:
        """Fit by expectation maximisation to codes (N, d), in double precision; N at least the number of components."""
        from sklearn.mixture import GaussianMixture

        mixture = GaussianMixture(len(self.weights), covariance_type="full", max_iter=MAX_ITERATIONS, random_state=seed % 2**32)
        mixture.fit(codes.cpu().numpy())
        for buffer, values in ((self.weights, mixture.weights_), (self.means, mixture.means_), (self.covariances, mixture.covariances_)):
            buffer.copy_(torch.from_numpy(values))

    def forward(self) -> Distribution:
        """Return the mixture, event shape (d,)."""
        return MixtureSameFamily(Categorical(self.weights), MultivariateNormal(self.means, self.covariances))


class AutoEncoder(nn.Module):
    """code = encoder(x), p(x | code) = decoder(code); `mixture` and `gaussian` describe the training codes once they are fitted."""

    def __init__(self, config: AutoEncoderConfig, shape: list[int]) -> None:
        super().__init__()
        self.encoder = encoder_network(config.network, shape, config.latent_dim)
        self.decoder = Decoder(decoder_network(config.network, shape, config.latent_dim), likelihood(config.likelihood))
        self.gaussian = Mixture(1, config.latent_dim)
        self.mixture = Mixture(config.components, config.latent_dim)

    def terms(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what training and evaluation report of each image, each (B,)."""
        p = self.decoder(self.encoder(x))
        return {"recon_nats": -p.log_prob(x), "mse_per_pixel": (p.mean - x).square().flatten(1).mean(1)}

    @torch.no_grad()
    def codes(self, images: torch.Tensor) -> torch.Tensor:
        """Return the codes (N, d) of images uint8 (N, C, H, W), in double precision."""
        return torch.cat([self.encoder(block.float() / 255) for block in images.split(1000)]).double()

    def fit_codes(self, images: torch.Tensor, seed: int) -> None:
        """Fit the Gaussian and the mixture to the codes of training images uint8 (N, C, H, W)."""
        codes = self.eval().codes(images)
        self.gaussian.fit(codes, seed)
        self.mixture.fit(codes, seed)

    def code_prior(self, name: str) -> Distribution:
        """Return one of `CODE_PRIORS` over codes, event shape (d,)."""
        if name == "standard":
            mean = self.gaussian.means[0]
            return Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
        fitted: Distribution = {"gaussian": self.gaussian, "mixture": self.mixture}[name]()
        return fitted

    def latents(self, count: int, prior: str = "mixture") -> torch.Tensor:
        """Return `count` draws of one of `CODE_PRIORS`, (count, d)."""
        return self.code_prior(prior).sample(torch.Size([count])).float()

    def images(self, z: torch.Tensor) -> torch.Tensor:
        """Return the decoder's means at codes z (N, d), (N, C, H, W) in [0, 1]."""
        means: torch.Tensor = self.decoder(z).mean
        return means

    def sample(self, count: int, prior: str = "mixture") -> torch.Tensor:
        """Return the decoder's means at `count` draws of one of `CODE_PRIORS`, (count, C, H, W) in [0, 1]."""
        return self.images(self.latents(count, prior))
