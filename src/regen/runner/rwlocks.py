"""DVC's list of paths that running stages read and write."""

import json
from pathlib import Path
from typing import Any

from .tables import write_whole

__all__ = ["forget_the_dead"]


def forget_the_dead(folder: Path) -> None:
    """Take out of DVC's list of locked paths, in its folder for temporary files, what processes hold that are gone.

    DVC does so itself for process numbers that are free; after a restart of the machine or its container they belong to others. A process
    that began after the list was last written holds nothing in it. A list that was cut off when DVC was killed, which DVC refuses, is
    removed.
    """
    from dvc.lock import make_lock
    from psutil import NoSuchProcess, Process

    path = folder / "rwlock"
    if not path.exists():
        return

    def holds(entry: dict[str, Any], written: float) -> bool:
        try:
            return bool(Process(entry["pid"]).create_time() <= written + 1)
        except NoSuchProcess:
            return False

    with make_lock(str(folder / "rwlock.lock"), tmp_dir=str(folder), wait=True):
        try:
            written, held = path.stat().st_mtime, json.loads(path.read_text(encoding="utf-8"))
            reads = {name: [entry for entry in entries if holds(entry, written)] for name, entries in held.get("read", {}).items()}
            writes = {name: entry for name, entry in held.get("write", {}).items() if holds(entry, written)}
        except (FileNotFoundError, ValueError, AttributeError, KeyError, TypeError):
            path.unlink(missing_ok=True)
            return
        reads = {name: entries for name, entries in reads.items() if entries}
        if reads != held.get("read", {}) or writes != held.get("write", {}):
            write_whole(path, json.dumps({"read": reads, "write": writes}))
