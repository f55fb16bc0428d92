"""The lock files: what DVC's entries of many stages become in one write, and what may be wrong with a file before anything runs."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .errors import RunnerError
from .tables import write_whole

__all__ = ["check", "spliced", "write"]

CONFLICT = re.compile(r"^(<{7}|>{7}|={7})( |$)", re.MULTILINE)
EMPTY = "schema: '2.0'\nstages:\n"


def write(stages: Sequence[Any], order: Sequence[Any]) -> None:
    """Write the lock entries of some stages, each file once and whole; new entries stand where `order`, of all stages, has them."""
    files: dict[str, list[Any]] = {}
    for stage in stages:
        if hasattr(stage, "name"):
            files.setdefault(stage.dvcfile._lockfile.path, []).append(stage)
        else:
            stage.dump(update_pipeline=False)  # A file of `dvc add` or `dvc import` is its own lock.
    for path, some in files.items():
        from dvc.stage.serialize import to_single_stage_lockfile

        entries = {stage.name: to_single_stage_lockfile(stage) for stage in some}
        names = [stage.name for stage in order if hasattr(stage, "name") and stage.path == some[0].path]
        file = Path(path)
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        if (new := spliced(old, entries, names)) != old:
            write_whole(file, new)
            scm_context = some[0].repo.scm_context
            scm_context.track_file(some[0].dvcfile._lockfile.relpath)


def arranged(old: Sequence[str], new: Sequence[str], order: Sequence[str]) -> list[str]:
    """Return the names of a lock's entries: the old ones as they stand, each new one after the nearest that stands before it in `order`."""
    names = list(old)
    for name in sorted(set(new) - set(old), key=order.index):
        before = [other for other in order[: order.index(name)] if other in names]
        names.insert(names.index(before[-1]) + 1 if before else 0, name)
    return names


def spliced(text: str, entries: dict[str, Any], order: Sequence[str]) -> str:
    """Return a lock's text with some entries set, as DVC would write it.

    DVC parses and writes all of it with a library in pure Python, seconds for 3,000 lines. Here only the new entries are written so, and
    put between the others; the result is read back, and where it isn't what was meant everything is written DVC's way.
    """
    from dvc.utils.serialize import dumps_yaml, parse_yaml

    data = parse_yaml(text, "dvc.lock")
    old = data.get("stages") or {}
    changed = {name: entry for name, entry in entries.items() if old.get(name) != entry}
    if not changed:
        return text
    names = arranged(list(old), list(changed), order)
    meant = {"schema": "2.0", **data, "stages": {name: changed.get(name, old.get(name)) for name in names}}
    head, blocks, tail = split(text if old else EMPTY)
    if len(blocks) == len(old):
        written = dict(zip(old, blocks, strict=True))
        written |= {name: dumps_yaml({"stages": {name: entry}}).removeprefix("stages:\n") for name, entry in changed.items()}
        made = head + "".join(written[name] for name in names) + tail
        if (read := parse_yaml(made, "dvc.lock")) == meant and list(read["stages"]) == names:
            return made
    return str(dumps_yaml(meant))


def split(text: str) -> tuple[str, list[str], str]:
    """Return what stands before the entries of `stages:`, the entries, and what stands after them."""
    head, found, rest = text.partition("stages:\n")
    inside = re.match(r"(?: .*\n|\n)*", rest)
    body = inside.group() if found and inside else ""
    return head + found, re.findall(r"^  \S.*\n(?:   .*\n|  - .*\n)*", body, re.MULTILINE), rest[len(body) :]


def check(paths: Sequence[Path], tell: Callable[[str], None]) -> bool:
    """Say whether an empty lock was removed, which DVC refuses and which holds nothing; a `RunnerError` for one that has to be mended.

    `tell` gets a line for each that was removed. Nothing else of a lock is ever deleted.
    """
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import parse_yaml

    removed = False
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        if not text.strip():
            path.unlink()
            tell(f"{path}: empty, removed; what it said of finished stages is in DVC's run cache")
            removed = True
            continue
        if CONFLICT.search(text):
            raise RunnerError(
                f"{path}: expected a lock, got one with the marks of a merge conflict; take one side with 'git checkout --ours {path}', or "
                "--theirs, and run again: what differs is run again or restored"
            )
        try:
            COMPILED_LOCKFILE_SCHEMA(parse_yaml(text, path))
        except Exception as error:
            raise RunnerError(
                f"{path}: expected a whole lock, got one that is cut off or damaged, as when DVC is killed while it writes; run "
                f"'git checkout {path}' or delete it, and run again: what was run is in DVC's run cache"
            ) from error
    return removed
