"""Small DVC repositories for the runner's tests."""

import contextlib
import io
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.environment import clean_environment, enter

from regen.runner.__main__ import main

__all__ = ["Toy", "heed_hangups", "until", "vanished"]

WORK = """
import json, os, pathlib, sys, time
source, *outs = sys.argv[1:]
text = pathlib.Path(source).read_text()
if "slow" in sys.argv[2]:
    pathlib.Path(f"pid-{pathlib.Path(sys.argv[2]).name}").write_text(str(os.getpid()))
    end = time.monotonic() + float(os.environ.get("SLOW", "60"))
    while time.monotonic() < end and not os.path.exists("go"):
        time.sleep(0.05)
for out in outs:
    path = pathlib.Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"of": text, "out": out}))
print("made", *outs)
if "bad" in text:
    sys.exit("error: bad input")
"""


def heed_hangups() -> None:
    """Undo in a child what `nohup` did to the tests: the runner leaves a hang-up ignored that it finds ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def stage(source: str, *outs: str, **more: Any) -> dict[str, Any]:
    """Return a stage that makes outputs in DVC's cache from one file."""
    return {"cmd": f"python work.py {source} {' '.join(outs)}", "deps": ["work.py", source], "outs": list(outs), **more}


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def vanished(pid: int) -> bool:
    """Say whether a process is gone, or dead and only not yet waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class Toy:
    """A repository with a few stages; the current folder is its root."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, stages: dict[str, Any]) -> None:
        self.root = root
        (root / ".dvc").mkdir(parents=True)
        (root / ".dvc/config").write_text("")
        (root / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
        (root / "work.py").write_text(WORK)
        (root / "in.txt").write_text("fine")
        self.stages(stages)
        monkeypatch.chdir(root)
        enter(monkeypatch, clean_environment(root.parent))
        self.git("init", "-q")

    def stages(self, stages: dict[str, Any], file: str = "dvc.yaml") -> None:
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / file).write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Return the runner's exit status, and all that it said, in this process."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = main(arguments)
        return status, said.getvalue()

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """Start the runner as a process of its own."""
        call = [sys.executable, "-m", "regen.runner", *arguments]
        heard = {"preexec_fn": heed_hangups, **more}
        return subprocess.Popen(call, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **heard)

    def repro(self, *arguments: str) -> None:
        """Run plain `dvc repro`, in this process."""
        from dvc.cli import main as dvc

        assert dvc(["repro", "-q", *arguments]) == 0

    def forget(self) -> None:
        """Leave nothing of earlier runs: neither outputs, locks, cache nor the runner's memory."""
        self.git(
            "clean",
            "-qfdx",
            "-e",
            "dvc.yaml",
            "-e",
            "*/dvc.yaml",
            "-e",
            "work.py",
            "-e",
            "in.txt",
            "-e",
            "/.dvc/config",
            "-e",
            "/.dvc/.gitignore",
        )

    def files(self) -> dict[str, bytes]:
        """Return every file but those of git, DVC and a process. DVC's lines in a .gitignore, in the order of time, are sorted."""
        found = [path for path in self.root.rglob("*") if path.is_file() and not {".git", ".dvc"} & set(path.relative_to(self.root).parts)]
        files = {str(path.relative_to(self.root)): path.read_bytes() for path in found if not path.name.startswith("pid-")}
        return {name: b"".join(sorted(data.splitlines(True))) if name.endswith(".gitignore") else data for name, data in files.items()}
