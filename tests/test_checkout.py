"""What else lies in a work tree: other line ends in git's checkout, and what editors and desktops leave in folders that DVC hashes."""

import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo
from repository import ROOT
from support.environment import clean_environment, enter

LEFT_BEHIND = (
    *(".DS_Store", "._train.py", "Thumbs.db", "desktop.ini"),
    *("train.py~", ".train.py.swp", ".train.py.swo", "#train.py#", ".#train.py", "train.py.bak"),
    *("train.py.orig", "train.py.rej", ".ipynb_checkpoints/train-checkpoint.py", "__pycache__/train.cpython-311.pyc", ".ruff_cache/0.1/1"),
)

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture(autouse=True)
def _own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a hook's GIT_DIR, and the user's and the system's settings, out of the repositories that are made here."""
    enter(monkeypatch, clean_environment(tmp_path / ".dvc/tmp"))


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def smallest_of_each_kind() -> list[Path]:
    """Return the smallest tracked file of every suffix, and of those without one."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    if not tracked:
        pytest.skip("needs the repository that git keeps")
    files = [Path(name) for name in tracked if (ROOT / name).is_file() and (ROOT / name).stat().st_size]
    return [
        min((file for file in files if file.suffix == kind), key=lambda file: (ROOT / file).stat().st_size)
        for kind in {file.suffix for file in files}
    ]


@pytest.mark.parametrize("kept", [True, False])
def test_a_checkout_with_automatic_line_ends_has_the_same_bytes(kept: bool, tmp_path: Path) -> None:
    source, files = tmp_path / "source", [*smallest_of_each_kind(), Path("params.yaml"), Path("src/regen/stage.py")]
    for file in files:
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, source / file)
    if kept:
        shutil.copyfile(ROOT / ".gitattributes", source / ".gitattributes")
    else:
        (source / ".gitattributes").unlink(missing_ok=True)
    git(source, "init", "-q")
    git(source, "add", "--force", ".")
    git(source, "commit", "-q", "-m", "files")
    git(tmp_path, "clone", "-q", "-c", "core.autocrlf=true", str(source), "clone")

    same = {file for file in files if (tmp_path / "clone" / file).read_bytes() == (ROOT / file).read_bytes()}
    if kept:
        assert same == set(files)
    else:
        # The same clone without the attributes: text is changed, pictures are not.
        assert Path("params.yaml") not in same and Path("src/regen/stage.py") not in same
        assert any(file.suffix == ".png" for file in same)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with one stage that depends on a folder of code and was run."""
    for name in (".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/train.py").write_text("print()")
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: echo done, deps: [src]}}")
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    with Repo.init(str(tmp_path)) as repo:
        repo.reproduce()
    git(tmp_path, "add", ".")
    return tmp_path


def test_what_editors_and_desktops_leave_makes_nothing_stale(place: Path) -> None:
    for name in LEFT_BEHIND:
        (place / "src" / name).parent.mkdir(exist_ok=True, parents=True)
        (place / "src" / name).write_text("left behind")
    with Repo(str(place)) as repo:
        assert repo.status() == {}
    # Nor is it a change of the sources, of which the provenance would tell.
    assert git(place, "ls-files", "--others", "--exclude-standard", "src") == ""


@pytest.mark.parametrize("name", ["train.py", "new.py", "model.swp", "tilde~name.py", "#list.txt", "original.py"])
def test_what_is_a_source_makes_it_stale(name: str, place: Path) -> None:
    (place / "src" / name).write_text("print(1)")
    with Repo(str(place)) as repo:
        assert repo.status() == {"train": [{"changed deps": {"src": "modified"}}]}
    assert git(place, "status", "--porcelain", "src").strip().strip('"').endswith(name)
