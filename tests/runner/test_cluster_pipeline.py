"""The project's own pipeline, reduced, on two workers with separate folders: bit for bit what one machine makes."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from machines import Machines
from repository import Copy

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
pytestmark = pytest.mark.slow
HERE = ("configure", "fetch", "split", "figures", "claims", "report", "track")
NEEDS: dict[str, Any] = {"code": ["src", "stages"], "bring": [], "preload": ["regen", "torch", "matplotlib.pyplot"]}


def complete(copy: Copy) -> Copy:
    """State what the runner needs of each stage, where dvc.yaml does not."""
    for path in (copy.root / "dvc.yaml", *copy.root.glob("pipeline/*/dvc.yaml")):
        written = yaml.safe_load(path.read_text())
        for name, stage in written["stages"].items():
            stage.setdefault("meta", {}).setdefault("runner", {**NEEDS, "here": name in HERE})
        path.write_text(yaml.safe_dump(written, sort_keys=False))
    return copy


def test_the_reduced_pipeline_gives_the_same_bits_on_two_workers(tmp_path: Path) -> None:
    one, many = complete(Copy(tmp_path / "one")), complete(Copy(tmp_path / "many"))
    here = one.call(sys.executable, "-m", "regen.runner", "--jobs", "2")
    with Machines.running(tmp_path / "machines") as machines:
        there = many.call(sys.executable, "-m", "regen.runner", "--jobs", "1", "--cluster", machines.address)
    assert one.outputs() == many.outputs()
    assert one.lock() == many.lock()
    assert summary(here) == summary(there)
    # Code is unpacked on each worker, and nothing else stays there.
    for number in range(2):
        assert len(list(machines.place(number).glob("code/*"))) == 1
        assert not [path for path in machines.place(number).glob("tasks/*") if path.is_dir()]


def summary(said: str) -> str:
    """Return how many stages ran, were restored, were up to date and failed."""
    return said.splitlines()[-1].split(";")[0]
