"""Every flow layer obeys the same laws: its inverse, its Jacobian against autograd, densities that integrate to 1."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn
from torch.autograd.functional import jacobian
from torch.distributions import ComposeTransform, Independent, Normal, Transform, TransformedDistribution

from regen.config.base import parse
from regen.config.model import PixelFlow as PixelFlowConfig
from regen.config.model import RealNvp as RealNvpConfig
from regen.models.flows import AffineCoupling, Conditioner, FlowPrior, Permutation, RealNvp
from regen.models.pixel_flow import PixelFlow

DIM, ALPHA = 6, 0.05


def coupling_config(networks: str, couplings: int = 3, **more: bool) -> RealNvpConfig:
    values = {"kind": "realnvp", "couplings": couplings, "networks": networks, "hidden": [5], "activation": "tanh", **more}
    return parse(RealNvpConfig, values, "test")


def pixel_flow(shape: list[int]) -> PixelFlow:
    flow = coupling_config("one_each").model_dump()
    return PixelFlow(parse(PixelFlowConfig, {"family": "flow", "alpha": ALPHA, "flow": flow}, "test"), shape)


def strong(module: nn.Module) -> nn.Module:
    """Give a module weights that bend the space, in double precision."""
    generator = torch.Generator().manual_seed(1)
    for parameter in module.double().parameters():
        nn.init.normal_(parameter, std=0.7, generator=generator)
    return module


LAYERS: dict[str, Callable[[], Transform]] = {
    "coupling with one network": lambda: AffineCoupling(strong(Conditioner(DIM // 2, coupling_config("one")))),
    "coupling with one each": lambda: AffineCoupling(strong(Conditioner(DIM // 2, coupling_config("one_each")))),
    "coupling with a gain": lambda: AffineCoupling(strong(Conditioner(DIM // 2, coupling_config("one", learn_gain=True)))),
    "permutation": lambda: Permutation(torch.tensor([1, 2, 4, 0, 5, 3])),  # not its own inverse
    "RealNVP": lambda: ComposeTransform(strong(RealNvp(DIM, coupling_config("one"))).transforms()),
    "RealNVP with gains": lambda: ComposeTransform(strong(RealNvp(DIM, coupling_config("one_each", learn_gain=True))).transforms()),
    "pixel flow": lambda: ComposeTransform(strong(pixel_flow([1, 2, 3]))().transforms),
}


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest) -> Transform:
    return LAYERS[request.param]()


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.randn(5, DIM, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def log_dets(transform: Callable[[torch.Tensor], torch.Tensor], points: torch.Tensor) -> torch.Tensor:
    """Return log |det| of the transform's Jacobian at points (N, D), by autograd."""
    matrices = [jacobian(transform, point).reshape(point.numel(), point.numel()) for point in points]
    return torch.linalg.slogdet(torch.stack(matrices)).logabsdet


def test_the_inverse_undoes_the_layer_and_the_layer_its_inverse(layer: Transform, noise: torch.Tensor) -> None:
    y = layer(noise)
    torch.testing.assert_close(layer.inv(y), noise, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(layer(layer.inv(y)), y, rtol=1e-9, atol=1e-9)
    assert not torch.allclose(y.flatten(1), noise)


def test_the_log_determinant_is_that_of_autograds_jacobian(layer: Transform, noise: torch.Tensor) -> None:
    expected = log_dets(layer, noise)
    y = layer(noise)
    torch.testing.assert_close(layer.log_abs_det_jacobian(noise, y), expected, rtol=1e-9, atol=1e-9)
    u = layer.inv(y)
    torch.testing.assert_close(layer.log_abs_det_jacobian(u, y), expected, rtol=1e-8, atol=1e-8)
    # Of another pair than the one computed last.
    layer(noise + 1)
    torch.testing.assert_close(layer.log_abs_det_jacobian(noise.clone(), y.clone()), expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(layer.inv.log_abs_det_jacobian(y, noise), -expected, rtol=1e-9, atol=1e-9)


def test_a_gain_lifts_the_bound_of_the_log_scale_and_changes_nothing_where_it_begins() -> None:
    torch.manual_seed(0)
    plain = Conditioner(2, coupling_config("one"))
    torch.manual_seed(0)
    raised = Conditioner(2, coupling_config("one", learn_gain=True))
    kept = 100 * torch.randn(50, 2, generator=torch.Generator().manual_seed(1))
    assert all(torch.equal(one, other) for one, other in zip(plain(kept), raised(kept), strict=True))
    bounded, _ = plain(kept)
    assert 0.5 < bounded.abs().max() <= 1
    with torch.no_grad():
        raised.gain.copy_(torch.tensor([7.0, 0.5]))
    torch.testing.assert_close(raised(kept)[0], bounded * torch.tensor([7.0, 0.5]))


def test_log_prob_is_the_change_of_variables(layer: Transform, noise: torch.Tensor) -> None:
    base = Independent(Normal(torch.zeros(DIM).double(), torch.ones(DIM).double()), 1)
    log_prob = TransformedDistribution(base, [layer]).log_prob(layer(noise))
    expected = norm.logpdf(noise.numpy()).sum(1) - log_dets(layer, noise).numpy()
    np.testing.assert_allclose(log_prob.detach(), expected, rtol=1e-8)


def test_the_priors_log_prob_and_log_determinant(noise: torch.Tensor) -> None:
    prior = strong(FlowPrior(DIM, coupling_config("one_each")))
    forward = ComposeTransform(prior.flow.transforms())
    log_det = log_dets(forward, noise)
    z = forward(noise)
    torch.testing.assert_close(prior.log_abs_det(z), log_det, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(prior().log_prob(z).detach(), norm.logpdf(noise.numpy()).sum(1) - log_det.numpy(), rtol=1e-8)


def test_gradients_reach_the_weights_through_rsample() -> None:
    prior = strong(FlowPrior(DIM, coupling_config("one")))

    def value() -> torch.Tensor:
        torch.manual_seed(3)
        return prior().rsample(torch.Size([4])).cos().sum()

    parameters, step = list(prior.parameters()), 1e-5
    for parameter, gradient in zip(parameters, torch.autograd.grad(value(), parameters), strict=True):
        with torch.no_grad():
            parameter.view(-1)[0] += step
            above = value()
            parameter.view(-1)[0] -= 2 * step
            below = value()
            parameter.view(-1)[0] += step
        assert gradient.view(-1)[0].item() == pytest.approx((above - below).item() / (2 * step), abs=1e-7)


def test_samples_of_a_two_dimensional_flow_have_its_density() -> None:
    prior = strong(FlowPrior(2, coupling_config("one_each")))
    axis = torch.linspace(-20, 20, 801, dtype=torch.float64)
    grid, area = torch.cartesian_prod(axis, axis), (axis[1] - axis[0]) ** 2
    with torch.no_grad():
        density = prior().log_prob(grid).exp()
        torch.manual_seed(4)
        samples = prior().sample(torch.Size([20_000])).double()
    # The trapezoidal rule on a smooth density that vanishes at the border converges faster than any power of the step.
    assert (density.sum() * area).item() == pytest.approx(1, abs=1e-9)
    for moment in (lambda z: z[:, 0], lambda z: z[:, 1], lambda z: z[:, 0] * z[:, 1], lambda z: z.square().sum(1)):
        drawn = moment(samples)
        assert abs(drawn.mean() - (density * moment(grid)).sum() * area) < 4 * drawn.std() / math.sqrt(len(drawn))


def nodes(low: float, high: float, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return Gauss-Legendre points of a square as images (count^2, 1, 1, 2) and their weights."""
    points, weights = (torch.from_numpy(values) for values in np.polynomial.legendre.leggauss(count))
    points, weights = low + (high - low) * (points + 1) / 2, weights * (high - low) / 2
    return torch.cartesian_prod(points, points).view(-1, 1, 1, 2), torch.outer(weights, weights).flatten()


@torch.no_grad()
def test_a_pixel_flows_density_integrates_to_one_and_its_probabilities_to_the_mass_of_the_unit_square() -> None:
    model = strong(pixel_flow([1, 1, 2]))
    margin = ALPHA / 2 / (1 - ALPHA)
    points, weights = nodes(-margin, 1 + margin, 600)
    assert (weights * model().log_prob(points).exp()).sum().item() == pytest.approx(1, abs=1e-6)
    points, weights = nodes(0, 1, 200)
    mass = (weights * model().log_prob(points).exp()).sum().item()
    # exp(-nll) at one dequantisation is an unbiased estimate of an image's probability; here of all 65,536.
    levels = torch.arange(256, dtype=torch.float64) / 255
    images = torch.cartesian_prod(levels, levels).view(-1, 1, 1, 2)
    torch.manual_seed(5)
    sums = torch.stack([torch.exp(-model.nll_nats(images)).sum() for _ in range(20)])
    assert abs(sums.mean().item() - mass) < 4 * sums.std().item() / math.sqrt(20)
    assert mass < 0.99  # so that the probabilities, too, are seen to leak


@torch.no_grad()
def test_without_weights_a_pixel_is_logit_normal_and_its_levels_have_their_exact_probabilities() -> None:
    model, draws = pixel_flow([1, 1, 2]).double(), 500
    for parameter in model.parameters():
        parameter.zero_()
    edges = ALPHA / 2 + (1 - ALPHA) * np.arange(257) / 256
    levels = np.diff(norm.cdf(np.log(edges / (1 - edges))))
    images = torch.stack([torch.arange(256), 255 - torch.arange(256)], dim=1).view(256, 1, 1, 2).double() / 255
    torch.manual_seed(6)
    nll = model.nll_nats(images.repeat(draws, 1, 1, 1)).view(draws, 256)
    torch.manual_seed(6)
    dequantised = (images.numpy() * 255 + torch.rand(draws, 256, 1, 1, 2, dtype=torch.float64).numpy()) / 256
    value = ALPHA / 2 + (1 - ALPHA) * dequantised
    log_density = norm.logpdf(np.log(value / (1 - value))) - np.log(value * (1 - value)) + math.log(1 - ALPHA)
    np.testing.assert_allclose(nll, 2 * math.log(256) - log_density.sum((2, 3, 4)), rtol=1e-8)
    probabilities = torch.exp(-nll)
    error = probabilities.std(0).numpy() / math.sqrt(draws)
    assert np.all(np.abs(probabilities.mean(0).numpy() - levels * levels[::-1]) < 4 * error)
    assert np.all(error < 0.02 * levels * levels[::-1])
