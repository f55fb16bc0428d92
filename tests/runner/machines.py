"""A dask scheduler and workers as processes of their own, each worker with a folder of its own: the machines of the cluster's tests."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import toy

__all__ = ["Machines", "until"]


def until(true: Callable[[], object]) -> None:
    """Wait for something to become true, on a busy machine too."""
    toy.until(true, 120)


def free_port() -> int:
    """Return a port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machines:
    """One scheduler and the workers that a test adds, all on the loopback address; `close` ends them with all that they started."""

    def __init__(self, folder: Path, *options: str, scheme: str = "tcp", host: str = "127.0.0.1") -> None:
        self.folder, self.options, self.host = folder, options, host
        folder.mkdir(parents=True)
        self.port = free_port()
        self.address = f"{scheme}://127.0.0.1:{self.port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start_scheduler()

    def spawn(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a dask command in a process group of its own; what it says goes to a file."""
        own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        with (self.folder / f"{name}.log").open("wb") as log:
            call = [sys.executable, "-m", "dask", *arguments, "--dashboard-address", "127.0.0.1:0", *self.options]
            return subprocess.Popen(call, env={**own, **environment}, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        scheme = self.address.split("://")[0]
        process = self.spawn("scheduler", "scheduler", "--host", self.host, "--port", str(self.port), "--protocol", scheme)
        until(lambda: "Scheduler at" in self.said("scheduler"))
        return process

    def add(self, *options: str, directory: Path | None = None, **environment: str) -> subprocess.Popen[bytes]:
        """Start one more worker, a nanny with its worker process."""
        name = f"worker{len(self.workers)}"
        place = directory or self.folder / name
        place.mkdir(exist_ok=True)
        given = options if "--nthreads" in options else ("--nthreads", "1", *options)
        process = self.spawn(name, "worker", self.address, "--local-directory", str(place), *given, **environment)
        self.workers.append(process)
        return process

    def ready(self) -> None:
        """Wait until every worker that was added has registered."""
        for number in range(len(self.workers)):
            until(lambda name=f"worker{number}": "Registered to" in self.said(name))

    def place(self, number: int) -> Path:
        """Return the folder of a worker that survives it."""
        return self.folder / f"worker{number}" / f"stages-{os.getuid()}"

    def kill(self, process: subprocess.Popen[bytes], nanny: bool = True) -> None:
        """Kill a worker: its process alone, or the whole machine, its commands included."""
        family = psutil.Process(process.pid).children(recursive=True)
        victims = [psutil.Process(process.pid), *family] if nanny else [one for one in family if "spawn_main" in " ".join(one.cmdline())]
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                os.kill(victim.pid, signal.SIGKILL)

    def close(self) -> None:
        for process in [self.scheduler, *self.workers]:
            with contextlib.suppress(psutil.NoSuchProcess):
                for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.kill()
            process.wait()

    @classmethod
    @contextlib.contextmanager
    def running(cls, folder: Path, workers: int = 2, *options: str, scheme: str = "tcp", host: str = "127.0.0.1") -> Iterator["Machines"]:
        """Yield machines, ended when the block is left."""
        made = cls(folder, *options, scheme=scheme, host=host)
        try:
            for _ in range(workers):
                made.add()
            made.ready()
            yield made
        finally:
            made.close()
