"""YAML as DVC reads it (version 1.2), with every value spelled out where it stands."""

from pathlib import Path
from textwrap import shorten
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, ScalarEvent

from regen.common.errors import UserError

__all__ = ["read_yaml"]


def read_yaml(path: Path) -> Any:
    """Return the values of a YAML file by DVC's own library and YAML version: `1e-3` is a number, `yes` is text.

    Raises
    ------
    UserError
        If it cannot be read, is not YAML, has a key twice, or has an anchor, an alias or a merge.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected a readable file, got '{error}'; restore it with 'git checkout {path}'") from error
    try:
        _check_spelled_out(text, path)
        return YAML(typ="safe").load(text)
    except MarkedYAMLError as error:
        # What is open at the end of the file is found on a line behind it.
        last = len(text.rstrip().splitlines())
        where = f", line {min(error.problem_mark.line + 1, last)}" if error.problem_mark else ""
        raise UserError(f"{path}{where}: expected YAML, got '{_one_line(error.problem or error)}'; mend the line") from error
    except (YAMLError, ValueError) as error:
        # A day that no month has is a ValueError.
        raise UserError(f"{path}: expected YAML, got '{_one_line(error)}'; mend the line") from error


def _check_spelled_out(text: str, path: Path) -> None:
    """Refuse what makes one value stand in several places: `dvc exp run -S` changes all of them, or loses the change."""
    for event in YAML(typ="safe").parse(text):
        shared = getattr(event, "anchor", None)
        if shared is not None:
            found = f"{'*' if isinstance(event, AliasEvent) else '&'}{shared}"
        elif isinstance(event, ScalarEvent) and event.value == "<<" and event.implicit[0]:
            found = "<<"
        else:
            continue
        line = event.start_mark.line + 1
        raise UserError(
            f"{path}, line {line}: expected every value spelled out, got '{found}'; copy the values, for 'dvc exp run -S' loses them"
        )


def _one_line(problem: object) -> str:
    return shorten(str(problem), 120, placeholder="...")
