"""Time of the pipeline: with nothing to do; the whole quick preset from nothing, against an older commit or on two workers."""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from machine import REPOSITORY, describe, judged, one_line_errors, spread

from regen.common.errors import UserError
from regen.common.files import checksum

__all__ = ["main"]

TARGET_IDLE = 4.0
"""Seconds of `make report` and of `dvc repro` with nothing to do."""

TARGET_BARE, TARGET_BEFORE, TARGET_OWN = 300.0, 0.4, 0.85
"""Seconds of the bare quick preset on two cores; the ratio to the older commit; the share of the cores' time that is the stages' own."""

TARGET_WORKERS = 1.15
"""How many times as long two workers on this machine may take as the local pool."""


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which a clone runs its own code with this interpreter's packages and nobody's DVC cache."""
    places = {
        f"DVC_{name}_DIR": str(folder.with_name(f"{folder.name}-{name}")) for name in ("SITE_CACHE", "GLOBAL_CONFIG", "SYSTEM_CONFIG")
    }
    return {
        **os.environ,
        **places,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "DVC_NO_ANALYTICS": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def run(folder: Path, *command: str) -> str:
    """Run a command in `folder` and return what it printed.

    Raises
    ------
    UserError
        If it fails: its last line.
    """
    result = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip() or result.stdout.strip() or "nothing").splitlines()[-1]
        raise UserError(f"{' '.join(command)}: expected exit status 0, got {result.returncode}: {last}")
    return result.stdout


def idle(folder: Path, *command: str) -> list[float]:
    """Return the seconds of five runs of a command after a first one that is not counted."""
    seconds = []
    for _ in range(6):
        start = time.perf_counter()
        run(folder, *command)
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def outputs(folder: Path) -> dict[str, str]:
    """Return the digest of every file that the stages made."""
    locks = [yaml.safe_load(path.read_text()) for path in (folder / "dvc.lock", *folder.glob("pipeline/*/dvc.lock"))]
    places = [folder / out["path"] for lock in locks for stage in lock["stages"].values() for out in stage["outs"]]
    files = [path for place in places for path in (place.rglob("*") if place.is_dir() else [place])]
    return {path.relative_to(folder).as_posix(): checksum(path, "sha256") for path in files if path.is_file()}


def bare(folder: Path, commit: str = "HEAD") -> Path:
    """Clone a commit without any result of the quick preset and without its locks."""
    run(REPOSITORY, "git", "clone", "--quiet", str(REPOSITORY), str(folder))
    run(folder, "git", "checkout", "--quiet", commit)
    for results in ("results/quick", "reports/quick"):
        shutil.rmtree(folder / results, ignore_errors=True)
    for lock in (folder / "dvc.lock", *folder.glob("pipeline/*/dvc.lock")):
        lock.unlink()
    return folder


def timed(folder: Path, *command: str) -> tuple[float, float]:
    """Return the seconds of a run, and the share of the cores' time that was the stages' own, if it says so."""
    start = time.perf_counter()
    said = run(folder, *command)
    share = re.search(r"(\d+)% of \d+ cores", said)
    return time.perf_counter() - start, int(share[1]) / 100 if share else float("nan")


def runner(*arguments: str) -> list[str]:
    """Return the command that reproduces the quick preset side by side."""
    return ["python", "-m", "regen.runner", *arguments, "dvc.yaml"]


@contextmanager
def two_workers(folder: Path) -> Iterator[str]:
    """Start a scheduler and two workers of one slot, each with a folder of its own; yield the scheduler's file."""
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), "--dashboard-address", "127.0.0.1:0"]
    dask = [sys.executable, "-m", "dask"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common]]
    commands += [
        [
            *dask,
            "worker",
            *common,
            "--host",
            "127.0.0.1",
            "--nthreads",
            "1",
            "--resources",
            "cpu=1",
            "--local-directory",
            str(folder / name),
        ]
        for name in ("one", "two")
    ]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    try:
        yield str(file)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()


def nothing_to_do() -> int:
    """Print the time of both commands with nothing to do."""
    for command in (("make", "report"), ("dvc", "repro")):
        seconds = idle(REPOSITORY, *command)
        said = f"{spread(seconds, '.2f')}, {judged(statistics.median(seconds), TARGET_IDLE)}"
        print(f"{' '.join(command)} with nothing to do, s, median of five (range): {said}")
    return 0


def against(commit: str, place: Path) -> int:
    """Run the bare quick preset, then that of an older commit as it ran there."""
    seconds, own = timed(bare(place / "now"), *runner())
    print(
        f"bare quick preset: {seconds:.0f} s, {judged(seconds, TARGET_BARE)}; own work: {own:.2f}, {judged(own, TARGET_OWN, at_least=True)}"
    )
    before, _ = timed(bare(place / "before", commit), "python", "scripts/repro.py", "dvc.yaml", "2")
    print(f"at {commit}: {before:.0f} s; ratio: {seconds / before:.2f}, {judged(seconds / before, TARGET_BEFORE)}")
    return 0


def workers(place: Path) -> int:
    """Run the bare quick preset here and on two workers; return 1 where an output differs."""
    here, there = bare(place / "here"), bare(place / "there")
    local, _ = timed(here, *runner("--jobs", "2"))
    with two_workers(place) as scheduler:
        remote, _ = timed(there, *runner("--cluster", scheduler))
    first, second = outputs(here), outputs(there)
    different = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    print(f"local pool: {local:.0f} s; two workers: {remote:.0f} s; ratio: {remote / local:.2f}, {judged(remote / local, TARGET_WORKERS)}")
    print(f"outputs compared: {len(first.keys() | second.keys())}, different: {len(different)}", *different, sep="\n  ")
    return int(bool(different))


def main(before: str | None, on_workers: bool) -> int:
    """Return 1 where an output differs."""
    print(describe("dvc", "distributed", "torch", "mlflow"))
    if before is None and not on_workers:
        return nothing_to_do()
    chosen: Callable[[Path], int] = workers if on_workers else lambda place: against(str(before), place)
    with tempfile.TemporaryDirectory(prefix="regen-pipeline-") as name:
        return chosen(Path(name).resolve())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--before", metavar="COMMIT", help="run the quick preset from nothing, then as scripts/repro.py of a commit ran it (half an hour)"
    )
    parser.add_argument(
        "--workers", action="store_true", dest="on_workers", help="run it in the local pool and on two workers, to the same bytes"
    )
    with one_line_errors():
        sys.exit(main(**vars(parser.parse_args())))
