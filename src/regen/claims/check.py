"""What a function in a study's checks.py declares: the claim that it checks, and the names of the numbers that it gives."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from regen.common.errors import UserError

__all__ = ["check", "declared"]

Function = TypeVar("Function", bound=Callable[..., None])


def check(claim: str, gives: str = "") -> Callable[[Function], Function]:
    """Mark a function as the check of a claim; `gives`: the names of its numbers, separated by blanks, written out where it stands."""

    def mark(function: Function) -> Function:
        vars(function)["claim"] = claim
        vars(function)["gives"] = frozenset(gives.split())
        return function

    return mark


def declared(file: Path) -> dict[str, frozenset[str]]:
    """Return the claim -> the names that its check gives, read from the file without running it; none where there is no file.

    Raises
    ------
    UserError
        If a claim has two checks, or what a check declares is not written out.
    """
    found: dict[str, frozenset[str]] = {}
    if not file.exists():
        return found
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError) as error:
        raise UserError(f"{file}: expected the checks of a report's claims in Python, got '{error}'") from error
    for function in tree.body:
        for node in getattr(function, "decorator_list", []):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check":
                claim, gives = _written_out(node, file)
                if claim in found:
                    raise UserError(f"{file}: line {node.lineno}: '{claim}' has two checks; allowed: one a claim")
                found[claim] = frozenset(gives.split())
    return found


def _written_out(node: ast.Call, file: Path) -> tuple[str, str]:
    try:
        claim, *gives = (ast.literal_eval(value) for value in (*node.args, *(keyword.value for keyword in node.keywords)))
        return str(claim), str(gives[0]) if gives else ""
    except ValueError as error:
        raise UserError(
            f"{file}: line {node.lineno}: expected '@check(claim, gives=names)' written out, got {ast.unparse(node)}"
        ) from error
