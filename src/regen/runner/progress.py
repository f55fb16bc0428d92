"""What the runner says: a line a stage, one bar in all where a terminal watches, and a summary."""

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["Progress", "age", "spell"]

TAIL = 40
"""Lines of a failed stage's log that are shown."""


def spell(seconds: float) -> str:
    """Return a duration as a person says it: 12.3 s, 4 min 5 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def age(folder: Path) -> float | None:
    """Return how many seconds ago the newest file below a folder was changed; None if there is none."""
    times = []
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                times.append(os.stat(os.path.join(place, name)).st_mtime)
    return max(0.0, time.time() - max(times)) if times else None


class Progress:
    """Lines on standard output and, on a terminal, a bar below them. Where nobody reads any more, nothing is said."""

    def __init__(self, total: int, verbose: bool = False) -> None:
        self.total, self.verbose = total, verbose
        self.began = time.monotonic()
        self.counts = {"ran": 0, "restored": 0, "up to date": 0, "failed": 0}
        self.running, self.left = 0, 0.0
        self.bar: Any = None
        if total and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=total, unit="stage", dynamic_ncols=True, bar_format="{n_fmt} of {total_fmt} |{bar}| {elapsed}{postfix}")

    @property
    def settled(self) -> int:
        """How many stages are over and done with, failed ones too."""
        return sum(self.counts.values())

    def say(self, text: str, error: bool = False) -> None:
        """Write lines, above the bar."""
        stream = sys.stderr if error else sys.stdout
        # A terminal that was closed, a pipe that nobody reads: the work goes on.
        with contextlib.suppress(OSError, ValueError):
            if self.bar is not None:
                self.bar.write(text, file=stream)
            else:
                stream.write(f"{text}\n")
            stream.flush()

    def show(self, running: int, left: float) -> None:
        """Take note of how many stages run and of the seconds that are left (0: not known), and bring the bar up to date."""
        self.running, self.left = running, left
        if self.bar is not None:
            with contextlib.suppress(OSError, ValueError):
                self.bar.n = self.settled
                failed = f", {self.counts['failed']} failed" if self.counts["failed"] else ""
                self.bar.set_postfix_str(f"{running} running{failed}{self.remaining()}")

    def remaining(self) -> str:
        """Return how long is left, if that is known."""
        return f", about {spell(self.left)} left" if self.left >= 1 else ""

    def resumes(self, address: str, folders: Sequence[tuple[str, float]]) -> None:
        """Tell that a stage goes on from what an earlier attempt kept, and how old that is in seconds."""
        for folder, old in folders:
            self.say(f"resume {address} from {folder} ({spell(old)} old)")

    def settle(self, how: str, address: str, seconds: float) -> None:
        """Count a stage that is over and done with, and tell it unless it was up to date."""
        self.counts[how] += 1
        if how == "up to date":
            return
        place = "" if self.bar is not None else f" ({self.settled} of {self.total}{self.remaining()})"
        took = "" if how == "restored" else f" {spell(seconds)}"
        self.say(f"{'done' if how == 'ran' else how} {address}{took}{place}", error=how == "failed")

    def log(self, address: str, text: str, failed: bool) -> None:
        """Show a stage's log: its end if it failed, all of it if asked to, else nothing."""
        lines = text.splitlines()
        if lines and (failed or self.verbose):
            shown = lines if self.verbose else lines[-TAIL:]
            cut = f" (the last {TAIL} of {len(lines)} lines)" if len(shown) < len(lines) else ""
            self.say("\n".join([f"--- {address}{cut}", *shown, "---"]), error=failed)

    def summary(self, cpu: float, slots: int) -> None:
        """Tell in one line how it went; `cpu` is the processor time of all commands in seconds."""
        if self.bar is not None:
            with contextlib.suppress(OSError, ValueError):
                self.bar.close()
            self.bar = None
        wall = time.monotonic() - self.began
        counts = ", ".join(f"{how} {count}" for how, count in self.counts.items())
        share = f", {cpu / (wall * slots):.0%} of {slots} {'core' if slots == 1 else 'cores'}" if cpu else ""
        self.say(f"{counts}, not run {self.total - self.settled}; {spell(wall)}{share}")
