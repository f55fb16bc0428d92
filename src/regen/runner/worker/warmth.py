"""The warm interpreters of a worker: one for each version of the code that a driver brings."""

import os
import pkgutil
import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Lock, Timer
from typing import Any

from ..interpreter import Command, Ended, Interpreter
from .place import noted

__all__ = ["Warmth"]

LOG = ".log"
IDLE = 120.0
"""Seconds without a stage after which the interpreters end: most of a worker's memory is theirs."""
LONGEST = 16 << 20
"""Bytes of a log that are brought back: its end."""


class Warmth:
    """Runs commands in interpreters that have imported what stages of that code need; an interpreter of other code that is idle ends."""

    def __init__(self, place: Path) -> None:
        # The package may lie in an archive, which Python cannot run a file of.
        package = (__package__ or "").rpartition(".")[0]
        self._source = place / f"{package}.warm.py"
        temporary = place / f".{package}.{os.getpid()}.tmp"
        temporary.write_bytes(pkgutil.get_data(package, "warm.py") or b"")
        temporary.replace(self._source)
        self._lock = Lock()
        self._warm: dict[tuple[Any, ...], Interpreter] = {}
        self._running: dict[str, Path] = {}
        self._ended: set[str] = set()
        self._cooling: Timer | None = None

    def _interpreter(self, task: dict[str, Any], code: Path) -> Interpreter:
        paths = [str(code / path) for path in task["paths"]]
        told = {name: value for name, value in task["env"].items() if name in task["early"]}
        key = (str(code), *task["preload"], *paths, *sorted(told.items()))
        with self._lock:
            if self._cooling:
                self._cooling.cancel()
            if not self._running:
                self._close([old for old in self._warm if old != key])
            if key not in self._warm:
                path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
                env = {**os.environ, **told, "PATH": path, "PYTHONPATH": os.pathsep.join(paths)}
                self._warm[key] = Interpreter(sys.executable, task["preload"], env, self._source)
            self._running[task["key"]] = Path()
            return self._warm[key]

    def _close(self, keys: Iterable[tuple[Any, ...]]) -> None:
        for key in list(keys):
            self._warm.pop(key).close()

    def _done(self, key: str) -> None:
        """Take note that a task's commands have ended."""
        with self._lock:
            self._running.pop(key, None)
            if self._cooling:
                self._cooling.cancel()
            self._cooling = Timer(IDLE, self._cool)
            self._cooling.daemon = True
            self._cooling.start()

    def _cool(self) -> None:
        with self._lock:
            if not self._running:
                self._close(self._warm)

    def run(self, task: dict[str, Any], code: Path, box: Path) -> dict[str, Any]:
        """Run a task's commands in a folder, up to the first that fails; return status, log, processor seconds, whether it was ended."""
        interpreter = self._interpreter(task, code)
        log = box / LOG
        self._running[task["key"]] = log
        env = {**task["env"], "DVC_ROOT": str(box)}
        ends = [Ended(0)]
        interpreter.current()
        try:
            with noted(box, interpreter.pids()):
                for argv, python in task["commands"]:
                    if ends[-1].status or task["key"] in self._ended:
                        break
                    ends.append(interpreter.run(Command(tuple(argv), python, str(box / task["cwd"]), env, str(log))))
        finally:
            self._done(task["key"])
        ended = task["key"] in self._ended
        self._ended.discard(task["key"])
        text = log.read_bytes()[-LONGEST:].decode(errors="replace") if log.exists() else ""
        return {"status": ends[-1].status, "log": text, "cpu": sum(end.cpu for end in ends), "ended": ended}

    def end(self, keys: Iterable[str]) -> None:
        """End the commands of some tasks."""
        for key in keys:
            if log := self._running.get(key):
                self._ended.add(key)
                for interpreter in self._warm.values():
                    interpreter.end(str(log))
