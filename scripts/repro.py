"""dvc repro with several stages side by side: `python scripts/repro.py [PIPELINE] [JOBS]`.

DVC alone decides what has to run. The chains of one variant and seed (train, then evaluate) do not depend on each other,
so each worker, a DVC process, gets every JOBS-th of them; a last `dvc repro` does the rest and gives the exit status.
A failing stage does not stop the others, a refused configuration stops everything.
"""

import re
import subprocess
import sys

__all__ = ["chains", "main"]

REPRO = ("dvc", "--wait-for-lock", "repro")


def chains(stages: list[str]) -> list[list[str]]:
    """Group train-* and evaluate-* stages by their variant and seed, in the pipeline's order."""
    groups: dict[str, list[str]] = {}
    for stage in stages:
        if match := re.match(r"(?:.*:)?(?:train|evaluate)-[^@]+@(.+)", stage):
            groups.setdefault(match[1], []).append(stage)
    return list(groups.values())


def main(pipeline: str, jobs: int) -> int:
    """Return DVC's exit status."""
    if refused := subprocess.run([*REPRO, f"{pipeline}:configure"], check=False).returncode:
        return refused
    if jobs > 1:
        subprocess.run([*REPRO, "-k", f"{pipeline}:split"], check=False)
        listed = subprocess.run(["dvc", "stage", "list", "--name-only", pipeline], capture_output=True, text=True, check=True)
        prefix = "" if pipeline == "dvc.yaml" else f"{pipeline}:"
        work = chains([prefix + name.removeprefix(prefix) for name in listed.stdout.split()])
        shares = [[stage for chain in work[index::jobs] for stage in chain] for index in range(jobs)]
        # -s: a worker never waits for, or repeats, another's stages.
        workers = [subprocess.Popen([*REPRO, "-s", "-k", *share]) for share in shares if share]
        for worker in workers:
            worker.wait()
    return subprocess.run([*REPRO, "-k", pipeline], check=False).returncode


if __name__ == "__main__":
    pipeline, jobs = [*sys.argv[1:], *("dvc.yaml", "1")[len(sys.argv) - 1 :]][:2]
    if not jobs.isdecimal() or int(jobs) < 1:
        sys.exit(f"error: JOBS = {jobs}: allowed: a whole number from 1")
    try:
        sys.exit(main(pipeline, int(jobs)))
    except KeyboardInterrupt:
        sys.exit("interrupted: run the same command to continue")
