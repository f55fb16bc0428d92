"""Encoders and decoders: their shapes, and every upsampling against sums written out by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from scipy.signal import correlate2d
from torch import nn

from regen.config.model import Network
from regen.models.networks import ACTIVATIONS, UPSAMPLINGS, decoder_network, encoder_network, mlp

MLP = {"kind": "mlp", "hidden": [9, 7], "activation": "tanh"}
UPSAMPLED = [{"kind": "transposed", "kernel": 4}, {"kind": "transposed", "kernel": 5}, {"kind": "nearest"}, {"kind": "bilinear"}]
SHAPES = [[1, 28, 28], [3, 8, 12]]


def conv(upsampling: dict[str, Any], batch_norm: bool = False, hidden: tuple[int, ...] = (10,)) -> dict[str, Any]:
    activations = {"activation": "leaky_relu_0.2", "decoder_activation": "relu", "batch_norm": batch_norm}
    return {"kind": "conv", "channels": [4, 6], "hidden": list(hidden), **activations, "upsampling": upsampling}


NETWORKS = [MLP, *(conv(upsampling) for upsampling in UPSAMPLED), conv(UPSAMPLED[0], batch_norm=True, hidden=())]
NAMES = ["mlp", "transposed 4", "transposed 5", "nearest", "bilinear", "batch norm"]


def network(values: dict[str, Any]) -> Any:
    return TypeAdapter(Network).validate_python(values)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("values", NETWORKS, ids=NAMES)
def test_an_encoder_maps_images_to_vectors(values: dict[str, Any], shape: list[int]) -> None:
    torch.manual_seed(0)
    encoder = encoder_network(network(values), shape, 5).eval()
    x = torch.rand(3, *shape)
    out = encoder(x)
    assert out.shape == (3, 5)
    # Image by image: nothing but batch normalisation's own statistics, which are fixed here, could mix them.
    torch.testing.assert_close(out, torch.cat([encoder(image[None]) for image in x]))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("values", NETWORKS, ids=NAMES)
def test_a_decoder_maps_latents_of_any_batch_to_images(values: dict[str, Any], shape: list[int]) -> None:
    torch.manual_seed(0)
    decoder = decoder_network(network(values), shape, 5).eval()
    z = torch.randn(4, 3, 5)
    logits = decoder(z)

    assert logits.shape == (4, 3, *shape)
    assert decoder(z[0]).shape == (3, *shape) and decoder(z[0, 0]).shape == tuple(shape)
    torch.testing.assert_close(logits, torch.stack([torch.stack([decoder(one) for one in row]) for row in z]))
    # Logits, neither bounded nor cut off at zero.
    assert logits.min() < 0 < logits.max()
    assert not torch.equal(logits[0, 0], logits[0, 1])


def test_batch_normalisation_follows_every_convolution_but_the_last() -> None:
    config = network(conv(UPSAMPLED[0], batch_norm=True))
    parts = encoder_network(config, [3, 8, 8], 5), decoder_network(config, [3, 8, 8], 5)
    normalised = [[layer.num_features for layer in part.modules() if isinstance(layer, nn.BatchNorm2d)] for part in parts]
    # The decoder's first is of the linear layers' output, its last convolution has none.
    assert normalised == [[4, 6], [6, 4]]
    assert isinstance(list(parts[1].children())[-1], nn.ConvTranspose2d)
    assert not [
        layer for layer in encoder_network(network(conv(UPSAMPLED[0])), [3, 8, 8], 5).modules() if isinstance(layer, nn.BatchNorm2d)
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("tanh", np.tanh),
        ("leaky_relu_0.01", lambda x: np.where(x > 0, x, 0.01 * x)),
        ("leaky_relu_0.2", lambda x: np.where(x > 0, x, 0.2 * x)),
    ],
)
def test_activations_are_their_formulas(name: str, expected: Callable[[np.ndarray], np.ndarray]) -> None:
    x = torch.linspace(-3, 3, 13)
    np.testing.assert_allclose(ACTIVATIONS[name]()(x), expected(x.numpy()), rtol=1e-6)
    # Between the layers, not after the last.
    assert [type(layer) for layer in mlp([2, 3, 4], name)] == [nn.Linear, type(ACTIVATIONS[name]()), nn.Linear]


def test_encoder_and_decoder_have_activations_of_their_own() -> None:
    config = network(conv(UPSAMPLED[0]))
    parts = encoder_network(config, [3, 8, 8], 5), decoder_network(config, [3, 8, 8], 5)
    kinds = [[type(layer) for layer in part.modules() if isinstance(layer, nn.ReLU | nn.LeakyReLU)] for part in parts]
    # Two convolutions and a hidden layer each; the decoder's linear layers end in one before the first convolution, which its last lacks.
    assert kinds == [[nn.LeakyReLU] * 3, [nn.ReLU] * 3]


def test_a_convolution_halves_the_size_as_written_out() -> None:
    torch.manual_seed(0)
    encoder = encoder_network(network({**conv(UPSAMPLED[0]), "channels": [2], "hidden": []}), [3, 6, 6], 5)
    x = torch.rand(1, 3, 6, 6)
    weights = {name: value.detach().numpy() for name, value in encoder.state_dict().items()}
    (kernel, bias), (last, shift) = ([weights[f"{index}.{kind}"] for kind in ("weight", "bias")] for index in (1, 4))

    padded = np.pad(x[0].numpy(), ((0, 0), (1, 1), (1, 1)))
    # 4x4, stride 2, padding 1: every second place of the correlation.
    maps = [sum(correlate2d(padded[c], kernel[o, c], mode="valid")[::2, ::2] for c in range(3)) + bias[o] for o in range(2)]
    features = np.stack(maps)
    features = np.where(features > 0, features, 0.2 * features)
    assert features.shape == (2, 3, 3)
    np.testing.assert_allclose(encoder(x)[0].detach(), last @ features.ravel() + shift, rtol=1e-4, atol=1e-5)


def upsampling(values: dict[str, Any], before: int, after: int) -> nn.Module:
    return UPSAMPLINGS[values["kind"]](before, after, **{key: value for key, value in values.items() if key != "kind"})


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (7, 5)])
@pytest.mark.parametrize("values", [*UPSAMPLED, {"kind": "transposed", "kernel": 2}, {"kind": "transposed", "kernel": 3}], ids=str)
def test_every_upsampling_doubles_the_size(values: dict[str, Any], size: tuple[int, int]) -> None:
    assert upsampling(values, 3, 2)(torch.rand(2, 3, *size)).shape == (2, 2, 2 * size[0], 2 * size[1])


def convolved(image: np.ndarray, layer: nn.Module) -> np.ndarray:
    """Return the 3x3 convolution of an enlarged image (C, H, W) with zeros around it."""
    weight, bias = (value.detach().numpy() for value in layer.parameters())
    maps = [sum(correlate2d(channel, kernel, mode="same") for channel, kernel in zip(image, kernels, strict=True)) for kernels in weight]
    return np.stack(maps) + bias[:, None, None]


def test_nearest_repeats_every_value() -> None:
    torch.manual_seed(0)
    layer, x = upsampling({"kind": "nearest"}, 3, 2), torch.rand(1, 3, 4, 5)
    enlarged = x[0].numpy().repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(layer(x)[0].detach(), convolved(enlarged, layer), rtol=1e-4, atol=1e-6)


def test_bilinear_interpolates_between_the_centres_of_pixels() -> None:
    torch.manual_seed(0)
    layer, x = upsampling({"kind": "bilinear"}, 3, 2), torch.rand(1, 3, 4, 5)
    enlarged = x[0].numpy()
    for axis in (1, 2):
        size = enlarged.shape[axis]
        # Pixel j of the new image has its centre at (j + 1/2) / 2 - 1/2 of the old one; beyond the outermost centres nothing changes.
        centres = (np.arange(2 * size) + 0.5) / 2 - 0.5
        enlarged = np.apply_along_axis(lambda values, at=centres, n=size: np.interp(at, np.arange(n), values), axis, enlarged)
    np.testing.assert_allclose(layer(x)[0].detach(), convolved(enlarged, layer), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("kernel", "first"), [(4, -1), (5, -2)])
def test_a_transposed_convolution_puts_a_kernel_at_every_second_place(kernel: int, first: int) -> None:
    torch.manual_seed(0)
    layer, x = upsampling({"kind": "transposed", "kernel": kernel}, 3, 2), torch.rand(1, 3, 4, 5)
    weight, bias = (value.detach().numpy() for value in layer.parameters())
    # Value i adds its kernel to places 2 i + first, 2 i + first + 1, ...; what falls outside is lost.
    canvas = np.zeros((2, 8 + 2 * kernel, 10 + 2 * kernel))
    for c, i, j in np.ndindex(3, 4, 5):
        top, left = 2 * i + first + kernel, 2 * j + first + kernel
        canvas[:, top : top + kernel, left : left + kernel] += x[0, c, i, j].item() * weight[c]
    expected = canvas[:, kernel : kernel + 8, kernel : kernel + 10] + bias[:, None, None]
    np.testing.assert_allclose(layer(x)[0].detach(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("kernel", "counts"), [(4, {4}), (5, {4, 6, 9})])
def test_only_a_kernel_that_the_stride_divides_covers_evenly(kernel: int, counts: set[int]) -> None:
    # errata davari 6: inside, 5x5 at stride 2 covers a place 4, 6 or 9 times, 4x4 always 4 times.
    layer = upsampling({"kind": "transposed", "kernel": kernel}, 1, 1)
    with torch.no_grad():
        for parameter, value in zip(layer.parameters(), (1.0, 0.0), strict=True):
            parameter.fill_(value)
        covered = layer(torch.ones(1, 1, 6, 6))[0, 0, 4:-4, 4:-4]
    assert set(covered.unique().tolist()) == counts
