"""scripts/repro.py: which worker gets which stages."""

import importlib.util
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA as LOCKFILE
from yaml import CSafeLoader

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts/repro.py"


@pytest.fixture(scope="module")
def repro() -> ModuleType:
    spec = importlib.util.spec_from_file_location("repro", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VARIANTS = ("mnist@a-vae-0", "mnist@a-vae-1", "mnist@b-0", "binarized_mnist@c-bmnist-0")
PROBES = ("linear_probe", "code_fit", "prior_cost")
PARTS = {
    "": [
        *("configure", "fetch@mnist", "split@mnist", "features-mnist", "features-binarized_mnist", "features-svhn"),
        *("figures", "claims", "report", "track"),
    ],
    **{f"pipeline/{kind}/": [f"{kind}-{variant}" for variant in VARIANTS] for kind in ("evaluate", "quality", "train")},
    "pipeline/draw/": [f"draw-{name}" for name in ("mnist@a-vae", "mnist@b", "binarized_mnist@c-bmnist")],
    "pipeline/probe/": [f"probe-{name}" for name in PROBES],
}
"""The stages of each dvc.yaml, by its folder."""


def addresses(folder: str, part: str) -> list[str]:
    """Return how DVC, called in the root, names the stages of a part of the pipeline in a folder."""
    where = f"{folder}{part}dvc.yaml"
    return [name if where == "dvc.yaml" else f"{where}:{name}" for name in PARTS[part]]


def chain(folder: str, variant: str) -> list[str]:
    return [f"{folder}pipeline/{kind}/dvc.yaml:{kind}-{variant}" for kind in ("train", "evaluate", "quality")]


def groups(folder: str) -> dict[str, list[list[str]]]:
    """Return what may run side by side, by kinds of stages, in the order of the rounds."""
    prefix = f"{folder}dvc.yaml:" if folder else ""
    named = {"features": PARTS[""][3:6], "figures|claims": PARTS[""][6:8], "report|track": PARTS[""][8:]}
    data = [[f"{prefix}fetch@mnist", f"{prefix}split@mnist"]]
    alone = {kinds: [[prefix + name] for name in names] for kinds, names in named.items()}
    chains = {"train|evaluate|quality": [chain(folder, variant) for variant in VARIANTS]}
    return {
        "fetch|split": data,
        "features": alone["features"],
        **chains,
        "draw|probe": [
            *([f"{folder}pipeline/draw/dvc.yaml:{name}"] for name in PARTS["pipeline/draw/"]),
            *([f"{folder}pipeline/probe/dvc.yaml:probe-{name}"] for name in PROBES),
        ],
        "figures|claims": alone["figures|claims"],
        "report|track": alone["report|track"],
    }


FOLDERS = ["", "paper/"]
KINDS = list(groups(""))


def listed(folder: str) -> list[str]:
    return [name for part in PARTS for name in addresses(folder, part)]


def test_the_rounds_are_these(repro: ModuleType) -> None:
    assert list(repro.ROUNDS) == KINDS


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("kinds", KINDS)
def test_a_group_is_of_one_thing_and_in_order(repro: ModuleType, folder: str, kinds: str) -> None:
    assert repro.chains(listed(folder), kinds) == groups(folder)[kinds]


@pytest.mark.parametrize("kinds", KINDS)
def test_other_stages_are_in_no_group(repro: ModuleType, kinds: str) -> None:
    members = {stage for group in groups("")[kinds] for stage in group}
    assert repro.chains([], kinds) == repro.chains([name for name in listed("") if name not in members], kinds) == []


def test_every_stage_of_the_pipeline_but_the_first_is_in_one_round(repro: ModuleType) -> None:
    files = [ROOT / "dvc.yaml", *ROOT.glob("pipeline/*/dvc.yaml")]
    written = {name: stage for file in files for name, stage in yaml.safe_load(file.read_text())["stages"].items()}
    stages = [f"{name}@some-0" if "matrix" in stage else name for name, stage in written.items()]
    rounds = [{stage for group in repro.chains(stages, kinds) for stage in group} for kinds in repro.ROUNDS]
    assert {stage.partition("@")[0] for stage in stages if sum(stage in one for one in rounds) != 1} == {"configure"}


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """Stand in a folder with two pipelines, a `dvc` first on the path that lists their stages and notes its arguments; return a reader."""
    log = tmp_path / "calls"
    for folder in FOLDERS:
        for part in PARTS:
            file = tmp_path / folder / part / "dvc.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{name}\n" for name in addresses(folder, part)))
    # It is told which files to list, and each of these has its stages in it.
    script = f'#!/bin/sh\necho "$*" >> {log}\ncase "$*" in "stage list"*) shift 3; cat "$@" ;;\n*:configure) exit ${{REFUSED:-0}} ;;\n'
    script += f'*"-s -k"*) [ -z "$HANG" ] || {{ echo $$ >> {log}.running; exec sleep 60; }}; exit ${{WORKERS:-0}} ;;'
    script += "\n*) exit ${FINAL:-0} ;;\nesac\n"
    (tmp_path / "dvc").write_text(script)
    (tmp_path / "dvc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    return lambda: [line.split() for line in log.read_text().splitlines()]


def shares(calls: list[list[str]]) -> list[tuple[int, list[str]]]:
    """Return the round and the stages of every worker, which were started round by round."""
    workers = [call[call.index("-k") + 1 :] for call in calls if "-s" in call]
    first = [worker[0].rpartition(":")[2].partition("@")[0].partition("-")[0] for worker in workers]
    rounds = [next(index for index, kinds in enumerate(KINDS) if kind in kinds.split("|")) for kind in first]
    assert rounds == sorted(rounds)
    return sorted(zip(rounds, workers, strict=True))


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("jobs", [2, 3, 9])
def test_workers_share_whole_groups_round_by_round(repro: ModuleType, calls: Callable[[], list[list[str]]], jobs: int, folder: str) -> None:
    assert repro.main(f"{folder}dvc.yaml", jobs) == 0
    made = calls()
    workers = shares(made)

    for index, work in enumerate(groups(folder).values()):
        share = [stages for number, stages in workers if number == index]
        assert len(share) == min(jobs, len(work))
        assert sorted(stage for stages in share for stage in stages) == sorted(stage for group in work for stage in group)
        size = len(work[0])
        assert all(stages[first : first + size] in work for stages in share for first in range(0, len(stages), size))
        assert max(map(len, share)) - min(map(len, share)) <= size
    # The configuration comes first, the rest and the verdict last.
    assert [made[0][-1], made[-1][-1]] == [f"{folder}dvc.yaml:configure", f"{folder}dvc.yaml"]


def test_pictures_are_drawn_beside_the_probes(repro: ModuleType, calls: Callable[[], list[list[str]]]) -> None:
    assert repro.main("paper/dvc.yaml", 16) == 0
    drawn = [stages for number, stages in shares(calls()) if number == KINDS.index("draw|probe")]
    made = [f"paper/{part}dvc.yaml:{stage}" for part in ("pipeline/draw/", "pipeline/probe/") for stage in PARTS[part]]
    assert sorted(drawn) == sorted([stage] for stage in made)


def test_what_shows_all_variants_is_left_to_the_last_call_where_one_failed(
    repro: ModuleType, calls: Callable[[], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "1")
    # What fails on the way is told by the last `dvc repro`, which decides.
    assert repro.main("dvc.yaml", 2) == 0
    made = calls()
    assert {number for number, _ in shares(made)} == {0, 1, 2, 3}
    assert made[-1][-1] == "dvc.yaml" and "-s" not in made[-1]


def test_one_job_is_plain_dvc(repro: ModuleType, calls: Callable[[], list[list[str]]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINAL", "7")
    assert repro.main("dvc.yaml", 1) == 7
    assert [call[-1] for call in calls()] == ["dvc.yaml:configure", "dvc.yaml"]
    assert shares(calls()) == []


def test_a_refused_configuration_stops_everything(
    repro: ModuleType, calls: Callable[[], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSED", "3")
    assert repro.main("dvc.yaml", 2) == 3
    assert [call[-1] for call in calls()] == ["dvc.yaml:configure"]


@pytest.mark.parametrize("kind", ["train", "quality", "draw"])
def test_a_half_written_lock_is_cut_back_to_whole_stages(repro: ModuleType, kind: str) -> None:
    text = (ROOT / f"pipeline/{kind}/dvc.lock").read_text()
    stages = re.findall(r"^  (\S+):$", text, re.MULTILINE)
    assert repro.mended(text) == text and len(stages) > 40
    for cut in random.Random(3).sample(range(len(text)), 20):
        torn = text[:cut]
        kept = repro.mended(torn)
        begun = len(re.findall(r"^  (\S+):$", torn, re.MULTILINE))
        assert text.startswith(kept)
        # DVC itself takes what is left, and no whole stage is lost.
        names = list(LOCKFILE(yaml.load(kept, CSafeLoader))["stages"]) if kept else []
        assert names == stages[: len(names)] and begun - 1 <= len(names) <= begun


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_half_written_lock_is_mended_before_anything_runs(
    repro: ModuleType,
    calls: Callable[[], list[list[str]]],
    folder: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(repro, "sleep", lambda seconds: None)
    whole = "schema: '2.0'\nstages:\n  a:\n    cmd: a\n    outs:\n    - path: x\n      md5: 1\n      size: 12\n"
    for part, text in (("", f"{whole}  b:\n    cmd: "), ("pipeline/train/", whole[:40]), ("pipeline/draw/", whole)):
        Path(folder, part, "dvc.lock").write_text(text)
    assert repro.main(f"{folder}dvc.yaml", 2) == 0
    assert Path(folder, "dvc.lock").read_text() == Path(folder, "pipeline/draw/dvc.lock").read_text() == whole
    assert not Path(folder, "pipeline/train/dvc.lock").exists()
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said] == [f"{folder}dvc.lock", f"{folder}pipeline/train/dvc.lock"]


def test_without_git_it_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, SCRIPT], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {tmp_path}: expected a git repository")


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_every_worker_and_is_one_line(
    calls: Callable[[], list[list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: signal.Signals
) -> None:
    monkeypatch.setenv("HANG", "1")
    process = subprocess.Popen([sys.executable, SCRIPT, "dvc.yaml", "3"], stderr=subprocess.PIPE, text=True)
    running = tmp_path / "calls.running"
    until = time.monotonic() + 30
    while (not running.exists() or len(running.read_text().split()) < 1) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(told)
    said = process.communicate(timeout=30)[1]
    assert (process.returncode, said) == (130, "interrupted: what is done is kept; run the same command to continue\n")
    for worker in map(int, running.read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", ""])
def test_a_number_of_jobs_that_is_none_is_one_line(jobs: str) -> None:
    done = subprocess.run([sys.executable, SCRIPT, "dvc.yaml", jobs], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"error: JOBS = {jobs}: allowed: a whole number from 1\n")
