"""Where the commands of stages run: what every pool can do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dvc.stage import Stage

__all__ = ["Outcome", "Pool"]


@dataclass(frozen=True)
class Outcome:
    """How a stage's command ended.

    `status` is 0 if it went well, as `subprocess` gives it (minus the signal's number if it was killed); `log` is what it wrote to its
    standard output and error; `seconds` is how long it ran, `cpu` how many seconds of processor time that took. `put`, if given, puts the
    outputs in place, each whole or not at all; it is called once, only after status 0.
    """

    status: int
    log: str
    seconds: float
    cpu: float = 0.0
    put: Callable[[], None] | None = None


class Pool(Protocol):
    """A place where the commands of stages run side by side."""

    def slots(self) -> int:
        """Return how many commands can run at once just now, at least 1; a `RunnerError` if the pool is gone."""

    def prepare(self, stage: "Stage") -> Callable[[], Outcome]:
        """Return what runs the stage's command, once, and waits for its end.

        Called while DVC's repository is locked and no other thread is inside DVC: read here whatever is to be known of the stage. The
        callable runs without lock in a thread of its own; it returns an outcome however the command ends, and raises only where it could
        not be run at all. After `stop` it returns or raises soon.
        """

    def settled(self, stage: "Stage") -> None:
        """Take note that DVC is done with a stage (saved, up to date or failed), so that nothing need be held for it any longer.

        Not called where the command ended well and its outputs could not be put in place or saved: the next run may take them over.
        """

    def stop(self) -> None:
        """End every command that runs, and start no other. Returns at once; may be called again."""

    def close(self) -> None:
        """Give up all that the pool holds, after every command has ended."""
