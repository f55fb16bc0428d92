"""However a run ends, no process outlives it, and the next run comes to what an undisturbed one comes to."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from toy import Toy, heed_hangups, stage, until, vanished

Make = Callable[[dict[str, Any]], Toy]

STAGES = {
    "first": stage("in.txt", "first.txt"),
    "slow": stage("first.txt", "slow.txt"),
    "shell": {
        "cmd": "sleep \\${SLOW:-60} & echo $! > pid-shell; wait; echo made > shell.txt",
        "deps": ["first.txt"],
        "outs": ["shell.txt"],
    },
    "last": stage("slow.txt", "last.txt"),
}
CONTINUE = "interrupted: what is done is kept; run the same command to continue\n"


def pids(toy: Toy) -> list[int]:
    """Wait until both slow stages run; return the numbers of their processes."""
    files = [toy.root / "pid-slow.txt", toy.root / "pid-shell"]
    until(lambda: all(file.exists() and file.read_text() for file in files))
    return [int(file.read_text()) for file in files]


@pytest.fixture
def undisturbed(toy: Make, monkeypatch: pytest.MonkeyPatch) -> tuple[Toy, dict[str, bytes]]:
    """Return a repository, and the files that a run without any disturbance makes there."""
    made = toy(STAGES)
    monkeypatch.setenv("SLOW", "0")
    assert made.run("--jobs", "2")[0] == 0
    files = made.files()
    made.forget()
    monkeypatch.setenv("SLOW", "60")
    return made, files


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_every_child_and_the_next_run_goes_on(
    undisturbed: tuple[Toy, dict[str, bytes]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, files = undisturbed
    process = made.start("--jobs", "2")
    running = pids(made)
    family = psutil.Process(process.pid).children(recursive=True)
    assert set(running) <= {child.pid for child in family}
    process.send_signal(getattr(signal, name))
    said = process.communicate(timeout=30)[0]
    assert process.returncode == 130 and said.endswith(CONTINUE) and "error" not in said
    # Not only soon afterwards: at the moment at which the driver is gone.
    assert all(vanished(child.pid) for child in family)
    assert "first" in Path("dvc.lock").read_text()
    monkeypatch.setenv("SLOW", "0")
    status, said = made.run()
    assert status == 0 and "up to date 1" in said and made.files() == files


def test_a_killed_driver_leaves_no_orphan_and_nothing_torn(
    undisturbed: tuple[Toy, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, files = undisturbed
    process = made.start("--jobs", "2")
    family = [*pids(made), *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
    process.kill()
    process.wait()
    until(lambda: all(map(vanished, family)))
    monkeypatch.setenv("SLOW", "0")
    status, said = made.run()
    # The first stage's lock was not written yet; DVC's run cache has it.
    assert status == 0 and "restored first" in said and made.files() == files
    made.forget()
    made.repro()
    # DVC's own order of a new lock is another one in each process.
    assert {**made.files(), "dvc.lock": b""} == {**files, "dvc.lock": b""}
    assert yaml.safe_load(Path("dvc.lock").read_text()) == yaml.safe_load(files["dvc.lock"])


def test_a_killed_stage_costs_that_stage_only(undisturbed: tuple[Toy, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    made, files = undisturbed
    process = made.start("--jobs", "2")
    slow, shell = pids(made)
    os.kill(slow, signal.SIGKILL)
    os.kill(shell, signal.SIGTERM)
    said = process.communicate(timeout=30)[0]
    assert process.returncode == 1 and "error: slow: killed by signal 9\n" in said and "done shell" in said
    assert "ran 2, restored 0, up to date 0, failed 1, not run 1" in said
    monkeypatch.setenv("SLOW", "0")
    assert made.run()[0] == 0 and made.files() == files


def test_a_killed_interpreter_costs_what_it_ran_and_is_started_again(toy: Make) -> None:
    made = toy({"slow": stage("in.txt", "slow.txt"), "other": stage("in.txt", "other.txt"), "more": stage("other.txt", "more.txt")})
    process = made.start("--jobs", "1")
    until((made.root / "pid-slow.txt").exists)
    (warm,) = psutil.Process(process.pid).children()
    warm.kill()
    said = process.communicate(timeout=30)[0]
    assert process.returncode == 1 and "error: slow: killed by signal 9\n" in said
    assert "done other" in said and "done more" in said
    until(lambda: vanished(int((made.root / "pid-slow.txt").read_text())))


def test_an_ignored_hang_up_stays_ignored(undisturbed: tuple[Toy, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    made, files = undisturbed
    monkeypatch.setenv("SLOW", "2")
    process = subprocess.Popen(["nohup", sys.executable, "-m", "regen.runner"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for pid in (*pids(made)[:1], process.pid):
        os.kill(pid, signal.SIGHUP)
    assert process.wait(timeout=30) == 0 and made.files() == files


def test_a_closed_terminal_ends_the_run(undisturbed: tuple[Toy, dict[str, bytes]]) -> None:
    made, _ = undisturbed
    pid, terminal = pty.fork()
    if not pid:
        heed_hangups()
        os.execv(sys.executable, [sys.executable, "-m", "regen.runner", "--jobs", "2"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    running = pids(made)
    shown = b""
    with contextlib.suppress(OSError):
        while select.select([terminal], [], [], 2)[0]:
            shown += os.read(terminal, 4096)
            if b"2 running" in shown:
                break
    # A bar, since somebody watches.
    assert b"1 of 4" in shown and b"2 running" in shown and b"done first" in shown
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert all(map(vanished, running))


def test_two_drivers_on_one_pipeline_do_each_stage_once(toy: Make) -> None:
    made = toy({name: {**of, "cmd": ["echo x >> ../runs", of["cmd"]]} for name, of in STAGES.items() if name != "shell"})
    first = made.start("--jobs", "2")
    until((made.root / "pid-slow.txt").exists)
    second = made.start("--jobs", "2")
    assert second.stdout is not None
    waited = next(line for line in second.stdout if line.startswith("wait"))
    assert f"(PID {first.pid})" in waited
    (made.root / "go").touch()
    said = [driver.communicate(timeout=60)[0] for driver in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert (made.root.parent / "runs").read_text() == "x\n" * 3
    assert "up to date 3" in made.run()[1]


def test_what_is_up_to_date_is_not_waited_for(toy: Make) -> None:
    made = toy(
        {"shared": stage("in.txt", "shared.txt"), "slow": stage("shared.txt", "slow.txt"), "quick": stage("shared.txt", "quick.txt")}
    )
    assert made.run("shared")[0] == 0
    first = made.start("slow")
    until((made.root / "pid-slow.txt").exists)
    status, said = made.run("quick")
    assert status == 0 and "up to date 1" in said and "wait" not in said
    assert first.poll() is None
    (made.root / "go").touch()
    assert first.wait(timeout=30) == 0


def test_two_drivers_on_two_pipelines_share_what_is_upstream(toy: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOW", "1")
    made = toy({"shared": stage("in.txt", "slow.txt")})
    for part in ("one", "two"):
        stages = {f"s{number}": {**stage("slow.txt", f"{part}/{number}.txt"), "wdir": ".."} for number in range(3)}
        made.stages(stages, f"{part}/dvc.yaml")
    drivers = [made.start("--jobs", "2", f"{part}/dvc.yaml") for part in ("one", "two")]
    said = [driver.communicate(timeout=60)[0] for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0], said
    assert all((made.root / part / f"{number}.txt").exists() for part in ("one", "two") for number in range(3))
    assert "up to date 7" in made.run("one/dvc.yaml", "two/dvc.yaml")[1]


@pytest.mark.parametrize(
    "text",
    [
        '{"read": {}, "wri',
        '{"write": {"/x": {"pid": 999999999, "cmd": "dvc"}}, "read": {}}',
        # A process of today cannot hold what was locked long ago: its number belonged to another one then.
        '{"write": {}, "read": {"/x": [{"pid": OURS, "cmd": "dvc"}]}}',
    ],
)
def test_what_the_dead_had_locked_is_free(toy: Make, text: str) -> None:
    made = toy({"a": stage("in.txt", "a.txt")})
    made.run("--dry")
    path = Path(".dvc/tmp/rwlock")
    path.write_text(text.replace("/x", str(made.root / "a.txt")).replace("OURS", str(os.getpid())))
    os.utime(path, (1e9, 1e9))
    status, said = made.run()
    assert status == 0 and "wait" not in said
