"""What a worker needs of a stage, told without the stage: commands, files, where its outputs belong."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .commands import commands
from .errors import RunnerError
from .needs import Needs
from .sending import Bundle, File, changed
from .worker.bundles import pieces_of

if TYPE_CHECKING:
    from dvc.dependency.base import Dependency
    from dvc.stage import Stage

__all__ = ["Packer", "Parcel"]

EARLY = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "OMP_NUM_THREADS")
"""Variables of this process that stages have on a worker too, from their interpreter's start: how memory is given back, and threads."""


@dataclass(frozen=True)
class Parcel:
    """A task (see worker/task.py), the bundles that go with it, and the resources that it takes."""

    task: dict[str, Any]
    bundles: tuple[Bundle, ...]
    resources: dict[str, float]


class Packer:
    """Makes parcels of the stages of one pipeline; the code is that of the first stage that needs it.

    `expected` is what a worker must have in common with this machine: see worker/environment.py.
    """

    def __init__(self, root: Path, expected: dict[str, str], preload: Sequence[str]) -> None:
        self._root, self._expected, self._preload = root, expected, list(preload)
        self._codes: dict[tuple[str, ...], tuple[Bundle, str | None]] = {}

    def pack(self, stage: "Stage") -> Parcel:
        """Return a stage's parcel.

        Raises
        ------
        RunnerError
            If a dependency changed since DVC looked at it, or if the stage asks for what no worker can give.
        """
        needs, address = Needs.of(stage), stage.addressing
        below = Path(stage.wdir)
        code, commit = self._code(stage, [self._name(below / path) for path in needs.code])
        known = {file.name: file.md5 for file in code.files}
        bundles = [code]
        for dep in stage.deps:
            files = [file for file in self._files(stage, dep) if not _is_known(file, known)]
            bundles += [Bundle(tuple(files))] if files else []
        if kept := [out for out in stage.outs if out.persist]:
            raise RunnerError(f"{kept[0]}: expected no 'persist' on a worker, got it; give the stage 'meta: {{runner: {{here: true}}}}'")
        facts = {
            "commands": [(command.argv, command.python) for command in commands(stage, Path())],
            "cwd": self._name(below),
            "expected": self._expected,
            "code": code.name,
            "outs": sorted(self._name(Path(out.fs_path)) for out in stage.outs),
            "bring": [self._name(below / path) for path in needs.bring],
            "keep": [self._name(below / path) for path in needs.keep],
            "gpu": needs.resources.get("gpu", 0),
        }
        told = json.dumps([facts, [bundle.name for bundle in bundles]], sort_keys=True)
        task = {
            **facts,
            "key": hashlib.sha256(told.encode()).hexdigest()[:32],
            "preload": self._preload,
            "paths": _search_path(self._root, code),
            "env": {
                "DVC_STAGE": address,
                "RUNNER_COMMIT": commit or "",
                **{name: os.environ[name] for name in EARLY if name in os.environ},
            },
            "early": EARLY,
        }
        return Parcel(task, tuple(bundles), {"cpu": 1, **needs.resources})

    def _name(self, path: Path) -> str:
        name = os.path.relpath(path, self._root)
        if name.startswith(".."):
            raise RunnerError(f"{path}: expected a path below {self._root}, got another; give the stage 'meta: {{runner: {{here: true}}}}'")
        return Path(name).as_posix()

    def _code(self, stage: "Stage", paths: list[str]) -> tuple[Bundle, str | None]:
        """Return the code, and the commit that it is of."""
        wanted = tuple(sorted(paths))
        if wanted not in self._codes:
            files = sorted(self._read(stage, wanted), key=lambda file: file.name)
            self._codes[wanted] = Bundle(tuple(files)), _commit(self._root, wanted)
        return self._codes[wanted]

    def _read(self, stage: "Stage", paths: Iterable[str]) -> Iterator[File]:
        """Yield the files that DVC does not ignore, as they are now."""
        repo = stage.repo
        for path in paths:
            full = self._root / path
            found = repo.dvcignore.find(repo.fs, str(full)) if full.is_dir() else [str(full)]
            for name in map(Path, found):
                if name.suffix == ".pyc":
                    continue
                try:
                    yield File(self._name(name), name, _md5(name), name.stat().st_size)
                except OSError as error:
                    raise RunnerError(f"meta: runner: code: {path}: expected files, got '{error.strerror}'") from error

    def _files(self, stage: "Stage", dep: "Dependency") -> list[File]:
        """Return the files of a dependency under the hashes that DVC judged by."""
        path = Path(dep.fs_path)
        if dep.protocol != "local":
            raise RunnerError(f"{dep}: expected a local dependency, got {dep.protocol}; give the stage 'meta: {{runner: {{here: true}}}}'")
        name = self._name(path)
        try:
            # DVC judges a params file by single values: what is sent is the file as it is.
            if hasattr(dep, "params"):
                return [File(name, path, _md5(path), path.stat().st_size)]
            if not dep.hash_info:
                dep.save()
            if dep.hash_info.name != "md5":
                raise RunnerError(
                    f"{dep}: expected an md5, got {dep.hash_info.name}, an older DVC's; run 'dvc commit {stage.addressing}' first"
                )
            if not dep.hash_info.isdir:
                return [File(name, path, dep.hash_info.value, path.stat().st_size)]
            inside = [(path.joinpath(*key), info.value) for key, _, info in dep.get_obj()]
            return [File(self._name(file), file, md5, file.stat().st_size) for file, md5 in sorted(inside)]
        except FileNotFoundError as error:
            raise changed(os.path.relpath(error.filename or path, self._root)) from error


def _is_known(file: File, known: dict[str, str]) -> bool:
    """Return whether the code has the file; a `RunnerError` if it has another of that name."""
    if file.name in known and known[file.name] != file.md5:
        raise changed(file.name)
    return file.name in known


def _md5(path: Path) -> str:
    md5 = hashlib.md5(usedforsecurity=False).hexdigest()
    for _, md5 in pieces_of(path):  # noqa: B007 (the last one counts)
        pass
    return md5


def _search_path(root: Path, code: Bundle) -> list[str]:
    """Return the folders of the code from which this process imports (an editable install, PYTHONPATH), below the root."""
    folders = {parent for file in code.files for parent in Path(file.name).parents} - {Path()}
    found = [Path(os.path.relpath(path, root)) for path in sys.path if path]
    return [path.as_posix() for path in dict.fromkeys(found) if path in folders]


def _commit(root: Path, paths: Sequence[str]) -> str | None:
    """Return the commit that is checked out, with `+changes` where these paths differ from it; None without git."""
    try:
        head, changes = (
            subprocess.run(["git", *told], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
            for told in (("rev-parse", "HEAD"), ("status", "--porcelain", "--", *paths))
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+changes" if changes else "")
