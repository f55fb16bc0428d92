"""What tests read of files: the functions of a module, the values of a JSON tree."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["functions", "leaves"]

ROOT = Path(__file__).parents[2]


@cache
def functions(path: str) -> set[str]:
    """Return the names of a module's functions; the path is from the repository's root."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def leaves(tree: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of a JSON tree with where it stands, as in `.rows[0].name`."""
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(value, f"{place}.{key}" if isinstance(tree, dict) else f"{place}[{key}]")
    else:
        yield place, tree
