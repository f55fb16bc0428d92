"""The public interface on models of the quick preset, trained here; the notebook that shows it."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image
from repository import ROOT, reduced
from support.stages import call_stage

import regen
from regen.common.errors import UserError
from regen.common.files import write_json, write_text
from regen.dependencies.closure import closure
from regen.params.resolve import read_params, read_preset, resolve

VAE, GAN = "uva3-vae-z2-mnist", "uva3-gan-mnist"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository in which the stages have made what one small VAE and one small GAN of the quick preset need."""
    root = tmp_path_factory.mktemp("trained")
    reduced(root, (VAE, GAN))
    shutil.copyfile(ROOT / "preset.yaml", root / "preset.yaml")
    params = read_params(root / "params.yaml")
    for name, config in resolve(params, read_preset(root / "preset.yaml", params)).items():
        write_json(root / "configs/quick" / name, config.model_dump())
    for stage in ("train", "split", "features"):
        write_text(root / f"configs/quick/code/{stage}.txt", "")
    calls = [("fetch", "quick", "mnist"), ("split", "quick", "mnist"), ("features", "quick", "mnist")]
    calls += [("train", "quick", VAE, "0"), ("evaluate", "quick", VAE, "0"), ("train", "quick", GAN, "0")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for call in calls:
            call_stage(*call)
    return root


@pytest.fixture(scope="module")
def vae(trained: Path) -> regen.Trained:
    return regen.load(VAE, root=trained)


def digits(trained: Path, count: int) -> torch.Tensor:
    from regen.images.batches import images_of

    return images_of(trained / "data/quick/mnist", "test").images[:count]


def test_the_package_alone_imports_nothing_large() -> None:
    said = "import sys, regen; print('torch' in sys.modules, 'numpy' in sys.modules, 'regen.interface' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"] * 3
    with pytest.raises(AttributeError, match="no attribute 'loads'"):
        regen.loads  # noqa: B018


def test_no_stage_imports_the_interface() -> None:
    # What the package names lazily is left out of every stage's code; so nothing that a stage runs may use it.
    users = {path.relative_to(ROOT).as_posix() for part in ("src", "stages") for path in (ROOT / part).rglob("*.py") if uses(path)}
    assert users == {"src/regen/__init__.py", "src/regen/dependencies/closure.py", "src/regen/interface.py"}
    found = closure(ROOT / "stages/train.py", ROOT / "src").modules
    assert "regen" in found and "regen.interface" not in found


def uses(path: Path) -> bool:
    return any(name in path.read_text(encoding="utf-8") for name in ("regen.interface", "regen.load(", "import interface"))


def test_what_is_loaded_is_what_was_written(vae: regen.Trained, trained: Path) -> None:
    assert (vae.variant, vae.preset, vae.seed, vae.config.model.family) == (VAE, "quick", 0, "vae")
    assert vae.metrics == json.loads((trained / f"results/quick/{VAE}/0/metrics.json").read_text())
    assert vae.history["epoch"].is_monotonic_increasing and vae.quality == {}


def test_samples_and_paths_are_images_of_their_seed(vae: regen.Trained, trained: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    for model in (vae, regen.load(GAN, root=trained)):
        samples, path = model.samples(3, seed=1), model.interpolation(5, seed=1)
        assert samples.shape == (3, 1, 28, 28) and path.shape == (5, 1, 28, 28)
        assert samples.min() >= 0 and samples.max() <= 1
        assert torch.equal(model.samples(3, seed=1), samples) and not torch.equal(model.samples(3, seed=2), samples)
        # A path begins and ends at the two draws of its seed.
        assert torch.allclose(path[[0, -1]], model.samples(2, seed=1), atol=1e-5)
    # The caller's own stream is where it was.
    assert torch.equal(torch.rand(1), expected)


def test_the_likelihood_is_that_of_the_evaluation_and_near_the_exact_sum(vae: regen.Trained, trained: Path) -> None:
    images = digits(trained, 10**6)
    few = vae.log_likelihood(images, samples=max(vae.config.likelihood[-1].importance_samples))
    assert few.kind == vae.metrics["nll_kind"] and few.effective_sample_size is not None and few.exact is not None
    assert -few.log_p.mean().item() == pytest.approx(vae.metrics["nll_nats"], rel=0.02)
    assert few.effective_sample_size.min() >= 1
    many = vae.log_likelihood(images[:50], samples=2000)
    assert many.exact is not None and (many.exact - many.log_p).abs().mean() < 0.5
    assert (many.exact - many.log_p).abs().mean() < (few.exact - few.log_p)[:50].abs().mean()


def test_a_density_is_per_level(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = regen.load(VAE, root=trained)
    gaussian = model.config.model.model_copy(update={"likelihood": {"kind": "gaussian", "scale": 1.0}})
    from regen.config.model import Vae
    from regen.evaluation.held_out.importance_sampling import importance_sampled_nll
    from regen.models.build import build

    settings = Vae.model_validate(gaussian.model_dump())
    torch.manual_seed(0)
    of_density = regen.Trained(
        **{**vars(model), "config": model.config.model_copy(update={"model": settings}), "model": build(settings, [1, 28, 28]).eval()}
    )
    images = digits(trained, 4)
    found = of_density.log_likelihood(images, samples=5)
    torch.manual_seed(0)
    assert found.kind == "density"
    plain = importance_sampled_nll(of_density.model, images, [5])[5].nll_nats
    assert torch.allclose(found.log_p, -plain - 784 * math.log(256))


def test_quality_of_the_test_images_themselves(vae: regen.Trained, trained: Path, tmp_path: Path) -> None:
    for number, image in enumerate(digits(trained, 30)):
        # Of another size and in colour, as a camera's would be.
        Image.fromarray(image[0].numpy()).convert("RGB").save(tmp_path / f"{number}.png")
    # What a Mac leaves in a folder, or packs beside its files.
    for name in ("._0.png", "__MACOSX/0.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"Mac OS X")
    found = vae.quality_against(tmp_path, count=40)
    assert (found["n_images"], found["n_samples"]) == (30, 40)
    assert found["frechet_classifier_distance"] > 0 and 0 <= found["precision"] <= 1 and "digits_covered" in found


def test_mistakes_are_one_line(vae: regen.Trained, trained: Path, tmp_path: Path) -> None:
    images, bare = digits(trained, 2), tmp_path / "bare"
    shutil.copytree(trained / "configs", bare / "configs")
    cases = [
        (lambda: regen.load("uva3-vae-z3-mnist", root=trained), "unknown variant; near it: uva3-vae-z2-mnist"),
        (lambda: regen.load(VAE, preset="large", root=trained), "unknown preset; allowed: quick"),
        (lambda: regen.load(VAE, seed=7, root=trained), "seed = 7: allowed in preset quick: 0"),
        (lambda: regen.load(VAE, root=bare), "final.safetensors: expected trained weights, got nothing there; 'make report' makes it"),
        (lambda: vae.log_likelihood(images.float()), "expected images uint8"),
        (lambda: vae.reconstructions(images[:, :, :20]), "expected images of shape [1, 28, 28], got [1, 20, 28]"),
        (lambda: regen.load(GAN, root=trained).log_likelihood(images), "got family gan"),
        (lambda: regen.load(GAN, root=trained).reconstructions(images), "got family gan"),
        (lambda: vae.quality_against(tmp_path), "expected at least 20 images"),
    ]
    for call, expected in cases:
        with pytest.raises(UserError) as caught:
            call()
        assert expected in str(caught.value) and "\n" not in str(caught.value)


def test_without_configurations_params_yaml_is_read(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "clone")
    shutil.rmtree(tmp_path / "clone/configs")
    assert regen.load(VAE, root=tmp_path / "clone").config == regen.load(VAE, root=trained).config


def test_the_notebook_runs(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from regen import interface

    monkeypatch.setattr(interface, "ROOT", trained)
    monkeypatch.setattr(plt, "show", plt.close)
    notebook = json.loads((ROOT / "docs/trained_models.ipynb").read_text(encoding="utf-8"))
    namespace: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            # Outputs are made where it is run.
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
    quality = namespace["quality"]
    assert isinstance(quality, dict) and quality["n_images"] == 100 and quality["precision"] > 0.5
