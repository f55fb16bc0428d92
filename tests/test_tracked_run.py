"""What a run shows of every family of models, before MLflow sees it."""

import json
from pathlib import Path
from typing import Any

import pytest

from regen.params.resolve import read_params, resolve
from regen.params.schema import PresetFile, ReportConfig
from regen.tracked_run import TrackedRun, read_runs

CARD = {"dataset": "mnist", "source": "embedded", "data_source": "stand-in", "description": "made-up digits"}

# Family, some settings by name, metrics as the evaluation writes them.
FAMILIES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "vu4a-flowvae-mnist": (
        "vae",
        {
            "network.kind": "mlp",
            "latent.dim": 100,
            "prior.kind": "realnvp",
            "prior.couplings": 3,
            "images.size": 32,
            "objective.kind": "elbo",
        },
        {"nll_nats": 98.5, "nll_kind": "unnormalised"},
    ),
    "ai3611-vae-z1-noise-mnist": (
        "vae",
        {"network.upsampling.kernel": 4, "latent.dim": 1, "noise.scale": 0.001, "noise.targets": "noisy", "images.size": None},
        {"nll_nats": 98.5, "nll_kind": "unnormalised"},
    ),
    "uva3-realnvp-mnist": (
        "flow",
        {"alpha": 1e-5, "flow.couplings": 8, "clip_norm": 1.0, "objective.kind": "nll", "images.binarisation": None},
        {"nll_nats": 1024.5, "nll_kind": "probability", "importance_samples": 1},
    ),
    "lab1-aegmm-mnist": (
        "autoencoder",
        {"latent_dim": 2, "components": 10, "objective.kind": "reconstruction"},
        {"gmm_log_likelihood_nats": -3.5, "nll_kind": "not defined"},
    ),
    "lab1-classifier-mnist": (
        "classifier",
        {"dropout": 0.5, "classes": 10, "objective.kind": "cross_entropy"},
        {"accuracy": 0.89, "cross_entropy_nats": 0.34},
    ),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrackedRun]:
    """Return the runs of one variant a family by name, read from made-up files."""
    root = tmp_path_factory.mktemp("root")
    params = read_params(Path(__file__).parents[1] / "params.yaml")
    chosen = PresetFile(preset="quick", root=".", file="preset.yaml", seeds={dataset: [0] for dataset in params.variants})
    config = resolve(params, chosen)["report.json"]
    assert isinstance(config, ReportConfig)
    for name, (_, _, metrics) in FAMILIES.items():
        folder = root / "results/quick" / name / "0"
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({**metrics, "n_images": 100, "data_source": "stand-in"}))
    (root / "results/quick/data").mkdir()
    (root / "results/quick/data/mnist.json").write_text(json.dumps(CARD))
    return {run.variant: run for run in read_runs(root, config)}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_run_is_tagged_with_its_family(name: str, runs: dict[str, TrackedRun]) -> None:
    family, _, metrics = FAMILIES[name]
    tags = runs[name].tags

    assert (tags["family"], tags["variant"], tags["preset"]) == (family, name, "quick")
    assert tags.get("nll_kind") == metrics.get("nll_kind")


@pytest.mark.parametrize("name", FAMILIES)
def test_settings_of_every_family_are_parameters(name: str, runs: dict[str, TrackedRun]) -> None:
    _, expected, _ = FAMILIES[name]
    assert {key: runs[name].params[key] for key in expected} == expected


@pytest.mark.parametrize("name", FAMILIES)
def test_numbers_are_metrics_and_nothing_else_is(name: str, runs: dict[str, TrackedRun]) -> None:
    numbers = {key: value for key, value in FAMILIES[name][2].items() if key != "nll_kind"}
    assert runs[name].metrics == [(key, value, 0) for key, value in {**numbers, "n_images": 100}.items()]
