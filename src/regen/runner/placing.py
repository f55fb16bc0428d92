"""Outputs of a worker, put where they belong: whole or not at all, and nowhere else."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .errors import RunnerError

__all__ = ["place"]


def place(root: Path, files: Mapping[str, Sequence[bytes]], folders: Iterable[str], outs: Sequence[str], bring: Sequence[str]) -> None:
    """Write files, given by path in pieces, below declared paths of a pipeline's root.

    Everything is written beside its place first; then each output is renamed as a whole. What is only brought back (logs) joins the
    files that are there.

    Raises
    ------
    RunnerError
        If a file is not below what the stage declares (then nothing is written), or cannot be written.
    """
    for name in (*files, *folders):
        if ".." in Path(name).parts or not any(Path(name).is_relative_to(declared) for declared in (*outs, *bring)):
            raise RunnerError(
                f"{name}: expected a file below {', '.join((*outs, *bring))}, got this one from a worker; nothing was written"
            )
    try:
        (root / ".dvc/tmp").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root / ".dvc/tmp", prefix="stage-") as temporary:
            staged = Path(temporary)
            for folder in folders:
                (staged / folder).mkdir(parents=True, exist_ok=True)
            for name, pieces in files.items():
                (staged / name).parent.mkdir(parents=True, exist_ok=True)
                with (staged / name).open("wb") as file:
                    file.writelines(pieces)
            # An output inside a folder that is brought back goes as an output.
            for out in outs:
                if (staged / out).exists():
                    _replace(staged / out, root / out)
            for path in [path for name in bring for path in _files(staged / name)]:
                _replace(path, root / path.relative_to(staged))
    except OSError as error:
        raise RunnerError(
            f"{error.filename}: expected to write a worker's outputs, got '{error.strerror}'; make room or mend it, and run the same again"
        ) from error


def _files(path: Path) -> list[Path]:
    return sorted(inside for inside in path.rglob("*") if inside.is_file()) if path.is_dir() else [path] if path.exists() else []


def _replace(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    os.replace(source, target)
