"""Relaxed Bernoulli latents, which have a pathwise gradient."""

import torch
from torch.distributions.utils import clamp_probs

__all__ = ["relaxed_bernoulli"]


def relaxed_bernoulli(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Draw from the binary concrete distribution, values in (0, 1) of the shape of `logits`, differentiable in these.

    What is above 1/2 is a draw of the Bernoullis themselves. Sources: Jang et al. (2017), arXiv:1611.01144; Maddison et al. (2017),
    arXiv:1611.00712.
    """
    uniform = clamp_probs(torch.rand_like(logits))
    return torch.sigmoid((logits + uniform.log() - (-uniform).log1p()) / temperature)
