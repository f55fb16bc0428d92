"""Small tables on disk: JSON objects that are written whole or not at all."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

__all__ = ["Table", "write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that it has either its old content or all of the new, whatever happens meanwhile."""
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


class Table:
    """A JSON object in a file. What cannot be read counts as empty: it is a memory, not a result."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries = self.read()

    def read(self) -> dict[str, Any]:
        """Return what the file holds."""
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}

    def update(self, entries: dict[str, Any]) -> None:
        """Add entries, to what others have written meanwhile too."""
        if entries:
            self.entries = {**self.read(), **entries}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, json.dumps(self.entries, indent=0, sort_keys=True) + "\n")
