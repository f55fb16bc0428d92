"""State of an interrupted run, outside every DVC output, from which it continues to the same bits."""

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from regen.common.errors import UserError
from regen.common.files import read_tensors, write_tensors

__all__ = ["Checkpoint", "fingerprint"]


def fingerprint(config: dict[str, Any], seed: int, images: Iterable[torch.Tensor], code: str) -> str:
    """Return a digest of all that decides a run's result: configuration, seed, images (uint8), code (any text that names it), processor.

    A checkpoint of another fingerprint is of another run, and is never resumed.
    """
    digest = hashlib.sha256(f"{config} {seed} {code} {torch.__version__} {torch.backends.cpu.get_cpu_capability()}".encode())
    for tensor in images:
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


class Checkpoint:
    """A folder with the latest state of one run and the snapshots taken so far."""

    def __init__(self, folder: Path, key: str) -> None:
        self.path = folder / "state.safetensors"
        self.key = key

    def save(self, modules: nn.Module, optimizers: Sequence[torch.optim.Optimizer], history: list[dict[str, float]]) -> None:
        """Write weights and buffers, the optimisers' states and history in one file, atomically."""
        tensors = {f"modules.{name}": tensor for name, tensor in modules.state_dict().items()}
        for player, optimizer in enumerate(optimizers):
            for index, state in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{player}.{index}.{name}": value for name, value in state.items()}
        # Pairs, for the order of the columns: objects are sorted when they are written.
        write_tensors(self.path, tensors, {"key": self.key, "history": [list(row.items()) for row in history]})

    def restore(self, modules: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> list[dict[str, float]]:
        """Load the state of the same run into `modules` and `optimizers` and return its history.

        Without one (none there, unreadable, or of another run) the folder is emptied and the history is empty.
        """
        try:
            tensors, note = read_tensors(self.path)
        except UserError:
            note = None
        if not isinstance(note, dict) or note.get("key") != self.key:
            shutil.rmtree(self.path.parent, ignore_errors=True)
            return []
        modules.load_state_dict({name.removeprefix("modules."): tensor for name, tensor in tensors.items() if name.startswith("modules.")})
        states: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in optimizers]
        for name, tensor in tensors.items():
            if name.startswith("optimizer."):
                _, player, index, key = name.split(".", 3)
                states[int(player)].setdefault(int(index), {})[key] = tensor
        for optimizer, state in zip(optimizers, states, strict=True):
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        return [dict(row) for row in note["history"]]
