"""State of an interrupted run, outside every DVC output, from which it continues to the same bits."""

import hashlib
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

import regen
from regen.common.errors import UserError
from regen.common.files import read_tensors, write_tensors
from regen.training.adam import Adam

__all__ = ["Checkpoint", "Pace", "fingerprint"]

CODE = ("common", "config", "images", "models", "training")
"""Parts of the package that decide a run's result: a changed figure does not throw a checkpoint away."""


def fingerprint(config: dict[str, Any], seed: int, images: Iterable[torch.Tensor]) -> str:
    """Return a digest of all that decides a run's result: configuration, seed, images (uint8), code, torch.

    A checkpoint of another fingerprint is of another run, and is never resumed.
    """
    digest = hashlib.sha256(f"{config} {seed} {torch.__version__} {torch.backends.cpu.get_cpu_capability()}".encode())
    for tensor in images:
        digest.update(tensor.numpy().tobytes())
    package = Path(regen.__file__).parent
    for source in sorted(path for part in CODE for path in (package / part).rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


class Checkpoint:
    """A folder with the latest state of one run and the snapshots taken so far."""

    def __init__(self, folder: Path, key: str) -> None:
        self.path = folder / "state.safetensors"
        self.key = key

    def save(self, modules: nn.Module, optimizers: Sequence[Adam], history: list[dict[str, float]]) -> None:
        """Write weights and buffers, the optimisers' states and history in one file, atomically."""
        tensors = {f"modules.{name}": tensor for name, tensor in modules.state_dict().items()}
        for player, optimizer in enumerate(optimizers):
            tensors |= {f"optimizer.{player}.{name}": tensor for name, tensor in optimizer.state().items()}
        # Pairs, for the order of the columns: objects are sorted when they are written.
        write_tensors(self.path, tensors, {"key": self.key, "history": [list(row.items()) for row in history]})

    def restore(self, modules: nn.Module, optimizers: Sequence[Adam]) -> list[dict[str, float]]:
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
        modules.load_state_dict(_below("modules.", tensors))
        for player, optimizer in enumerate(optimizers):
            optimizer.load_state(_below(f"optimizer.{player}.", tensors))
        return [dict(row) for row in note["history"]]


class Pace:
    """Says at the end of an epoch whether a checkpoint is due, so that two are at most so many minutes apart, or one longer epoch.

    The clock decides when a checkpoint is written, and never what is in it.
    """

    def __init__(self, minutes: float) -> None:
        self.seconds = 60 * minutes
        self.saved = self.ended = time.monotonic()

    def due(self) -> bool:
        """Return whether one more epoch as long as this one would end too late for a checkpoint; if so, it is taken as written now."""
        now = time.monotonic()
        epoch, self.ended = now - self.ended, now
        if now + epoch - self.saved <= self.seconds:
            return False
        self.saved = now
        return True


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
