"""How many processor cores this process may use."""

import os
from pathlib import Path

__all__ = ["cores"]


def cores(root: Path = Path("/")) -> int:
    """Return the number of cores that the process may use, at least 1: its affinity, cut by the quotas of its control groups.

    `root` is where /proc and /sys are looked for.
    """
    # From Python 3.13 on it knows the affinity, and PYTHON_CPU_COUNT.
    if hasattr(os, "process_cpu_count"):
        allowed = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, min([allowed, *(int(quota) for quota in quotas(root))]))


def quotas(root: Path) -> list[float]:
    """Return the quotas, in cores, of the process's control groups and of those above them, in both versions of control groups."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found: list[float] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            mounts, read = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"], unified
        elif "cpu" in controllers.split(","):
            mounts, read = [root / "sys/fs/cgroup" / name for name in (controllers, "cpu")], legacy
        else:
            continue
        # In a container the mount may show the group itself as its root, under another path than the one told.
        group = Path(path.lstrip("/"))
        for mount in mounts:
            found += [quota for folder in (group, *group.parents) if (quota := read(mount / folder)) is not None]
    return found


def unified(folder: Path) -> float | None:
    """Return a group's quota in cores, version 2; None if it has none."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return None


def legacy(folder: Path) -> float | None:
    """Return a group's quota in cores, version 1; None if it has none (-1)."""
    try:
        quota, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None
