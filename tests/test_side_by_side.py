"""scripts/repro.py: which worker gets which stages."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts/repro.py"


@pytest.fixture(scope="module")
def repro() -> ModuleType:
    spec = importlib.util.spec_from_file_location("repro", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LISTED = [
    *("configure", "fetch@mnist", "split@mnist"),
    *("train-mnist@a-vae-0", "train-mnist@a-vae-1", "train-mnist@b-0", "train-binarized_mnist@c-bmnist-0"),
    *("evaluate-mnist@a-vae-0", "evaluate-mnist@a-vae-1", "evaluate-mnist@b-0", "evaluate-binarized_mnist@c-bmnist-0"),
    *("figures@uva3", "figures@vu4a", "report", "track"),
]
CHAINS = [
    ["train-mnist@a-vae-0", "evaluate-mnist@a-vae-0"],
    ["train-mnist@a-vae-1", "evaluate-mnist@a-vae-1"],
    ["train-mnist@b-0", "evaluate-mnist@b-0"],
    ["train-binarized_mnist@c-bmnist-0", "evaluate-binarized_mnist@c-bmnist-0"],
]


def test_a_chain_is_one_variant_and_seed_in_order(repro: ModuleType) -> None:
    assert repro.chains(LISTED) == CHAINS


def test_stages_of_another_pipeline_keep_their_prefix(repro: ModuleType) -> None:
    stages = [f"paper/dvc.yaml:{name}" for name in LISTED]
    assert repro.chains(stages) == [[f"paper/dvc.yaml:{name}" for name in chain] for chain in CHAINS]


def test_without_training_there_is_no_chain(repro: ModuleType) -> None:
    assert repro.chains([]) == repro.chains(["configure", "split@mnist", "figures@uva3", "report"]) == []


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """Put a `dvc` first on the path that lists the stages above and notes its arguments; return a reader of them."""
    log = tmp_path / "calls"
    names = r"\n".join(LISTED)
    script = f'#!/bin/sh\necho "$*" >> {log}\ncase "$*" in *"stage list"*paper*) printf "{names}" | sed s,^,paper/dvc.yaml:, ;;\n'
    script += f'*"stage list"*) printf "{names}" ;;\n*:configure) exit ${{REFUSED:-0}} ;;\n'
    script += '*"-s -k"*) exit ${WORKERS:-1} ;;\n*:split) exit 1 ;;\n*) exit ${FINAL:-0} ;;\nesac\n'
    (tmp_path / "dvc").write_text(script)
    (tmp_path / "dvc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return lambda: [line.split() for line in log.read_text().splitlines()]


def shares(calls: list[list[str]]) -> list[list[str]]:
    """Return the stages of every worker."""
    return sorted(call[call.index("-k") + 1 :] for call in calls if "-s" in call)


@pytest.mark.parametrize("jobs", [2, 3, 9])
def test_workers_share_whole_chains(repro: ModuleType, calls: Callable[[], list[list[str]]], jobs: int) -> None:
    # What fails on the way is told by the last `dvc repro`, which decides.
    assert repro.main("dvc.yaml", jobs) == 0
    made = calls()
    workers = shares(made)

    assert len(workers) == min(jobs, len(CHAINS))
    assert sorted(stage for share in workers for stage in share) == sorted(stage for chain in CHAINS for stage in chain)
    for share in workers:
        assert [share[index : index + 2] in CHAINS for index in range(0, len(share), 2)] == [True] * (len(share) // 2)
    assert max(map(len, workers)) - min(map(len, workers)) <= 2
    # Configuration and data come first, the rest and the verdict last.
    assert [made[0][-1], made[1][-1], made[-1][-1]] == ["dvc.yaml:configure", "dvc.yaml:split", "dvc.yaml"]


def test_figures_are_shared_once_every_chain_is_done(
    repro: ModuleType, calls: Callable[[], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "0")
    assert repro.main("dvc.yaml", 2) == 0
    made = [call for call in calls() if "-s" in call]

    assert sorted(stage for call in made[:2] for stage in call[call.index("-k") + 1 :]) == sorted(
        stage for chain in CHAINS for stage in chain
    )
    assert sorted(call[-1] for call in made[2:]) == ["figures@uva3", "figures@vu4a"]


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


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", ""])
def test_a_number_of_jobs_that_is_none_is_one_line(jobs: str) -> None:
    done = subprocess.run([sys.executable, SCRIPT, "dvc.yaml", jobs], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"error: JOBS = {jobs}: allowed: a whole number from 1\n")


def test_the_paper_pipeline_is_addressed_by_its_prefix(repro: ModuleType, calls: Callable[[], list[list[str]]]) -> None:
    assert repro.main("paper/dvc.yaml", 2) == 0
    assert sorted(stage for share in shares(calls()) for stage in share) == sorted(
        f"paper/dvc.yaml:{stage}" for chain in CHAINS for stage in chain
    )
