"""What a run leaves that must come out again: its files in git, and what DVC's locks say of weights and data."""

from collections.abc import Collection
from pathlib import Path

import yaml

from regen.verification.compare import Difference

__all__ = ["compared", "locked", "locks_apart"]
NOT_COMPARED = {"provenance.json", "platform.json", "made.html", "made.md"}
"""Files that say when, where and how long; they vary."""


def compared(root: Path, preset: str, variants: Collection[str] = ()) -> dict[str, Path]:
    """Return the files of a preset that must come out again, by their path in the repository; of some variants, if named."""
    folders = [f"{kind}/{preset}{end}" for kind, below in (("results", ""), ("reports", "/figures")) for end in _ends(below, variants)]
    paths = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file() and path.name not in NOT_COMPARED]
    return {path.relative_to(root).as_posix(): path for path in paths}


def _ends(below: str, variants: Collection[str]) -> list[str]:
    return [f"{below}/{variant}" for variant in variants] or [""]


def locked(root: Path, pipeline: Path, variants: Collection[str] = ()) -> dict[str, str]:
    """Return what DVC's locks say of outputs that git does not have, weights and data: path -> checksum; of some variants, if named.

    pipeline: the dvc.yaml whose lock, and whose parts' locks below pipeline/, are read.
    """
    folder = (root / pipeline).parent
    outs: dict[str, str] = {}
    for lock in (folder / "dvc.lock", *sorted(folder.glob("pipeline/*/dvc.lock"))):
        stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"] if lock.exists() else {}
        for stage in stages.values():
            outs |= {out["path"]: out["md5"] for out in stage.get("outs", ())}
    kept = {path: md5 for path, md5 in outs.items() if not variants or set(variants) & set(Path(path).parts)}
    return {path: md5 for path, md5 in kept.items() if not path.startswith(("mlflow/", "results/", "reports/"))}


def locks_apart(committed: dict[str, str], got: dict[str, str]) -> list[Difference]:
    """Return the outputs whose checksums differ."""
    keys = sorted({*committed, *got})
    pairs = [(key, committed.get(key, "nothing"), got.get(key, "nothing")) for key in keys]
    return [Difference(f"{key} (DVC)", first, second, "equal bit for bit") for key, first, second in pairs if first != second]
