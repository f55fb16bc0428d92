"""The folder of a worker that survives its death: code, and folders of tasks with the checkpoints in them."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["folder", "locked", "noted", "tidy"]

ENDING = 30
"""Seconds to wait for the commands of a worker that was killed: they are ended within a few."""
UNUSED = 30 * 24 * 3600
"""Seconds after which code and checkpoints that nobody asked for again are deleted."""


def folder(local_directory: Path) -> Path:
    """Return the folder beside dask's own scratch space, which dask deletes with the worker; nobody else can read it.

    Raises
    ------
    PermissionError
        If another user made a folder of that name there.
    """
    # <--local-directory>/dask-scratch-space/worker-xyz
    place = local_directory.parents[1] / f"stages-{os.getuid()}"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.lstat().st_uid != os.getuid() or place.is_symlink():
        raise PermissionError(f"{place}: expected a folder of user {os.getuid()}'s, got another's; give the worker a --local-directory")
    return place


def tidy(place: Path) -> None:
    """Delete what has not been used for long."""
    for path in [*(place / "code").glob("*"), *(place / "tasks").glob("*")]:
        with suppress(FileNotFoundError):
            if path.lstat().st_mtime < time.time() - UNUSED:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


@contextmanager
def noted(box: Path, pids: Sequence[int]) -> Iterator[None]:
    """Leave word, while commands run in a task's folder, of the processes that end them when the worker is gone."""
    note = box.with_name(f"{box.name}.pids")
    note.write_text(" ".join(map(str, pids)))
    try:
        yield
    finally:
        note.unlink()


def _await_end(box: Path) -> None:
    """Wait until what a worker that was killed had running in a folder has ended too."""
    note = box.with_name(f"{box.name}.pids")
    until = time.monotonic() + ENDING
    while note.exists() and any(map(_lives, map(int, note.read_text().split()))) and time.monotonic() < until:
        time.sleep(0.05)
    note.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def locked(place: Path, key: str, keep: Sequence[str]) -> Iterator[Path]:
    """Yield a task's folder, with nothing in it but what an attempt that did not end well has left in the folders to keep.

    A second worker of this machine that is given the same task meanwhile has another folder.
    """
    place.mkdir(exist_ok=True)
    number = 0
    while True:
        name = f"{key}-{number}" if number else key
        with (place / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                number += 1
                continue
            box = place / name
            box.mkdir(exist_ok=True)
            _await_end(box)
            _clear(box, [box / kept for kept in keep])
            try:
                yield box
            finally:
                if box.exists():
                    _clear(box, [box / kept for kept in keep])
                    os.utime(box)
            return


def _clear(folder: Path, keep: Sequence[Path]) -> None:
    for path in folder.iterdir():
        if path in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            if any(kept.is_relative_to(path) for kept in keep):
                _clear(path, keep)
            else:
                shutil.rmtree(path)
        else:
            path.unlink()
