"""The whole pipeline in copies of the repository, reduced to two small variants of one report."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
COPIED = (".dvcignore", ".gitignore", "dvc.yaml", "params.yaml", "pipeline", "preset.yaml", "requirements.lock", "scripts", "src", "stages")
VARIANTS = ("uva3-vae-z2-mnist", "uva3-vae-z20-mnist")
CHAIN, OTHER = ([f"pipeline/{kind}/dvc.yaml:{kind}-mnist@{name}-0" for kind in ("train", "evaluate", "quality")] for name in VARIANTS)
MEASURED = CHAIN[1:]
DRAWN = ("figures",)
PICTURES = [f"pipeline/draw/dvc.yaml:draw-mnist@{name}" for name in VARIANTS]

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="DVC keeps its files in git")


def reduced(path: Path) -> dict[str, Any]:
    """Return a params.yaml's values with two small variants and small feature networks of 8 steps; what dvc.yaml names stays."""
    params = json.loads(json.dumps(yaml.safe_load(path.read_text())))
    variants = {name: params["variants"]["mnist"][name] for name in VARIANTS}
    for variant in variants.values():
        variant["model"]["network"]["hidden"] = [16]
    params["variants"] = {**{group: {} for group in params["variants"]}, "mnist": variants}
    params["probes"] = {}
    params["reports"] = {"uva3": params["reports"]["uva3"]}
    shown = params["reports"]["uva3"]["figures"]
    params["reports"]["uva3"]["figures"] = [figure for figure in shown if set(figure["variants"]) <= set(VARIANTS)]
    params["datasets"] = {name: params["datasets"][name] for name in params["variants"]}
    for features in params["features"].values():
        features["network"] |= {"channels": [4], "hidden": [8]}
    quick = params["presets"]["quick"]
    quick |= {"max_images": {"train": 256, "validation": 64, "test": 32}}
    quick |= {"max_steps": dict.fromkeys(params["datasets"], 8), "samples": dict.fromkeys(params["datasets"], 40)}
    quick["sources"] = {name: quick["sources"][name] for name in params["datasets"]}
    quick["likelihood"] = {name: [{"importance_samples": [1, 5], "n_images": None}] for name in params["datasets"]}
    quick["checks"] |= {"n_images": 8, "sum_over": 1024, "prior_samples": 1000}
    params["presets"] = {"quick": quick}
    return params


class Copy:
    """A repository of its own that runs its own source."""

    def __init__(self, root: Path) -> None:
        self.root = root / "repository"
        self.root.mkdir()
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "dvc.lock"))
            else:
                shutil.copyfile(ROOT / name, self.root / name)
        # A git hook sets GIT_DIR: without this a commit here could be one to the repository itself.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self.environment = {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}:{inherited['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DVC_NO_ANALYTICS": "true",
            "DVC_SITE_CACHE_DIR": str(root / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(root / "config"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": "tests@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        self.params = reduced(self.root / "params.yaml")
        self.set_params(self.params)
        self.call("git", "init", "-q")
        self.call("dvc", "init", "-q")
        (self.root / ".dvc/config").write_bytes((ROOT / ".dvc/config").read_bytes())
        assert self.call(sys.executable, "-c", "import regen; print(regen.__file__)").startswith(str(self.root))

    def call(self, *command: str) -> str:
        """Return the output of a command that must succeed."""
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def repro(self, *targets: str) -> tuple[set[str], str]:
        """Return the stages that `dvc repro` ran, and all that it said."""
        said = self.call("dvc", "repro", *targets)
        return set(re.findall(r"Running stage '([^']+)'", said)), said

    def set_params(self, params: dict[str, Any]) -> None:
        (self.root / "params.yaml").write_text(yaml.safe_dump(params))

    def lock(self) -> dict[str, Any]:
        """Return what the locks of all parts of the pipeline say, by stage."""
        locks = [self.root / "dvc.lock", *self.root.glob("pipeline/*/dvc.lock")]
        return {name: stage for lock in locks for name, stage in yaml.safe_load(lock.read_text())["stages"].items()}

    def files(self, *folders: str) -> dict[str, bytes]:
        paths = [path for folder in folders for path in (self.root / folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in paths}

    def outputs(self) -> dict[str, bytes]:
        """Return every file that DVC tracks as an output."""
        paths = [out["path"] for stage in self.lock().values() for out in stage["outs"]]
        assert all((self.root / path).exists() for path in paths)
        return {path: (self.root / path).read_bytes() for path in paths if (self.root / path).is_file()} | self.files(*paths)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Return a copy in which one variant was trained and measured."""
    first = Copy(tmp_path_factory.mktemp("first"))
    ran, _ = first.repro(*MEASURED)
    assert ran == {"configure", "fetch@mnist", "split@mnist", "features-mnist", *CHAIN}
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


@pytest.fixture(scope="module")
def whole(trained: Copy) -> Copy:
    """Return a copy with everything, made by `dvc repro` and committed."""
    ran, _ = trained.repro()
    splits = {f"{stage}@{dataset}" for stage in ("fetch", "split") for dataset in ("binarized_mnist", "svhn", "celeba")}
    spaces = {f"features-{dataset}" for dataset in ("binarized_mnist", "svhn", "celeba")}
    assert ran == {*splits, *spaces, *OTHER, *PICTURES, *DRAWN, "report", "track"}
    trained.call("git", "add", "--all")
    trained.call("git", "commit", "-q", "-m", "results")
    return trained


@pytest.mark.slow
def test_two_jobs_in_another_folder_make_the_same_bytes(whole: Copy, tmp_path: Path) -> None:
    other = Copy(tmp_path)
    other.call(sys.executable, "scripts/repro.py", "dvc.yaml", "2")

    # The order of the lock is that of completion.
    assert other.lock() == whole.lock()
    first, second = whole.outputs(), other.outputs()
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} == set()
    charts = {f"reports/quick/figures/charts/{name}" for name in ("index.json", "latents.png", "prior_sampling.png")}
    pictures = {f"reports/quick/figures/uva3-vae-z2-mnist/{name}" for name in ("index.json", "means.png", "manifold.png")}
    assert charts | pictures <= first.keys()
    kinds = {Path(name).suffix for name in first}
    assert kinds == {".safetensors", ".json", ".csv", ".png", ".md", ".html", ".txt"}
    assert not any(str(one.root).encode() in content for one in (whole, other) for content in first.values())


@pytest.mark.slow
def test_remade_figures_and_restored_models_leave_git_clean(whole: Copy) -> None:
    shutil.rmtree(whole.root / "reports")
    shutil.rmtree(whole.root / "models")
    ran, _ = whole.repro()

    assert ran == {*PICTURES, *DRAWN, "report"}
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
    assert {*results, "reports/quick/report.md", "mlflow/quick/synced.txt"} <= changed


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
