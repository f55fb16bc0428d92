"""Commands in forks of a warm interpreter end as those of a cold one do."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from toy import until, vanished

from regen.runner.errors import RunnerError
from regen.runner.interpreter import Command, Ended, Interpreter
from regen.runner.plain import Plain

SHOW = """
import json, os, sys, threading
main = sys.modules["__main__"]
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "name": __name__, "file": globals().get("__file__"), "package": __package__,
    "cwd": os.getcwd(), "main": main.__dict__ is globals(), "env": os.environ.get("GIVEN"), "threads": threading.active_count(),
    "warm": "fractions" in sys.modules,
    "spec": __spec__ and __spec__.name, "globals": sorted(globals()), "orig": sys.orig_argv[1:], "stdin": sys.stdin.read(),
}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "show.py").write_text(SHOW)
    for name in ("scripts", "package"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__main__.py").write_text("import beside\n" + SHOW if name == "scripts" else SHOW)
        (tmp_path / name / "show.py").write_text(SHOW)
    (tmp_path / "scripts/beside.py").write_text("")
    (tmp_path / "package/__init__.py").write_text("")
    return tmp_path


@pytest.fixture
def warm() -> Iterator[Interpreter]:
    made = Interpreter(preload=["fractions", "there_is_no_such_module"])
    yield made
    made.close()


def run(warm: Interpreter | Plain, folder: Path, *argv: str, python: bool = True) -> tuple[Ended, str]:
    """Return how a command ended, and its log."""
    log = folder / f"log-{threading.get_ident()}"
    log.write_bytes(b"")
    end = warm.run(Command(argv, python, str(folder), {"GIVEN": "1"}, str(log)))
    return end, log.read_text()


def code(folder: Path, text: str) -> str:
    (folder / "code.py").write_text(text)
    return "code.py"


@pytest.mark.parametrize(
    "argv", [["show.py", "a", "b c"], ["package/show.py"], ["scripts", "x"], ["-m", "package", "--y"], ["-m", "package.show"]]
)
def test_a_command_sees_what_it_would_see_in_a_cold_interpreter(warm: Interpreter, folder: Path, argv: list[str]) -> None:
    end, said = run(warm, folder, *argv)
    assert end.status == 0, said
    cold = subprocess.run(
        [sys.executable, *argv],
        cwd=folder,
        env={**os.environ, "GIVEN": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    seen, expected = json.loads(said), json.loads(cold.stdout)
    assert seen.pop("warm") and not expected.pop("warm")
    assert seen.pop("orig") != expected.pop("orig")
    assert seen == expected


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('error: it is so')", 1, "error: it is so\n"),
        ("import atexit; atexit.register(print, 'at the end')", 0, "at the end\n"),
        ("import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), print('late'))).start()", 0, "late\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
        ("import os; print('x', flush=True); os._exit(3)", 3, "x\n"),
    ],
)
def test_a_command_ends_as_in_a_cold_interpreter(warm: Interpreter, folder: Path, text: str, status: int, said: str) -> None:
    end, log = run(warm, folder, code(folder, text))
    assert (end.status, log) == (status, said)
    plain = Plain()
    assert run(plain, folder, code(folder, text)) == (Ended(status, pytest.approx(0, abs=60)), said)


def test_an_exception_is_a_traceback_and_status_1(warm: Interpreter, folder: Path) -> None:
    end, log = run(warm, folder, code(folder, "1 / 0"))
    assert end.status == 1 and "code.py" in log and log.endswith("ZeroDivisionError: division by zero\n")


def test_a_script_that_is_not_there_is_status_2_as_in_python(warm: Interpreter, folder: Path) -> None:
    end, log = run(warm, folder, "nothing.py")
    assert end.status == 2 and "can't open file" in log and log.count("\n") == 1


def test_a_program_is_executed_as_it_is(warm: Interpreter, folder: Path) -> None:
    end, log = run(warm, folder, "/bin/sh", "-c", "echo $GIVEN $0; exit 5", python=False)
    assert (end.status, log) == (5, "1 /bin/sh\n")
    end, log = run(warm, folder, "/nothing", python=False)
    assert end.status == 1 and log.count("\n") == 1


def test_processor_time_is_told(warm: Interpreter, folder: Path) -> None:
    end, _ = run(warm, folder, code(folder, "import time\nwhile time.process_time() < 0.3: pass"))
    assert 0.25 < end.cpu < 3 and end.seconds >= 0.25


def test_commands_run_side_by_side(warm: Interpreter, folder: Path) -> None:
    # Each waits for the other's file.
    text = "import pathlib, sys, time\npathlib.Path(sys.argv[1]).touch()\nwhile not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)"
    script = code(folder, text)
    with ThreadPoolExecutor() as threads:
        ends = list(threads.map(lambda names: run(warm, folder, script, *names)[0].status, [("a", "b"), ("b", "a")]))
    assert ends == [0, 0]


def test_what_a_command_leaves_behind_ends_with_it(warm: Interpreter, folder: Path) -> None:
    end, log = run(warm, folder, code(folder, "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"))
    assert end.status == 0
    until(lambda: vanished(int(log)))


def test_a_changed_module_is_imported_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    (folder / "constant.py").write_text("X = 1\n")
    script = code(folder, "import constant; print(constant.X)")
    warm = Interpreter(preload=["constant"])
    try:
        assert run(warm, folder, script)[1] == "1\n"
        first = warm.pids()
        (folder / "constant.py").write_text("X = 22\n")
        assert run(warm, folder, script)[1] == "22\n"
        assert run(warm, folder, script)[1] == "22\n"
        until(lambda: len(warm.pids()) == 1)
        assert warm.pids() != first
    finally:
        warm.close()


def sleeping(warm: Interpreter, folder: Path, threads: ThreadPoolExecutor) -> tuple[int, "object"]:
    """Start a command that sleeps; return its process number, and what will hold its end."""
    script = code(
        folder, "import os, pathlib, time\npathlib.Path('part').write_text(str(os.getpid()))\nos.rename('part', 'pid')\ntime.sleep(60)"
    )
    future = threads.submit(run, warm, folder, script)
    until((folder / "pid").exists)
    return int((folder / "pid").read_text()), future


@pytest.mark.parametrize("how", ["stop", "killed"])
def test_commands_end_with_their_interpreter(warm: Interpreter, folder: Path, how: str) -> None:
    with ThreadPoolExecutor() as threads:
        pid, future = sleeping(warm, folder, threads)
        if how == "stop":
            warm.stop()
        else:
            os.kill(warm.pids()[0], signal.SIGKILL)
        end, _ = future.result(timeout=30)  # type: ignore[attr-defined]
        assert end.status == (-15 if how == "stop" else -9)
        until(lambda: vanished(pid))
    # Another one is started where it was killed; none where everything stops.
    end, _ = run(warm, folder, code(folder, ""))
    assert end.status == (-15 if how == "stop" else 0)


def test_an_interpreter_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(RunnerError, match=r"got one that ended with 2: .*can't open file '.*nothing\.py'.*$"):
        Interpreter(source=folder / "nothing.py").current()


def test_what_an_interpreter_says_itself_never_holds_it_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    (folder / "loud.py").write_text("import sys\nfor _ in range(5000): print('x' * 100, file=sys.stderr)\n")
    warm = Interpreter(preload=["loud"])
    try:
        assert run(warm, folder, code(folder, "print('here')"))[1] == "here\n"
    finally:
        warm.close()


def test_a_fork_after_torch_is_safe() -> None:
    # No other thread could hold a lock at the moment of the fork, and CUDA, which no fork survives, is not initialised.
    warm = Interpreter(preload=["regen", "torch"])
    try:
        assert warm.current() is not None
        (pid,) = warm.pids()
        assert len(os.listdir(f"/proc/{pid}/task")) == 1
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert "libtorch" in maps
        assert not any("nvidia" in os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
    finally:
        warm.close()
