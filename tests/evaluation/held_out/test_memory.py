"""How many decodes fit into a share of the memory: counted by hand."""

from typing import Any

import pytest
import torch
from closed_forms import vae

from regen.evaluation.held_out.memory import DECODES, TEMPORARIES, decodes_at_once

CONV = {"kind": "conv", "channels": [4, 8], "hidden": [16], "activation": "relu", "decoder_activation": "relu", "batch_norm": False}
CONV |= {"upsampling": {"kind": "transposed", "kernel": 4}}


def mlp(hidden: int) -> Any:
    return vae("gaussian", 2, (1, 28, 28), network={"kind": "mlp", "hidden": [hidden], "activation": "tanh"})


@pytest.mark.parametrize("images", [1, 2, 10])
@pytest.mark.parametrize("memory", [1, 3, 7])
def test_the_count_for_convolutions_is_right_by_hand(memory: int, images: int) -> None:
    # Linear and activation of 16; linear, unflattening, layout, activation of 8 x 7 x 7; a transposed convolution to 4 x 14 x 14 and its
    # activation; one to 28 x 28, once more as the whole network's output.
    values = 2 * 16 + 4 * (8 * 7 * 7) + 2 * (4 * 14 * 14) + 2 * (28 * 28)
    expected = memory * 1_000_000 // (4 * values + TEMPORARIES * 4 * 28 * 28 * images)
    assert 1 < expected < DECODES
    assert decodes_at_once(vae("gaussian", 2, (1, 28, 28), network=CONV), memory, images) == expected


def test_the_count_for_layers_is_right_by_hand() -> None:
    # Linear and tanh of 50; linear and unflattening of 784, and the network's own output.
    assert decodes_at_once(mlp(50), 2) == 2_000_000 // (4 * (2 * 50 + 3 * 784) + TEMPORARIES * 4 * 784)


def test_fewer_fit_into_less_memory_and_of_a_larger_decoder_or_more_images() -> None:
    def falls(counts: list[int]) -> bool:
        return sorted(set(counts), reverse=True) == counts

    assert falls([decodes_at_once(mlp(50), memory) for memory in (10, 5, 2, 1)])
    assert falls([decodes_at_once(mlp(hidden), 5) for hidden in (50, 1000, 5000)])
    assert falls([decodes_at_once(mlp(50), 5, images) for images in (1, 3, 30)])


def test_at_least_one_and_at_most_so_many_as_stay_in_the_cache() -> None:
    assert decodes_at_once(mlp(50), 1, images=1000) == 1
    assert decodes_at_once(mlp(50), 10**6) == DECODES


def test_counting_leaves_no_hooks_and_no_gradient() -> None:
    model = mlp(50)
    decodes_at_once(model, 1)
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters()) and torch.is_grad_enabled()
