"""Every module that a script imports, directly or not, wherever in a file the import stands."""

import ast
import re
from functools import cache
from pathlib import Path

from regen.common.errors import UserError

__all__ = ["Closure", "closure", "data_files"]

PACKAGE = "regen"

BESIDE = frozenset({"regen.interface", "regen.provenance"})
"""What decides no byte of a result, so that a change of it makes nothing stale: the interface, which the package names and no stage calls,
and what notes how a stage ran, in files that DVC ignores."""


class Closure:
    """What a script needs: `modules` of the package by name, with their files; `others`, the top-level names of what else is imported."""

    def __init__(self) -> None:
        self.modules: dict[str, Path] = {}
        self.others: set[str] = set()


def closure(script: Path, source: Path) -> Closure:
    """Return what a script imports of the package below `source`, transitively, and of other packages.

    A module that names a package's `__path__` (to import what lies there) counts with all modules of that package. What only a type
    checker reads (`if TYPE_CHECKING:`) does not count.

    Raises
    ------
    UserError
        If a module imports another by a name that is not written in the file.
    """
    found, waiting = Closure(), [script]
    while waiting:
        path = waiting.pop()
        for name in sorted(_imported(path, path.read_text(encoding="utf-8"), source)):
            if name.split(".")[0] != PACKAGE:
                found.others.add(name.split(".")[0])
                continue
            for module, file in _files(name, source).items():
                if module not in found.modules and module not in BESIDE:
                    found.modules[module] = file
                    waiting.append(file)
    return found


STRAY = re.compile(r"[.#].*|.*~|.*\.(pyc|orig|rej|bak|swp|tmp)|__pycache__|.*\.egg-info|Thumbs\.db|desktop\.ini")
"""Names of what editors and systems leave in folders: no data of a module."""


def data_files(module: Path) -> list[Path]:
    """Return the data files that a module may read: what is no Python beside it and in folders there that are no package."""
    beside = [path for path in module.parent.iterdir() if not STRAY.fullmatch(path.name)]
    folders = [path for path in beside if path.is_dir() and not any(path.rglob("*.py"))]
    within = [path for folder in folders for path in folder.rglob("*") if not any(map(STRAY.fullmatch, path.relative_to(folder).parts))]
    return sorted(path for path in [*beside, *within] if path.is_file() and path.suffix != ".py")


@cache
def _imported(path: Path, text: str, source: Path) -> frozenset[str]:
    """Return the full names that a file imports: modules, and what it takes from them, which may be modules too."""
    tree = ast.parse(text, filename=str(path))
    names: set[str] = set()
    local: dict[str, str] = {}
    packages: set[str] = set()
    dynamic = False
    for node in _run(tree):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module), level=0):
                names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
                local |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
            case ast.ImportFrom():
                raise UserError(f"{path}: line {node.lineno}: expected an import by the full name, got a relative one")
            case ast.Attribute(value=ast.Name(id=name), attr="__path__"):
                packages.add(name)
            case ast.Call(func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"), args=[argument, *_]):
                if isinstance(argument, ast.Constant):
                    names.add(str(argument.value))
                else:
                    dynamic = True
    for name in packages:
        names |= _below(local.get(name, name), source)
    if dynamic and not packages:
        raise UserError(f"{path}: expected imports by names that stand in the file, or of all modules in a package's __path__, got another")
    return frozenset(names)


def _run(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes that are run: all but the bodies of `if TYPE_CHECKING:`."""
    found: list[ast.AST] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                waiting += node.orelse
            case _:
                waiting += ast.iter_child_nodes(node)
    return found


def _files(name: str, source: Path) -> dict[str, Path]:
    """Return the modules that are run when one is imported, its packages' own before it; nothing for a name that is no module."""
    parts = name.split(".")
    found: dict[str, Path] = {}
    for count in range(1, len(parts) + 1):
        place = source.joinpath(*parts[:count])
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if not file.exists():
            return {} if count < len(parts) else found
        found[".".join(parts[:count])] = file
    return found


def _below(package: str, source: Path) -> set[str]:
    """Return the names of all modules of a package."""
    folder = source.joinpath(*package.split("."))
    return {
        ".".join([package, *path.relative_to(folder).with_suffix("").parts]) for path in folder.rglob("*.py") if path.stem != "__init__"
    }
