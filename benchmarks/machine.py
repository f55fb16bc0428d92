"""What every benchmark prints about the machine, and how it prints figures."""

import os
import platform
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from regen.common.errors import UserError

__all__ = ["REPOSITORY", "describe", "judged", "one_line_errors", "spread"]

REPOSITORY = Path(__file__).resolve().parent.parent


def describe(*packages: str) -> str:
    """Return one line: processor, cores, load, versions. The load says whether anything else was running."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    processor = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = os.getloadavg()[0]
    return f"{processor}, {os.cpu_count()} cores, load {load:.1f}; Python {platform.python_version()}, {versions}"


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Return 'median (smallest to largest)'."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def judged(value: float, target: float, at_least: bool = False) -> str:
    """Return the target and whether `value` meets it."""
    met = value >= target if at_least else value < target
    return f"target {'at least' if at_least else 'under'} {target:g}: {'met' if met else 'MISSED'}"


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the script with one line and exit status 1 on a `UserError`."""
    try:
        yield
    except UserError as error:
        sys.exit(f"error: {error}")
