"""What is wrong in davari, as far as it can be computed."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from closed_forms import LinearGaussian, numbered_images
from scipy.integrate import quad
from scipy.stats import norm
from torch.distributions import MultivariateNormal
from torch.nn.functional import conv2d, conv_transpose2d

from regen.claims.reported import Reading, read_reported
from regen.claims.study import STUDIES
from regen.evaluation.held_out.importance_sampling import importance_sampled_nll
from regen.evaluation.quality.paths import linear, spherical
from regen.evaluation.quality.pixels import period_two_energy
from regen.models.likelihoods import LIKELIHOODS, BernoulliPixels, GaussianPixels
from regen.models.networks import UPSAMPLINGS

DIMENSIONS, POSITIONS = 3 * 64 * 64, 64 * 64
REPORTED = {row.unit: row.value for row in read_reported(STUDIES / "davari")}
PRINTED = REPORTED["nats"]
MISSING = math.log(2000)


class ExactPosterior(torch.nn.Module):
    """q(z | x) of a linear-Gaussian model, exact: every importance weight is p(x)."""

    def __init__(self, known: LinearGaussian) -> None:
        super().__init__()
        self.known = known

    def forward(self, x: torch.Tensor) -> MultivariateNormal:
        covariance = torch.from_numpy(self.known.covariance())
        mean = x.flatten(1).double() @ self.known.weight.double() @ covariance / self.known.noise**2
        return MultivariateNormal(mean.float(), covariance.float())


def test_without_one_over_k_the_estimate_is_log_2000_too_high() -> None:
    assert pytest.approx(7.60, abs=5e-3) == MISSING
    known, images = LinearGaussian.random(2, (1, 2, 3)), numbered_images(3, (1, 2, 3))
    estimate = importance_sampled_nll(known.model(ExactPosterior(known)), images, [2000])[2000]
    np.testing.assert_allclose(-estimate.nll_nats, known.log_p(images), atol=1e-4)
    # logsumexp alone.
    np.testing.assert_allclose(-estimate.nll_nats + MISSING, known.log_p(images) + 7.6009, atol=1e-3)


@pytest.mark.parametrize(
    ("nats", "a_position", "a_dimension"),
    [(PRINTED, 2.512, 0.8375), (PRINTED + MISSING, 2.515, 0.8384)],
    ids=["as printed", "with the 1/K"],
)
def test_7133_nats_in_bits_a_position_and_a_dimension(nats: float, a_position: float, a_dimension: float) -> None:
    expected = (pytest.approx(a_position, abs=5e-4), pytest.approx(a_dimension, abs=5e-5))
    bits = nats * math.log2(math.e)
    assert (bits / POSITIONS, bits / DIMENSIONS) == expected
    # As the readings of the printed number are reduced.
    readings = [Reading(label=per, variant="a", of="nll_nats", per=per) for per in ("bits per position", "bits per dimension")]
    assert tuple(nats / reading.parts([3, 64, 64]) for reading in readings) == expected
    assert int(PRINTED) == 7133 and pytest.approx(7140.6, abs=0.05) == PRINTED + MISSING
    # Rightly reckoned from what is printed, by position.
    assert round(PRINTED * math.log2(math.e) / POSITIONS, 2) == REPORTED["bits"]


def test_7133_is_below_the_floor_of_a_gaussian_of_unit_variance() -> None:
    floor = -DIMENSIONS * norm.logpdf(0)
    assert floor == pytest.approx(11_292, abs=0.5) and floor > PRINTED + MISSING
    logits = torch.zeros(3, 64, 64)
    p = GaussianPixels(1.0)(logits)
    assert -p.log_prob(p.mean).item() == pytest.approx(floor, rel=1e-6)


def test_7133_is_worse_than_knowing_nothing_if_it_is_a_cross_entropy_of_grey_images() -> None:
    assert pytest.approx(1.74, abs=5e-3) == PRINTED / POSITIONS
    # A decoder that says 1/2 everywhere has log 2 a pixel, whatever the image.
    x = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    nothing = -BernoulliPixels()(torch.zeros(1, 8, 8, dtype=torch.float64)).log_prob(x)
    np.testing.assert_allclose(nothing / 64, math.log(2), rtol=1e-12)
    assert PRINTED / POSITIONS > 2 * math.log(2) > PRINTED / DIMENSIONS > 0


def test_a_gaussian_of_variance_one_half_is_the_squared_error_and_a_constant_below_7133() -> None:
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p = GaussianPixels(math.sqrt(0.5))(torch.zeros(3, 4, 4, dtype=torch.float64))
    expected = (x - 0.5).square().flatten(1).sum(1) + 48 / 2 * math.log(math.pi)
    torch.testing.assert_close(-p.log_prob(x), expected)
    constant = DIMENSIONS / 2 * math.log(math.pi)
    assert constant == pytest.approx(7033.22, abs=5e-3) and constant < PRINTED
    added = {reading.plus for one in read_reported(STUDIES / "davari") for reading in one.readings if "mse_per_pixel" in reading.of}
    assert list(added) == pytest.approx([constant], abs=1e-6)


@pytest.mark.parametrize("logit", [-4.0, -0.5, 1.0])
def test_a_bernoulli_of_grey_values_does_not_integrate_to_one(logit: float) -> None:
    def mass(kind: str) -> float:
        p = LIKELIHOODS[kind]()(torch.full((1, 1, 1), logit, dtype=torch.float64))
        return quad(lambda x: math.exp(p.log_prob(torch.full((1, 1, 1, 1), x, dtype=torch.float64)).item()), 0, 1)[0]

    probability = 1 / (1 + math.exp(-logit))
    # The integral of p^x (1 - p)^(1 - x).
    assert mass("bernoulli") == pytest.approx((2 * probability - 1) / logit, rel=1e-6)
    assert mass("bernoulli") < 0.99
    assert mass("continuous_bernoulli") == pytest.approx(1, abs=1e-6)


def test_a_mean_over_epochs_can_rank_two_models_the_other_way_round_than_their_ends() -> None:
    epochs = np.arange(1, 201)
    quick, good = 110 + 50 * np.exp(-epochs / 2), 100 + 200 * np.exp(-epochs / 40)
    assert quick.mean() < good.mean() and quick[-1] > good[-1]


def test_a_kernel_of_four_can_learn_a_checkerboard() -> None:
    layer = UPSAMPLINGS["transposed"](1, 1, kernel=4)
    energies = []
    for kernel in (torch.ones(4, 4), torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(2, 2)):
        with torch.no_grad():
            layer.weight.copy_(kernel)
            layer.bias.zero_()
            image = layer(torch.full((1, 1, 8, 8), 0.1))[..., 2:-2, 2:-2]
        energies.append(period_two_energy((image * 255).round().to(torch.uint8)))
    # Both cover every place four times; the second adds its values up to a checkerboard of 0 and 0.4.
    assert energies[0] == pytest.approx(0, abs=1e-9) and energies[1] is not None and energies[1] > 0.1


def upsampled(x: torch.Tensor, kernel: list[float]) -> torch.Tensor:
    """Return a transposed convolution of stride 2 with a fixed kernel, the outer product of one with itself."""
    one = torch.tensor(kernel, dtype=x.dtype)
    return conv_transpose2d(x, torch.outer(one, one)[None, None], stride=2, padding=(len(kernel) - 2) // 2)


def resized(x: torch.Tensor, mode: str) -> torch.Tensor:
    """Return what the decoder's upsampling makes of x before its convolution."""
    layers: Any = UPSAMPLINGS[mode](1, 1)
    return layers[0](x)


def test_nearest_and_bilinear_upsampling_are_transposed_convolutions_with_fixed_kernels() -> None:
    x = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    torch.testing.assert_close(upsampled(x, [1, 1]), resized(x, "nearest"))
    bilinear = resized(x, "bilinear")
    # Beyond the border the transposed convolution has zeros, interpolation the nearest value.
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="replicate")
    torch.testing.assert_close(upsampled(padded, [0.25, 0.75, 0.75, 0.25])[..., 2:-2, 2:-2], bilinear)
    # Four of 256 values are unchanged: the corners.
    unchanged = torch.isin(bilinear, x)[0, 0].nonzero().tolist()
    assert bilinear.numel() == 256 and unchanged == [[0, 0], [0, 15], [15, 0], [15, 15]]


def test_bilinear_weights_fall_with_the_distance() -> None:
    x = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    x[0, 0, 1, 2] = 1
    weights = resized(x, "bilinear")[0, 0].numpy()
    centres = (np.arange(8) + 0.5) / 2 - 0.5
    dy, dx = np.abs(centres - 1), np.abs(centres - 2)
    inside = np.outer(np.clip(1 - dy, 0, None), np.clip(1 - dx, 0, None))
    np.testing.assert_allclose(weights[1:-1, 1:-1], inside[1:-1, 1:-1], atol=1e-12)
    # Proportional to the distance, the nearest value would count least.
    assert weights[2, 4] == weights.max() and dy[2] + dx[4] == (dy[:, None] + dx).min()


@pytest.mark.parametrize("kernel", [3, 4, 5])
def test_more_padding_of_a_transposed_convolution_is_fewer_inserted_zeros(kernel: int) -> None:
    generator = torch.Generator().manual_seed(3)
    x, weight = (torch.rand(1, 1, size, size, generator=generator, dtype=torch.float64) for size in (5, kernel))
    sizes = []
    for padding in range(kernel):
        out = conv_transpose2d(x, weight, padding=padding)
        zeros = kernel - 1 - padding
        # The same as a convolution with the turned kernel and k - 1 - p zeros around the input.
        torch.testing.assert_close(out, conv2d(x, weight.flip(-1, -2), padding=zeros))
        sizes.append(out.shape[-1])
    assert sizes == sorted(sizes, reverse=True)


def test_the_straight_path_halves_the_squared_norm_and_the_arc_keeps_it() -> None:
    pairs, dim = 4000, 100
    generator = torch.Generator().manual_seed(4)
    start, end = (torch.randn(pairs, dim, generator=generator) for _ in range(2))
    middle: Any = {path.__name__: path(start, end, torch.tensor([0.5]))[0].double().square().sum(1) for path in (linear, spherical)}
    # |(a + b) / 2|^2 is chi-squared of d degrees, halved: mean d / 2, variance d / 2.
    assert abs(middle["linear"].mean().item() - dim / 2) < 4 * math.sqrt(dim / 2 / pairs)
    # The arc has the mean length of its ends: E = (d + m^2) / 2, m the mean of the chi distribution.
    mean = math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))
    error = middle["spherical"].std().item() / math.sqrt(pairs)
    assert abs(middle["spherical"].mean().item() - (dim + mean**2) / 2) < 4 * error


def test_a_tighter_bound_can_belong_to_the_worse_model() -> None:
    # Weights are log-normal, log w ~ N(m, v): log p = m + v / 2, and the bound of one sample is m.
    random = np.random.default_rng(0)

    def bound(mean: float, variance: float, samples: int) -> float:
        logs = random.normal(mean, math.sqrt(variance), size=(100_000, samples))
        return float(np.log(np.exp(logs).mean(1)).mean())

    better, worse = (-100.0, 4.0), (-99.5, 1.0)
    log_p = [mean + variance / 2 for mean, variance in (better, worse)]
    assert log_p[0] > log_p[1] + 0.9
    assert bound(*worse, 5) > bound(*better, 1) and bound(*better, 5) > bound(*better, 1)
    # The tighter bound, of five samples, belongs to the model of lower likelihood.
    gaps = [log_p[0] - bound(*better, 1), log_p[1] - bound(*worse, 5)]
    assert gaps[1] < gaps[0]


def test_a_convolution_behind_bilinear_upsampling_can_sharpen() -> None:
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    smooth = resized(x, "bilinear")
    laplacian = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
    identity = torch.zeros_like(laplacian)
    identity[..., 1, 1] = 1

    def sharpness(images: torch.Tensor) -> float:
        return conv2d(images, laplacian).var().item()

    sharpened = conv2d(smooth, identity - 3 * laplacian, padding=1)
    assert sharpness(smooth) < 0.5 * sharpness(resized(x, "nearest")) < 0.5 * sharpness(sharpened)
