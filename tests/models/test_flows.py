"""What a flow leaves behind."""

import gc

import torch

from regen.config.base import parse
from regen.config.model import RealNvp
from regen.models.flows import FlowPrior

CONFIG = {"kind": "realnvp", "couplings": 3, "networks": "one_each", "hidden": [4], "activation": "relu"}


def tensors() -> int:
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


def test_a_density_leaves_no_tensor_for_the_garbage_collector() -> None:
    prior, z = FlowPrior(4, parse(RealNvp, CONFIG, "test")), torch.randn(5, 4)
    gc.collect()
    gc.disable()
    try:
        prior().log_prob(z).sum().backward()
        before = tensors()
        for _ in range(3):
            prior().log_prob(z).sum().backward()
        assert tensors() == before
    finally:
        gc.enable()
