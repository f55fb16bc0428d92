"""A hash of a Python file that comments, docstrings and formatting do not change: the same on every supported Python.

`ast.dump` will not do: of one source it differs between Python 3.11, 3.12 and 3.13.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache

__all__ = ["syntax_hash"]

UNSAID = {"ctx", "kind", "type_comment", "type_ignores"}
"""Fields of a syntax tree that follow from others or say nothing when the code runs."""


@cache
def syntax_hash(source: str) -> str:
    """Return a hexadecimal digest (64 characters) of what the source means.

    Raises
    ------
    SyntaxError
        If it is not Python.
    """
    digest = hashlib.sha256()
    for token in _tokens(ast.parse(source)):
        digest.update(token.encode() + b"\0")
    return digest.hexdigest()


def _tokens(node: object) -> Iterator[str]:
    """Yield the syntax tree as a stream of words, each part in brackets; absent and empty parts are left out."""
    match node:
        case ast.AST():
            yield f"({type(node).__name__}"
            for name, value in ast.iter_fields(node):
                value = _without_strings(value) if isinstance(value, list) else value
                if name not in UNSAID and value is not None and value != []:
                    yield name
                    yield from _tokens(value)
            yield ")"
        case list():
            yield "["
            for item in _joined(node):
                yield from _tokens(item)
            yield "]"
        case str():
            # Not repr: what it escapes depends on the version of Unicode.
            yield f"str {node.encode('utf-8', 'surrogatepass').hex()}"
        case _:
            yield f"{type(node).__name__} {node!r}"


def _without_strings(items: list[object]) -> list[object]:
    """Leave out statements that are nothing but a string: docstrings, of whatever they are."""
    return [
        item
        for item in items
        if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and isinstance(item.value.value, str))
    ]


def _joined(items: list[object]) -> Iterator[object]:
    """Yield the items, neighbouring pieces of text of an f-string as one: versions of Python cut them differently."""
    text = ""
    for item in items:
        if isinstance(item, ast.Constant) and isinstance(item.value, str) and _of_a_string(items):
            text += item.value
            continue
        if text:
            yield text
        text = ""
        yield item
    if text:
        yield text


def _of_a_string(items: list[object]) -> bool:
    """Return whether these are the pieces of an f-string."""
    return any(isinstance(item, ast.FormattedValue) for item in items)
