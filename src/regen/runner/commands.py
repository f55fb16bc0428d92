"""A stage's `cmd` as commands: `python` without the shell's syntax for a warm interpreter, all else through the shell as DVC does."""

import os
import shlex
from pathlib import Path
from typing import Any

from .interpreter import Command

__all__ = ["commands", "log_file"]

SHELL = set("|&;<>()$`\\*?[]#~{}")
"""Characters that mean something to a shell; between quotes they may not, but then a shell does no harm."""


def log_file(folder: Path, address: str) -> Path:
    """Return the file in a folder to which a stage's commands write, by the stage's address."""
    return folder / f"{address.replace('/', '.').replace(os.sep, '.').replace(':', '.')}.log"


def warm(line: str) -> list[str] | None:
    """Return what follows `python` in a command line that needs no shell, no option of Python's and no start from cold; None elsewhere."""
    if SHELL & set(line):
        return None
    try:
        name, *argv = shlex.split(line)
    except ValueError:
        return None
    runs = name == "python" and (len(argv) > 1 if argv[:1] == ["-m"] else bool(argv) and not argv[0].startswith("-"))
    return argv if runs else None


def commands(stage: Any, log: Path) -> list[Command]:
    """Return what a DVC stage runs, one after the other; its environment and folder are those that DVC would give it."""
    # Their signatures are the same from DVC 3.0 to 3.67; a test holds them against the installed one.
    from dvc.stage.run import _make_cmd, get_executable, prepare_kwargs

    given = prepare_kwargs(stage)
    env = {name: value for name, value in given["env"].items() if os.environ.get(name) != value}
    listed = stage.cmd if isinstance(stage.cmd, list) else stage.cmd.splitlines()
    made = []
    for line in listed:
        argv = warm(line)
        shell = _make_cmd(get_executable(), line) if os.name != "nt" else ["cmd", "/c", line]
        made.append(Command(tuple(shell if argv is None else argv), argv is not None, os.fspath(given["cwd"]), env, str(log)))
    return made
