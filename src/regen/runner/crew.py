"""The workers of a dask cluster: who is there, who is fit to take part, and how much they can do at once."""

import threading
from collections.abc import Callable
from typing import Any

from .address import check_address
from .errors import RunnerError

__all__ = ["Crew"]

EVERY = 1.0
"""Seconds between two looks at who is there."""


class Crew:
    """Looks at the cluster again and again: new workers are checked, those that differ are sent away with one line.

    `unfit` says of a list of addresses what is wrong with each that is not to be used, `dismiss` ends a worker, `say` shows a line to the
    user.
    """

    def __init__(
        self,
        client: Any,
        address: str,
        unfit: Callable[[list[str]], dict[str, str]],
        dismiss: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._client, self._address, self._unfit, self._dismiss, self._say = client, address, unfit, dismiss, say
        self._fit: dict[str, dict[str, float]] = {}
        self._refused: set[str] = set()
        self._complained: set[str] = set()
        self._changed = threading.Condition()
        self._stopped = self._gone = False
        self._ended = threading.Event()
        self._looking = threading.Lock()
        self.look()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            try:
                self.look()
            except Exception:  # whatever dask raises where nobody answers
                if not self._stopped:
                    self.lose()
                return

    def look(self) -> None:
        """See who is there now, and check those that are new."""
        with self._looking:
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            new = [address for address in workers if address not in self._fit and address not in self._refused]
            for address, reason in self._wrong(new).items():
                self.refuse(address, reason)
            fit = {
                address: {**worker["resources"], "threads": worker["nthreads"]}
                for address, worker in workers.items()
                if address not in self._refused
            }
            with self._changed:
                self._fit = fit
                self._changed.notify_all()

    def _wrong(self, new: list[str]) -> dict[str, str]:
        wrong = {}
        for address in new:
            try:
                check_address(address, "its address")
            except RunnerError as error:
                wrong[address] = str(error)
        return wrong | self._unfit([address for address in new if address not in wrong])

    def refuse(self, address: str, reason: str) -> None:
        """Send a worker away, for a reason that the user is told once."""
        with self._changed:
            if address in self._refused:
                return
            self._refused.add(address)
            self._fit.pop(address, None)
        self._say(f"worker {address} is not used: {reason}")
        self._dismiss(address)

    def lose(self) -> None:
        """Take note that nobody answers any more."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    @property
    def gone(self) -> RunnerError | None:
        """What to say when the scheduler is gone."""
        if not self._gone:
            return None
        return RunnerError(
            f"{self._address}: the scheduler is gone; what is done is kept: start it and its workers, then run the same again"
        )

    def slots(self) -> int:
        """Return how many stages the workers can run at once."""
        with self._changed:
            return sum(int(min(has.get("cpu", has["threads"]), has["threads"])) for has in self._fit.values())

    def counted(self, resources: dict[str, float]) -> dict[str, float]:
        """Return what dask is to count of a stage's resources: `cpu` only where every worker declares it; else threads are what there is.

        dask looks at a worker's resources when it joins and not again, so they cannot be declared for it later.
        """
        with self._changed:
            declared = bool(self._fit) and all("cpu" in has for has in self._fit.values())
        return {name: amount for name, amount in resources.items() if name != "cpu" or declared}

    def wait(self, resources: dict[str, float], stage: str) -> bool:
        """Wait for a worker that has what a stage needs, and say that it is waited for; return False once stopped or nobody answers."""
        with self._changed:
            while not self._stopped and not self._gone:
                if any(_suffices({"cpu": has["threads"], **has}, resources) for has in self._fit.values()):
                    self._complained.clear()
                    return True
                self._complain(resources, stage)
                self._changed.wait()
            return False

    def _complain(self, resources: dict[str, float], stage: str) -> None:
        needed = ",".join(f"{name}={amount:g}" for name, amount in sorted(resources.items()) if name != "cpu" or amount != 1)
        line = f"no worker has {needed} for {stage}" if self._fit else f"no worker can be used at {self._address}"
        kind = needed if self._fit else ""
        if kind not in self._complained:
            self._complained.add(kind)
            with_resources = f" --resources cpu=1,{needed}" if needed else ""
            self._say(f"{line}; waiting for one: dask worker {self._address}{with_resources}")

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """Look no more."""
        self.stop()
        self._ended.set()
        self._thread.join(timeout=10)


def _suffices(has: dict[str, float], resources: dict[str, float]) -> bool:
    return all(has.get(name, 0) >= amount for name, amount in resources.items())
