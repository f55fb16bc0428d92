"""stages/features.py and stages/quality.py in a folder of their own: the files they write, and what they say of files they lack."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from samplers import SHAPE, made, settings
from support.stages import call_stage

from regen.common.determinism import derive_seed
from regen.common.files import read_tensors, write_json, write_tensors, write_text
from regen.evaluation.quality.features import FeatureSpace
from regen.images.images import Images

NETWORK, SPACE = "features/quick/mnist/network.safetensors", "results/quick/features/mnist.json"
QUALITY, DETAILS = "results/quick/tiny/0/quality.json", "results/quick/tiny/0/quality_details.json"
SPLITS = {"train": 60, "validation": 20, "test": 50}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a caller of a stage in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return call_stage


@pytest.fixture
def inputs(stage: Callable[..., None], blobs: Callable[..., Images]) -> Callable[..., None]:
    """Return a writer of what the stages read, all but the features: a variant with one snapshot, and a data set of ten classes."""

    def write(name: str = "vae", **features: Any) -> None:
        config = {
            **{"labels": "mnist", "dataset": "mnist", "data_source": "stand-in", "shape": SHAPE, "classes": 10, "n_samples": 40, "seed": 0},
            **{"network": {"kind": "mlp", "hidden": [12], "activation": "relu"}, "dropout": 0.1, "max_steps": 30},
            "schedule": {"learning_rate": 0.02, "batch_size": 20, "epochs": 20},
            "compute": {"threads": 1, "device": "cpu", "checkpoint_minutes": 10},
        }
        write_json(Path("configs/quick/mnist.features.json"), {**config, **features})
        write_text(Path("configs/quick/code/features.txt"), "the code that this depends on\n")
        write_json(Path("configs/quick/tiny.quality.json"), settings(name).model_dump())
        for seed, (split, count) in enumerate(SPLITS.items()):
            drawn = blobs(count, SHAPE, seed)
            write_tensors(Path("data/quick/mnist", f"{split}.safetensors"), {"images": drawn.images, "labels": drawn.labels})
        notes = {
            "epoch-000": {"epoch": 0, "step": 0},
            "epoch-002": {"epoch": 2, "step": 8},
            "step-000012": {"report_step": 4000, "step": 12},
            "final": {"epoch": 4},
        }
        for file, note in notes.items():
            write_tensors(Path("models/quick/tiny/0", f"{file}.safetensors"), made(name).state_dict(), note)

    return write


def written() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in ("features", "results") for path in Path(folder).rglob("*") if path.is_file()}


def test_both_stages_write_their_files_and_the_same_bytes_again(stage: Callable[..., None], inputs: Callable[..., None]) -> None:
    inputs()
    stage("features", "quick", "mnist")
    assert set(written()) == {NETWORK, SPACE}
    stage("quality", "quick", "tiny", "0")
    first = written()
    assert set(first) == {NETWORK, SPACE, QUALITY, DETAILS}
    # What an interrupted run would continue from is gone; when and where it ran is beside the results.
    assert not Path("checkpoints/quick/features/mnist").exists()
    assert {str(path) for path in Path("logs").rglob("*.json")} == {
        "logs/quick/features/mnist/features.json",
        "logs/quick/tiny/0/quality.json",
    }
    stage("features", "quick", "mnist")
    stage("quality", "quick", "tiny", "0")
    assert written() == first


def test_the_stages_say_what_they_measured(stage: Callable[..., None], inputs: Callable[..., None]) -> None:
    inputs()
    stage("features", "quick", "mnist")
    stage("quality", "quick", "tiny", "0")
    known = json.loads(Path(SPACE).read_text())
    assert (known["n_images"], known["test"]["n_images"], known["n_features"]) == (40, 50, 12)
    assert known["test"]["accuracy"] > 0.5
    _, note = read_tensors(Path(NETWORK))
    assert (note["labels"], note["shape"], note["model"]["family"]) == ("classes", SHAPE, "classifier")

    scalars, details = (json.loads(Path(name).read_text()) for name in (QUALITY, DETAILS))
    assert (scalars["sampler"], scalars["n_images"], scalars["n_samples"], scalars["features"]) == ("finite", 40, 40, "classes")
    assert len(scalars) <= 25 and not any(isinstance(value, dict | list) for value in scalars.values())
    # Snapshots stand under the moment that they were taken at.
    assert [row["images"] for row in details["rows"]] == [
        *("samples", "draws", "means with noise", "before training", "epoch 2", "step 4,000"),
        *(f"draws, {moment}" for moment in ("before training", "epoch 2", "step 4,000")),
        *("reconstructions", *(f"reconstructions, {moment}" for moment in ("before training", "epoch 2", "step 4,000"))),
        *("test images", "binarised test images"),
    ]
    # All have the same weights here, and so the same numbers.
    for first, others in ((0, slice(3, 6)), (1, slice(6, 9)), (9, slice(10, 13))):
        made = details["rows"][first]
        for row in details["rows"][others]:
            assert row == {**{key: made[key] for key in row}, "images": row["images"]} and "class_counts" in row


def test_a_data_set_without_labels_gets_random_features(stage: Callable[..., None], inputs: Callable[..., None]) -> None:
    inputs(classes=None)
    for split in SPLITS:
        path = Path("data/quick/mnist", f"{split}.safetensors")
        images = read_tensors(path)[0]["images"]
        write_tensors(path, {"images": images, "labels": torch.zeros(len(images), 0)})
    stage("features", "quick", "mnist")
    stage("quality", "quick", "tiny", "0")
    known, scalars = (json.loads(Path(name).read_text()) for name in (SPACE, QUALITY))
    assert (known["labels"], scalars["features"], known["test"]) == ("nothing", "nothing", {"n_images": 50})
    assert "digits_covered" not in scalars and scalars["frechet_classifier_distance"] > 0


def test_the_labels_may_be_those_of_another_data_set(stage: Callable[..., None], inputs: Callable[..., None]) -> None:
    inputs(dataset="binarized_mnist", images={"binarisation": "every_epoch"})
    test, labels = (read_tensors(Path("data/quick/mnist/test.safetensors"))[0][name] for name in ("images", "labels"))
    for split in ("train", "test"):
        # Images of its own, black and white, without labels.
        images = read_tensors(Path("data/quick/mnist", f"{split}.safetensors"))[0]["images"]
        binary = (images > 127).to(torch.uint8) * 255
        write_tensors(Path("data/quick/binarized_mnist", f"{split}.safetensors"), {"images": binary, "labels": torch.zeros(len(binary), 0)})
    Path("configs/quick/mnist.features.json").rename("configs/quick/binarized_mnist.features.json")
    stage("features", "quick", "binarized_mnist")
    known = json.loads(Path("results/quick/features/binarized_mnist.json").read_text())
    assert (known["labels"], known["labels_of"], known["test"]["n_images"]) == ("classes", "mnist", 50)
    space = FeatureSpace.read(Path("features/quick/binarized_mnist/network.safetensors"), torch.device("cpu"))

    def judged(images: torch.Tensor) -> torch.Tensor:
        found = space.probabilities(space.features(images))
        assert found is not None
        return found

    # It is tested on the other data set's images, binarised once; the floor is of the data set's own.
    generator = torch.Generator().manual_seed(derive_seed("binarise", "test"))
    drawn = judged(torch.bernoulli(test / 255, generator=generator).to(torch.uint8) * 255)
    assert known["test"]["accuracy"] == pytest.approx((drawn.argmax(1) == labels).double().mean().item())
    assert known["test"]["cross_entropy_nats"] == pytest.approx(-drawn[range(50), labels].log().mean().item(), rel=1e-4)
    own = judged((test[:40] > 127).to(torch.uint8) * 255).argmax(1)
    assert known["floor"][1]["class_counts"] == torch.bincount(own, minlength=10).tolist()


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (NETWORK, f"error: {NETWORK}: expected a safetensors file, got nothing there; run 'dvc repro' to make it\n"),
        (
            "models/quick/tiny/0/final.safetensors",
            "error: models/quick/tiny/0/final.safetensors: expected a safetensors file, got nothing there",
        ),
        ("data/quick/mnist/test.safetensors", "error: data/quick/mnist/test.safetensors: expected a safetensors file, got nothing there"),
        ("configs/quick/tiny.quality.json", "error: configs/quick/tiny.quality.json: expected a JSON file, got nothing there"),
    ],
    ids=["features", "weights", "images", "configuration"],
)
def test_a_missing_file_is_one_line_and_nothing_is_written(
    missing: str, said: str, stage: Callable[..., None], inputs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    inputs()
    stage("features", "quick", "mnist")
    Path(missing).unlink()
    with pytest.raises(SystemExit) as caught:
        stage("quality", "quick", "tiny", "0")
    output = capsys.readouterr()
    assert caught.value.code == 1 and output.err.startswith(said) and output.err.count("\n") == 1
    assert not Path(QUALITY).exists() and not Path(DETAILS).exists()


@pytest.mark.parametrize("missing", ["configs/quick/mnist.features.json", "data/quick/mnist/validation.safetensors"])
def test_features_without_an_input_are_one_line(
    missing: str, stage: Callable[..., None], inputs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    inputs()
    Path(missing).unlink()
    with pytest.raises(SystemExit) as caught:
        stage("features", "quick", "mnist")
    output = capsys.readouterr()
    assert caught.value.code == 1 and output.err.startswith(f"error: {missing}: expected") and output.err.count("\n") == 1
    assert written() == {}


def test_features_of_another_network_are_one_line(
    stage: Callable[..., None], inputs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    inputs()
    stage("features", "quick", "mnist")
    tensors, note = read_tensors(Path(NETWORK))
    note["model"]["network"]["hidden"] = [9]
    write_tensors(Path(NETWORK), tensors, note)
    with pytest.raises(SystemExit) as caught:
        stage("quality", "quick", "tiny", "0")
    output = capsys.readouterr()
    assert caught.value.code == 1 and output.err.startswith(f"error: {NETWORK}: expected") and output.err.count("\n") == 1


def test_a_model_that_diverged_has_a_file_that_says_so(stage: Callable[..., None], inputs: Callable[..., None]) -> None:
    inputs("gan")
    stage("features", "quick", "mnist")
    write_tensors(Path("models/quick/tiny/0/final.safetensors"), made("gan", spread=float("nan")).state_dict(), {"epoch": 4})
    stage("quality", "quick", "tiny", "0")
    scalars, details = (json.loads(Path(name).read_text()) for name in (QUALITY, DETAILS))
    assert scalars == {"data_source": "stand-in", "features": "classes", "n_images": 40, "n_samples": 40, "sampler": "not finite"}
    assert [sorted(row) == ["images"] for row in details["rows"]] == [True, False, False, False, False] and "paths" not in details
