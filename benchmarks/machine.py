"""What every benchmark prints about the machine, and how it prints figures."""

import os
import platform
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from regen.common.errors import UserError

__all__ = ["PINS", "REPOSITORY", "as_make_sets", "describe", "judged", "one_line_errors", "peers", "spread"]

REPOSITORY = Path(__file__).resolve().parent.parent

PINS = ("ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA")
"""Environment variables by which regen pins the instruction set."""

PEER = {"pythae": "0.1.2"}


def peers() -> list[str]:
    """Return the peers that are installed: pythae or none.

    Raises
    ------
    UserError
        If another version is there.
    """
    for name, expected in PEER.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            print(f"{name}: not installed, so left out; see benchmarks/README.md")
            return []
        if found != expected:
            raise UserError(f"{name}: expected version {expected}, got {found}; see benchmarks/README.md")
    return list(PEER)


def as_make_sets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with what the Makefile sets for the allocator: every program in a comparison gets it."""
    exports = [line.split() for line in (REPOSITORY / "Makefile").read_text().splitlines() if line.startswith("export MALLOC")]
    return {**environment, **{name: value for _, name, _, value in exports}}


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
