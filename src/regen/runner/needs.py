"""What a stage asks of the runner: the checked reading of `meta: {runner: {...}}` in dvc.yaml."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import RunnerError

if TYPE_CHECKING:
    from dvc.stage import Stage

__all__ = ["Needs"]


@dataclass(frozen=True)
class Needs:
    """What a stage needs beside its dependencies, and how it stands in the run. Paths are relative to the stage's `wdir`.

    `preload`: modules that the warm interpreter imports before the first command, in this order. `here`: runs on the driver's machine.
    `code`: paths that the command needs beside its dependencies. `keep`: folders that survive at a worker from one attempt to the next
    (checkpoints). `bring`: undeclared files or folders that are brought back (logs). `resources`: amounts of named resources.
    `gate`: if it fails, everything stops.
    """

    preload: tuple[str, ...] = ()
    here: bool = False
    code: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    bring: tuple[str, ...] = ()
    resources: dict[str, float] = field(default_factory=dict)
    gate: bool = False

    @classmethod
    def of(cls, stage: "Stage") -> "Needs":
        """Return the needs of a stage; a `RunnerError` names the stage, the key and what is allowed."""
        meta = stage.meta
        return cls.read(meta.get("runner") if isinstance(meta, dict) else None, stage.addressing)

    @classmethod
    def read(cls, written: Any, address: str) -> "Needs":
        """Return the needs that a stage's `meta: {runner: ...}` states; nothing written means the defaults."""
        where = f"{address}: meta: runner"
        if written is None:
            return cls()
        if not isinstance(written, dict):
            raise RunnerError(f"{where}: expected a mapping, got {written!r}")
        for key, value in written.items():
            if key not in KEYS:
                raise RunnerError(f"{where}: unknown key {key!r}; allowed: {', '.join(sorted(KEYS))}")
            expected, allowed = KEYS[key]
            if not allowed(value):
                raise RunnerError(f"{where}: {key}: expected {expected}, got {value!r}")
        needs: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in written.items()}
        return cls(**needs)


def _texts(value: Any) -> bool:
    """Say whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(entry, str) and entry for entry in value)


def _switch(value: Any) -> bool:
    """Say whether a value is true or false."""
    return isinstance(value, bool)


def _amounts(value: Any) -> bool:
    """Say whether a value maps names to amounts above 0."""
    if not isinstance(value, dict):
        return False
    return all(isinstance(name, str) and type(amount) in (int, float) and amount > 0 for name, amount in value.items())


_TEXTS, _SWITCH, _AMOUNTS = ("a list of texts", _texts), ("true or false", _switch), ("a mapping of names to amounts above 0", _amounts)
KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "preload": _TEXTS,
    "here": _SWITCH,
    "code": _TEXTS,
    "keep": _TEXTS,
    "bring": _TEXTS,
    "resources": _AMOUNTS,
    "gate": _SWITCH,
}
"""What each key may hold, in words and as a check."""
