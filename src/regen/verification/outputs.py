"""What a run leaves that must come out again: its files in git, and what DVC's locks say of weights and data."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml

from regen.verification.compare import Difference

__all__ = ["compared", "locked", "locks_apart", "locks_of", "stages_of"]

NOT_COMPARED = {"provenance.json", "platform.json"}
"""Files that say when, where and how long; they vary."""

EVERYWHERE = ("configs/", "data/")
"""Outputs that are the same bytes on every platform."""


def locks_of(root: Path, pipeline: Path) -> list[Path]:
    """Return the locks of a pipeline, named by its dvc.yaml, and of its parts below pipeline/."""
    folder = (root / pipeline).parent
    return [*folder.glob("dvc.lock"), *sorted(folder.glob("pipeline/*/dvc.lock"))]


def _stages(root: Path, pipeline: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the locks of a pipeline say, by a stage's address."""
    for lock in locks_of(root, pipeline):
        for name, stage in yaml.load(lock.read_text(encoding="utf-8"), yaml.CSafeLoader)["stages"].items():
            yield f"{(lock.parent / 'dvc.yaml').relative_to(root).as_posix()}:{name}", stage


def stages_of(root: Path, pipeline: Path, variants: Collection[str]) -> dict[str, list[str]]:
    """Return the stages of some variants that were run and whose results are all committed, with the paths of their outputs."""
    found = {address: [out["path"] for out in stage.get("outs", ())] for address, stage in _stages(root, pipeline)}
    named = {address: outs for address, outs in found.items() if re.search(rf"@({'|'.join(map(re.escape, variants))})(-\d+)?$", address)}
    return {address: outs for address, outs in named.items() if all((root / out).exists() for out in outs if out.startswith("results/"))}


def compared(root: Path, outs: Collection[str]) -> dict[str, Path]:
    """Return the files of some outputs that must come out again, by their path in the repository."""
    files = [path for out in outs for path in ((root / out).rglob("*") if (root / out).is_dir() else [root / out])]
    return {path.relative_to(root).as_posix(): path for path in files if path.is_file() and path.name not in NOT_COMPARED}


def locked(root: Path, pipeline: Path) -> dict[str, str]:
    """Return what DVC's locks say of every output that is compared: path -> checksum."""
    outs = [out for _, stage in _stages(root, pipeline) for out in stage.get("outs", ())]
    return {out["path"]: out["md5"] for out in outs if not out["path"].startswith("mlflow/")}


def locks_apart(committed: dict[str, str], got: dict[str, str], exact: bool, outs: Collection[str] | None = None) -> list[Difference]:
    """Return the outputs whose checksums differ, of two readings of `locked`.

    exact: all; else those alone that are the same on every platform. outs: of these outputs alone, and of what was needed for them.
    """
    keys = {*committed, *got} if outs is None else {*outs, *(key for key in got if key.startswith(EVERYWHERE))} & {*committed, *got}
    pairs = [(key, committed.get(key, "nothing"), got.get(key, "nothing")) for key in sorted(keys) if exact or key.startswith(EVERYWHERE)]
    return [Difference(f"{key} (DVC)", first, second, "equal bit for bit") for key, first, second in pairs if first != second]
