"""The other end of a warm interpreter: commands in, how they ended out; a new one where it died or its modules have changed."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .errors import RunnerError

__all__ = ["Command", "Ended", "Interpreter"]

WARM = Path(__file__).with_name("warm.py")
STOPPED = -15
"""The status of a command that was not started, or was ended, because everything stops."""


@dataclass(frozen=True)
class Command:
    """One command line: with `python`, `argv` is what follows `python` there; else a program and its arguments.

    `env` is added to the environment that the interpreter was started in; standard output and error are appended to the file `log`.
    """

    argv: tuple[str, ...]
    python: bool
    cwd: str
    env: dict[str, str]
    log: str


@dataclass(frozen=True)
class Ended:
    """How a command ended: `status` as `subprocess` gives it, the seconds that it took and the seconds of processor time."""

    status: int
    seconds: float = 0.0
    cpu: float = 0.0


class _StaleError(Exception):
    """The interpreter has imported a file that was changed since."""


class _Process:
    """One warm process and the commands that it runs."""

    def __init__(self, python: str, preload: Sequence[str], env: Mapping[str, str] | None, source: Path) -> None:
        self.process = subprocess.Popen(
            [python, str(source), *preload],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.said = ""
        hearing = threading.Thread(target=self.hear, daemon=True)
        hearing.start()
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            status = self.process.wait()
            hearing.join(timeout=1)
            reason = f": {self.said}" if self.said else ""
            raise RunnerError(f"{python}: expected an interpreter that runs the stages' commands, got one that ended with {status}{reason}")
        self.lock, self.gone, self.retired = threading.Lock(), False, False
        self.waiting: dict[int, Future[Ended]] = {}
        self.pids: dict[int, int] = {}
        self.logs: dict[int, str] = {}
        threading.Thread(target=self.listen, daemon=True).start()

    def hear(self) -> None:
        """Keep the last line of its own standard error: why it could not start."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said = line.decode(errors="replace").strip() or self.said

    def listen(self) -> None:
        """Hand the answers to those who wait for them, until there are none to come."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            answer = json.loads(line)
            number = answer.pop("id")
            if "pid" in answer:
                self.pids[number] = answer["pid"]
                continue
            with self.lock:
                self.pids.pop(number, None)
                self.logs.pop(number, None)
                future = self.waiting.pop(number)
                if self.retired and not self.waiting:
                    self.end()
            if "stale" in answer:
                future.set_exception(_StaleError(answer["stale"]))
            else:
                future.set_result(Ended(**answer))
        self.process.wait()
        # Killed, most likely: nobody else ends what it was running.
        with self.lock:
            self.gone = True
            for number, future in self.waiting.items():
                if number in self.pids:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(self.pids[number], signal.SIGKILL)
                future.set_result(Ended(-signal.SIGKILL))
            self.waiting.clear()

    def send(self, number: int, command: Command) -> Future[Ended] | None:
        """Return what will hold the command's end; None where the process is gone."""
        future: Future[Ended] = Future()
        with self.lock:
            if self.gone or self.retired:
                return None
            self.waiting[number] = future
            self.logs[number] = command.log
            assert self.process.stdin is not None
            try:
                self.process.stdin.write(json.dumps({"id": number, **asdict(command)}).encode() + b"\n")
                self.process.stdin.flush()
            except OSError:
                del self.waiting[number]
                return None
        return future

    def retire(self) -> None:
        """Take no more commands; end when those that run have ended."""
        with self.lock:
            self.retired = True
            if not self.waiting:
                self.end()

    def end(self) -> None:
        """Close its standard input, at which it ends all that it runs."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()


class Interpreter:
    """A warm interpreter that starts with its first command. Its commands run side by side, as many as are asked for.

    `env` is the environment that it starts in, this process's own unless given; `source` is where its program, warm.py, lies.
    """

    def __init__(
        self, python: str = sys.executable, preload: Sequence[str] = (), env: Mapping[str, str] | None = None, source: Path = WARM
    ) -> None:
        self.python, self.preload, self.env, self.source = python, tuple(preload), env, source
        self.numbers = itertools.count()
        self.starting = threading.Lock()
        self.processes: list[_Process] = []
        self.stopped = False

    def current(self) -> _Process | None:
        """Return a process that takes commands, started if need be; None once stopped."""
        with self.starting:
            if self.stopped:
                return None
            if not self.processes or self.processes[-1].gone or self.processes[-1].retired:
                self.processes.append(_Process(self.python, self.preload, self.env, self.source))
            return self.processes[-1]

    def run(self, command: Command) -> Ended:
        """Run a command and wait for its end."""
        while process := self.current():
            future = process.send(next(self.numbers), command)
            if future is None:
                # It is just about to be seen that it is gone.
                time.sleep(0.01)
                continue
            try:
                return future.result()
            except _StaleError:
                process.retire()
        return Ended(STOPPED)

    def end(self, log: str) -> None:
        """Kill the command that writes to a log, if it runs."""
        for process in self.processes:
            with process.lock:
                groups = [process.pids[number] for number, written in process.logs.items() if written == log and number in process.pids]
            for group in groups:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)

    def stop(self) -> None:
        """End every command, and start no other."""
        self.stopped = True
        with self.starting:
            for process in self.processes:
                process.end()

    def close(self) -> None:
        """Stop, and wait until all processes are gone."""
        self.stop()
        for process in self.processes:
            process.process.wait()

    def pids(self) -> list[Any]:
        """Return the process numbers of the warm interpreters that live."""
        return [process.process.pid for process in self.processes if process.process.poll() is None]
