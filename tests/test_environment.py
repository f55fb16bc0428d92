"""A machine that lacks what regen needs: one line that says so; what is cleaned, and what goes into an image or an installed package."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from repository import ROOT
from support.environment import clean_environment, enter

from regen.common.files import read_json
from regen.dependencies.closure import data_files
from regen.provenance import _warn, commit, recorded

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


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_paper_is_hidden_from_dvc_while_nothing_of_it_is_here(bare: Path) -> None:
    for name in ("python", "dvc"):
        program = bare / ".venv/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    (bare / ".venv/installed").write_text(f"{bare}\n")
    (bare / "paper").mkdir()
    hidden = bare / "paper/.dvcignore"

    def make(*arguments: str) -> bool:
        subprocess.run(["make", *arguments], cwd=bare, capture_output=True, check=True)
        return hidden.exists()

    assert make("report") and hidden.read_text() == "*\n"
    assert make("status") and make("train", "VARIANT=a")
    for target in (["status"], ["graph"], ["train", "VARIANT=a"]):
        assert not make(*target, "PRESET=paper")
        assert make("report")
    assert not make("paper")
    # From now on there is something.
    assert not make("report")


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_clean_leaves_what_git_has_and_what_no_pipeline_makes_anew(bare: Path) -> None:
    stay = {
        *("reports/quick/claims.json", "reports/paper/report.md", "reports/paper/figures/v/means.png", "results/quick/v/0/metrics.json"),
        *("own/pets/images.zip", ".dvc/cache/files/1", "mlflow/quick/mlflow.db", "trained/paper/models/v", "regen-models-paper.tar"),
        "checkpoints/paper/v/0/state.safetensors",
        *("Makefile", "pyproject.toml", "requirements.lock"),
    }
    go = {
        *("reports/quick/site/index.html", "reports/quick/figures/v/means.png", "reports/quick/report.md", "reports/paper/made.html"),
        *("models/quick/v/0/final.safetensors", "logs/quick/v/0/train.json"),
    }
    for name in stay | go:
        (bare / name).parent.mkdir(parents=True, exist_ok=True)
        (bare / name).touch()
    subprocess.run(["make", "clean"], cwd=bare, capture_output=True, check=True)
    assert {path.relative_to(bare).as_posix() for path in bare.rglob("*") if path.is_file()} == stay


def test_an_image_takes_nothing_along_that_git_ignores() -> None:
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")}
    assert "own" in ignored and ignored - set((ROOT / ".dockerignore").read_text().splitlines()) == set()


def test_an_installed_package_has_the_data_files_that_its_modules_read() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["regen"]
    package = ROOT / "src/regen"
    found = [set(package.glob(pattern)) for pattern in patterns]
    assert all(found) and set().union(*found) == {path for module in package.rglob("*.py") for path in data_files(module)}


def test_without_a_repository_no_commit_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert commit() is None and capsys.readouterr().err == ""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with a commit, and go there."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    enter(monkeypatch, clean_environment(tmp_path))
    monkeypatch.chdir(tmp_path)
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


@pytest.fixture(params=[".", "trained/paper"])
def inside(request: pytest.FixtureRequest, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a folder of the repository; scripts/train.py trains in one of its own."""
    (repository / request.param).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(repository / request.param)


@pytest.mark.usefixtures("inside")
def test_the_commit_of_another_users_repository_is_noted(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert "dubious ownership" in subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stderr

    assert commit() == head
    (repository / "params.yaml").write_text("seed: 1")
    assert commit() == f"{head}+changes"


@pytest.mark.usefixtures("inside")
def test_a_commit_that_git_does_not_tell_is_one_line_once(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _warn.cache_clear()  # another test of this process may have met the same
    (repository / ".git/HEAD").write_text("ref: refs/heads/gone")
    assert commit() is commit() is None
    expected = "warning: expected git to tell the commit, got '{}'; it is not noted, and no result depends on it\n"
    assert capsys.readouterr().err == expected.format("fatal: Needed a single revision")

    monkeypatch.setenv("PATH", str(repository))
    assert commit() is commit() is None
    assert capsys.readouterr().err == expected.format("[Errno 2] No such file or directory: 'git'")


def test_where_the_system_tells_no_peak_memory_a_stage_is_recorded_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    with recorded(tmp_path / "train.json"):
        pass
    assert read_json(tmp_path / "train.json")["peak_memory_mb"] is None
