"""What a run shows of every family of models, before MLflow sees it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regen.params.schema import ReportConfig
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
    "ext-wgangp-mnist": (
        "gan",
        {
            "generator.hidden": [1024, 512, 256, 128],
            "generator.batch_norm": True,
            "discriminator.hidden": [512, 256],
            "output": "score",
            "dropout": 0.0,
            "objective.loss": "wasserstein",
            "objective.gradient_penalty": 10.0,
            "snapshot_steps": [0, 2000, 111000, 184000],
        },
        {"critic": -2.5, "score_real": 4.5, "score_fake": 2.0},
    ),
    "lab1-classifier-mnist": (
        "classifier",
        {"dropout": 0.5, "classes": 10, "objective.kind": "cross_entropy"},
        {"accuracy": 0.89, "cross_entropy_nats": 0.34},
    ),
}


QUALITY = {"frechet_classifier_distance": 377.625, "precision": 0.375, "checkerboard_energy": None, "n_samples": 60, "digits_covered": 4}
WORDS = {"sampler": "finite", "features": "classes", "data_source": "stand-in"}


@pytest.fixture(scope="module")
def config(resolved: Callable[[str], dict[str, Any]]) -> ReportConfig:
    found = resolved("quick")["report.json"]
    assert isinstance(found, ReportConfig)
    return found


@pytest.fixture(scope="module")
def runs(config: ReportConfig, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrackedRun]:
    """Return the runs of one variant a family by name, read from made-up files."""
    return read_all(tmp_path_factory.mktemp("root"), config)


def read_all(root: Path, config: ReportConfig, quality: dict[str, Any] | None = None) -> dict[str, TrackedRun]:
    """Make the files up, those of sample quality if any, and return the runs by name."""
    for name, (_, _, metrics) in FAMILIES.items():
        folder = root / "results/quick" / name / "0"
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({**metrics, "n_images": 100, "data_source": "stand-in"}))
        if quality is not None:
            (folder / "quality.json").write_text(json.dumps(quality))
            (folder / "quality_details.json").write_text(json.dumps({"rows": [{"images": "samples"}]}))
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


@pytest.mark.parametrize("name", FAMILIES)
def test_numbers_of_the_samples_stand_beside_those_of_the_model(
    name: str, config: ReportConfig, runs: dict[str, TrackedRun], tmp_path: Path
) -> None:
    # The images that samples are held against may be fewer; `n_images` is what it is without them.
    run = read_all(tmp_path, config, {**QUALITY, **WORDS, "n_images": 50})[name]

    numbers = {key: value for key, value, _ in run.metrics}
    assert len(numbers) == len(run.metrics) and {epoch for _, _, epoch in run.metrics} == {0}
    assert numbers == {
        **{key: value for key, value, _ in runs[name].metrics},
        **{"frechet_classifier_distance": 377.625, "precision": 0.375, "n_samples": 60, "digits_covered": 4},
    }
    assert {**run.tags, **WORDS} == run.tags and "checkerboard_energy" not in run.tags
    assert set(run.artifacts) == {"metrics.json", "quality.json", "quality_details.json"}
    assert json.loads(run.artifacts["quality.json"].read_text())["precision"] == 0.375
    # What is tracked without them has neither, and another digest.
    assert set(runs[name].artifacts) == {"metrics.json"} and "sampler" not in runs[name].tags
    assert run.digest != runs[name].digest


def test_a_sampler_that_failed_is_a_tag(config: ReportConfig, tmp_path: Path) -> None:
    run = read_all(tmp_path, config, {**WORDS, "sampler": "not finite", "n_samples": 60})["ext-wgangp-mnist"]
    assert run.tags["sampler"] == "not finite"
    assert {key for key, _, _ in run.metrics} == {"critic", "score_real", "score_fake", "n_images", "n_samples"}


def test_how_long_quality_took_is_shown(config: ReportConfig, tmp_path: Path) -> None:
    log = tmp_path / "logs/quick/ext-wgangp-mnist/0/quality.json"
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"started": "2026-11-20T12:00:00+00:00", "seconds": 7.5, "outputs": {}}))
    assert not read_all(tmp_path, config, {**QUALITY, **WORDS})["ext-wgangp-mnist"].side
    written = "results/quick/ext-wgangp-mnist/0/quality.json"
    outputs = {written: hashlib.md5((tmp_path / written).read_bytes()).hexdigest()}
    log.write_text(json.dumps({"started": "2026-11-20T12:00:00+00:00", "seconds": 7.5, "outputs": outputs}))
    side = {run.variant: run for run in read_runs(tmp_path, config)}["ext-wgangp-mnist"].side
    assert {stage: one.seconds for stage, one in side.items()} == {"quality": 7.5}
