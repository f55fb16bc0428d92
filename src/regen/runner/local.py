"""The pool on this machine: every command in a fork of a warm interpreter, in the work tree."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .commands import commands, log_file
from .interpreter import Ended, Interpreter
from .plain import Plain
from .pool import Outcome

__all__ = ["Local"]


def trusted() -> bool:
    """Say whether a process with modules in it can be forked: not on macOS, whose own libraries refuse, nor where there is no fork."""
    return hasattr(os, "fork") and sys.platform != "darwin"


class Local:
    """A pool of `jobs` commands at once on this machine.

    `preload` are modules to import beforehand; `logs` is a folder for the commands' logs, one file a stage, made anew in each run.
    """

    def __init__(self, jobs: int, logs: Path, preload: Sequence[str] = ()) -> None:
        self.jobs, self.logs = jobs, logs
        self.free = threading.Semaphore(jobs)
        # DVC takes the first `python` of PATH, too.
        python = shutil.which("python") or sys.executable
        self.interpreter: Interpreter | Plain = Interpreter(python, preload) if trusted() else Plain(python)

    def slots(self) -> int:
        """Return how many commands run at once."""
        return self.jobs

    def prepare(self, stage: Any) -> Callable[[], Outcome]:
        """Return what runs the stage's commands one after the other, up to the first that fails."""
        log = log_file(self.logs, stage.addressing)
        listed = commands(stage, log)

        def run() -> Outcome:
            with self.free:
                self.logs.mkdir(parents=True, exist_ok=True)
                log.write_bytes(b"")
                ends: list[Ended] = []
                for command in listed:
                    ends.append(self.interpreter.run(command))
                    if ends[-1].status:
                        break
                text = log.read_text(encoding="utf-8", errors="replace")
                return Outcome(ends[-1].status, text, sum(end.seconds for end in ends), sum(end.cpu for end in ends))

        return run

    def settled(self, stage: Any) -> None:
        """Nothing is held for a stage."""

    def stop(self) -> None:
        """End every command that runs, and start no other."""
        self.interpreter.stop()

    def close(self) -> None:
        """End the interpreter."""
        self.interpreter.close()
