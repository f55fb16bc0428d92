"""The pool of many machines: dask.distributed, without a shared disk.

A stage's files go to a worker, its outputs come back. A task is published under a hash of all that its result depends on, until DVC has
saved the stage: a driver that was killed, or whose disk was full, and is started again finds what still runs, and what has ended meanwhile.
"""

import logging
import re
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from .address import check_address, scheduler_address, security
from .crew import Crew
from .driver import Interrupted
from .errors import RunnerError
from .needs import Needs
from .parcel import Packer, Parcel
from .placing import place
from .pool import Outcome, Pool
from .sending import Sender
from .shipping import ship
from .worker.environment import environment

__all__ = ["Cluster"]

PATIENCE = 15
"""Seconds to wait for a scheduler's answer."""
ATTEMPTS = 10
"""Times that a stage is sent again because a worker was lost or refused it."""
PREFIX = "stage"
FORGOTTEN = 7 * 24 * 3600
"""Seconds after which what a driver has published and nobody asked for is given up."""


class Cluster:
    """A pool of dask workers; stages that are to run `here` go to another pool, on this machine.

    `at` is an address or a scheduler file; `tls` the files of the authority, the certificate and the key, those of dask's configuration
    where none is given; `say` shows a line to the user.
    """

    def __init__(
        self,
        at: str,
        here: Pool,
        root: Path,
        preload: Sequence[str] = (),
        tls: tuple[str | None, str | None, str | None] = (None, None, None),
        say: Callable[[str], None] = print,
    ) -> None:
        self._address, self._here, self._root, self._say = scheduler_address(at), here, root, say
        self._client = _connect(self._address, tls)
        self._folder = tempfile.TemporaryDirectory(prefix="runner-")
        expected = environment(_pinned(root / "requirements.lock"))
        self._worker = ship(self._client, Path(self._folder.name))
        self._packer = Packer(root, expected, preload)
        self._sender = Sender(lambda data: self._client.scatter(data, direct=False))
        self._crew = Crew(self._client, self._address, lambda new: self._unfit(new, expected), self._dismiss, say)
        self._left = self._published_before()
        self._published: dict[str, str] = {}
        self._running: dict[str, Any] = {}
        self._stopped = threading.Event()

    def _unfit(self, workers: list[str], expected: dict[str, str]) -> dict[str, str]:
        """Return which workers differ from this machine, and how."""
        if not workers:
            return {}
        answers = self._client.run(self._worker.check, expected, workers=workers, on_error="return")
        # One that died meanwhile will not be there at the next look.
        told = {worker: answer for worker, answer in answers.items() if answer and not isinstance(answer, OSError)}
        return {worker: answer if isinstance(answer, str) else f"{type(answer).__name__}: {answer}" for worker, answer in told.items()}

    def _dismiss(self, worker: str) -> None:
        """End a worker, after what it holds has gone to others; the last one cannot hand it on, and takes it along."""
        with suppress(OSError, TimeoutError, *_hung_up()):
            if worker not in self._client.retire_workers([worker], close_workers=True):
                self._client.run(self._worker.leave, workers=[worker], on_error="ignore")

    def _published_before(self) -> dict[str, str]:
        """Return the names under which earlier drivers have published tasks, by the tasks' keys; give up what is old."""
        left = {}
        for name in self._client.list_datasets():
            prefix, key, since, *_ = [*str(name).split("-"), "", "", ""]
            if prefix == PREFIX and since.isdecimal():
                if int(since) < time.time() - FORGOTTEN:
                    self._unpublish(name)
                else:
                    left[key] = str(name)
        return left

    def slots(self) -> int:
        """Return how many commands run at once, on the workers and here; at least 1."""
        if gone := self._crew.gone:
            raise gone
        return max(1, self._crew.slots()) + self._here.slots()

    def prepare(self, stage: Any) -> Callable[[], Outcome]:
        """Return what runs the stage's commands on a worker and waits for its outputs."""
        if Needs.of(stage).here:
            return self._here.prepare(stage)
        address, parcel = stage.addressing, self._packer.pack(stage)
        return lambda: self._run(address, parcel)

    def _run(self, address: str, parcel: Parcel) -> Outcome:
        task, came_back = parcel.task, None
        for _ in range(ATTEMPTS):
            if not self._crew.wait(parcel.resources, address):
                break
            try:
                future = self._taken_over(address, task["key"]) or self._submit(address, parcel)
            except _hung_up() as error:
                self._crew.lose()
                raise Interrupted from error
            came_back = self._result(address, future)
            if came_back is not None:
                break
        if came_back is None:
            if self._crew.gone or self._stopped.is_set():
                raise Interrupted
            raise RunnerError(f"expected a worker to run it, got none that did in {ATTEMPTS} attempts; see the workers' own output")

        def put() -> None:
            place(self._root, came_back.pop("files"), came_back.pop("folders"), task["outs"], task["bring"])

        return Outcome(came_back["status"], came_back["log"], came_back["seconds"], came_back["cpu"], put)

    def _taken_over(self, address: str, key: str) -> Any:
        """Return what an earlier driver had running, if it is still running or has ended well."""
        name = self._left.pop(key, None)
        future = self._client.get_dataset(name, default=None) if name else None
        if future is None or future.status in ("cancelled", "lost", "error"):
            return None
        self._published[address] = str(name)
        self._say(f"take over {address}, which an earlier run had started")
        return future

    def _submit(self, address: str, parcel: Parcel) -> Any:
        bundles = [(bundle.listing, self._sender.send(bundle)) for bundle in parcel.bundles]
        task = {**parcel.task, "bundles": [(listing, len(futures)) for listing, futures in bundles], "code": parcel.bundles[0].name}
        # Never a name twice: dask remembers what was lost.
        name = f"{PREFIX}-{task['key']}-{int(time.time())}-{uuid4().hex[:8]}"
        pieces = [future for _, futures in bundles for future in futures]
        counted = self._crew.counted(parcel.resources)
        future = self._client.submit(self._worker.run, task, *pieces, key=name, resources=counted, retries=0, pure=False)
        self._client.publish_dataset(future, name=name)
        self._published[address] = name
        return future

    def _result(self, address: str, future: Any) -> dict[str, Any] | None:
        """Return what came back from a worker; None if the task is to be sent again, or if everything stops."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        gone: tuple[type[BaseException], ...] = (CancelledError, *_hung_up())
        self._running[future.key] = future
        again = "its worker is gone"
        try:
            result: dict[str, Any] = future.result()
        except KilledWorker as error:
            raise RunnerError(
                f"expected a worker to survive it, got {error.allowed_failures + 1} that died while they ran it, last "
                f"{error.last_worker.address}; see that machine's memory and its worker's output"
            ) from error
        except gone as error:
            if getattr(error, "reason", "") == "scheduler-connection-lost":
                self._crew.lose()
            if self._crew.gone or self._stopped.is_set():
                return None
            self._forget_lost()
        else:
            if "refused" not in result and not result["ended"]:
                return result
            if "refused" in result:
                self._crew.refuse(result["worker"], result["refused"])
            again = "its worker is not used"
        finally:
            self._running.pop(future.key, None)
        self._unpublish(self._published.pop(address))
        if not self._stopped.is_set():
            self._say(f"again {address}: {again}")
        return None

    def _forget_lost(self) -> None:
        holders = self._client.who_has()
        self._sender.forget(lambda future: future.status != "finished" or not holders.get(future.key))

    def _unpublish(self, name: str) -> None:
        with suppress(KeyError, OSError, TimeoutError, *_hung_up()):
            self._client.unpublish_dataset(name)

    def settled(self, stage: Any) -> None:
        """Give up a stage's task, for DVC has saved it or it has failed."""
        self._here.settled(stage)
        if name := self._published.pop(stage.addressing, None):
            self._unpublish(name)

    def stop(self) -> None:
        """End every command that runs, and start no other."""
        self._stopped.set()
        self._crew.stop()
        self._here.stop()
        running = dict(self._running)
        if running and not self._crew.gone:
            with suppress(OSError, TimeoutError, *_hung_up()):
                for name in running:
                    self._unpublish(name)
                self._client.run(self._worker.end, [name.split("-")[1] for name in running], on_error="ignore")
                self._client.cancel(list(running.values()))

    def close(self) -> None:
        """Leave the cluster."""
        self._here.close()
        self._crew.close()
        with suppress(OSError, TimeoutError):
            self._client.close()
        self._folder.cleanup()


def _hung_up() -> tuple[type[Exception], ...]:
    """Return what dask raises once the scheduler has gone."""
    from distributed.client import ClosedClientError
    from distributed.comm.core import CommClosedError

    return ClosedClientError, CommClosedError


def _pinned(lock: Path) -> tuple[str, ...]:
    """Return the distributions that a file of exact versions names."""
    return tuple(re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)) if lock.exists() else ()


def _connect(address: str, tls: tuple[str | None, str | None, str | None]) -> Any:
    """Return a client of a scheduler that only this machine, or nobody without a certificate, can reach."""
    try:
        from distributed import Client
    except ImportError as error:
        raise RunnerError(f"--cluster {address}: expected dask.distributed, got '{error}'; run 'make .venv/installed'") from error
    # Its own account of lost connections and differing versions takes many lines; ours takes one.
    for name in ("distributed", "distributed.client", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="distributed")
    try:
        client = Client(address, security=security(address, *tls), timeout=PATIENCE, set_as_default=False, name="runner")
    except (OSError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else f"no answer in {PATIENCE} s"
        raise RunnerError(f"{address}: expected a dask scheduler, got '{reason}'; start one there: dask scheduler") from error
    try:
        # It listens where it says it is; an address of the network without TLS is open to all of it.
        check_address(client.scheduler_info(n_workers=0)["address"], "the scheduler")
    except RunnerError:
        client.close()
        raise
    return client
