"""The whole preset quick on workers with folders of their own, through every fault: bit for bit what one undisturbed machine makes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import Machines
from repository import Copy
from toy import until

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
pytestmark = pytest.mark.slow
LONG = 1200.0


class Driver:
    """A run of a copy's pipeline on machines, as a process of its own that writes what it says to a file."""

    def __init__(self, copy: Copy, log: Path, machines: Machines) -> None:
        self.log = log
        call = [sys.executable, "-m", "regen.runner", "--jobs", "1", "--cluster", machines.address]
        with log.open("w") as said:
            self.process = subprocess.Popen(call, cwd=copy.root, env=copy.environment, stdout=said, stderr=said, start_new_session=True)

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def more(self, stages: int) -> None:
        """Wait until so many more stages are done."""
        goal = self.done() + stages
        until(lambda: self.done() >= goal or self.process.poll() is not None, LONG)
        assert self.process.poll() is None, self.log.read_text()

    def done(self) -> int:
        return sum(line.startswith("done ") for line in self.lines)

    def ended(self, status: int) -> list[str]:
        assert self.process.wait(LONG) == status, self.log.read_text()
        return self.lines


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of 20 MB: room for the code, too little for the data of the larger stages."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("no small disk can be made here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def another_version(tmp_path: Path) -> Path:
    """Return a folder that, before others on the path, makes numpy an old one."""
    described = tmp_path / "other/numpy-0.9.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.9\n")
    return described.parent


def test_quick_on_two_workers_through_every_fault_has_the_bits_of_one_machine(
    tmp_path: Path, small_disk: Path, another_version: Path
) -> None:
    one, many = Copy(tmp_path / "one", None), Copy(tmp_path / "many", None)
    here = one.call(sys.executable, "-m", "regen.runner", "--jobs", "2")

    right = (many.root / "params.yaml").read_text()
    wrong = many.params
    wrong["variants"]["mnist"]["uva3-vae-z2-mnist"]["training"]["learning_rate"] = 1e30
    many.set_params(wrong)
    with Machines.running(tmp_path / "machines") as machines:
        driver = Driver(many, tmp_path / "first", machines)
        driver.more(20)
        machines.kill(machines.workers[0], nanny=False)  # its nanny starts another
        driver.more(10)
        machines.kill(machines.workers[1])  # the machine with all that it held
        machines.add()  # joins late
        driver.more(20)
        machines.add(directory=small_disk)
        machines.add(PYTHONPATH=str(another_version))
        until(lambda: any("is not used: numpy: expected" in line for line in driver.lines), LONG)
        until(lambda: any("expected a finite" in line for line in driver.lines), LONG)
        driver.more(20)
        driver.process.kill()
        driver.process.wait()
        (many.root / "params.yaml").write_text(right)
        again = Driver(many, tmp_path / "second", machines)
        again.more(10)
        machines.scheduler.kill()
        gone = again.ended(1)
        [error] = [line for line in gone if line.startswith("error: ")]
        assert gone[-2] == error and "the scheduler is gone; what is done is kept" in error and gone[-1].startswith("ran ")

    with Machines.running(tmp_path / "later") as machines:
        last = Driver(many, tmp_path / "third", machines).ended(0)
    ran = [line.split(" ")[1] for line in driver.lines + again.lines + last if line.startswith("done ")]
    # What ended once is not run again; what ended on a machine that is gone may have to be.
    assert len(ran) - len(set(ran)) <= 10, sorted(ran)
    assert one.outputs() == many.outputs()
    assert one.lock() == many.lock()
    assert "failed 0, not run 0" in here.splitlines()[-1] and "failed 0, not run 0" in last[-1]
