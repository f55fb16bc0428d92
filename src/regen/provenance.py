"""How a result was made: everything that varies from run to run, in side files that DVC and git ignore."""

import ctypes
import os
import platform
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from regen.common.errors import UserError
from regen.common.files import checksum, read_json, write_json

__all__ = ["PACKAGES", "collect", "collect_platforms", "commit", "describes", "made_here", "platform_facts", "recorded"]

PACKAGES = ("dvc", "matplotlib", "mlflow", "numpy", "safetensors", "scikit-learn", "scipy", "torch", "torch-fidelity", "torchvision")

PLATFORM = ("processor", "machine", "instruction_set", "versions", "device", "threads")
"""What of a stage's log says on which platform it ran."""


def commit() -> str | None:
    """Return the commit that is checked out in the current folder's repository, with `+changes` where the work tree differs.

    On a worker, which has no repository, it is that of the run. None without a repository, and where git does not tell the commit of one:
    then a line on standard error says why.
    """
    if "RUNNER_COMMIT" in os.environ:
        return os.environ["RUNNER_COMMIT"] or None
    root = next((folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / ".git").exists()), None)
    if root is None:
        return None
    try:
        head = _git(root, "rev-parse", "--verify", "HEAD").strip()
        changes = _git(root, "status", "--porcelain", "src", "stages", "params.yaml")
    except (OSError, subprocess.CalledProcessError) as error:
        said = (str(getattr(error, "stderr", error)).splitlines() or ["nothing"])[0]
        _warn(f"expected git to tell the commit, got '{said}'; it is not noted, and no result depends on it")
        return None
    return head + ("+changes" if changes else "")


def _git(root: Path, *arguments: str) -> str:
    """Return what git says of a repository, whoever owns it; without a lock that other stages meet."""
    ours = ["git", "--no-optional-locks", "-c", f"safe.directory={root}"]
    return subprocess.run([*ours, *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


@cache
def _warn(problem: str) -> None:
    """Say it on standard error, once a process."""
    print(f"warning: {problem}", file=sys.stderr)


def _processor() -> str:
    """Return the processor's name, and its family and model where the system gives them."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().split("\n\n")[0].splitlines() if information.exists() else []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if "model name" not in facts:
        return platform.processor()
    return f"{facts['model name']} (family {facts.get('cpu family')}, model {facts.get('model')}){_as_on_zen()}"


def _as_on_zen() -> str:
    """Say so where a preloaded library answers MKL's question whether the processor is AMD's: docs/platforms.md."""
    return ", MKL as on AMD Zen" if hasattr(ctypes.CDLL(None), "mkl_serv_cpuiszen") else ""


def platform_facts() -> dict[str, Any]:
    """Return what the bits of a result depend on beside code and parameters: processor, instruction set, versions."""
    import torch

    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    instructions = torch.backends.cpu.get_cpu_capability()
    return {"processor": _processor(), "machine": platform.machine(), "instruction_set": instructions, "versions": versions}


def _peak_memory_mb() -> float | None:
    """Return the largest resident memory of this process so far, in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    # ru_maxrss is in bytes on macOS and in KiB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


@contextmanager
def recorded(path: Path, outputs: Sequence[Path] = (), **facts: Any) -> Iterator[dict[str, Any]]:
    """Time the block and write when, where and with what it ran, and its peak memory, to `path`; the block may add facts.

    `seconds` are the clock's, with all that other programs took meanwhile; `cpu_seconds` are this process's own.
    `outputs` are files that the block writes: their checksums say which result the side file describes (`describes`).
    """
    facts = {"started": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit(), **facts}
    clock, cpu = time.perf_counter(), time.process_time()
    yield facts
    took = {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - cpu}
    cost = {**took, "peak_memory_mb": _peak_memory_mb()}
    made = {output.as_posix(): checksum(output, "md5") for output in outputs}
    write_json(path, {**facts, **cost, "outputs": made, "system": platform.platform(), **platform_facts()})


def describes(facts: dict[str, Any], root: Path) -> bool:
    """Return whether a side file's facts are of the outputs that lie below `root`: one is there, and none has another checksum.

    DVC and git ignore side files: after `dvc exp run; git checkout .; dvc checkout` an experiment's lies beside the committed result.
    """
    here = {root / name: md5 for name, md5 in facts.get("outputs", {}).items() if (root / name).exists()}
    return bool(here) and all(checksum(path, "md5") == md5 for path, md5 in here.items())


def _logs(logs: Path) -> dict[str, dict[str, Any]]:
    """Return run -> facts of logs/<preset>/<variant>/<seed>/*.json, of those that describe the outputs that are here."""
    read = {log.relative_to(logs).with_suffix("").as_posix(): read_json(log) for log in sorted(logs.glob("*/*/*.json"))}
    return {run: facts for run, facts in read.items() if describes(facts, logs.parents[1])}


def collect(logs: Path, path: Path) -> None:
    """Bring `path`, the committed account of dated evidence, up to date from logs/<preset>/<variant>/<seed>/*.json.

    Stages without a log here (restored from a cache) keep the entry that they have, as long as it describes what lies here.
    """
    account: dict[str, Any] = read_json(path) if path.exists() else {}
    kept = {run: facts for run, facts in account.items() if describes(facts, logs.parents[1])}
    write_json(path, {**kept, **_logs(logs)})


def collect_platforms(logs: Path, path: Path) -> None:
    """Bring `path`, platform.json, up to date: on which platform each run was made, as logs/<preset>/<variant>/<seed>/*.json say.

    Runs without a log here keep the entry that they have; those whose results are gone lose it.
    """
    old = read_json(path) if path.exists() else {"platforms": {}, "runs": {}}
    made = {run: old["platforms"][name] for run, name in old["runs"].items()}
    for run, facts in _logs(logs).items():
        made[run] = {key: facts[key] for key in PLATFORM if key in facts}
    made = {run: facts for run, facts in sorted(made.items()) if (path.parent / run.split("/")[0]).exists()}
    distinct = [facts for index, facts in enumerate(made.values()) if facts not in list(made.values())[:index]]
    names = [f"platform {number}" for number in range(1, len(distinct) + 1)]
    runs = {run: names[distinct.index(facts)] for run, facts in made.items()}
    write_json(path, {"platforms": dict(zip(names, distinct, strict=True)), "runs": runs})


def made_here(path: Path, variants: Collection[str] = ()) -> bool:
    """Return whether platform.json says that all runs (those of some variants and of the feature networks) were made on this platform.

    Raises
    ------
    UserError
        If it is missing, is not JSON or has no run of one of the variants.
    """
    made = read_json(path)
    runs = made.get("runs", {}) if isinstance(made, dict) else {}
    absent = {*variants} - {run.split("/")[0] for run in runs}
    if absent or not runs:
        which = f"a run of {', '.join(sorted(absent))}" if absent else "runs"
        raise UserError(f"{path.name}: expected {which}, got none; make it with 'make report' or 'make paper' and commit it")
    of = {name for run, name in runs.items() if not variants or run.split("/")[0] in (*variants, "features")}
    here = _deciding({**platform_facts(), "device": "cpu"})
    platforms = [_deciding(made["platforms"][name]) for name in of]
    return all({**platform, **here} == platform for platform in platforms)


def _deciding(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a platform without Python's patch level: wheels are built for the minor version."""
    versions = dict(facts["versions"])
    if "python" in versions:
        versions["python"] = ".".join(versions["python"].split(".")[:2])
    return {**facts, "versions": versions}
