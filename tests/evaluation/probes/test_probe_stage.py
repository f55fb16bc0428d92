"""stages/probe.py in a folder of its own, and what params.yaml and the pipeline say of the probes."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from support.stages import call_stage

from regen.common.files import write_json, write_tensors
from regen.config.base import parse
from regen.config.model import Vae
from regen.config.probes import ProbeConfig
from regen.evaluation.probes.registry import PROBES
from regen.models.build import build
from regen.params.probes import NEEDS, Probes
from regen.params.schema import Params

ROOT = Path(__file__).parents[3]
PIPELINE = yaml.safe_load((ROOT / "pipeline/probe/dvc.yaml").read_text())["stages"]
RESULT = Path("results/quick/probes/linear_probe.json")
VAE: dict[str, Any] = {
    "family": "vae",
    "network": {"kind": "mlp", "hidden": [4], "activation": "relu"},
    "latent": {"kind": "gaussian", "dim": 2},
    "prior": {"kind": "standard"},
    "likelihood": {"kind": "bernoulli"},
}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a caller of the stage in a folder with what a linear probe of one tiny variant reads."""
    monkeypatch.chdir(tmp_path)
    images = {"size": None, "channels": None, "binarisation": None}
    variant = {"variant": "tiny", "dataset": "mnist", "data_source": "stand-in", "shape": [1, 4, 4], "images": images, "model": VAE}
    variant |= {
        "values": "grey",
        "held_out": "validation",
        "n_samples": 20,
        "seed": 0,
        "threads": 1,
        "device": "cpu",
        "first_seed": 3,
        "batch_size": 8,
    }
    config = {"variants": [variant], "data_source": "stand-in", "seed": 0, "threads": 1, "device": "cpu"}
    settings = {"kind": "linear_probe", "labels": [12], "draws": 2}
    write_json(Path("configs/quick/linear_probe.probe.json"), {**config, "settings": settings})
    generator = torch.Generator().manual_seed(0)
    for split in ("train", "test"):
        pixels = torch.randint(0, 256, (40, 1, 4, 4), generator=generator, dtype=torch.uint8)
        write_tensors(Path("data/quick/mnist", f"{split}.safetensors"), {"images": pixels, "labels": torch.arange(40) % 2})
    for file, note in (("epoch-000", {"epoch": 0, "step": 0}), ("final", {"epoch": 1})):
        torch.manual_seed(len(file))
        weights = build(parse(Vae, VAE, "test"), [1, 4, 4]).state_dict()
        write_tensors(Path("models/quick/tiny/3", f"{file}.safetensors"), weights, note)
    return partial(call_stage, "probe")


def test_a_probe_says_what_it_is_of_and_is_the_same_again(stage: Callable[..., None]) -> None:
    stage("quick", "linear_probe")
    first = RESULT.read_bytes()
    found = json.loads(first)
    assert (found["probe"], found["variants"], found["data_source"], found["n_images"]) == ("linear_probe", ["tiny"], "stand-in", 40)
    assert [row["labels"] for row in found["rows"]] == [12, 12, 12]
    torch.manual_seed(99)
    stage("quick", "linear_probe")
    assert RESULT.read_bytes() == first


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("models/quick/tiny/3/final.safetensors", "expected a safetensors file, got nothing there; run 'dvc repro' to make it"),
        ("data/quick/mnist/test.safetensors", "expected a safetensors file, got nothing there; run 'dvc repro' to make it"),
        ("configs/quick/linear_probe.probe.json", "expected a JSON file, got nothing there; run 'dvc repro' to make it"),
    ],
)
def test_a_missing_file_is_one_line(missing: str, said: str, stage: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    Path(missing).unlink()
    with pytest.raises(SystemExit) as caught:
        stage("quick", "linear_probe")
    assert caught.value.code == 1 and capsys.readouterr().err == f"error: {missing}: {said}\n"
    assert not RESULT.exists()


def test_a_variant_without_a_snapshot_before_training_is_one_line(stage: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    Path("models/quick/tiny/3/epoch-000.safetensors").unlink()
    with pytest.raises(SystemExit):
        stage("quick", "linear_probe")
    said = "expected a snapshot before training, got none; put 0 into training.snapshot_epochs of tiny in params.yaml"
    assert capsys.readouterr().err == f"error: models/quick/tiny/3: {said}\n"


def test_every_probe_is_configured_and_has_a_stage(resolved: Callable[[str], dict[str, Any]], params: Params) -> None:
    assert list(PROBES) == list(Probes.model_fields) == list(params.probes.named())
    assert [name.removeprefix("probe-") for name in PIPELINE] == list(PROBES)
    for preset in params.presets:
        configs = {name.removesuffix(".probe.json"): config for name, config in resolved(preset).items() if name.endswith(".probe.json")}
        assert {name: config.settings.kind for name, config in configs.items()} == {name: name for name in PROBES}
        assert all(isinstance(config, ProbeConfig) for config in configs.values())


@pytest.mark.parametrize("name", PROBES)
def test_a_stage_waits_for_the_weights_of_the_variants_that_its_probe_names(name: str, params: Params) -> None:
    stage = PIPELINE[f"probe-{name}"]
    datasets = {variant: dataset for dataset, variants in params.variants.items() for variant in variants}
    probed = params.probes.named()[name].variants
    seeds = yaml.safe_load((ROOT / "preset.yaml").read_text())["seeds"]
    own = {variant: datasets[variant] if datasets[variant] in seeds else "default" for variant in probed}
    weights = {f"models/${{preset}}/{variant}/${{seeds.{key}[0]}}" for variant, key in own.items()}
    assert {dep for dep in stage["deps"] if dep.startswith("models/")} == weights
    data = {dep.rpartition("/")[2] for dep in stage["deps"] if dep.startswith(("data/", "features/"))}
    assert data <= {datasets[variant] for variant in probed}
    assert stage["cmd"] == f"python stages probe ${{preset}} {name}" and f"configs/${{preset}}/{name}.probe.json" in stage["deps"]
    assert stage["metrics"] == [{f"results/${{preset}}/probes/{name}.json": {"cache": False}}]


FITTING = {
    "vae": {"linear_probe", "fine_tuning", "gradient_variance", "midpoints", "single_latents"},
    "bernoulli": {"linear_probe", "fine_tuning", "estimator_variance", "midpoints"},
    "convolutional": {"linear_probe", "fine_tuning", "gradient_variance", "midpoints", "single_latents", "upsamplings"},
    "autoencoder": {"code_fit"},
    "gan": {"early_gradients", "reshape"},
    "critic": {"reshape"},
    "flow": set(),
    "classifier": set(),
}
NAMES = {
    "vae": "uva3-vae-z20-mnist",
    "bernoulli": "lab1-bernvae-mnist",
    "convolutional": "davari-vae-bilinear-celeba",
    "autoencoder": "lab1-aegmm-mnist",
    "gan": "vu4a-gan-mnist",
    "critic": "ext-wgangp-mnist",
    "flow": "uva3-realnvp-mnist",
    "classifier": "lab1-classifier-mnist",
}


@pytest.mark.parametrize("sort", FITTING)
def test_a_probe_looks_at_the_families_that_it_can_say_something_of(sort: str, params: Params) -> None:
    model = next(variants[NAMES[sort]].model for variants in params.variants.values() if NAMES[sort] in variants)
    assert {name for name, needs in NEEDS.items() if needs.fits(model)} == FITTING[sort]
    assert list(NEEDS) == list(PROBES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"variants": ["nobody"]}, r"probes.reshape.variants: unknown variant 'nobody'; allowed: names under 'variants'"),
        ({"variants": ["uva3-vae-z2-mnist"]}, r"probes.reshape.variants: 'uva3-vae-z2-mnist' is of family 'vae'; allowed: a GAN"),
        ({"variants": []}, r"probes.reshape.variants = \[\]: allowed: 1 of them, each a GAN"),
        ({"presets": {"quick": {}}}, r"probes.reshape.presets = \['quick'\]: allowed: settings for each of quick, paper"),
    ],
)
def test_a_probe_that_cannot_be_is_refused(change: dict[str, Any], said: str, params: Params) -> None:
    values = params.probes.model_dump(exclude_none=True)
    known = {name: variant.model for variants in params.variants.values() for name, variant in variants.items()}
    with pytest.raises(ValueError, match=f"^{said}$"):
        Probes.model_validate({**values, "reshape": {**values["reshape"], **change}}).check(known, params.presets)
