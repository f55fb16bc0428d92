"""Every stage of the pipeline depends on the parts of the package that it imports, and on no others."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from regen.params.schema import Params
from regen.training.checkpoints import CODE

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "dvc.yaml", *sorted(ROOT.glob("pipeline/*/dvc.yaml"))]
STAGES: dict[str, dict[str, Any]] = {name: stage for file in FILES for name, stage in yaml.safe_load(file.read_text())["stages"].items()}

ASIDE = {"src/regen/stage.py", "src/regen/provenance.py"}
"""How a stage is called and what is noted beside it: neither decides a byte of its outputs."""

CHECKED = {"fetch": {"src/regen/common", "src/regen/config", "src/regen/params"}}
"""Raw files are what their checksums say, whatever reads the configuration: a change there fetches nothing again."""


BY_NAME = {ROOT / "src/regen/claims/registry.py": ROOT / "src/regen/claims/checks"}
"""A module -> the package whose modules it imports by their names while it runs."""


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the modules that a Python file names in imports, wherever in it they stand."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def sources(module: str) -> list[Path]:
    """Return the files that are run when a module of the package is imported; none for a name that is no module."""
    parts = module.split(".")
    places = [ROOT.joinpath("src", *parts[:count]) for count in range(1, len(parts) + 1)]
    found = [place / "__init__.py" if place.is_dir() else place.with_suffix(".py") for place in places]
    return found if all(path.exists() for path in found) else []


def closure(script: Path) -> set[Path]:
    """Return every file of the package that a script imports, directly or not."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        script = waiting.pop()
        new = {path for name in imported(script) if name.split(".")[0] == "regen" for path in sources(name)}
        new |= set(BY_NAME[script].glob("*.py")) if script in BY_NAME else set()
        new -= found
        found |= new
        waiting += new
    return found


def script_of(stage: str) -> Path:
    _, script, *_ = STAGES[stage]["cmd"].split()
    return ROOT / script


def decides(path: Path) -> bool:
    """Say whether a file decides anything: a package's docstring alone does not."""
    return not all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in ast.parse(path.read_text()).body)


def covers(dependency: str, path: str) -> bool:
    return path == dependency or path.startswith(f"{dependency}/")


def package_deps(stage: str) -> list[str]:
    return [dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_imports_it_depends_on(stage: str) -> None:
    reached = closure(script_of(stage))
    # What pins the instruction set is needed where results depend on it.
    computes = "regen.common.determinism" in imported(script_of(stage))
    needed = {path for path in reached if decides(path) and (computes or path != ROOT / "src/regen/__init__.py")}
    uncovered = {
        name
        for name in (str(path.relative_to(ROOT)) for path in needed)
        if name not in ASIDE and not any(covers(dep, name) for dep in [*package_deps(stage), *CHECKED.get(stage, ())])
    }
    assert uncovered == set()
    assert str(script_of(stage).relative_to(ROOT)) in STAGES[stage]["deps"]


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_depends_on_it_imports(stage: str) -> None:
    reached = {str(path.relative_to(ROOT)) for path in closure(script_of(stage))}
    assert [dep for dep in package_deps(stage) if not any(covers(dep, path) for path in reached)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_on_code_exist_once(stage: str) -> None:
    written = [dep for dep in STAGES[stage]["deps"] if "${" not in dep]
    assert all((ROOT / dep).exists() for dep in written)
    assert not [dep for dep in written if any(covers(other, dep) for other in written if other != dep)]
    assert len(set(STAGES[stage]["deps"])) == len(STAGES[stage]["deps"])


def outputs(stage: str) -> list[str]:
    """Return the paths of what a stage makes, as they are written in its file."""
    paths = [entry for kind in ("outs", "metrics", "plots") for entry in STAGES[stage].get(kind, [])]
    return [path for entry in paths for path in ([entry] if isinstance(entry, str) else entry)]


def waits_for(stage: str) -> set[str]:
    """Return the stages whose outputs a stage reads, a file or the folder that it lies in."""
    read = STAGES[stage]["deps"]
    return {other for other in STAGES if any(covers(dep, out) or covers(out, dep) for dep in read for out in outputs(other))}


@pytest.mark.parametrize("dataset", ["mnist", "binarized_mnist", "svhn", "celeba"])
def test_what_is_drawn_waits_for_what_it_shows(dataset: str) -> None:
    assert {"configure", f"train-{dataset}", f"evaluate-{dataset}", f"quality-{dataset}"} <= waits_for("figures")
    # Its images and weights are named otherwise than by the stages that make them: see below.
    assert "configure" in waits_for(f"draw-{dataset}")
    assert f"evaluate-{dataset}" not in waits_for(f"draw-{dataset}")


@pytest.mark.parametrize("dataset", ["mnist", "binarized_mnist", "svhn", "celeba"])
def test_charts_are_drawn_beside_the_pictures_and_before_the_report(dataset: str) -> None:
    drawn = {"figures", f"draw-{dataset}"}
    assert drawn <= waits_for("report") and drawn <= waits_for("track")
    assert {*drawn, "report", "track"}.isdisjoint(waits_for("figures") | waits_for(f"draw-{dataset}"))
    assert set(outputs("figures")).isdisjoint(outputs(f"draw-{dataset}"))
    # No weights and no images are needed for a chart, and a picture is of its variant's first seed.
    assert not [dep for dep in STAGES["figures"]["deps"] if dep.startswith(("models/", "data/", "features/"))]
    weights = [dep for dep in STAGES[f"draw-{dataset}"]["deps"] if dep.startswith("models/")]
    assert weights == [f"models/${{preset}}/${{item.variant}}/${{seeds.{dataset}[0]}}"]


@pytest.mark.parametrize("kind", ["features", "train", "evaluate", "quality", "draw"])
def test_every_data_set_has_its_stages_and_they_its_data(kind: str, params: Params) -> None:
    stages = {name.removeprefix(f"{kind}-"): stage for name, stage in STAGES.items() if name.startswith(f"{kind}-")}
    assert list(stages) == list(params.datasets) == list(params.variants)
    for dataset, stage in stages.items():
        data = {dataset, params.features[dataset].labels} if kind == "features" else {dataset}
        assert {dep for dep in stage["deps"] if dep.startswith("data/")} == {f"data/${{preset}}/{name}" for name in data}
        spaces = {f"features/${{preset}}/{dataset}"} if kind == "quality" else set()
        assert {dep for dep in stage["deps"] if dep.startswith("features/")} == spaces


def test_a_checkpoint_is_of_the_code_that_training_depends_on() -> None:
    parts = {dep.removeprefix("src/regen/") for dep in package_deps("train-mnist")}
    assert parts - {"__init__.py"} == set(CODE)


def test_the_paper_preset_has_the_same_pipeline() -> None:
    assert [(ROOT / "paper" / file.relative_to(ROOT)).resolve() for file in FILES] == FILES
    assert sum(len(yaml.safe_load(file.read_text())["stages"]) for file in FILES) == len(STAGES)
    # Every path is of the preset that the pipeline's own folder names.
    written = yaml.safe_load((ROOT / "paper/dvc.yaml").read_text())
    assert written["vars"] == ["preset.yaml"] and yaml.safe_load((ROOT / "paper/preset.yaml").read_text())["preset"] == "paper"
    figures = written["stages"]["figures"]
    assert figures["cmd"] == "python stages/figures.py ${preset}" and figures["wdir"] == "${root}"
    assert outputs("figures") == ["reports/${preset}/figures/charts"]
