"""The one file by which DVC sees the code of a stage: a line a module, a data file and a package, so that a diff says what changed."""

import hashlib
from pathlib import Path

from regen.dependencies.closure import closure, data_files
from regen.dependencies.packages import pinned
from regen.dependencies.syntax import syntax_hash

__all__ = ["code_of"]


def code_of(script: Path, root: Path, runs: str = "") -> str:
    """Return what the result of a stage's script depends on, as text: `hash name` or `name==version`, sorted.

    root: of the work tree, with src/ and requirements.lock. runs: a pattern below it of files that the script runs as well; DVC sees these
    themselves, so that only what they import counts here.

    Raises
    ------
    UserError
        If an import cannot be followed or has no pinned package.
    """
    source = root / "src"
    found = [closure(file, source) for file in (script, *(sorted(root.glob(runs)) if runs else ()))]
    modules = {path for one in found for path in one.modules.values()}
    data = {path for module in modules for path in data_files(module)}
    lines = [f"{syntax_hash(path.read_text(encoding='utf-8'))} {path.relative_to(root).as_posix()}" for path in {script, *modules}]
    lines += [f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.relative_to(root).as_posix()}" for path in data]
    lines.sort(key=lambda line: line.split()[1])
    return "\n".join([*lines, *pinned({name for one in found for name in one.others}, root / "requirements.lock")]) + "\n"
