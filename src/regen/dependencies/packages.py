"""Which pinned packages stand behind an import: the lines of requirements.lock, with what each package needs itself."""

import re
import sys
from collections.abc import Collection
from pathlib import Path

from regen.common.errors import UserError

__all__ = ["pinned"]

NAMES = {
    "PIL": "pillow",
    "markdown_it": "markdown-it-py",
    "ruamel": "ruamel-yaml",
    "sklearn": "scikit-learn",
    "vl_convert": "vl-convert-python",
    "yaml": "pyyaml",
}
"""Imports whose package has another name."""


def pinned(imports: Collection[str], lock: Path) -> list[str]:
    """Return `name==version` of every package that stands behind some top-level imports, sorted.

    lock: written by `uv pip compile` with its annotations, which say what each package is there for (`# via`).

    Raises
    ------
    UserError
        If an import is neither of Python itself nor in the lock.
    """
    versions, needs = _read(lock)
    waiting = [NAMES.get(name, name.replace("_", "-").lower()) for name in imports if name not in sys.stdlib_module_names]
    if unknown := sorted({name for name in waiting if name not in versions}):
        raise UserError(f"{lock.name}: expected the package of 'import {unknown[0]}', got none; add it to pyproject.toml and lock again")
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    return [f"{name}=={version}" for name in sorted(found) for version in versions[name]]


def _read(lock: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return every package's versions (several where the platform decides), and what each package needs."""
    versions: dict[str, list[str]] = {}
    needs: dict[str, list[str]] = {}
    name = ""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line):
            name = match[1].lower()
            versions.setdefault(name, []).append(match[2])
        elif match := re.match(r"    #(?: via)?\s+(?:via\s+)?([A-Za-z0-9._-]+)", line):
            needs.setdefault(match[1].lower(), []).append(name)
    return versions, needs
