"""One stage on a worker: an empty folder is filled, the command runs in the warm interpreter, what it made goes back.

A task is a mapping of plain values: key, commands, cwd, env, early (names in env that the interpreter has from its start), preload, paths
(of the code, to import from), expected (see environment.py), bundles (for each the files with their sizes, and how many pieces hold them;
the first is the code), code (that bundle's name), outs, bring, keep, gpu. Paths are relative to the pipeline's root.
"""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from .bundles import collect, link, unpack
from .environment import check
from .gpus import Gpus
from .place import folder, locked, tidy
from .warmth import Warmth

__all__ = ["end", "leave", "run"]

FULL = 1 << 20
"""Free bytes below which a disk counts as full: less than most outputs need."""
WORKER_AT_FAULT = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


class _Node:
    """What one worker process keeps between stages."""

    def __init__(self, local_directory: str, gpus: float) -> None:
        self.place = folder(Path(local_directory))
        self.warmth = Warmth(self.place)
        self.gpus = Gpus(gpus)
        tidy(self.place)


_LOCK = Lock()
_NODES: dict[str, _Node] = {}
"""By the worker's address: several workers can be in one process."""


def _node(worker: Any) -> _Node:
    with _LOCK:
        if worker.address not in _NODES:
            _NODES[worker.address] = _Node(worker.local_directory, worker.state.total_resources.get("gpu", 0))
        return _NODES[worker.address]


def leave(dask_worker: Any) -> None:
    """End this worker and its nanny, as soon as this has been answered."""
    dask_worker.loop.call_later(0.1, dask_worker.close, executor_wait=False)


def end(keys: list[str], dask_worker: Any) -> None:
    """End the commands of tasks that run on this worker."""
    if dask_worker.address in _NODES:
        _NODES[dask_worker.address].warmth.end(keys)


def run(task: dict[str, Any], *pieces: bytes) -> dict[str, Any]:
    """Run a task; return its status, log, seconds and outputs, or why this worker is not to be used any more ("refused")."""
    from distributed import get_worker

    worker = get_worker()
    if wrong := check(task["expected"]):
        return {"refused": wrong, "worker": worker.address}
    node = _node(worker)
    try:
        with node.gpus.share(task["gpu"]) as visible:
            task["env"] = {**task["env"], "CUDA_VISIBLE_DEVICES": visible}
            outcome = _execute(task, pieces, node)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in WORKER_AT_FAULT:
            raise
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        return {"refused": reason, "worker": worker.address}
    return {**outcome, "worker": worker.address}


def _execute(task: dict[str, Any], pieces: tuple[bytes, ...], node: _Node) -> dict[str, Any]:
    code, *inputs = _cut(task, pieces)
    root = _unpacked(node.place / "code", task["code"], *code)
    with locked(node.place / "tasks", task["key"], task["keep"]) as box:
        link(root, box, [*(name for files, _ in inputs for name, _ in files), *task["outs"], *task["bring"], *task["keep"], task["cwd"]])
        for files, contents in inputs:
            unpack(box, files, contents)
        (box / task["cwd"]).mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        ended = node.warmth.run(task, root, box)
        seconds = time.perf_counter() - began
        if ended["status"] and shutil.disk_usage(box).free < FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(node.place))
        made: tuple[dict[str, list[bytes]], list[str]] = ({}, [])
        if not ended["status"]:
            made = collect(box, [*task["outs"], *task["bring"]])
            # What was kept for another attempt is of no use any more.
            shutil.rmtree(box)
    return {**ended, "files": made[0], "folders": made[1], "seconds": seconds}


def _cut(task: dict[str, Any], pieces: tuple[bytes, ...]) -> Iterator[tuple[list[tuple[str, int]], tuple[bytes, ...]]]:
    """Yield each bundle's files and pieces."""
    position = 0
    for files, count in task["bundles"]:
        yield files, pieces[position : position + count]
        position += count


def _unpacked(place: Path, name: str, files: list[tuple[str, int]], pieces: tuple[bytes, ...]) -> Path:
    """Return the folder with this code, unpacked once on each machine."""
    target = place / name
    if not target.exists():
        temporary = place / f".{name}.{os.getpid()}.{time.monotonic_ns()}"
        temporary.mkdir(parents=True)
        try:
            unpack(temporary, files, pieces)
            with _kept_by_another():
                temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    os.utime(target)
    return target


@contextmanager
def _kept_by_another() -> Iterator[None]:
    """Let another worker of this machine have been first."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
