"""All figures of one report, from made-up results and untrained weights."""

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from regen.config.base import parse
from regen.config.resolve import read_params, resolve
from regen.config.schema import PresetFile, ReportConfig
from regen.errors import UserError
from regen.figures.render import render
from regen.files import write_tensors
from regen.models.vae import build

HISTORY = "epoch,step,train_neg_elbo_nats,val_neg_elbo_nats\n1,8,321.5,210.75\n2,16,200.5,150.125\n"
KINDS = {"uva3-vae-z2-mnist": ["curves", "means", "draws", "reconstructions", "manifold"]}


@pytest.fixture(scope="module")
def config() -> ReportConfig:
    """Return the report's configuration with small networks and two variants: one that has results, one that has none."""
    seeds = {name: [0, 2] for name in ("mnist", "binarized_mnist", "svhn")}
    chosen = PresetFile(preset="quick", root=".", file="preset.yaml", seeds=seeds)
    values = resolve(read_params(Path(__file__).parents[2] / "params.yaml"), chosen)["report.json"].model_dump()
    values["variants"] = {name: values["variants"][name] for name in ("uva3-vae-z2-mnist", "uva3-vae-z20-mnist")}
    values["variants"]["uva3-vae-z2-mnist"]["model"]["network"]["hidden"] = [4]
    return parse(ReportConfig, values, "test")


def make(root: Path, config: ReportConfig, seeds: tuple[int, ...] = (0,)) -> Path:
    """Make up results, weights and test images."""
    name, shape = "uva3-vae-z2-mnist", config.shapes["mnist"]
    for seed in seeds:
        (root / f"results/quick/{name}/{seed}").mkdir(parents=True)
        (root / f"results/quick/{name}/{seed}/metrics.json").write_text("{}")
        (root / f"results/quick/{name}/{seed}/history.csv").write_text(HISTORY.replace("150.125", str(150.125 + seed)))
        for index, epoch in enumerate((0, 1, 40)):
            torch.manual_seed(index)
            weights = build(config.variants[name].model, shape).state_dict()
            note = {"epoch": epoch, "step": 8 * index, "steps": 16}
            folder = root / f"models/quick/{name}/{seed}"
            write_tensors(folder / f"epoch-{epoch:03d}.safetensors", weights, note)
        write_tensors(folder / "final.safetensors", weights, {"epoch": 40})
    pixels = torch.randint(0, 256, (15, *shape), generator=torch.Generator().manual_seed(3), dtype=torch.int16)
    write_tensors(root / "data/quick/mnist/test.safetensors", {"images": pixels.to(torch.uint8)})
    return root


@pytest.fixture(scope="module")
def rendered(config: ReportConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make(tmp_path_factory.mktemp("first"), config)
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

    assert [entry["file"] for entry in entries] == [f"uva3-vae-z2-mnist.{kind}.png" for kind in KINDS["uva3-vae-z2-mnist"]]
    assert sorted(path.name for path in (rendered / "uva3").iterdir()) == sorted(entry["file"] for entry in entries)
    for entry in entries:
        assert entry["variants"] == ["uva3-vae-z2-mnist"]
        assert entry["title"] and entry["caption"] and entry["description"]
        with Image.open(rendered / "uva3" / entry["file"]) as image:
            assert image.format == "PNG" and min(image.size) > 100


def test_captions_are_made_from_the_data(rendered: Path) -> None:
    by_kind = {entry["file"].split(".")[1]: entry for entry in index(rendered)}

    assert "150.1 nats" in by_kind["curves"]["caption"] and "1 seed." in by_kind["curves"]["caption"]
    # 8 of 16 steps are the report's epoch 1 of this made-up run, and the report's Figure 4 is the manifold.
    assert "before training" in by_kind["means"]["description"] and "epoch 1: step 8/16" in by_kind["means"]["description"]
    assert "epoch 40: step 16/16" in by_kind["means"]["description"]
    assert by_kind["manifold"]["source"] == "Figure 4" and by_kind["reconstructions"]["source"] is None


def test_files_carry_nothing_but_the_image(rendered: Path) -> None:
    for path in (rendered / "uva3").glob("*.png"):
        assert set(chunks(path)) == {"IHDR", "pHYs", "IDAT", "IEND"}
        assert b"Software" not in path.read_bytes() and b"atplotlib" not in path.read_bytes()


def test_figures_are_the_same_bytes_in_another_folder(rendered: Path, config: ReportConfig, tmp_path: Path) -> None:
    torch.manual_seed(1234)
    render(config, "uva3", make(tmp_path, config))
    again = tmp_path / "reports/quick/figures"

    assert (again / "uva3.json").read_bytes() == (rendered / "uva3.json").read_bytes()
    for path in (rendered / "uva3").iterdir():
        assert (again / "uva3" / path.name).read_bytes() == path.read_bytes()


def test_seeds_share_the_curves(config: ReportConfig, tmp_path: Path) -> None:
    root = make(tmp_path, config, seeds=(0, 2))
    shutil.rmtree(root / "models")
    render(config, "uva3", root)
    (curves,) = index(root / "reports/quick/figures")

    # (150.125 + 152.125) / 2; without weights there is no other figure.
    assert "2 seeds" in curves["caption"] and "151.1 nats" in curves["caption"]


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
def test_a_broken_input_is_one_line(config: ReportConfig, tmp_path: Path, file: str, content: str | None, said: str) -> None:
    path = make(tmp_path, config) / file
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        render(config, "uva3", tmp_path)
    assert "\n" not in str(caught.value) and file in str(caught.value) and said in str(caught.value)
    assert not (tmp_path / "reports/quick/figures/uva3.json").exists()
