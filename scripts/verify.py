"""Run everything again in a clean copy of HEAD and hold it against what is committed.

`python scripts/verify.py [--jobs N] [--cluster ADDRESS] [--twice] PRESET [VARIANT ...]`. The copy has no cache, no models, no data and,
before it runs, no locks, no results and no report. With variants, those of their stages whose results are committed are run, with what
they need, and compared. Files in git are compared themselves, other outputs by the checksums in the locks. Results made on this platform
must be equal bit for bit, weights included (results/<preset>/platform.json says where each was made); others must lie within
src/regen/metrics/catalogue.yaml, configurations and data must be equal, and how many outputs are not equal bit for bit is printed,
with the first of them. `--twice` holds two runs against each other instead; both on this machine, each has half the jobs. Exit status 1 and
a table of what differs if not. Interrupted or told to end (SIGTERM) it ends its runs and removes the copies.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from regen.common.errors import UserError
from regen.common.presets import pipeline_of
from regen.provenance import made_here
from regen.runner.cores import cores
from regen.runner.driver import told
from regen.verification.compare import differences, table
from regen.verification.outputs import compared, locked, locks_apart, locks_of, stages_of

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
MOST = 5
"""Outputs that are named where some are not equal bit for bit."""

WAYS = {
    "twice": "of two runs, bit for bit",
    "exact": "bit for bit, made on this platform",
    "near": "within the tolerances, made on another platform",
}


def main(preset: str, variants: list[str], twice: bool, settings: dict[str, str | None]) -> None:
    """Print one line if everything came out again.

    Raises
    ------
    UserError
        If something did not, or there is nothing to hold a run against.
    """
    if preset != "quick" and not variants:
        raise UserError(f'verify {preset}: expected variants, for all of it takes more than a day, got none; name some, VARIANT="a b"')
    pipeline = Path(pipeline_of(preset))
    with told(signal.default_int_handler), tempfile.TemporaryDirectory(prefix="regen-verify-") as folder:
        committed, copy = _clone(Path(folder, "committed")), _clone(Path(folder, "copy"))
        stages = stages_of(committed, pipeline, variants) if variants else {}
        if absent := [name for name in variants if not stages_of(committed, pipeline, [name])]:
            raise UserError(f"verify {preset}: expected committed results of {', '.join(absent)}, got none; results/{preset} has others")
        before = locked(committed, pipeline)
        outs = {out for paths in stages.values() for out in paths} if variants else None
        # What git keeps of the outputs: a fresh clone has nothing else.
        kept = [out for out in (before if outs is None else outs) if (committed / out).exists()]
        how = "twice" if twice else "exact" if made_here(committed / "results" / preset / "platform.json", variants) else "near"
        first = compared(committed, kept)
        # Two runs go side by side; of two the second is on the cluster, or each has half the jobs.
        if twice and settings["cluster"] is None:
            settings = {**settings, "jobs": _half(settings["jobs"])}
        alone = {committed: {**settings, "cluster": None}} if twice else {}
        failed = _run({**alone, copy: settings}, preset, pipeline, stages)
        first, before = (compared(committed, kept), locked(committed, pipeline)) if twice else (first, before)
        second = compared(copy, kept)
        unread = [{out: md5 for out, md5 in lock.items() if out not in kept} for lock in (before, locked(copy, pipeline))]
        unlike = differences(first, second, True) + locks_apart(*unread, True, outs)
        found = differences(first, second, False) + locks_apart(*unread, False, outs) if how == "near" else unlike
    outputs = f"{len(first)} files and {len(unread[0])} other outputs"
    if found:
        print(table(found), file=sys.stderr)
        ran = f"the run ended with status {failed[0]}; " if failed else ""
        raise UserError(f"verify {preset}: {ran}expected {outputs} again ({WAYS[how]}), got {len(found)} differences")
    if failed:
        raise UserError(
            f"verify {preset}: expected the run to end with status 0, got {failed[0]}, with all outputs as they were; see above"
        )
    others = sorted({row.metric.split(": ")[0] for row in unlike})
    some = "".join(f", {name}" for name in others[:MOST]) + (", ..." if len(others) > MOST else "")
    bits = f"; not equal bit for bit: {len(others)}{some}" if how == "near" else ""
    print(f"verify {preset}: {outputs} came out again ({WAYS[how]}{bits})")


def _clone(folder: Path) -> Path:
    """Return a copy of HEAD, without a cache."""
    subprocess.run(["git", "clone", "--quiet", "--local", str(ROOT), str(folder)], check=True)
    return folder


def _half(jobs: str | None) -> str:
    """Return half the jobs, rounded up; what is no number is left to the runner, which says so."""
    jobs = str(cores()) if jobs is None else jobs
    return str((int(jobs) + 1) // 2) if jobs.isdecimal() else jobs


def _run(copies: Mapping[Path, dict[str, str | None]], preset: str, pipeline: Path, stages: Collection[str]) -> list[int]:
    """Run copies side by side, each by its settings, and return the exit statuses other than 0. However it ends, no run goes on."""
    runs: list[subprocess.Popen[bytes]] = []
    try:
        for copy, settings in copies.items():
            runs.append(_start(copy, preset, pipeline, settings, stages))
        return [status for run in runs if (status := run.wait())]
    finally:
        # They write into the copies until they have ended.
        with told(lambda *_: None):
            for run in runs:
                run.terminate()
            for run in runs:
                run.wait()


def _start(copy: Path, preset: str, pipeline: Path, settings: dict[str, str | None], stages: Collection[str]) -> subprocess.Popen[bytes]:
    """Start the copy's own code without its results and locks, so that all of it runs; nobody's settings can lead DVC to another cache."""
    for kind in ("results", "reports"):
        shutil.rmtree(copy / kind / preset, ignore_errors=True)
    for lock in locks_of(copy, pipeline):
        lock.unlink()
    folders = {f"DVC_{name}_DIR": str(copy.with_name(f"{copy.name}-{name}")) for name in ("SITE_CACHE", "GLOBAL_CONFIG", "SYSTEM_CONFIG")}
    options = [f"--{name}={value}" for name, value in settings.items() if value is not None]
    command = [sys.executable, "-m", "regen.runner", *options, *(stages or [str(pipeline)])]
    return subprocess.Popen(command, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy / "src"), **folders})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/verify.py", description="Run everything again in a clean copy and compare.")
    parser.add_argument("--jobs", help="stages side by side (default: the cores there are)")
    parser.add_argument("--cluster", help="address or file of a dask scheduler on whose workers it runs; docs/cluster.md")
    parser.add_argument("--twice", action="store_true", help="hold two runs against each other")
    parser.add_argument("preset")
    parser.add_argument("variants", nargs="*", metavar="variant")
    asked = parser.parse_args()
    try:
        main(asked.preset, asked.variants, asked.twice, {"jobs": asked.jobs, "cluster": asked.cluster})
    except UserError as error:
        sys.exit(f"error: {error}")
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: verify: expected git and dvc to run, got '{error}'; clone regen with git and use 'make verify'")
    except KeyboardInterrupt:
        sys.exit("interrupted: nothing was changed; run 'make verify' again")
