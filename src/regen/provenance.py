"""How a result was made: everything that varies from run to run, in side files that DVC and git ignore."""

import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from regen.common.files import read_json, write_json

__all__ = ["PACKAGES", "collect", "commit", "recorded"]

PACKAGES = ("dvc", "matplotlib", "mlflow", "numpy", "safetensors", "scikit-learn", "scipy", "torch", "torch-fidelity", "torchvision")


def commit() -> str | None:
    """Return the commit that is checked out, with `+changes` where the work tree differs; None without git."""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changes = subprocess.run(
            ["git", "status", "--porcelain", "src", "stages", "params.yaml"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+changes" if changes.stdout else "")


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def _peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    # ru_maxrss is in bytes on macOS and in KiB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


@contextmanager
def recorded(path: Path, **facts: Any) -> Iterator[dict[str, Any]]:
    """Time the block and write when, where and with what it ran, and its peak memory, to `path`; the block may add facts."""
    facts = {"started": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit(), **facts}
    start = time.perf_counter()
    yield facts
    seconds = time.perf_counter() - start
    versions: Mapping[str, str] = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    machine = {"processor": _processor(), "system": platform.platform()}
    write_json(path, {**facts, "seconds": seconds, "peak_memory_mb": _peak_memory_mb(), "versions": versions, **machine})


def collect(logs: Path, path: Path) -> None:
    """Bring `path`, the committed account of dated evidence, up to date from logs/<preset>/<variant>/<seed>/*.json.

    Stages without a log here (restored from a cache) keep the entry that they have.
    """
    account: dict[str, Any] = read_json(path) if path.exists() else {}
    for log in sorted(logs.glob("*/*/*.json")):
        account[f"{log.parent.parent.name}/{log.parent.name}/{log.stem}"] = read_json(log)
    write_json(path, account)
