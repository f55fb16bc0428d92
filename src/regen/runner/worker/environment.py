"""What the bits of a result depend on beside code and inputs: Python, the instruction set, the versions of distributions."""

import platform
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["check", "differences", "environment", "instruction_set"]

SHOWN = 3
"""Differences that are named before the rest is only counted."""


def instruction_set(machine: str, cpuinfo: str) -> str:
    """Return the machine's architecture and, for x86-64, the processor's maker and whether it has AVX2.

    AVX-512 is not told apart: numerical libraries that are pinned to AVX2 take the same paths with and without it. The maker is: MKL, in
    which torch multiplies matrices, has kernels of its own for AMD.
    """
    if machine.lower() not in ("x86_64", "amd64"):
        return machine
    facts = {key.strip(): value.split() for key, _, value in (line.partition(":") for line in cpuinfo.splitlines())}
    maker = "".join(facts.get("vendor_id", []))
    return f"{machine} {maker} {'with' if 'avx2' in facts.get('flags', []) else 'without'} AVX2"


@cache
def environment(names: tuple[str, ...]) -> dict[str, str]:
    """Return Python's minor version, the instruction set and the version of each distribution ("none" where it is not installed)."""
    information = Path("/proc/cpuinfo")
    facts = {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "instruction set": instruction_set(platform.machine(), information.read_text() if information.exists() else ""),
    }
    return facts | {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def differences(expected: Mapping[str, str], got: Mapping[str, str]) -> str:
    """Return what differs, in words; an empty text if nothing does."""
    wrong = [f"{name}: expected {value}, got {got.get(name, 'none')}" for name, value in expected.items() if got.get(name, "none") != value]
    more = [f"{len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return "; ".join(wrong[:SHOWN] + more)


def check(expected: Mapping[str, str]) -> str:
    """Return how this process differs from what a driver expects, in words; an empty text if it does not."""
    return differences(expected, environment(_names(expected)))


def _names(expected: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in expected if name not in ("python", "instruction set"))
