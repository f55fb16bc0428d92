"""Reproduce a plan's stages side by side. DVC judges, restores and saves; a pool runs the commands, `locks` writes what ran.

Each stage goes through DVC's own `Stage.reproduce`, in a thread of its own. One thread at a time is inside DVC: it holds the baton, and
hands it on only where DVC itself unlocks its repository, while the command runs. That place, `dvc.stage.run.cmd_run`, is
replaced.
"""

import contextlib
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from . import locks
from .durations import expected, left, ranks
from .errors import RunnerError
from .plan import Plan, one_line
from .pool import Outcome, Pool
from .progress import Progress, age
from .record import fingerprint, ran_here
from .tables import Table

__all__ = ["EVERY", "drive", "told"]

EVERY = 30.0
"""Seconds between two writings of the lock files."""
AHEAD = 2
"""Stages beyond the pool's slots that are inside DVC meanwhile, so that no slot waits for DVC."""
BUSY = 0.5
"""Seconds until a stage whose files another DVC process uses is tried again."""


class Interrupted(Exception):  # noqa: N818
    """The stage was not run to its end because everything stops."""


class Driver:
    """One run of a plan."""

    def __init__(self, plan: Plan, pool: Pool, progress: Progress) -> None:
        self.plan, self.pool, self.progress = plan, pool, progress
        self.baton, self.stopping = threading.Lock(), threading.Event()
        self.ends: SimpleQueue[tuple[Any, Any]] = SimpleQueue()
        self.todo = {stage: set(others) for stage, others in plan.upstream.items()}
        self.threads: dict[Any, threading.Thread] = {}
        self.outcomes: dict[Any, Outcome] = {}
        self.made: list[Any] = []
        self.cpu, self.slots, self.saved = 0.0, 1, time.monotonic()
        self.interrupted = self.failed = False
        self.durations, self.record = Table(plan.folder / "durations.json"), Table(plan.folder / "ran.json")
        self.noted: dict[str, Any] = {}
        self.took: dict[str, Any] = {}
        known = expected((stage.addressing for stage in plan.stages), self.durations.entries)
        self.seconds = {stage: known.get(stage.addressing, 0.0) for stage in plan.stages}
        self.chains = ranks(plan.stages, plan.upstream, self.seconds if known else dict.fromkeys(plan.stages, 1.0))

    def command(self, stage: Any, dry: bool = False, run_env: dict[str, str] | None = None) -> None:
        """Run a stage's command; called by DVC in place of its own function, with the repository unlocked."""
        from dvc.stage.exceptions import StageCmdFailedError

        run = self.pool.prepare(stage)
        kept = [(folder, age(Path(stage.wdir, folder))) for folder in self.plan.needs[stage].keep]
        self.progress.resumes(stage.addressing, [(folder, old) for folder, old in kept if old is not None])
        self.baton.release()
        try:
            if self.stopping.is_set():
                raise Interrupted
            outcome = run()
        finally:
            self.baton.acquire()
        self.outcomes[stage] = outcome
        if outcome.status:
            raise StageCmdFailedError(stage.cmd, outcome.status)
        if outcome.put:
            outcome.put()

    def reproduced(self, stage: Any) -> Any:
        """Return the stage if it was run or restored, None if it was up to date."""
        from dvc.lock import LockError

        told = False
        while True:
            try:
                with self.baton, self.plan.repo.lock:
                    made = stage.reproduce()
                    if made is None and not ran_here(stage, self.record, self.noted):
                        made = stage.reproduce(force=True)
                    return made
            except LockError as error:
                # Before the command another process held one of its paths; after it, something is wrong.
                if stage in self.outcomes:
                    raise
                if self.up_to_date(stage):
                    return None
                if not told:
                    self.progress.say(f"wait {stage.addressing}: {one_line(error)}")
                told = True
            if self.stopping.wait(BUSY):
                raise Interrupted

    def up_to_date(self, stage: Any) -> bool:
        """Say whether nothing is to be done for a stage whose outputs another process reads: DVC would have them for writing even then."""
        from dvc.lock import LockError

        try:
            with self.baton, self.plan.repo.lock:
                return not stage.changed() and ran_here(stage, self.record, self.noted)
        except LockError:
            return False

    def skip(self) -> None:
        """Settle all that is up to date before anything runs, each stage after all that it depends on."""
        with self.baton, self.plan.repo.lock:
            for stage in self.plan.stages:
                if not self.todo[stage] and unchanged(stage) and ran_here(stage, self.record, self.noted):
                    del self.todo[stage]
                    self.done(stage)
                    self.progress.settle("up to date", stage.addressing, 0.0)

    def done(self, stage: Any) -> None:
        """Let the stages that wait for one wait no more for it."""
        for others in self.todo.values():
            others.discard(stage)

    def work(self, stage: Any) -> None:
        """Do all for one stage, in its thread."""
        try:
            self.ends.put((stage, self.reproduced(stage)))
        except BaseException as error:
            self.ends.put((stage, error))

    def start(self) -> None:
        """Start as many stages as the pool and DVC can do with, those of the longest chains first."""
        if self.stopping.is_set():
            return
        try:
            self.slots = self.pool.slots()
        except RunnerError as error:
            self.fail(f"error: {error}")
            self.stop()
            return
        ready = sorted(
            (stage for stage, others in self.todo.items() if not others), key=lambda stage: (-self.chains[stage], self.plan.order[stage])
        )
        for stage in ready[: max(0, self.slots + AHEAD - len(self.threads))]:
            del self.todo[stage]
            self.threads[stage] = threading.Thread(target=self.work, args=(stage,), name=stage.addressing)
            self.threads[stage].start()

    def stop(self) -> None:
        """End what runs and start nothing more."""
        self.stopping.set()
        self.pool.stop()

    def fail(self, text: str) -> None:
        """Tell a failure and remember it for the exit status."""
        self.failed = True
        self.progress.say(text, error=True)

    def settle(self, stage: Any, result: Any) -> None:
        """Take note of how a stage ended."""
        self.threads.pop(stage).join()
        outcome = self.outcomes.pop(stage, None)
        made = outcome is not None and not outcome.status and isinstance(result, Exception) and not spoilt(stage, result)
        if not made:
            self.pool.settled(stage)
        address, seconds = stage.addressing, outcome.seconds if outcome else 0.0
        self.cpu += outcome.cpu if outcome else 0.0
        if isinstance(result, BaseException):
            if not isinstance(result, Interrupted) and not (self.stopping.is_set() and outcome and outcome.status):
                self.failure(stage, result, outcome, made)
            return
        self.done(stage)
        if result is not None:
            self.made.append(stage)
            self.noted[address] = fingerprint(stage)
        if outcome:
            self.took[address] = round(seconds, 3)
            self.progress.log(address, outcome.log, failed=False)
        self.progress.settle("up to date" if result is None else "ran" if outcome else "restored", address, seconds)

    def failure(self, stage: Any, error: BaseException, outcome: Outcome | None, made: bool) -> None:
        """Tell how a stage failed, though its command may have `made` all; what depends on it never becomes ready."""
        self.failed = True
        if outcome and outcome.status:
            self.progress.log(stage.addressing, outcome.log, failed=True)
            reason = f"the command ended with status {outcome.status}" if outcome.status > 0 else f"killed by signal {-outcome.status}"
        else:
            known = isinstance(error, RunnerError | OSError) or type(error).__module__.startswith("dvc")
            reason = one_line(error) if known and isinstance(error, Exception) else "".join(traceback.format_exception(error))
            if made and not isinstance(error, RunnerError):
                reason += (
                    f"; its command ended well, and its outputs are in the work tree: mend that, then 'dvc commit -f {stage.addressing}'"
                )
        self.progress.say(f"error: {stage.addressing}: {reason}", error=True)
        self.progress.settle("failed", stage.addressing, outcome.seconds if outcome else 0.0)
        if self.plan.needs[stage].gate:
            self.stop()

    def save(self) -> None:
        """Write what was made into the locks, what ran here before that: a kill in between costs a run, and no run is missed."""
        if not (self.made or self.noted or self.took):
            return
        try:
            with self.baton, self.plan.repo.lock:
                self.record.update(self.noted)
                self.durations.update(self.took)
                locks.write(self.made, self.plan.defined)
        except OSError as error:
            what = error.filename or "the locks"
            self.fail(f"error: {what}: not written: {error.strerror or error}; what ran is in DVC's cache: mend that and run again")
            return
        finally:
            self.saved = time.monotonic()
        self.made.clear()
        self.noted.clear()
        self.took.clear()

    def interrupt(self, *_: object) -> None:
        """Take note of a signal; the loop does the rest."""
        self.interrupted = True
        self.ends.put((None, None))

    def loop(self) -> None:
        """Start and settle stages until nothing runs."""
        while True:
            self.start()
            waiting = {stage: self.seconds[stage] for stage in (*self.todo, *self.threads)}
            self.progress.show(len(self.threads), left(waiting, self.chains, self.slots) if any(self.seconds.values()) else 0.0)
            if not self.threads:
                return
            with contextlib.suppress(Empty):
                stage, result = self.ends.get(timeout=1.0 if self.progress.bar is not None else EVERY)
                if stage is None:
                    self.stop()
                else:
                    self.settle(stage, result)
            if time.monotonic() - self.saved > EVERY:
                self.save()

    def run(self) -> int:
        """Return the exit status: 0, 1 if a stage failed, 130 if interrupted."""
        with replaced(self.command), told(self.interrupt), self.plan.repo.scm_context(quiet=True):
            try:
                self.skip()
                self.loop()
            finally:
                if self.threads:
                    self.stop()
                for thread in self.threads.values():
                    thread.join()
                self.save()
                self.pool.close()
        self.progress.summary(self.cpu, self.slots)
        if self.interrupted:
            self.progress.say("interrupted: what is done is kept; run the same command to continue", error=True)
            return 130
        return 1 if self.failed else 0


def spoilt(stage: Any, error: Exception) -> bool:
    """Say whether a stage whose command ended well has nothing to keep: outputs are missing, not because this machine could not write."""
    return not isinstance(error.__cause__, OSError) and not all(os.path.exists(out.fs_path) for out in stage.outs)


def unchanged(stage: Any) -> bool:
    """Say whether a stage is up to date, without DVC's list of locked paths, whose upkeep takes longer than the look at the files.

    A path that another process writes meanwhile is gone or another: then DVC is asked, which waits.
    """
    from dvc.exceptions import DvcException

    if stage.frozen or stage.is_callback or stage.always_changed or stage.changed_stage():
        return False
    try:
        return not any(dependency.status() for dependency in stage.deps) and not stage.changed_outs()
    except (OSError, DvcException):
        # DVC meets it again when the stage's turn comes, and it is told as the stage's failure.
        return False


@contextlib.contextmanager
def replaced(command: Callable[..., None]) -> Iterator[None]:
    """Put a function in the place where DVC runs a stage's command."""
    import dvc.stage.run

    original = dvc.stage.run.cmd_run
    dvc.stage.run.cmd_run = command
    try:
        yield
    finally:
        dvc.stage.run.cmd_run = original


@contextlib.contextmanager
def told(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Hand the signals that ask for an end to a handler; a SIGHUP that is ignored (nohup) stays so."""
    numbers = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
    if os.name != "nt" and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        numbers.discard(signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def drive(plan: Plan, pool: Pool, progress: Progress) -> int:
    """Reproduce a plan on a pool, which is closed at the end; returns 0, 1 if a stage failed, 130 if it was interrupted."""
    return Driver(plan, pool, progress).run()
