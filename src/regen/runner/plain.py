"""Commands as plain subprocesses, where there is no `fork` that could be trusted."""

import os
import subprocess
import sys
import threading
import time

from .interpreter import STOPPED, Command, Ended

__all__ = ["Plain"]


class Plain:
    """What `Interpreter` does, without a warm interpreter: a cold start for each command."""

    def __init__(self, python: str = sys.executable) -> None:
        self.python, self.stopped = python, False
        self.lock = threading.Lock()
        self.running: set[subprocess.Popen[bytes]] = set()

    def run(self, command: Command) -> Ended:
        """Run a command and wait for its end; its processor time is not known."""
        argv = [self.python, *command.argv] if command.python else list(command.argv)
        began = time.monotonic()
        with open(command.log, "ab") as log, self.lock:
            if self.stopped:
                return Ended(STOPPED)
            environment = {**os.environ, **command.env}
            process = subprocess.Popen(argv, cwd=command.cwd, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.running.add(process)
        status = process.wait()
        with self.lock:
            self.running.discard(process)
        return Ended(status, time.monotonic() - began)

    def stop(self) -> None:
        """End every command, and start no other."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.kill()

    def close(self) -> None:
        """Stop, and wait until all processes are gone."""
        self.stop()
        for process in list(self.running):
            process.wait()
