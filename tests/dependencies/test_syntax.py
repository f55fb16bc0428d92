"""The hash of a file's meaning: the same on every supported Python, changed by what is run and by nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from regen.dependencies import syntax
from regen.dependencies.syntax import syntax_hash

SOURCE = '''
"""A module."""
from dataclasses import dataclass

LIMIT = 1e-3
"""How far."""


@dataclass(frozen=True)
class Point:
    """A point."""

    x: float = 0.5


async def near(points, *, limit=LIMIT, **more) -> bool:
    # Nobody is nearer.
    match points:
        case [Point(x=value), *rest] if (found := value) > limit:
            return f"{found!r:>{limit}} of {rest=}" "and 'more'" f"{{braces}} \\N{EM DASH}"
        case {"a": 1, **others}:
            return b"\\x00\\xff" < others
    try:
        await more[1:2, ..., None]
    except* ValueError as error:
        raise SystemExit(1j) from error
    return not all(x async for x in points if x)
'''

GOLDEN = "f823752f96b01e899e03288d91781052ca5870c431658343b5ee421f68e5bd8a"


def test_the_hash_of_a_source_is_this_one() -> None:
    assert syntax_hash(SOURCE) == GOLDEN


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_another_python_gives_the_same_hash(version: str, tmp_path: Path) -> None:
    python = shutil.which(f"python{version}")
    script = "import runpy, sys; print(runpy.run_path(sys.argv[1])['syntax_hash'](open(sys.argv[2], encoding='utf-8').read()))"
    (tmp_path / "source.py").write_text(SOURCE, encoding="utf-8")
    command = [str(python), "-I", "-c", script, syntax.__file__, str(tmp_path / "source.py")]
    done = subprocess.run(command, capture_output=True, text=True) if python else None
    if done is None or "not found" in done.stderr or "not installed" in done.stderr:
        pytest.skip(f"Python {version} is not here; CI has two versions")
    assert done.stdout.strip() == GOLDEN, done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', ""),
        ('"""How far."""', '"""How far at most."""'),
        ("    # Nobody is nearer.\n", ""),
        ("LIMIT = 1e-3", "LIMIT = 0.001  # the same number"),
        ("near(points, *, limit=LIMIT, **more)", "near(\n    points, *,\n    limit=LIMIT, **more,\n)"),
        ('"and \'more\'" f"', "'and ' \"'more'\" f\""),
    ],
)
def test_comments_docstrings_and_formatting_do_not_count(old: str, new: str) -> None:
    assert old in SOURCE and syntax_hash(SOURCE.replace(old, new)) == GOLDEN


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1e-3", "2e-3"),
        ("1e-3", "'0.001'"),
        ("x: float", "y: float"),
        ("frozen=True", "frozen=1"),
        ("async for", "for"),
        ("and 'more'", "and 'mare'"),
        ("{found!r:>{limit}}", "{found!s:>{limit}}"),
        ("1:2, ..., None", "1:2, ..., 0"),
        ("\\x00\\xff", "\\x00\\xfe"),
        ("*rest", "*test"),
        ("except*", "except"),
        ("raise SystemExit(1j) from error", "raise SystemExit(1j)"),
        ("not all", "all"),
    ],
)
def test_what_is_run_counts(old: str, new: str) -> None:
    assert old in SOURCE and syntax_hash(SOURCE.replace(old, new)) != GOLDEN


def test_statements_in_another_order_or_block_are_another_source() -> None:
    assert syntax_hash("a = 1\nb = 2\n") != syntax_hash("b = 2\na = 1\n")
    assert syntax_hash("if a:\n    b()\nc()\n") != syntax_hash("if a:\n    b()\n    c()\n")


def test_a_string_that_is_used_is_no_docstring() -> None:
    assert syntax_hash("def f():\n    return 'a'\n") != syntax_hash("def f():\n    return 'b'\n")


def test_the_whole_package_is_hashed_alike_on_another_python() -> None:
    other = next((python for version in ("3.12", "3.13", "3.14", "3.11") if (python := _another(version))), None)
    if other is None:
        pytest.skip("no second Python is here; CI has two versions")
    package = Path(syntax.__file__).parents[1]
    script = (
        "import runpy, sys, pathlib, hashlib\n"
        "of = runpy.run_path(sys.argv[1])['syntax_hash']\n"
        "for path in sorted(pathlib.Path(sys.argv[2]).rglob('*.py')): print(path.name, of(path.read_text(encoding='utf-8')))\n"
    )
    said = [
        subprocess.run([python, "-I", "-c", script, syntax.__file__, str(package)], capture_output=True, text=True, check=True).stdout
        for python in (sys.executable, other)
    ]
    assert said[0] == said[1] and said[0].count("\n") > 100


def _another(version: str) -> str | None:
    """Return a Python of another version than this one that can be run."""
    python = shutil.which(f"python{version}")
    if python is None or version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return None
    return python if subprocess.run([python, "-c", ""], capture_output=True).returncode == 0 else None
