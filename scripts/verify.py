"""Run everything again in a clean copy of HEAD and hold it against what is committed.

`python scripts/verify.py PRESET JOBS [--twice] [VARIANT ...]`. The copy has no cache, no models, no data and, before it runs, no results
and no report. With variants, only these and what they need are run and compared. Results made on this platform must be equal bit for bit,
weights included (results/<preset>/platform.json says where each was made); others must lie within src/regen/verification/tolerances.yaml.
`--twice` holds two runs against each other instead. Exit status 1 and a table of what differs if not.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from regen.provenance import made_here
from regen.verification.compare import differences, table
from regen.verification.outputs import compared, locked, locks_apart

__all__ = ["main"]

ROOT = Path(__file__).parents[1]


def main(preset: str, jobs: str, *named: str) -> int:
    """Return the exit status: 0 if everything came out again."""
    twice = "--twice" in named
    variants = [name for name in named if name != "--twice"]
    pipeline = Path("dvc.yaml") if preset == "quick" else Path(preset, "dvc.yaml")
    with tempfile.TemporaryDirectory(prefix="regen-verify-") as folder:
        committed, copy = _clone(Path(folder, "committed")), _clone(Path(folder, "copy"))
        if absent := [name for name in variants if not compared(committed, preset, [name])]:
            known = f"expected committed results of {', '.join(absent)}, got none; name variants that results/{preset} has"
            print(f"error: verify {preset}: {known}", file=sys.stderr)
            return 2
        runs = [committed, copy] if twice else [copy]
        # Two runs go side by side.
        failed = [process.wait() for process in [_start(place, preset, pipeline, jobs, variants) for place in runs]]
        exact = twice or made_here(committed / "results" / preset / "platform.json", variants)
        first, second = (compared(place, preset, variants) for place in (committed, copy))
        found = differences(first, second, exact)
        if exact:
            found += locks_apart(locked(committed, pipeline, variants), locked(copy, pipeline, variants))
    how = (
        "of two runs, bit for bit"
        if twice
        else "bit for bit, made on this platform"
        if exact
        else "within the tolerances, made on another platform"
    )
    if any(failed) or found:
        print(table(found), file=sys.stderr)
        ran = f"dvc ended with status {max(failed)}; " if any(failed) else ""
        print(f"error: verify {preset}: {ran}expected {len(first)} files again ({how}), got {len(found)} differences", file=sys.stderr)
        return 1
    print(f"verify {preset}: {len(first)} files came out again ({how})")
    return 0


def _clone(folder: Path) -> Path:
    """Return a copy of HEAD, without a cache."""
    subprocess.run(["git", "clone", "--quiet", "--local", str(ROOT), str(folder)], check=True)
    return folder


def _start(copy: Path, preset: str, pipeline: Path, jobs: str, variants: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the copy's own code, by force and without its results."""
    for kind in ("results", "reports"):
        shutil.rmtree(copy / kind / preset, ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "DVC_SITE_CACHE_DIR": str(copy.with_suffix(".site"))}
    command = [sys.executable, "scripts/repro.py", str(pipeline), jobs]
    if variants:
        parts = [pipeline, *sorted(path.relative_to(copy) for path in (copy / pipeline.parent / "pipeline").glob("*/dvc.yaml"))]
        listing = ["dvc", "stage", "list", "--name-only", *map(str, parts)]
        stages = subprocess.run(listing, cwd=copy, env=environment, capture_output=True, text=True, check=True).stdout.split()
        command = ["dvc", "repro", "--force", *(stage for stage in stages if re.search(rf"@({'|'.join(variants)})(-\d+)?$", stage))]
    return subprocess.Popen(command, cwd=copy, env=environment)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("error: usage: python scripts/verify.py PRESET JOBS [--twice] [VARIANT ...]")
    sys.exit(main(*sys.argv[1:]))
