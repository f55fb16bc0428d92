"""The whole pipeline in copies of the repository, reduced to two small variants of one report."""

import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from repository import VARIANTS, Copy

CHAIN, OTHER = ([f"pipeline/{kind}/dvc.yaml:{kind}-mnist@{name}-0" for kind in ("train", "evaluate", "quality")] for name in VARIANTS)
MEASURED = CHAIN[1:]
DRAWN = ("claims",)
PICTURES = [f"pipeline/draw/dvc.yaml:draw-mnist@{name}-0" for name in VARIANTS]

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="DVC keeps its files in git")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Return a copy in which one variant was trained and measured."""
    first = Copy(tmp_path_factory.mktemp("first"))
    ran, _ = first.repro(*MEASURED)
    assert ran == {"configure", "fetch@mnist", "split@mnist", "features@mnist", *CHAIN}
    return first


def test_results_are_there_and_say_what_they_are(trained: Copy) -> None:
    place = "quick/uva3-vae-z2-mnist/0"
    assert {"epoch-000.safetensors", "final.safetensors"} <= set(os.listdir(trained.root / "models" / place))
    metrics = json.loads((trained.root / "results" / place / "metrics.json").read_text())
    assert (metrics["data_source"], metrics["n_images"], metrics["importance_samples"]) == ("stand-in", 32, 5)
    # 256 images in batches of 128 are 2 steps an epoch: 8 steps are 4 epochs.
    assert len((trained.root / "results" / place / "history.csv").read_text().splitlines()) == 1 + 4
    quality = json.loads((trained.root / "results" / place / "quality.json").read_text())
    # 40 samples are held against the 32 test images that there are.
    assert (quality["sampler"], quality["n_samples"], quality["n_images"], quality["features"]) == ("finite", 40, 32, "classes")
    space = json.loads((trained.root / "results/quick/features/mnist.json").read_text())
    assert (space["labels"], space["n_features"], space["n_images"]) == ("classes", 8, 32)
    # What an interrupted run continues from is gone once it is whole.
    assert trained.files("checkpoints") == {}


def test_again_runs_nothing(trained: Copy) -> None:
    made = ("configs", "data", "features", "models", "results", "logs")
    before, lock = trained.files(*made), trained.lock()
    ran, said = trained.repro(*MEASURED)

    assert ran == set() and said.strip().endswith("Data and pipelines are up to date.")
    assert (trained.files(*made), trained.lock()) == (before, lock)


def test_deleted_models_come_back_without_training(trained: Copy) -> None:
    models, logs = trained.files("models", "features"), trained.files("logs")
    shutil.rmtree(trained.root / "models")
    shutil.rmtree(trained.root / "features")
    ran, said = trained.repro(*MEASURED)

    assert ran == set() and "is cached - skipping run, checking out outputs" in said
    assert models and trained.files("models", "features") == models
    # A stage that runs writes its log anew, with the time.
    assert logs and trained.files("logs") == logs


def test_a_truncated_file_of_the_cache_is_not_taken_for_weights(trained: Copy) -> None:
    models = trained.files("models")
    content = models[f"models/quick/{VARIANTS[0]}/0/final.safetensors"]
    digest = hashlib.md5(content).hexdigest()
    cached = trained.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    shutil.rmtree(trained.root / "models")
    cached.chmod(0o644)
    cached.write_bytes(content[:1000])
    ran, _ = trained.repro(CHAIN[0])
    assert ran == {CHAIN[0]} and trained.files("models") == models


@pytest.fixture
def published(trained: Copy, tmp_path: Path) -> Copy:
    """Return a copy of it whose results, pictures and platform are committed."""
    other = copy.copy(trained)
    other.root = tmp_path / "repository"
    other.environment = {**trained.environment, "PYTHONPATH": str(other.root / "src"), "DVC_SITE_CACHE_DIR": str(tmp_path / "site")}
    shutil.copytree(trained.root, other.root, symlinks=True)
    other.repro(PICTURES[0])
    other.call(sys.executable, "scripts/account.py", "quick")
    return other


def verify(place: Copy) -> subprocess.CompletedProcess[str]:
    """Run `make verify VARIANT=uva3-vae-z2-mnist` for what lies there, once it is committed."""
    place.call("git", "add", "--all")
    place.call("git", "commit", "-q", "-m", "results")
    command = [sys.executable, "scripts/verify.py", "quick", VARIANTS[0]]
    return subprocess.run(command, cwd=place.root, env=place.environment, capture_output=True, text=True)


def test_another_metric_weight_figure_or_parameter_is_found(published: Copy) -> None:
    results, weights = published.root / f"results/quick/{VARIANTS[0]}/0", published.root / f"models/quick/{VARIANTS[0]}/0/final.safetensors"
    quality = (results / "quality.json").read_text()
    (results / "quality.json").write_text(quality.replace('"n_samples": 40', '"n_samples": 41'))
    # The last byte is one of the last weight.
    content = weights.read_bytes()
    weights.chmod(0o644)
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    published.call("dvc", "commit", "-q", "-f", CHAIN[0])
    picture = published.root / f"reports/quick/figures/{VARIANTS[0]}/manifold.png"
    picture.chmod(0o644)
    picture.write_bytes(picture.read_bytes() + b" ")
    published.call("dvc", "commit", "-q", "-f", PICTURES[0])
    params = copy.deepcopy(published.params)
    params["presets"]["quick"]["likelihood"]["default"][0]["importance_samples"] = [1, 6]
    published.set_params(params)
    done = verify(published)

    rows = ("| results/", "| reports/", "| models/")
    named = {line.split("|")[1].strip() for line in done.stderr.splitlines() if line.startswith(rows)}
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: verify quick: expected")
    # What the parameter changes is one thing, every corrupted file another.
    assert {name for name in named if not name.split(": ")[0].endswith(("metrics.json", "details.json"))} == {
        f"results/quick/{VARIANTS[0]}/0/quality.json: n_samples",
        f"models/quick/{VARIANTS[0]}/0 (DVC)",
        f"reports/quick/figures/{VARIANTS[0]} (DVC)",
    }
    assert f"results/quick/{VARIANTS[0]}/0/metrics.json: importance_samples" in named


@pytest.mark.slow
def test_what_is_committed_is_verified(published: Copy) -> None:
    done = verify(published)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].endswith("came out again (bit for bit, made on this platform)"), (
        done.stderr
    )


@pytest.mark.slow
def test_of_another_platform_it_is_told_how_much_is_not_equal_bit_for_bit(published: Copy) -> None:
    platform = published.root / "results/quick/platform.json"
    platform.write_text(re.sub('"processor": ".*"', '"processor": "another"', platform.read_text()))
    picture = published.root / f"reports/quick/figures/{VARIANTS[0]}/manifold.png"
    picture.chmod(0o644)
    # Between platforms no picture is held against another that only DVC keeps.
    picture.write_bytes(picture.read_bytes() + b" ")
    published.call("dvc", "commit", "-q", "-f", PICTURES[0])
    done = verify(published)
    assert done.returncode == 0, done.stderr
    apart = f"not equal bit for bit: 1, reports/quick/figures/{VARIANTS[0]} (DVC)"
    assert done.stdout.splitlines()[-1].endswith(f"(within the tolerances, made on another platform; {apart})")


@pytest.fixture(scope="module")
def whole(trained: Copy) -> Copy:
    """Return a copy with everything, made by `dvc repro` and committed."""
    ran, _ = trained.repro()
    others = [dataset for dataset in trained.params["datasets"] if dataset != "mnist"]
    splits = {f"{stage}@{dataset}" for stage in ("fetch", "split") for dataset in others}
    spaces = {f"features{'-other' if dataset == 'binarized_mnist' else ''}@{dataset}" for dataset in others}
    assert ran == {*splits, *spaces, *OTHER, *PICTURES, *DRAWN, "report", "track"}
    trained.call("git", "add", "--all")
    trained.call("git", "commit", "-q", "-m", "results")
    return trained


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["2", "8"])
def test_jobs_side_by_side_in_another_folder_make_the_same_bytes(whole: Copy, tmp_path: Path, jobs: str) -> None:
    other = Copy(tmp_path)
    other.call(sys.executable, "-m", "regen.runner", "--jobs", jobs, "dvc.yaml")

    assert other.lock() == whole.lock()
    first, second = whole.outputs(), other.outputs()
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} == set()
    site = {f"reports/quick/site/{name}" for name in ("index.html", "uva3.html", "models.csv", "vega/vega.js")}
    pictures = {f"reports/quick/figures/uva3-vae-z2-mnist/{name}" for name in ("index.json", "means.png", "manifold.png")}
    assert site | pictures <= first.keys()
    kinds = {Path(name).suffix for name in first}
    assert kinds == {".safetensors", ".json", ".csv", ".png", ".md", ".html", ".txt", ".css", ".js"}
    assert not any(str(one.root).encode() in content for one in (whole, other) for content in first.values())


@pytest.mark.slow
def test_one_failing_stage_stops_nothing_else_and_is_told(tmp_path: Path) -> None:
    place = Copy(tmp_path)
    command = [sys.executable, "-m", "regen.runner", "--jobs", "2", "dvc.yaml"]
    # A file where the checkpoints of one variant belong.
    (place.root / "checkpoints/quick").mkdir(parents=True)
    (place.root / "checkpoints/quick" / VARIANTS[0]).write_text("in the way")
    done = subprocess.run(command, cwd=place.root, env=place.environment, capture_output=True, text=True)

    assert done.returncode != 0 and f"checkpoints/quick/{VARIANTS[0]}" in done.stderr
    made = set(place.lock())
    assert {stage.split(":")[1] for stage in OTHER} <= made and f"draw-mnist@{VARIANTS[1]}-0" in made
    assert not any(VARIANTS[0] + "-0" in stage for stage in made) and not {*DRAWN, "report", "track"} & made
    (place.root / "checkpoints/quick" / VARIANTS[0]).unlink()
    done = subprocess.run(command, cwd=place.root, env=place.environment, capture_output=True, text=True)
    assert done.returncode == 0 and {*place.lock()} >= {*DRAWN, "report", "track", *(stage.split(":")[1] for stage in CHAIN)}
    assert f"train-mnist@{VARIANTS[1]}-0" not in done.stdout


@pytest.mark.slow
def test_remade_figures_and_restored_models_leave_git_clean(whole: Copy) -> None:
    shutil.rmtree(whole.root / "reports")
    shutil.rmtree(whole.root / "models")
    ran, _ = whole.repro()

    # What DVC keeps comes back from its cache; a plain output that git tracks is made again.
    assert ran == {"claims"}
    assert whole.call("git", "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_changed_rate_reruns_its_chain_and_what_shows_it(whole: Copy) -> None:
    params, before = copy.deepcopy(whole.params), whole.outputs()
    params["variants"]["mnist"]["uva3-vae-z2-mnist"]["training"]["learning_rate"] = 0.002
    whole.set_params(params)
    ran, _ = whole.repro()
    after = whole.outputs()

    assert ran == {"configure", *CHAIN, PICTURES[0], *DRAWN, "report", "track"}
    changed = {name for name in before if before[name] != after[name]}
    assert not any("uva3-vae-z20-mnist" in name for name in changed)
    assert not any("features" in name for name in changed)
    results = {f"results/quick/uva3-vae-z2-mnist/0/{name}.json" for name in ("metrics", "quality", "quality_details")}
    assert {*results, "reports/quick/site/models.csv", "mlflow/quick/synced.txt"} <= changed


@pytest.mark.slow
def test_a_bad_value_stops_before_anything_runs(whole: Copy) -> None:
    params, before = copy.deepcopy(whole.params), whole.outputs()
    params["variants"]["mnist"]["uva3-vae-z2-mnist"]["training"]["epochs"] = 0
    whole.set_params(params)
    done = subprocess.run(["dvc", "repro"], cwd=whole.root, env=whole.environment, capture_output=True, text=True)

    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "uva3-vae-z2-mnist.training.epochs = 0: allowed: greater than or equal to 1" in line
    after = whole.files("results", "models", "reports")
    assert {name: content for name, content in before.items() if name in after} == after
