"""A machine that lacks what regen needs: one line that says so."""

import shutil
import subprocess
from pathlib import Path

import pytest
from repository import ROOT

from regen.provenance import commit

OLD = """#!/bin/sh
exec python3 -c 'import sys; sys.version_info = (3, 9, 1); exec(sys.argv[2])' "$@"
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return a folder as a clone has it, before anything was installed."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_an_old_python_is_one_line_and_installs_nothing(bare: Path) -> None:
    old = bare / "python3.9"
    old.write_text(OLD)
    old.chmod(0o755)
    done = subprocess.run(["make", "report", f"PYTHON={old}"], cwd=bare, capture_output=True, text=True)
    assert done.returncode == 2
    first, *rest = done.stderr.splitlines()
    assert first == "error: expected Python 3.11 or later, got 3.9; run make PYTHON=python3.12"
    assert all(line.startswith("make") for line in rest) and not (bare / ".venv").exists()


def test_without_git_no_commit_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() is None
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(ROOT)
    assert commit() is None
