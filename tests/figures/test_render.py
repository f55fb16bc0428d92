"""All figures of one report, from made-up results and untrained weights."""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from regen.common.errors import UserError
from regen.figures import render as figures
from regen.figures.render import render
from regen.params.schema import ReportConfig

HISTORY = "epoch,step,train_neg_elbo_nats,val_neg_elbo_nats\n1,8,321.5,210.75\n2,16,200.5,150.125\n"
GAN_HISTORY = """epoch,step,train_discriminator_nats,train_accuracy_real,train_accuracy_fake,train_generator_nats
1,8,1.25,0.875,0.75,0.625
2,16,1.125,0.5,0.9375,0.25
"""
VARIANT = "uva3-vae-z2-mnist"
KINDS = {VARIANT: ["curves", "means", "draws", "reconstructions", "manifold", "interpolation"]}
FAMILIES = {
    "uva3-realnvp-mnist": (
        "nll_nats",
        ["curves", "samples", "interpolation"],
        "Negative log-likelihood of uva3-realnvp-mnist, 1 seed. Validation ends at 150.1 nats.",
    ),
    "lab1-aegmm-mnist": (
        "recon_nats",
        ["curves", "samples", "reconstructions", "interpolation", "codes"],
        "Reconstruction error of lab1-aegmm-mnist, 1 seed. Validation ends at 150.1 nats.",
    ),
    "lab1-classifier-mnist": (
        "cross_entropy_nats",
        ["curves", "confusion"],
        "Cross-entropy of lab1-classifier-mnist, 1 seed. Validation ends at 150.1250 nats.",
    ),
    "lab1-bernvae-mnist": (
        "neg_elbo_nats",
        ["curves", "means", "draws", "reconstructions"],
        "Negative ELBO of lab1-bernvae-mnist, 1 seed. Validation ends at 150.1 nats.",
    ),
    "ai3611-vae-z1-mnist": (
        "neg_elbo_nats",
        ["curves", "means", "draws", "reconstructions", "line", "interpolation"],
        "Negative ELBO of ai3611-vae-z1-mnist, 1 seed. Validation ends at 150.1 nats.",
    ),
    "ext-vae-matched-mnist": (
        "neg_elbo_nats",
        ["curves", "means", "draws", "reconstructions", "interpolation", "traversal"],
        "Negative ELBO of ext-vae-matched-mnist, 1 seed. Validation ends at 150.1 nats.",
    ),
}
"""Of one variant of each kind: what its history is of, its figures, the caption of its curves."""


@pytest.fixture(scope="module")
def config(small: Callable[..., ReportConfig]) -> ReportConfig:
    """Return the report's configuration with small networks and two variants: one that has results, one that has none."""
    return small(VARIANT, "uva3-vae-z20-mnist")


@pytest.fixture(scope="module")
def rendered(config: ReportConfig, make: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make(tmp_path_factory.mktemp("first"), config, VARIANT, HISTORY)
    render(config, "uva3", root)
    return root / "reports/quick/figures"


def index(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "uva3.json").read_text())


def chunks(path: Path) -> list[str]:
    """Return the types of a PNG's chunks: eight bytes of signature, then length, type, data and checksum."""
    data, position, names = path.read_bytes(), 8, []
    while position < len(data):
        length, name = struct.unpack(">I4s", data[position : position + 8])
        names.append(name.decode())
        position += 12 + length
    return names


def test_every_figure_is_a_file_and_an_entry(rendered: Path) -> None:
    entries = index(rendered)

    assert [entry["file"] for entry in entries] == [f"uva3-vae-z2-mnist.{kind}.png" for kind in KINDS[VARIANT]]
    assert sorted(path.name for path in (rendered / "uva3").iterdir()) == sorted(entry["file"] for entry in entries)
    for entry in entries:
        assert entry["variants"] == ["uva3-vae-z2-mnist"]
        assert entry["title"] and entry["caption"] and entry["description"]
        with Image.open(rendered / "uva3" / entry["file"]) as image:
            assert image.format == "PNG" and min(image.size) > 100


def test_captions_are_made_from_the_data(rendered: Path) -> None:
    by_kind = {entry["file"].split(".")[1]: entry for entry in index(rendered)}

    assert "150.1 nats" in by_kind["curves"]["caption"] and "1 seed." in by_kind["curves"]["caption"]
    assert (
        "the negative ELBO against the epoch" in by_kind["curves"]["description"] and "over 2 epochs." in by_kind["curves"]["description"]
    )
    # 8 of 16 steps are the report's epoch 1 of this made-up run, and the report's Figure 4 is the manifold.
    assert "before training" in by_kind["means"]["description"] and "epoch 1: step 8/16" in by_kind["means"]["description"]
    assert "epoch 40: step 16/16" in by_kind["means"]["description"]
    assert by_kind["manifold"]["source"] == "Figure 4" and by_kind["reconstructions"]["source"] is None


def test_files_carry_nothing_but_the_image(rendered: Path) -> None:
    for path in (rendered / "uva3").glob("*.png"):
        assert set(chunks(path)) == {"IHDR", "pHYs", "IDAT", "IEND"}
        assert b"Software" not in path.read_bytes() and b"atplotlib" not in path.read_bytes()


def test_figures_are_the_same_bytes_in_another_folder(
    rendered: Path, config: ReportConfig, make: Callable[..., Path], tmp_path: Path
) -> None:
    torch.manual_seed(1234)
    render(config, "uva3", make(tmp_path, config, VARIANT, HISTORY))
    again = tmp_path / "reports/quick/figures"

    assert (again / "uva3.json").read_bytes() == (rendered / "uva3.json").read_bytes()
    for path in (rendered / "uva3").iterdir():
        assert (again / "uva3" / path.name).read_bytes() == path.read_bytes()


def test_seeds_share_the_curves(config: ReportConfig, make: Callable[..., Path], tmp_path: Path) -> None:
    root = make(tmp_path, config, VARIANT, HISTORY, seeds=(0, 2))
    shutil.rmtree(root / "models")
    render(config, "uva3", root)
    (curves,) = index(root / "reports/quick/figures")

    # (150.125 + 152.125) / 2; without weights there is no other figure.
    assert "2 seeds" in curves["caption"] and "151.1 nats" in curves["caption"]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_gets_its_figures(name: str, small: Callable[..., ReportConfig], make: Callable[..., Path], tmp_path: Path) -> None:
    column, kinds, caption = FAMILIES[name]
    config = small(name)
    variant = config.variants[name]
    confusion = {"confusion": [[1] * 10] * 10} if variant.model.family == "classifier" else {}
    epochs = tuple(variant.training.snapshot_epochs[:2])
    root = make(tmp_path, config, name, HISTORY.replace("neg_elbo_nats", column), epochs=epochs, details=confusion)
    render(config, variant.report, root)
    folder = root / "reports/quick/figures"
    entries = json.loads((folder / f"{variant.report}.json").read_text())

    assert [entry["file"] for entry in entries] == [f"{name}.{kind}.png" for kind in kinds]
    assert sorted(path.name for path in (folder / variant.report).iterdir()) == sorted(f"{name}.{kind}.png" for kind in kinds)
    assert entries[0]["caption"] == caption
    assert [entry["source"] for entry in entries] == [variant.figures.get(kind) for kind in kinds]


@pytest.mark.parametrize("shortened", [True, False])
def test_snapshots_of_a_gan_are_named_by_their_steps_in_order(
    shortened: bool, small: Callable[..., ReportConfig], make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "uva3-gan-mnist"
    config = small(name)
    if not shortened:
        config = config.model_copy(update={"variants": {name: config.variants[name].model_copy(update={"max_steps": None})}})
    seen: dict[str, list[str]] = {}

    def look(figure: Figure, path: Path) -> None:
        seen[path.name.split(".")[1]] = [axes.get_title() for axes in figure.axes]

    monkeypatch.setattr(figures, "save", look)
    root = make(tmp_path, config, name, GAN_HISTORY, seeds=(0, 2), epochs=(), steps=(0, 2000, 111000))
    render(config, "uva3", root)
    entries = {entry["file"].split(".")[1]: entry for entry in index(root / "reports/quick/figures")}

    steps = ["before training", *(["step 2,000: step 8/16", "step 111,000: step 16/16"] if shortened else ["step 2,000", "step 111,000"])]
    assert list(entries) == list(seen) == ["curves", "samples", "interpolation", "traversal"]
    assert seen["samples"] == steps and ", ".join(steps) in entries["samples"]["description"]
    assert entries["samples"]["source"] == "Figure 5"
    assert entries["curves"]["title"] == "Losses of both players"
    assert entries["curves"]["caption"].endswith("running means, 2 seeds.") and "over 2 epochs" in entries["curves"]["description"]


def test_curves_say_what_they_leave_out(small: Callable[..., ReportConfig], make: Callable[..., Path], tmp_path: Path) -> None:
    name = "ext-wgangp-mnist"
    history = GAN_HISTORY.replace("discriminator_nats", "critic").replace("generator_nats", "generator").replace("accuracy", "score")
    lines = [line + extra for line, extra in zip(history.splitlines(), (",train_gradient_penalty", ",0.5", ",0.25"), strict=True)]
    root = make(tmp_path, small(name), name, "\n".join(lines), epochs=())
    shutil.rmtree(root / "models")
    render(small(name), "uva3", root)
    (curves,) = index(root / "reports/quick/figures")
    assert curves["caption"].endswith("1 seed. The gradient penalty, which the critic minimises too, is not drawn.")


def test_without_results_there_is_an_empty_index(config: ReportConfig, tmp_path: Path) -> None:
    render(config, "lab1", tmp_path)
    assert json.loads((tmp_path / "reports/quick/figures/lab1.json").read_text()) == []


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("results/quick/uva3-vae-z2-mnist/0/history.csv", "", "expected a history in CSV"),
        ("results/quick/uva3-vae-z2-mnist/0/history.csv", "epoch,val_neg_elbo_nats\n1,many\n", "a row of numbers an epoch"),
        ("results/quick/uva3-vae-z2-mnist/0/history.csv", "step,loss\n1,2\n", "expected a column 'epoch'"),
        ("models/quick/uva3-vae-z2-mnist/0/epoch-040.safetensors", "no weights", "expected a safetensors file"),
        ("models/quick/uva3-vae-z2-mnist/0/final.safetensors", None, "expected a safetensors file, got nothing there"),
        ("data/quick/mnist/test.safetensors", None, "expected a safetensors file, got nothing there"),
    ],
)
def test_a_broken_input_is_one_line(
    config: ReportConfig, make: Callable[..., Path], tmp_path: Path, file: str, content: str | None, said: str
) -> None:
    path = make(tmp_path, config, VARIANT, HISTORY) / file
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        render(config, "uva3", tmp_path)
    assert "\n" not in str(caught.value) and file in str(caught.value) and said in str(caught.value)
    assert not (tmp_path / "reports/quick/figures/uva3.json").exists()
