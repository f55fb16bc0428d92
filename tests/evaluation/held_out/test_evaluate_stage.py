"""stages/evaluate.py in a folder of its own; and weights that are not finite, of which nothing is said."""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from closed_forms import LinearGaussian, numbered_images
from small_models import MODELS, SHAPE, as_images, settings
from support.stages import call_stage

from regen.common.files import write_json, write_tensors
from regen.evaluation.held_out.evaluate import evaluate
from regen.models.build import build

WEIGHTS, TEST = "models/quick/tiny/0/final.safetensors", "data/quick/mnist/test.safetensors"
METRICS, DETAILS = Path("results/quick/tiny/0/metrics.json"), Path("results/quick/tiny/0/details.json")


def made(name: str) -> Any:
    torch.manual_seed(1)
    model = build(settings(name).model, list(SHAPE)).eval()
    if hasattr(model, "fit_codes"):
        model.fit_codes(numbered_images(20, SHAPE), 7)
    return model


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a caller of the stage where all its inputs are: a model with two latents, and images of three splits."""
    monkeypatch.chdir(tmp_path)
    checks = {"run_checks": ["annealed", "prior_sampling"], "n_images": 2}
    write_json(Path("configs/quick/tiny.evaluate.json"), settings("vae", **checks).model_dump())
    write_tensors(Path(WEIGHTS), made("vae").state_dict(), {"epoch": 4})
    for seed, split in enumerate(("train", "validation", "test")):
        write_tensors(
            Path(f"data/quick/mnist/{split}.safetensors"), {"images": numbered_images(12, SHAPE, seed), "labels": torch.zeros(12, 0)}
        )
    return partial(call_stage, "evaluate", "quick", "tiny", "0")


def test_two_files_are_written_and_the_same_bytes_again(stage: Callable[[], None]) -> None:
    stage()
    first = METRICS.read_bytes(), DETAILS.read_bytes()
    metrics, details = (json.loads(content) for content in first)
    assert not any(isinstance(value, dict | list) for value in metrics.values()) and (metrics["n_images"], metrics["data_source"]) == (
        12,
        "stand-in",
    )
    assert set(details) == {"splits", "likelihood", "per_image", "checks", "prior_sampling", "latents"}
    stage()
    assert (METRICS.read_bytes(), DETAILS.read_bytes()) == first


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_split_without_images_is_one_line_and_nothing_is_written(
    split: str, stage: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"data/quick/mnist/{split}.safetensors"
    write_tensors(Path(path), {"images": torch.zeros(0, *SHAPE, dtype=torch.uint8), "labels": torch.zeros(0, 0)})
    with pytest.raises(SystemExit) as caught:
        stage()
    output = capsys.readouterr()
    assert caught.value.code == 1
    assert output.err == f"error: {path}: expected at least one image, got none; delete it and run 'dvc repro' again\n"
    assert not METRICS.exists() and not DETAILS.exists()


@pytest.mark.parametrize("missing", [WEIGHTS, TEST, "configs/quick/tiny.evaluate.json"])
def test_a_missing_file_is_one_line_and_nothing_is_written(
    missing: str, stage: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(missing).unlink()
    with pytest.raises(SystemExit) as caught:
        stage()
    output = capsys.readouterr()
    assert caught.value.code == 1 and output.err.startswith(f"error: {missing}: expected") and output.err.count("\n") == 1
    assert not METRICS.exists() and not DETAILS.exists()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("likelihood/0/importance_samples", [5, 1], ["likelihood.0: importance_samples = [5, 1]", "allowed: rising"]),
        ("likelihood/0/importance_samples", [0], ["likelihood.0.importance_samples.0 = 0", "allowed: greater than or equal to 1"]),
        ("likelihood/0/n_images", 1, ["likelihood.0.n_images = 1", "allowed: greater than or equal to 2"]),
        ("memory_mb", 0, ["memory_mb = 0", "allowed: greater than or equal to 1"]),
        ("run_checks", ["annealing"], ['run_checks.0 = "annealing"', "allowed: 'annealed' or 'prior_sampling'"]),
    ],
)
def test_a_bad_configuration_is_one_line(
    path: str, value: Any, said: list[str], stage: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path("configs/quick/tiny.evaluate.json")
    config = node = json.loads(file.read_text())
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    for part in parents:
        node = node[part]
    node[last] = value
    write_json(file, config)
    with pytest.raises(SystemExit) as caught:
        stage()
    output = capsys.readouterr().err
    assert caught.value.code == 1 and output.startswith(f"error: {file}: ") and output.count("\n") == 1
    assert [text for text in said if text not in output] == []


def test_a_model_that_diverged_has_files_that_say_so(stage: Callable[[], None]) -> None:
    weights = made("vae").state_dict()
    next(iter(weights.values())).fill_(float("nan"))
    write_tensors(Path(WEIGHTS), weights, {"epoch": 4})
    stage()
    assert json.loads(METRICS.read_text()) == {
        "data_source": "stand-in",
        "n_images": 12,
        "nll_kind": "not defined",
        "weights": "not finite",
    }
    assert json.loads(DETAILS.read_text()) == {}


@pytest.mark.parametrize("name", MODELS)
def test_of_weights_that_are_not_finite_nothing_is_said(name: str) -> None:
    images, model = as_images(numbered_images(9, SHAPE)), made(name)
    assert "weights" not in evaluate(settings(name), 0, model, images)[0]
    for value in (math.nan, math.inf, -math.inf):
        with torch.no_grad():
            list(model.parameters())[-1].view(-1)[-1] = value
        metrics, details = evaluate(settings(name), 0, model, images)
        assert metrics == {"nll_kind": "not defined", "weights": "not finite", "n_images": 9, "data_source": "stand-in"}
        assert details == {}


def test_running_statistics_that_are_not_finite_count_as_weights() -> None:
    model = made("gan")
    model.generator[0].get_buffer("1.running_var")[0] = torch.inf
    assert evaluate(settings("gan"), 0, model, as_images(numbered_images(9, SHAPE)))[0]["weights"] == "not finite"


def test_a_likelihood_that_is_not_finite_has_no_interval() -> None:
    # Finite weights can give one: a code of one image so far out that its density underflows.
    known, images = LinearGaussian.random(2, SHAPE), numbered_images(9, SHAPE)
    model: Any = known.model(known.guess(images))
    model.encoder.network.table[3, 0] = 1e30
    metrics, details = evaluate(settings("gaussian vae"), 0, model, as_images(images))
    assert "weights" not in metrics and metrics["nll_nats"] == math.inf
    assert math.isnan(metrics["nll_nats_low"]) and math.isnan(metrics["nll_nats_high"])
    assert [math.isfinite(value) for value in details["per_image"][0]["nll_nats"]] == [number != 3 for number in range(9)]
