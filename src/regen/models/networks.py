"""Neural networks: plain functions of tensors, without probability."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import nn

from regen.config.model import ConvEncoder, Encoder, Network

__all__ = ["ACTIVATIONS", "UPSAMPLINGS", "ChannelsLast", "decoder_network", "encoder_network", "mlp"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "leaky_relu_0.01": partial(nn.LeakyReLU, 0.01),
    "leaky_relu_0.2": partial(nn.LeakyReLU, 0.2),
}


def mlp(
    sizes: Sequence[int], activation: str, batch_norm: bool = False, dropout: float = 0.0, norm_place: str = "before_activation"
) -> nn.Sequential:
    """Return linear layers of these sizes, between them batch normalisation (if any), the activation and dropout (if any).

    Maps (..., sizes[0]) to (..., sizes[-1]); with batch normalisation (B, sizes[0]) to (B, sizes[-1]). `norm_place` is where it stands:
    `before_activation` or `after_activation`.
    """
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes[:-1]):
        between: list[nn.Module] = [*([nn.BatchNorm1d(after)] if batch_norm else []), ACTIVATIONS[activation]()]
        layers += [nn.Linear(before, after), *(between if norm_place == "before_activation" else reversed(between)), *_dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


class Flat(nn.Sequential):
    """Layers that see images (B, C, H, W) as vectors (B, C H W)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to (B, out)."""
        out: torch.Tensor = super().forward(x.flatten(1))  # type: ignore[no-untyped-call]
        return out


class ChannelsLast(nn.Module):
    """Hands images on in the channels-last layout, in which convolutions on a processor are faster.

    The layout decides the order of sums and so the last bits: it is the same wherever the model runs.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, C, H, W) to the same values in another layout."""
        return x.contiguous(memory_format=torch.channels_last)


class Batched(nn.Sequential):
    """Layers for (B, d), applied to (..., d): convolutions know one batch dimension only."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Map (..., d) to (..., C, H, W)."""
        out: torch.Tensor = super().forward(z.reshape(-1, z.shape[-1]))  # type: ignore[no-untyped-call]
        return out.reshape(*z.shape[:-1], *out.shape[1:])


def transposed(before: int, after: int, kernel: int) -> nn.Module:
    """Return a transposed convolution that doubles the size: stride 2, padding as even as the kernel allows."""
    padding = (kernel - 1) // 2
    return nn.ConvTranspose2d(before, after, kernel, stride=2, padding=padding, output_padding=2 * padding + 2 - kernel)


def resized(before: int, after: int, mode: str) -> nn.Module:
    """Return an upsampling by 2 without weights and a 3x3 convolution."""
    align = {"align_corners": False} if mode == "bilinear" else {}
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=mode, **align), nn.Conv2d(before, after, 3, padding=1))


UPSAMPLINGS: dict[str, Callable[..., nn.Module]] = {
    "transposed": transposed,
    "nearest": partial(resized, mode="nearest"),
    "bilinear": partial(resized, mode="bilinear"),
}


def encoder_network(config: Encoder, shape: Sequence[int], out: int, dropout: float = 0.0) -> nn.Sequential:
    """Return the network of a configuration (`regen.config.model.Encoder`) that maps images (B, *shape) to (B, out).

    Its last layer is linear; dropout (if any) stands behind every activation.
    """
    if config.kind == "mlp":
        return Flat(*mlp([math.prod(shape), *config.hidden, out], config.activation, config.batch_norm, dropout, config.norm_place))
    layers: list[nn.Module] = [ChannelsLast()]
    for index, (before, after) in enumerate(pairwise([shape[0], *config.channels])):
        norm = _norm(config, after) if index or config.first_norm else []
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), *norm, ACTIVATIONS[config.activation](), *_dropout(dropout)]
    features = math.prod(_smallest(config, shape))
    return nn.Sequential(*layers, nn.Flatten(), *mlp([features, *config.hidden, out], config.activation, dropout=dropout))


def decoder_network(config: Network, shape: Sequence[int], latent_dim: int) -> nn.Module:
    """Return the mirror of `encoder_network` (or linear layers of its own sizes): latents (..., latent_dim) to logits (..., *shape)."""
    if config.kind == "mlp":
        sizes = [latent_dim, *config.decoder_sizes(), math.prod(shape)]
        layers = mlp(sizes, config.activation, config.batch_norm, norm_place=config.norm_place)
        return (Batched if config.batch_norm else nn.Sequential)(*layers, nn.Unflatten(-1, tuple(shape)))
    smallest, activation = _smallest(config, shape), ACTIVATIONS[config.decoder_activation]
    first = mlp([latent_dim, *reversed(config.hidden), math.prod(smallest)], config.decoder_activation)
    blocks: list[nn.Module] = [nn.Unflatten(1, tuple(smallest)), ChannelsLast(), *_norm(config, smallest[0]), activation()]
    upsample = partial(UPSAMPLINGS[config.upsampling.kind], **config.upsampling.model_dump(exclude={"kind"}))
    for before, after in pairwise([*reversed(config.channels), shape[0]]):
        blocks += [upsample(before, after), *_norm(config, after), activation()]
    # The last block's output parametrises the likelihood: neither normalised nor bounded.
    ending = 1 + len(_norm(config, 1))
    return Batched(*first, *blocks[:-ending])


def _dropout(probability: float) -> list[nn.Module]:
    return [nn.Dropout(probability)] if probability else []


def _norm(config: ConvEncoder, channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels)] if config.batch_norm else []


def _smallest(config: ConvEncoder, shape: Sequence[int]) -> list[int]:
    """Return channels, height and width behind the last convolution."""
    factor: int = 2 ** len(config.channels)
    return [config.channels[-1], shape[1] // factor, shape[2] // factor]
