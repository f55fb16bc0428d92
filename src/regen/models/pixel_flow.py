"""A normalising flow on pixels: dequantised, logit-transformed, coupled over a checkerboard."""

import math

import torch
from torch import nn
from torch.distributions import AffineTransform, ReshapeTransform, SigmoidTransform, Transform, TransformedDistribution

from regen.config.model import PixelFlow as PixelFlowConfig
from regen.models.dequantisation import DEQUANTISATIONS
from regen.models.flows import Permutation, RealNvp, StandardNormal

__all__ = ["PixelFlow", "checkerboard"]

LEVELS = 256


def checkerboard(shape: list[int]) -> torch.Tensor:
    """Return an order of the C H W values in which the fields of one colour come first (Dinh et al., 2017, figure 3)."""
    channels, rows, columns = (torch.arange(size) for size in shape)
    colour = (channels[:, None, None] + rows[:, None] + columns) % 2
    return colour.flatten().argsort(stable=True)


class PixelFlow(nn.Module):
    """p(x) of continuous images: x = (sigmoid(f(u)) - alpha/2) / (1 - alpha), f a RealNVP flow, u ~ N(0, I).

    Halves of the values in checkerboard order, with a reversal after each coupling, are alternating checkerboard
    masks whose networks do not carry the masked zeros. Source: Dinh et al. (2017), arXiv:1605.08803, sections 3.4 and 4.1.
    """

    order: torch.Tensor

    def __init__(self, config: PixelFlowConfig, shape: list[int]) -> None:
        super().__init__()
        self.shape = torch.Size(shape)
        self.alpha = config.alpha
        self.base = StandardNormal(math.prod(shape))
        self.flow = RealNvp(math.prod(shape), config.flow)
        self.register_buffer("order", checkerboard(shape).argsort(), persistent=False)
        self.dequantisation = DEQUANTISATIONS[config.dequantisation.kind](config.dequantisation, shape)

    def forward(self) -> TransformedDistribution:
        """Return p(x), event shape (C, H, W), a density on [0, 1] that leaks alpha / 2 at either end."""
        pixels: list[Transform] = [
            Permutation(self.order),
            SigmoidTransform(),
            AffineTransform(-0.5 * self.alpha / (1 - self.alpha), 1 / (1 - self.alpha)),
            ReshapeTransform(self.base.mean.shape, self.shape),
        ]
        return TransformedDistribution(self.base(), [*self.flow.transforms(), *pixels])

    def nll_nats(self, x: torch.Tensor) -> torch.Tensor:
        """Return log q(u | x) - log p((255 x + u) / 256) + D log 256 of 8-bit images x (B, C, H, W) in [0, 1] at one u, (B,), in nats.

        With noise u from q(u | x), uniform or learned, exp of minus it is an unbiased estimate of P(x), the mass of x's levels, each 1/256
        wide; so its mean is an upper bound of -log P(x) (Theis et al., 2016, arXiv:1511.01844, section 3.1; Ho et al., 2019,
        arXiv:1902.00275, equation 12). Without noise it is a density at the middle of the levels, and bounds nothing.
        """
        noise, log_q = self.dequantisation(x)
        dequantised = (x * (LEVELS - 1) + noise) / LEVELS
        nll: torch.Tensor = math.log(LEVELS) * x[0].numel() - self().log_prob(dequantised) + log_q
        return nll

    def terms(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what training and evaluation report of each image, each (B,)."""
        return {"nll_nats": self.nll_nats(x)}

    def latents(self, count: int) -> torch.Tensor:
        """Return `count` draws of the flow's noise, (count, C H W)."""
        u: torch.Tensor = self.base().sample(torch.Size([count]))
        return u

    def images(self, z: torch.Tensor) -> torch.Tensor:
        """Return the images that noise z (N, C H W) becomes, (N, C, H, W) in [0, 1]."""
        for transform in self().transforms:
            z = transform(z)
        return z.clamp(0, 1)

    def sample(self, count: int) -> torch.Tensor:
        """Draw images (count, C, H, W) in [0, 1]."""
        return self.images(self.latents(count))
