"""The pipeline's files: every stage depends on its own code and on what it reads, and both presets have the same pipeline."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from regen.dependencies.write import code_of
from regen.params.schema import Params
from regen.params.stages import PARTS

ROOT = Path(__file__).parents[1]
DATASETS = list(yaml.safe_load((ROOT / "params.yaml").read_text())["datasets"])
FILES = [ROOT / "dvc.yaml", *sorted(ROOT.glob("pipeline/*/dvc.yaml"))]


STAGES: dict[str, dict[str, Any]] = {name: stage for file in FILES for name, stage in yaml.safe_load(file.read_text())["stages"].items()}


def script_of(stage: str) -> str:
    python, folder, script, *_ = STAGES[stage]["cmd"].split()
    assert (python, folder) == ("python", "stages")
    return str(script)


def covers(dependency: str, path: str) -> bool:
    return path == dependency or path.startswith(f"{dependency}/")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_own_code_once(stage: str) -> None:
    script, deps = script_of(stage), STAGES[stage]["deps"]
    assert (ROOT / "stages" / f"{script}.py").exists() and len(set(deps)) == len(deps)
    code = [
        dep for dep in deps if "/code/" in dep or not dep.startswith(("configs/", "data/", "models/", "features/", "results/", "reports/"))
    ]
    # `configure` writes the others' code; raw files are what their checksums say, whatever code fetches them.
    special = {"configure": ["stages", "src", "studies", "requirements.lock", "params.yaml", "${file}"], "fetch": []}
    # Claims and errata are what they are in studies/, the checks too; the notebook is a page of the site.
    texts = {"claims": ["studies"], "report": ["docs/trained_models.ipynb", "studies"]}.get(stage, [])
    assert code == special.get(stage, [f"configs/${{preset}}/code/{script}.txt", *texts])


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_known_of_a_stage_for_a_run_side_by_side(stage: str) -> None:
    runner = STAGES[stage]["meta"]["runner"]
    # regen comes first of all: it pins the instruction set before anything imports numpy or torch.
    assert all(module.split(".")[0] == "regen" for module in runner.get("preload", [])[:1])
    # Elsewhere a stage finds the code and nothing of this machine.
    assert runner.get("here") or runner["code"] == ["stages", "src"]


def outputs(stage: str) -> list[str]:
    """Return the paths of what a stage makes, as they are written in its file."""
    paths = [entry for kind in ("outs", "metrics", "plots") for entry in STAGES[stage].get(kind, [])]
    return [path for entry in paths for path in ([entry] if isinstance(entry, str) else entry)]


def waits_for(stage: str) -> set[str]:
    """Return the stages whose outputs a stage reads, a file or the folder that it lies in."""
    read = STAGES[stage]["deps"]
    return {other for other in STAGES if any(covers(dep, out) or covers(out, dep) for dep in read for out in outputs(other))}


@pytest.mark.parametrize("stage", STAGES)
def test_all_but_the_first_wait_for_the_configuration(stage: str) -> None:
    assert ("configure" in waits_for(stage)) == (stage != "configure")


@pytest.mark.parametrize("dataset", DATASETS)
def test_what_is_drawn_waits_for_what_it_shows(dataset: str) -> None:
    measured, drawn = {f"train-{dataset}", f"evaluate-{dataset}", f"quality-{dataset}"}, f"draw-{dataset}"
    assert measured <= waits_for("claims") and {*measured, drawn, "claims"} <= waits_for("report")
    assert drawn in waits_for("track") and f"evaluate-{dataset}" not in waits_for(drawn)
    assert {drawn, "report", "track", "claims"}.isdisjoint(waits_for("claims") | waits_for(drawn))
    # No weights and no images are needed for the pages, and a picture is of its variant's first seed.
    assert not [dep for dep in STAGES["report"]["deps"] if dep.startswith(("models/", "data/", "features/"))]
    first = STAGES[f"draw-{dataset}"]["matrix"]["seed"]
    assert first in ([f"${{seeds.{dataset}[0]}}"], ["${seeds.default[0]}"])


@pytest.mark.parametrize("kind", PARTS)
def test_every_data_set_has_its_stages_and_they_its_data(kind: str, params: Params) -> None:
    stages = {name.removeprefix(f"{kind}-"): stage for name, stage in STAGES.items() if name.startswith(f"{kind}-")}
    assert set(stages) == set(params.datasets) == set(params.variants)
    for dataset, stage in stages.items():
        assert {dep for dep in stage["deps"] if dep.startswith("data/")} == {f"data/${{preset}}/{dataset}"}
        spaces = {f"features/${{preset}}/{dataset}"} if kind == "quality" else set()
        assert {dep for dep in stage["deps"] if dep.startswith("features/")} == spaces
        assert stage["matrix"]["variant"] == f"${{variants.{dataset}}}"


def test_every_data_set_has_its_feature_network_and_it_the_images_with_the_labels(params: Params) -> None:
    stages = {dataset: STAGES[name] for name in ("features", "features-other") for dataset in STAGES[name]["matrix"]["dataset"]}
    assert set(stages) == set(params.datasets)
    for dataset, stage in stages.items():
        read = {dep.replace("${item.dataset}", dataset) for dep in stage["deps"] if dep.startswith("data/")}
        assert read == {f"data/${{preset}}/{name}" for name in (dataset, params.network(dataset).labels or dataset)}


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ROOT)) for file in FILES])
def test_the_paper_preset_has_a_copy_of_the_pipeline(file: Path) -> None:
    """DVC does not follow symbolic links in git revisions; so it is a copy, with its own preset.yaml and with pictures kept by git."""
    copy = ROOT / "paper" / file.relative_to(ROOT)
    assert not copy.is_symlink() and not copy.parent.is_symlink()
    first, second = (yaml.safe_load(path.read_text()) for path in (file, copy))
    own, params = first.pop("vars"), second.pop("vars")
    assert [(file.parent / own[0]).resolve(), (copy.parent / params[0]).resolve()] == [ROOT / "params.yaml"] * 2
    assert (copy.parent / params[1]).resolve() == ROOT / "paper/preset.yaml" and params[1] == own[1]
    for name in ("report", *(stage for stage in first["stages"] if stage.startswith("draw-"))):
        for kind in ("outs", "plots"):
            if name in first["stages"] and kind in first["stages"][name]:
                first["stages"][name][kind] = [{path: {"cache": False}} for path in first["stages"][name][kind]]
    assert first == second


def test_each_preset_names_its_own_folder() -> None:
    for file, preset, root in (("preset.yaml", "quick", "."), ("paper/preset.yaml", "paper", "..")):
        written = yaml.safe_load((ROOT / file).read_text())
        assert (written["preset"], written["root"], written["file"]) == (preset, root, file)


TRAINED_BY = "42bd1eb9c0556fc948f0651afb433d9ff85ea09a0584621240e74e3a0261f370"


def test_the_code_of_training_is_that_of_the_long_runs() -> None:
    """Whoever changes it makes days of runs stale, or shows that no bit of a training changed and renews the locks of paper."""
    code = code_of(ROOT / "stages/train.py", ROOT)
    modules = [line for line in code.splitlines() if "==" not in line]
    assert hashlib.sha256("\n".join(modules).encode()).hexdigest() == TRAINED_BY
