"""DVC's own commands on two commits that differ in one variant's learning rate, both presets in the tree."""

import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import dvc.api
import pytest
import yaml
from dvc.cli import main
from dvc.repo import Repo
from repository import ROOT, VARIANTS, Copy
from support.environment import enter

from regen.provenance import describes

CHANGED, OTHER = VARIANTS
RATE = f"variants.mnist.{CHANGED}.training.learning_rate"
PRESETS = {"quick": ("preset.yaml", ""), "paper": ("paper/preset.yaml", "paper/")}
"""The file of a preset, and the folder of its pipeline."""

METRICS, HISTORIES, WEIGHTS = (
    [form.format(preset) for preset in PRESETS]
    for form in (f"results/{{}}/{CHANGED}/0/metrics.json", f"results/{{}}/{CHANGED}/0/history.csv", f"models/{{}}/{CHANGED}/0")
)
REVISIONS = ("HEAD~1", "HEAD")

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="DVC keeps its files in git")


def small_pipeline(copy: Copy) -> None:
    """Leave the trainings and evaluations on MNIST, of stand-in images in both presets: the stages as they are, but fewer."""
    for folder in (copy.root, copy.root / "paper"):
        for unused in ("draw", "quality", "probe"):
            shutil.rmtree(folder / "pipeline" / unused, ignore_errors=True)
        for file in (folder / "dvc.yaml", *folder.glob("pipeline/*/dvc.yaml")):
            pipeline = yaml.safe_load(file.read_text())
            kept = ("configure", "fetch", "split", "train-mnist", "evaluate-mnist")
            pipeline["stages"] = {name: pipeline["stages"][name] for name in kept if name in pipeline["stages"]}
            file.write_text(yaml.safe_dump(pipeline, sort_keys=False))
        preset = yaml.safe_load((folder / "preset.yaml").read_text())
        (folder / "preset.yaml").write_text(yaml.safe_dump({**preset, "seeds": {"default": [0]}}))
    params = copy.params
    for key in ("datasets", "variants"):
        params[key] = {"mnist": params[key]["mnist"]}
    params["features"] = {"default": params["features"]["default"]}
    params["presets"]["paper"] = {**deepcopy(params["presets"]["quick"]), "max_steps": {"default": 12}}
    copy.set_params(params)


def run_stages(changed: tuple[str, ...]) -> None:
    """Run both presets' stages of these variants in this process, which has torch already, and write the locks."""
    for preset, (file, folder) in PRESETS.items():
        calls = [("configure", file)]
        if not Path("data", preset).exists():
            calls += [("fetch", preset, "mnist"), ("split", preset, "mnist")]
        for variant in changed:
            shutil.rmtree(Path("models", preset, variant), ignore_errors=True)
            calls += [("train", preset, variant, "0"), ("evaluate", preset, variant, "0")]
        for name, *arguments in calls:
            runpy.run_path(f"stages/{name}.py")["main"](*arguments)
        with Repo() as repo:
            for target in ("dvc.yaml", "pipeline/train/dvc.yaml", "pipeline/evaluate/dvc.yaml"):
                repo.commit(target=folder + target, force=True)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """Return a repository with two commits; one variant has the rate 0.001 in the first and 0.002 in the second."""
    copy = Copy(tmp_path_factory.mktemp("history"))
    for name in ("paper", ".dvc/plots"):
        shutil.copytree(ROOT / name, copy.root / name, ignore=shutil.ignore_patterns("dvc.lock"))
    small_pipeline(copy)
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, copy.environment)
        patch.chdir(copy.root)
        for rate, changed in ((0.001, VARIANTS), (0.002, (CHANGED,))):
            copy.params["variants"]["mnist"][CHANGED]["training"]["learning_rate"] = rate
            copy.set_params(copy.params)
            run_stages(changed)
            copy.call("git", "add", ".")
            copy.call("git", "commit", "-q", "-m", f"rate {rate}")
        yield copy


def said(copy: Copy, *command: str) -> Any:
    """Return what a DVC command says as JSON."""
    return json.loads(copy.call("dvc", *command, "--json"))


def test_params_diff_names_the_changed_rate_alone(history: Copy) -> None:
    assert said(history, "params", "diff", *REVISIONS) == {"params.yaml": {RATE: {"old": 0.001, "new": 0.002, "diff": 0.001}}}


@pytest.mark.parametrize("command", [("metrics", "diff"), ("exp", "diff")], ids=" ".join)
def test_metrics_diff_shows_the_changed_variant_in_both_presets(command: tuple[str, ...], history: Copy) -> None:
    differs = said(history, *command, *REVISIONS)
    metrics = differs.get("metrics", differs)
    assert set(metrics) == set(METRICS)
    for path in METRICS:
        old, new = (json.loads(history.call("git", "show", f"{revision}:{path}"))["neg_elbo_nats"] for revision in REVISIONS)
        assert metrics[path]["neg_elbo_nats"] == {"old": old, "new": new, "diff": pytest.approx(new - old)}
        assert old != new


def test_plots_diff_lays_both_losses_over_each_other(history: Copy) -> None:
    plots = said(history, "plots", "diff", *REVISIONS)
    assert "errors" not in plots
    for path in HISTORIES:
        (plot,) = plots["data"][path]
        rows = [row for row in plot["content"]["data"]["values"] if row["rev"] in REVISIONS]
        epochs = {revision: len(history.call("git", "show", f"{revision}:{path}").splitlines()) - 1 for revision in REVISIONS}
        assert {row["rev"] for row in rows} == set(REVISIONS) and min(epochs.values()) > 1
        assert len({(row["rev"], row["epoch"]) for row in rows}) == sum(epochs.values())


def test_exp_show_has_each_commits_rate_and_metrics(history: Copy) -> None:
    workspace, *commits = said(history, "exp", "show", "--num", "2")
    rates = []
    for row in (workspace, *commits):
        variants = row["data"]["params"]["params.yaml"]["data"]["variants"]["mnist"]
        rates.append(variants[CHANGED]["training"]["learning_rate"])
        assert {*METRICS} <= {path for path, read in row["data"]["metrics"].items() if "neg_elbo_nats" in read["data"]}
    assert rates == [0.002, 0.002, 0.001]


def test_files_of_a_revision_are_read_by_the_api(history: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(history.root)
    for path in METRICS:
        committed = history.call("git", "show", f"HEAD~1:{path}")
        assert dvc.api.read(path, rev="HEAD~1") == committed != Path(path).read_text()
        assert dvc.api.metrics_show(path, rev="HEAD~1") == json.loads(committed)
    rates = [dvc.api.params_show(rev=revision)["variants"]["mnist"][CHANGED]["training"]["learning_rate"] for revision in REVISIONS]
    assert rates == [0.001, 0.002]


def test_get_and_import_bring_the_weights_of_a_revision(history: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"]):
        subprocess.run(command, check=True)
    for preset, path in zip(PRESETS, WEIGHTS, strict=True):
        source, got, imported = history.root / path, Path(f"got-{preset}"), Path(f"imported-{preset}")
        assert main(["get", str(history.root), path, "--rev", "HEAD~1", "--out", str(got)]) == 0
        assert main(["import", str(history.root), path, "--rev", "HEAD~1", "--out", str(imported)]) == 0
        names = {file.name for file in source.iterdir()}
        assert names == {file.name for file in got.iterdir()} == {file.name for file in imported.iterdir()} >= {"final.safetensors"}
        assert all((got / name).read_bytes() == (imported / name).read_bytes() for name in names)
        # The work tree has the second revision's.
        assert (got / "final.safetensors").read_bytes() != (source / "final.safetensors").read_bytes()
        assert yaml.safe_load(Path(f"{imported}.dvc").read_text())["deps"][0]["repo"]["rev"] == "HEAD~1"


@pytest.fixture
def copied(history: Copy, tmp_path: Path) -> Copy:
    """Return a copy of the repository that a test may change, with the cache."""
    shutil.copytree(history.root, tmp_path / "repository", symlinks=True)
    copy = Copy.__new__(Copy)
    copy.root, copy.params = tmp_path / "repository", history.params
    copy.environment = {**history.environment, "PYTHONPATH": str(copy.root / "src")}
    return copy


def trained(output: str) -> list[str]:
    return re.findall(r"Running stage '([^']*:train-[^']+)'", output)


def stage_of(folder: str, variant: str = CHANGED) -> str:
    return f"{folder}pipeline/train/dvc.yaml:train-mnist@{variant}-0"


@pytest.mark.parametrize("preset", ["quick", pytest.param("paper", marks=pytest.mark.slow)])
def test_exp_run_with_another_rate_retrains_that_variant_alone(preset: str, copied: Copy) -> None:
    before, folder = copied.files("models"), PRESETS[preset][1]
    output = copied.call("dvc", "exp", "run", "--name", "slower", "-S", f"{RATE}=5e-4", f"{folder}pipeline/train/dvc.yaml")

    assert trained(output) == [stage_of(folder)]
    after = copied.files("models")
    assert {name.rpartition("/")[0] for name in before if before[name] != after[name]} == {f"models/{preset}/{CHANGED}/0"}
    assert said(copied, "params", "diff", "HEAD", "slower") == {"params.yaml": {RATE: {"old": 0.002, "new": 0.0005, "diff": -0.0015}}}


def mark(copy: Copy, text: str) -> None:
    """Let the training loop say this, and where its code lies."""
    loop = copy.root / "src/regen/training/loop.py"
    loop.write_text(f"{loop.read_text()}\nprint({text!r}, __file__)\n")


def test_an_experiment_in_a_copy_runs_the_copys_code(copied: Copy) -> None:
    mark(copied, "loop of the experiment:")
    before = copied.files("models", "src")
    output = copied.call("dvc", "exp", "run", "--temp", "--name", "apart", stage_of(""))

    assert trained(output) == [stage_of("")]
    (place,) = re.findall(r"loop of the experiment: (\S+)", output)
    assert Path(place).is_relative_to(copied.root / ".dvc/tmp/exps")
    # The work tree itself is as it was.
    assert copied.files("models", "src") == before
    assert "apart" in copied.call("dvc", "exp", "list", "--name-only")


@pytest.mark.slow
def test_a_queued_experiment_runs_the_code_of_its_time(copied: Copy) -> None:
    mark(copied, "queued loop:")
    copied.call("dvc", "exp", "run", "--queue", "--name", "queued", "-S", f"{RATE}=0.004", stage_of(""))
    mark(copied, "later loop:")
    copied.call("dvc", "exp", "run", "--run-all")

    output = copied.call("dvc", "queue", "logs", "queued")
    (place,) = re.findall(r"queued loop: (\S+)", output)
    assert Path(place).is_relative_to(copied.root / ".dvc/tmp/exps") and "later loop:" not in output
    assert said(copied, "params", "diff", "HEAD", "queued")["params.yaml"][RATE]["new"] == 0.004


def test_weights_and_run_cache_go_through_a_remote(copied: Copy, tmp_path: Path) -> None:
    copied.call("dvc", "remote", "add", "--quiet", "--default", "storage", str(tmp_path / "remote"))
    copied.call("git", "commit", "-q", "-a", "-m", "a remote")
    copied.call("dvc", "push", "--run-cache", "pipeline/train/dvc.yaml")
    assert (tmp_path / "remote/runs").is_dir()
    copied.call("git", "clone", "-q", str(copied.root), str(tmp_path / "clone"))
    clone = Copy.__new__(Copy)
    clone.root, clone.environment = tmp_path / "clone", {**copied.environment, "DVC_SITE_CACHE_DIR": str(tmp_path / "site")}
    clone.call("dvc", "pull", WEIGHTS[0])

    assert clone.files("models") == {name: content for name, content in copied.files("models").items() if name.startswith(WEIGHTS[0])}


def test_a_clone_with_one_preset_hears_nothing_of_the_other(copied: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied.call("dvc", "remote", "add", "--quiet", "--default", "storage", str(tmp_path / "remote"))
    copied.call("git", "commit", "-q", "-a", "-m", "a remote")
    copied.call("dvc", "push", "dvc.yaml", "pipeline/train/dvc.yaml", "pipeline/evaluate/dvc.yaml")
    copied.call("git", "clone", "-q", str(copied.root), str(tmp_path / "clone"))
    clone = Copy.__new__(Copy)
    clone.root, clone.environment = tmp_path / "clone", {**copied.environment, "DVC_SITE_CACHE_DIR": str(tmp_path / "site")}
    # Of a stage that never ran there is not even this.
    (clone.root / METRICS[1]).unlink()
    (clone.root / "paper/.dvcignore").write_text("*\n")

    clone.call("dvc", "pull")
    assert clone.files("models") == {name: content for name, content in copied.files("models").items() if name.startswith("models/quick/")}
    assert said(clone, "status") == {}
    assert said(clone, "status", "--cloud") == {}
    clone.call("dvc", "checkout")
    monkeypatch.chdir(clone.root)
    assert {name.partition(":")[0] for name in dvc.api.metrics_show() if ":" in name} == {
        METRICS[0],
        METRICS[0].replace(CHANGED, OTHER),
    }
    assert clone.call("git", "status", "--short") == f" D {METRICS[1]}\n"
    # Revisions have the other preset as ever.
    assert dvc.api.read(METRICS[1], rev="HEAD") == copied.call("git", "show", f"HEAD:{METRICS[1]}")
    copied.root.joinpath("paper/.dvcignore").write_text("*\n")
    copied.call("dvc", "get", ".", WEIGHTS[1], "--rev", "HEAD", "--out", str(tmp_path / "got"))
    assert (tmp_path / "got/final.safetensors").read_bytes() == (copied.root / WEIGHTS[1] / "final.safetensors").read_bytes()


def test_the_side_file_of_an_experiment_is_not_that_of_the_committed_result(copied: Copy) -> None:
    log = copied.root / f"logs/quick/{CHANGED}/0/train.json"
    assert describes(json.loads(log.read_text()), copied.root)
    copied.call("dvc", "exp", "run", "--name", "apart", "-S", f"{RATE}=5e-4", stage_of(""))
    assert describes(json.loads(log.read_text()), copied.root)
    copied.call("git", "checkout", ".")
    copied.call("dvc", "checkout")
    assert not describes(json.loads(log.read_text()), copied.root)
