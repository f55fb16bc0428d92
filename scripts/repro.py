"""dvc repro with several stages side by side: `python scripts/repro.py [PIPELINE] [JOBS]`.

DVC alone decides what has to run. The data sets do not depend on each other, nor their feature spaces, nor the chains of one variant
and seed (train, then evaluate and quality), nor the pictures of one variant, nor the probes, nor figures and claims, nor report and track.
So each worker, a DVC process, gets every JOBS-th of them, round by round; a last `dvc repro` does the rest and gives the exit status.
A failing stage does not stop the others, a refused configuration stops everything.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

__all__ = ["chains", "main", "shares"]


ROUNDS = ("fetch|split", "features", "train|evaluate|quality", "draw|probe", "figures|claims", "report|track")
"""Kinds of stages that may run side by side, one round after the other."""

DRAWN = ROUNDS[4:]
"""What shows all variants is left to the last call where one of them failed."""


def chains(stages: list[str], kinds: str) -> list[list[str]]:
    """Group the stages of some kinds by what they are of (data set, variant and seed, variant, probe); each in the order of the kinds."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for stage in stages:
        if match := re.match(rf"(?:.*:)?({kinds})([^@:]*)(?:@(.+))?$", stage):
            groups.setdefault(match[3] or match[2] or stage, []).append((kinds.split("|").index(match[1]), stage))
    return [[stage for _, stage in sorted(group)] for group in groups.values()]


def shares(stages: list[str], kinds: str, jobs: int) -> list[list[str]]:
    """Return the stages of each worker, in order; no more workers than there is work."""
    work = chains(stages, kinds)
    return [[stage for chain in work[index::jobs] for stage in chain] for index in range(min(jobs, len(work)))]


def mended(lock: str) -> str:
    """Return the text of a dvc.lock that DVC was killed while writing, up to its last whole stage; any other as it is.

    DVC writes the file from its start, in place. What is cut off is in its run cache.
    """
    if re.search(r"\n +(size|nfiles): \d+\n$", lock):
        return lock
    stages = [match.start() for match in re.finditer(r"^  \S", lock, re.MULTILINE)]
    return lock[: stages[-1]] if len(stages) > 1 else ""


def mend(locks: list[Path]) -> None:
    """Mend half-written locks, and say so."""
    torn = {path: text for path in locks if mended(text := path.read_text()) != text}
    # Unless it is being written just now.
    sleep(3 if torn else 0)
    for path, text in torn.items():
        if path.read_text() == text:
            print(f"{path}: half-written when DVC was killed; cut back to its last whole stage", file=sys.stderr)
            # DVC refuses an empty lock, but needs none.
            path.write_text(mended(text)) if mended(text) else path.unlink()


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """Start `dvc repro` in a process group of its own, so that an interrupt ends DVC and its stage together."""
    return subprocess.Popen(["dvc", "--wait-for-lock", "repro", *arguments], start_new_session=True)


def finish(workers: list[subprocess.Popen[bytes]]) -> int:
    """Wait for all and return the first exit status that is not 0; on Ctrl-C end them all."""
    try:
        return next((status for status in [worker.wait() for worker in workers] if status), 0)
    except KeyboardInterrupt:
        running = [worker for worker in workers if worker.poll() is None]
        for worker in running:
            os.killpg(worker.pid, signal.SIGTERM)
        for worker in running:
            worker.wait()
        raise


def main(pipeline: str, jobs: int) -> int:
    """Return DVC's exit status."""
    if not Path(".git").exists():
        sys.exit(f"error: {Path.cwd()}: expected a git repository, which DVC needs, got none; clone regen, or run 'git init' here")
    folder = Path(pipeline).parent
    mend([*folder.glob("dvc.lock"), *folder.glob("pipeline/*/dvc.lock")])
    if refused := finish([start(f"{pipeline}:configure")]):
        return refused
    if jobs > 1:
        parts = [pipeline, *sorted(str(path) for path in folder.glob("pipeline/*/dvc.yaml"))]
        listed = subprocess.run(["dvc", "stage", "list", "--name-only", *parts], capture_output=True, text=True, check=True)
        prefix = "" if pipeline == "dvc.yaml" else f"{pipeline}:"
        stages = [name if ":" in name else prefix + name for name in listed.stdout.split()]
        failed = 0
        for kinds in ROUNDS:
            if failed and kinds in DRAWN:
                break
            # -s: a worker never waits for, or repeats, another's stages.
            failed |= finish([start("-s", "-k", *share) for share in shares(stages, kinds, jobs)])
    return finish([start("-k", pipeline)])


if __name__ == "__main__":
    pipeline, jobs = [*sys.argv[1:], *("dvc.yaml", "1")[len(sys.argv) - 1 :]][:2]
    if not jobs.isdecimal() or int(jobs) < 1:
        sys.exit(f"error: JOBS = {jobs}: allowed: a whole number from 1")
    # However it is told to stop, its workers stop first.
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.default_int_handler)
    try:
        sys.exit(main(pipeline, int(jobs)))
    except KeyboardInterrupt:
        print("interrupted: what is done is kept; run the same command to continue", file=sys.stderr)
        sys.exit(130)
