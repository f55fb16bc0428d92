"""What may go wrong with many machines, with processes that are really killed and disks that are really full: nothing is lost."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from machines import Machines, until
from toy import Toy

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
pytestmark = pytest.mark.slow

WAIT = """
import os, pathlib, sys, time
name, control = sys.argv[1], pathlib.Path(sys.argv[2])
kept = pathlib.Path("kept", name, "steps")
steps = int(kept.read_text()) if kept.exists() else 0
with (control / "log").open("a") as log:
    log.write(f"{name} {os.getpid()} {steps}\\n")
kept.parent.mkdir(parents=True, exist_ok=True)
while not (control / "go").exists() and not (control / f"go-{name}").exists():
    steps += 1
    kept.with_suffix(".tmp").write_text(str(steps))
    kept.with_suffix(".tmp").replace(kept)
    time.sleep(0.05)
out = pathlib.Path("out", name)
out.parent.mkdir(exist_ok=True)
out.write_text(pathlib.Path("in.txt").read_text() + name)
"""


class Waiting:
    """A toy repository whose stages run until they are told to go on, and leave word of every start."""

    def __init__(self, toy: Callable[..., Toy], control: Path, *names: str, lines: tuple[str, ...] = ()) -> None:
        control.mkdir()
        self.control = control
        self.toy = toy({name: self.stage(name) for name in names})
        (self.toy.root / "wait.py").write_text(WAIT)

    def stage(self, name: str) -> dict[str, Any]:
        needs = {"code": ["wait.py"], "keep": [f"kept/{name}"]}
        return {
            "cmd": f"python wait.py {name} {self.control}",
            "deps": ["in.txt", "wait.py"],
            "outs": [f"out/{name}"],
            "meta": {"runner": needs},
        }

    def starts(self) -> list[tuple[str, int, int]]:
        """Return every start: the stage, its process, the steps that it had from before."""
        log = self.control / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(name, int(pid), int(steps)) for name, pid, steps in map(str.split, lines)]

    def go(self, name: str = "") -> None:
        (self.control / (f"go-{name}" if name else "go")).touch()

    def made(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in (self.toy.root / "out").iterdir() if path.name != ".gitignore"}

    def ended(self, process: subprocess.Popen[str], status: int = 0) -> str:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == status, said
        return said


@pytest.fixture
def waiting(toy: Callable[..., Toy], tmp_path: Path) -> Callable[..., Waiting]:
    return lambda *names: Waiting(toy, tmp_path / "control", *names)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Callable[[int], Machines]]:
    made: list[Machines] = []

    def start(workers: int) -> Machines:
        made.append(Machines(tmp_path / f"machines{len(made)}"))
        for _ in range(workers):
            made[-1].add()
        made[-1].ready()
        return made[-1]

    yield start
    for one in made:
        one.close()


def alone(said: str, beginning: str) -> str:
    """Return the one line that begins so."""
    [line] = [line for line in said.splitlines() if line.startswith(beginning)]
    return line


def test_a_killed_worker_process_costs_the_steps_since_the_last_checkpoint(waiting: Callable[..., Waiting], machines: Any) -> None:
    work, cluster = waiting("one"), machines(1)
    driver = work.toy.start("--cluster", cluster.address)
    until(lambda: work.starts() and (steps(cluster) or 0) > 5)
    reached = steps(cluster) or 0
    cluster.kill(cluster.workers[0], nanny=False)
    until(lambda: len(work.starts()) == 2)
    (_, first, none), (_, second, kept) = work.starts()
    assert none == 0 and kept >= reached
    assert not psutil.pid_exists(first) and first != second
    work.go()
    work.ended(driver)
    assert work.made() == {"one": "fineone"}
    # The checkpoints of a stage that ended well are not kept.
    assert steps(cluster) is None


def steps(cluster: Machines) -> int | None:
    found = [int(text) for path in cluster.place(0).glob("tasks/*/kept/one/steps") if (text := path.read_text())]
    return found[0] if found else None


def test_what_a_killed_machine_ran_and_held_is_run_and_sent_again(waiting: Callable[..., Waiting], machines: Any) -> None:
    work, cluster = waiting("one", "two"), machines(2)
    driver = work.toy.start("--cluster", cluster.address)
    until(lambda: len(work.starts()) == 2)
    cluster.kill(cluster.workers[0])
    until(lambda: len(work.starts()) >= 2 and not cluster_alive(cluster.workers[0]))
    work.go()
    work.ended(driver)
    assert work.made() == {"one": "fineone", "two": "finetwo"}
    assert 3 <= len(work.starts()) <= 4
    status, said = work.toy.run("--cluster", cluster.address)
    assert status == 0 and "up to date 2" in said


def cluster_alive(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


def test_a_driver_that_was_killed_finds_what_runs_and_what_has_ended(waiting: Callable[..., Waiting], machines: Any) -> None:
    work, cluster = waiting("one", "two"), machines(2)
    driver = work.toy.start("--cluster", cluster.address)
    until(lambda: len(work.starts()) == 2)
    driver.kill()
    driver.wait()
    work.go("one")
    until(lambda: not psutil.pid_exists(next(pid for name, pid, _ in work.starts() if name == "one")))
    again = work.toy.start("--cluster", cluster.address)
    assert again.stdout is not None
    told = [again.stdout.readline(), again.stdout.readline()]
    work.go()
    said = "".join(told) + work.ended(again)
    assert sum("an earlier run had started" in line for line in said.splitlines()) == 2, said
    assert sorted(name for name, *_ in work.starts()) == ["one", "two"]
    assert work.made() == {"one": "fineone", "two": "finetwo"}


def test_a_worker_that_joins_late_takes_its_share(waiting: Callable[..., Waiting], machines: Any) -> None:
    work, cluster = waiting("one", "two", "three"), machines(1)
    driver = work.toy.start("--jobs", "1", "--cluster", cluster.address)
    until(lambda: len(work.starts()) == 1)
    cluster.add()
    until(lambda: len(work.starts()) == 2)
    work.go()
    work.ended(driver)
    assert len(work.starts()) == 3 and len(work.made()) == 3


def test_without_its_scheduler_a_run_ends_with_one_line_and_goes_on_later(waiting: Callable[..., Waiting], machines: Any) -> None:
    work, cluster = waiting("one", "two"), machines(2)
    driver = work.toy.start("--cluster", cluster.address)
    until(lambda: len(work.starts()) == 2)
    work.go("one")
    until(lambda: (work.toy.root / "out/one").exists())
    cluster.scheduler.kill()
    said = work.ended(driver, 1)
    assert "the scheduler is gone; what is done is kept" in alone(said, "error: ")
    work.go()
    later = machines(1)
    work.ended(work.toy.start("--cluster", later.address))
    assert [name for name, *_ in work.starts()].count("one") == 1
    assert work.made() == {"one": "fineone", "two": "finetwo"}


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_driver_leaves_no_command_on_any_worker(waiting: Callable[..., Waiting], machines: Any, signal_number: int) -> None:
    work, cluster = waiting("one", "two"), machines(2)
    driver = work.toy.start("--cluster", cluster.address)
    until(lambda: len(work.starts()) == 2)
    driver.send_signal(signal_number)
    said = work.ended(driver, 130)
    assert "interrupted: what is done is kept" in said
    until(lambda: not any(psutil.pid_exists(pid) for _, pid, _ in work.starts()))
    # Nothing of it is left with the scheduler either, and the next run goes on from the checkpoints.
    work.go()
    again = work.ended(work.toy.start("--cluster", cluster.address))
    assert "an earlier run" not in again
    assert any(kept > 0 for *_, kept in work.starts()[2:])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a small disk")
def test_a_worker_whose_disk_is_full_is_not_used_and_its_stage_runs_elsewhere(
    waiting: Callable[..., Waiting], machines: Any, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("no small disk can be made here")
    try:
        work, cluster = waiting("one"), machines(0)
        cluster.add(directory=disk)
        cluster.ready()
        (work.toy.root / "in.txt").write_bytes(b"x" * 3_000_000)
        work.go()
        driver = work.toy.start("--cluster", cluster.address)
        assert driver.stdout is not None
        told = driver.stdout.readline()
        assert told.startswith("worker tcp://127.0.0.1:") and "No space left on device" in told
        cluster.add()
        work.ended(driver)
        assert work.made() == {"one": "x" * 3_000_000 + "one"}
        cluster.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a small disk")
def test_a_stage_that_fills_a_workers_disk_runs_elsewhere(toy: Callable[..., Toy], machines: Any, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("no small disk can be made here")
    try:
        cluster = machines(0)
        cluster.add(directory=disk)
        cluster.ready()
        here = toy({"big": {"cmd": "head -c 3000000 /dev/zero > big", "outs": ["big"]}})
        driver = here.start("--cluster", cluster.address)
        assert driver.stdout is not None
        told = driver.stdout.readline()
        assert told.startswith("worker tcp://127.0.0.1:") and "No space left on device" in told
        cluster.add()
        said, _ = driver.communicate(timeout=120)
        assert driver.returncode == 0, said
        assert (here.root / "big").read_bytes() == bytes(3_000_000)
        cluster.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
