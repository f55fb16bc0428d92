"""Files on their way to the workers: in bundles under the hash of what they hold, sent once, the latest ones kept there."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from .errors import RunnerError
from .worker.bundles import PIECE, pieces_of

__all__ = ["Bundle", "File", "Sender", "changed"]

KEPT = 1 << 30
"""Bytes that stay with the workers for stages to come."""


@dataclass(frozen=True)
class File:
    """A file of this machine, under the name that it has below the pipeline's root, as it was when its MD5 was taken."""

    name: str
    path: Path
    md5: str
    size: int


@dataclass(frozen=True)
class Bundle:
    """Files that travel together."""

    files: tuple[File, ...]

    @cached_property
    def name(self) -> str:
        """The hash of the files' names and contents."""
        return hashlib.sha256(json.dumps([(file.name, file.md5) for file in self.files]).encode()).hexdigest()[:32]

    @property
    def listing(self) -> list[tuple[str, int]]:
        """Names and sizes, in the order in which the contents are sent."""
        return [(file.name, file.size) for file in self.files]

    def pieces(self) -> Iterator[bytes]:
        """Yield the contents; a `RunnerError` names the file that is not what it was."""
        for file in self.files:
            md5 = hashlib.md5(usedforsecurity=False).hexdigest()
            try:
                for piece, md5 in pieces_of(file.path):  # noqa: B007 (the last one counts)
                    yield piece
            except OSError as error:
                raise changed(file.name) from error
            if md5 != file.md5:
                raise changed(file.name)


def changed(name: str) -> RunnerError:
    """Return what is said of a file that was edited while the pipeline ran."""
    return RunnerError(f"{name}: expected the file as it was when the run began to look at it, got another; run the same again")


class Sender:
    """Sends bundles, each once. What a worker that died has taken with it is sent again under another name: dask remembers lost ones."""

    def __init__(self, scatter: Callable[[dict[str, bytes]], dict[str, Any]]) -> None:
        self._scatter = scatter
        self._sent: OrderedDict[str, list[Any]] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._lock = Lock()

    def send(self, bundle: Bundle) -> list[Any]:
        """Return dask's futures of the pieces of a bundle, in their order."""
        with self._lock:
            if bundle.name not in self._sent:
                stem = f"bundle-{bundle.name}-{uuid4().hex[:8]}"
                self._sent[bundle.name] = list(self._scattered(stem, bundle.pieces()))
                self._sizes[bundle.name] = sum(file.size for file in bundle.files)
            self._sent.move_to_end(bundle.name)
            futures = self._sent[bundle.name]
            while len(self._sent) > 1 and sum(self._sizes[name] for name in self._sent) > KEPT:
                self._sent.popitem(last=False)
            return futures

    def _scattered(self, stem: str, pieces: Iterator[bytes]) -> Iterator[Any]:
        for number, piece in enumerate(_joined(pieces)):
            name = f"{stem}-{number}"
            yield self._scatter({name: piece})[name]

    def forget(self, lost: Callable[[Any], bool]) -> None:
        """Send again what is lost, when it is needed next."""
        with self._lock:
            for name in [name for name, futures in self._sent.items() if any(map(lost, futures))]:
                del self._sent[name]


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Put the contents of small files together, so that a folder of thousands is not sent one by one."""
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        if gathered and size + len(piece) > PIECE:
            yield b"".join(gathered)
            gathered, size = [], 0
        gathered.append(piece)
        size += len(piece)
    if gathered:
        yield b"".join(gathered)
