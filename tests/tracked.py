"""Made-up files of a few runs for MLflow's view, and the view read back through MLflow's own client."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import torch
from PIL import Image
from pydantic import TypeAdapter

from regen.common.files import checksum, write_tensors
from regen.config.model import Model
from regen.models.build import build
from regen.params.resolve import read_params, resolve
from regen.params.schema import PresetFile

__all__ = ["METRICS", "VARIANTS", "client_of", "ids_of", "make", "run_stage", "runs_of", "side_of", "train", "write"]

VARIANTS = ("uva3-vae-z2-mnist", "uva3-vae-z20-mnist", "vu4a-vae-svhn-gauss")
HISTORY = "epoch,step,train_neg_elbo_nats,val_neg_elbo_nats\n0,0,,543.25\n1,8,321.5,210.75\n2,16,200.5,150.125\n"
METRICS = {"nll_nats": 98.5, "n_images": 100, "bits_per_dim": None, "nll_kind": "unnormalised", "finite": True}
QUALITY = {"frechet_classifier_distance": 377.625, "recall": 0.125, "n_images": 50, "n_samples": 60, "sampler": "finite"}
CARD = {"dataset": "mnist", "source": "embedded", "data_source": "stand-in", "counts": {"train": 1000}, "description": "made-up digits"}
SIDE = {"started": "2026-11-20T12:00:00+00:00", "seconds": 12.5, "device": "cpu", "commit": "abc123", "versions": {"torch": "2.15.0"}}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def make(root: Path) -> Path:
    """Make up the files of three variants of two data sets, one with two seeds; one figure, one side file."""
    params = Path(__file__).parents[1] / "params.yaml"
    chosen = PresetFile(preset="quick", root=".", file="preset.yaml", seeds={"default": [0, 1]})
    config = resolve(read_params(params), chosen)["report.json"].model_dump(mode="json")
    config["variants"] = {name: config["variants"][name] for name in VARIANTS}
    config["variants"]["uva3-vae-z20-mnist"]["model"]["latent"]["dim"] = 20
    config["variants"]["uva3-vae-z20-mnist"]["training"]["learning_rate"] = 0.001
    write(root / "configs/quick/report.json", config)
    for run in ("uva3-vae-z2-mnist/0", "uva3-vae-z20-mnist/0", "uva3-vae-z20-mnist/1", "vu4a-vae-svhn-gauss/0", "not-configured/0"):
        write(root / "results/quick" / run / "history.csv", HISTORY)
        write(root / "results/quick" / run / "metrics.json", METRICS)
        write(root / "results/quick" / run / "details.json", {"table": [1, 2]})
    write(root / "results/quick/uva3-vae-z2-mnist/0/quality.json", QUALITY)
    write(root / "results/quick/uva3-vae-z2-mnist/0/quality_details.json", {"rows": []})
    for dataset in ("mnist", "svhn"):
        write(root / f"results/quick/data/{dataset}.json", {**CARD, "dataset": dataset})
    figures, picture = root / "reports/quick/figures", {"file": "samples.png", "title": "Samples", "caption": "From the prior"}
    write(figures / "uva3-vae-z20-mnist/index.json", [picture])
    Image.new("L", (4, 3), 128).save(figures / "uva3-vae-z20-mnist/samples.png")
    write(root / "logs/quick/uva3-vae-z20-mnist/0/train.json", side_of(root, "uva3-vae-z20-mnist/0"))
    return root


def side_of(root: Path, run: str, **facts: Any) -> dict[str, Any]:
    """Return the side file of a training that wrote the history which lies there."""
    history = f"results/quick/{run}/history.csv"
    return {**SIDE, **facts, "outputs": {history: checksum(root / history, "md5")}}


def client_of(root: Path) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{quote(str(root))}/mlflow/quick/mlflow.db")


def runs_of(root: Path) -> dict[str, Any]:
    """Return every run by name, whether deleted or not; a name that occurs twice fails."""
    from mlflow.entities import ViewType

    client = client_of(root)
    experiments = [one.experiment_id for one in client.search_experiments(ViewType.ALL)]
    runs = client.search_runs(experiments, run_view_type=ViewType.ALL)
    assert len({run.info.run_name for run in runs}) == len(runs)
    return {run.info.run_name: run for run in runs}


def ids_of(root: Path) -> dict[str, str]:
    return {name: run.info.run_id for name, run in runs_of(root).items()}


def run_stage(root: Path) -> subprocess.CompletedProcess[str]:
    stages = Path(__file__).parents[1] / "stages"
    return subprocess.run([sys.executable, str(stages), "track", "quick"], cwd=root, capture_output=True, text=True)


def train(root: Path, run: str, bias: float = 0.0) -> Any:
    """Write weights of a run of `VARIANTS` as training would, and return the model."""
    variant = json.loads((root / "configs/quick/report.json").read_text())["variants"][run.split("/")[0]]
    torch.manual_seed(0)
    model = build(TypeAdapter(Model).validate_python(variant["model"]), variant["shape"]).eval()
    with torch.no_grad():
        next(model.parameters()).add_(bias)
    write_tensors(root / f"models/quick/{run}/final.safetensors", model.state_dict(), {})
    return model
