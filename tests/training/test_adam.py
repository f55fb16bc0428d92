"""The optimiser beside torch's own: the same bits, from the start and from a state."""

from collections.abc import Callable

import torch
from torch import nn

from regen.training.adam import Adam

BETAS, EPSILON = (0.5, 0.9), 1e-4
RATES = [0.01, 0.01, 0.003, 0.003, 0.001]


def network() -> nn.Sequential:
    torch.manual_seed(1)
    # A convolution whose gradients come in another layout than its weights have.
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 40))


def trained(model: nn.Sequential, zero_grad: Callable[[], None], step: Callable[[float], object], rates: list[float], seed: int) -> None:
    torch.manual_seed(seed)
    for rate in rates:
        zero_grad()
        x = torch.randn(7, 2, 4, 4).contiguous(memory_format=torch.channels_last)
        model(x).square().mean().backward()
        step(rate)


def ours(model: nn.Sequential, optimizer: Adam, rates: list[float], seed: int) -> None:
    def step(rate: float) -> None:
        optimizer.learning_rate = rate
        optimizer.step()

    trained(model, optimizer.zero_grad, step, rates, seed)


def same(first: nn.Sequential, second: nn.Sequential) -> bool:
    return all(map(torch.equal, first.parameters(), second.parameters()))


def test_every_step_has_the_bits_of_torchs_fused_adam() -> None:
    model, reference = network(), network()
    peer = torch.optim.Adam(reference.parameters(), betas=BETAS, eps=EPSILON, fused=True)

    def step(rate: float) -> None:
        peer.param_groups[0]["lr"] = rate
        peer.step()

    ours(model, Adam(model.parameters(), 1.0, BETAS, EPSILON), RATES, 2)
    trained(reference, peer.zero_grad, step, RATES, 2)
    assert same(model, reference) and not same(model, network())


def test_a_state_goes_on_to_the_same_bits() -> None:
    whole, first, second = network(), network(), network()
    optimizer = Adam(whole.parameters(), 1.0, BETAS, EPSILON)
    ours(whole, optimizer, RATES, 2)
    ours(whole, optimizer, RATES, 3)
    begun, goes_on = (Adam(model.parameters(), 1.0, BETAS, EPSILON) for model in (first, second))
    ours(first, begun, RATES, 2)
    second.load_state_dict(first.state_dict())
    goes_on.load_state({name: tensor.clone() for name, tensor in begun.state().items()})
    ours(second, goes_on, RATES, 3)
    assert same(whole, second) and not same(whole, first)


def test_gradients_are_forgotten_not_set_to_zero() -> None:
    model = network()
    optimizer = Adam(model.parameters(), 1.0, BETAS, EPSILON)
    ours(model, optimizer, RATES[:1], 2)
    assert all(parameter.grad is not None for parameter in model.parameters())
    optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())
