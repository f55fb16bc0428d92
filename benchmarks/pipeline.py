"""Time of `dvc repro` with nothing to do; with --clones or --long, one job against two in fresh clones, to the same bytes."""

import argparse
import json
import os
import re
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from machine import REPOSITORY, describe, judged, one_line_errors, spread

from regen.common.errors import UserError
from regen.common.files import checksum

__all__ = ["main"]

LONG = ("uva3-vae-z20-mnist", "uva3-vae-z2-mnist", "vu4a-vae-mnist", "vu4a-vae-mnist-gauss")
"""Variants that --long trains, all alike in cost."""

IMAGES, STEPS = 6000, 10000
"""Training images of --long, and most steps: more than ten seconds a training."""

TARGET_LONG = 1.7
"""How many times faster two jobs are to be than one, over stages of ten seconds and more."""

TARGET_JOBS_2 = 480.0
"""Seconds of the whole quick preset with two jobs on two cores."""

TARGET_SECONDS = 2.0
UP_TO_DATE = "Data and pipelines are up to date."


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which a clone runs its own code with this interpreter's packages."""
    return {
        **os.environ,
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


def nothing_to_do(folder: Path) -> list[float]:
    """Return the seconds of five runs of `dvc repro` after a first one that is not counted."""
    if not run(folder, "dvc", "repro", "--dry").rstrip().endswith(UP_TO_DATE):
        raise UserError("dvc.yaml: expected an up-to-date pipeline, got stages to run; run 'make report' first")
    seconds = []
    for _ in range(6):
        start = time.perf_counter()
        run(folder, "dvc", "repro")
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def outputs(folder: Path) -> dict[str, str]:
    """Return the digest of every output: those that DVC noted in its locks, and those of the files themselves."""
    locks = [yaml.safe_load(path.read_text()) for path in (folder / "dvc.lock", *folder.glob("pipeline/*/dvc.lock"))]
    found = {f"lock: {out['path']}": out["md5"] for lock in locks for stage in lock["stages"].values() for out in stage["outs"]}
    files = [path for top in ("configs", "data", "features", "models", "results", "reports") for path in sorted((folder / top).rglob("*"))]
    files += sorted(folder.glob("mlflow/*/synced.txt"))
    return found | {str(path.relative_to(folder)): checksum(path, "sha256") for path in files if path.is_file()}


def cloned(folder: Path) -> Path:
    """Return a clone of the repository that runs its own package."""
    run(REPOSITORY, "git", "clone", "--quiet", str(REPOSITORY), str(folder))
    used = run(folder, "python", "-c", "import regen; print(regen.__file__)").strip()
    if folder not in Path(used).parents:
        raise UserError(f"{folder}: expected the clone's own package, got {used}; install regen editable, as 'make' does")
    return folder


def from_scratch(folder: Path, jobs: int) -> float:
    """Clone the repository, remove every result of the quick preset, run it and return the seconds."""
    cloned(folder)
    for results in ("results/quick", "reports/quick"):
        shutil.rmtree(folder / results)
    start = time.perf_counter()
    run(folder, "python", "scripts/repro.py", "dvc.yaml", str(jobs))
    return time.perf_counter() - start


def compare_clones() -> bool:
    """Run the quick preset in two clones, print every difference and return whether there was one."""
    with tempfile.TemporaryDirectory(prefix="regen-clones-") as name:
        clones = {jobs: Path(name).resolve() / f"jobs-{jobs}" for jobs in (1, 2)}
        seconds = {jobs: from_scratch(folder, jobs) for jobs, folder in clones.items()}
        one, two = (outputs(folder) for folder in clones.values())
        differences = sorted(key for key in one.keys() | two.keys() if one.get(key) != two.get(key))
        changed = {jobs: run(folder, "git", "status", "--porcelain").splitlines() for jobs, folder in clones.items()}
        heads = {jobs: run(folder, "git", "rev-parse", "--short", "HEAD").strip() for jobs, folder in clones.items()}
        idle = nothing_to_do(clones[1])
    for jobs, folder in clones.items():
        state = f"{len(changed[jobs])} files differ from the commit" if changed[jobs] else "git status clean"
        target = f", {judged(seconds[jobs], TARGET_JOBS_2)}" if jobs == 2 else ""
        print(f"{folder.name}: commit {heads[jobs]}, {seconds[jobs]:.0f} s{target}, {state}")
        for line in changed[jobs]:
            print(f"  {line}")
    print(f"one job over two: {seconds[1] / seconds[2]:.2f}")
    print(f"outputs compared: {len(one.keys() | two.keys())}, different: {len(differences)}")
    for key in differences:
        print(f"  {key:<80} {one.get(key, 'missing')[:12]:<14} {two.get(key, 'missing')[:12]}")
    report_idle(idle)
    return bool(differences) or any(changed.values()) or heads[1] != heads[2]


def long_stages() -> bool:
    """Train a few variants for longer with one job and with two, as scripts/repro.py shares them; return whether a file differs."""
    shares = runpy.run_path(str(REPOSITORY / "scripts/repro.py"))["shares"]
    stages = [f"pipeline/train/dvc.yaml:train-mnist@{variant}-0" for variant in LONG]
    seconds, trained = {}, {}
    with tempfile.TemporaryDirectory(prefix="regen-long-") as name:
        for jobs in (1, 2):
            folder = cloned(Path(name).resolve() / f"jobs-{jobs}")
            params = folder / "params.yaml"
            text = re.sub(r"max_images: {train: \d+", f"max_images: {{train: {IMAGES}", params.read_text(), count=1)
            params.write_text(re.sub(r"max_steps: {mnist: \d+", f"max_steps: {{mnist: {STEPS}", text, count=1))
            run(folder, "dvc", "repro", "dvc.yaml:split@mnist")
            start = time.perf_counter()
            with ThreadPoolExecutor(jobs) as workers:
                command = (run, folder, "dvc", "--wait-for-lock", "repro", "-s")
                for done in [workers.submit(*command, *share) for share in shares(stages, "train", jobs)]:
                    done.result()
            seconds[jobs] = time.perf_counter() - start
            trained[jobs] = {str(path.relative_to(folder)): checksum(path, "sha256") for path in (folder / "models").rglob("*.safetensors")}
            each = [json.loads(path.read_text())["seconds"] for path in sorted((folder / "logs").glob("*/*/*/train.json"))]
            print(f"jobs-{jobs}: {len(stages)} trainings of {spread(each, '.1f')} s in {seconds[jobs]:.0f} s")
    ratio = seconds[1] / seconds[2]
    print(f"one job over two: {ratio:.2f}, {judged(ratio, TARGET_LONG, at_least=True)}")
    print(f"weights compared: {len(trained[1])}, {'equal' if trained[1] == trained[2] else 'DIFFERENT'}")
    return trained[1] != trained[2]


def report_idle(seconds: list[float]) -> None:
    """Print the time of `dvc repro` with nothing to do."""
    print(f"dvc repro with nothing to do, s, median of five (range): {spread(seconds, '.2f')}", end="  ")
    print(judged(statistics.median(seconds), TARGET_SECONDS))


def main(clones: bool, long: bool) -> int:
    """Return 1 where an output differs."""
    print(describe("dvc", "torch", "mlflow"))
    if long:
        return int(long_stages())
    if clones:
        return int(compare_clones())
    report_idle(nothing_to_do(REPOSITORY))
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clones", action="store_true", help="run the quick preset twice from scratch (minutes)")
    parser.add_argument("--long", action="store_true", help="train a few variants for longer, with one job and with two (minutes)")
    with one_line_errors():
        sys.exit(main(**vars(parser.parse_args())))
