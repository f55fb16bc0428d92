"""Which device a stage computes on."""

import torch

from regen.common.errors import UserError

__all__ = ["resolve_device"]


def resolve_device(name: str) -> torch.device:
    """Return the device of `cpu`, `cuda` or `auto` (CUDA where there is one).

    Raises
    ------
    UserError
        If CUDA is asked for and is not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError('params.yaml: compute.device = "cuda": expected a CUDA device, got none; allowed here: cpu, auto')
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
