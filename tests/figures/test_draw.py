"""The pictures of one variant, from untrained weights: files, index, and what is drawn only where a report asks for it."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from regen.common.errors import UserError
from regen.config.base import parse
from regen.figures.pictures.draw import draw
from regen.params.figures import DrawConfig
from regen.params.schema import ReportConfig

HISTORY = "epoch,step,train_neg_elbo_nats,val_neg_elbo_nats\n1,8,321.5,210.75\n2,16,200.5,150.125\n"
NAME = "uva3-vae-z2-mnist"


@pytest.fixture(scope="module")
def config(small: Callable[..., ReportConfig]) -> ReportConfig:
    return small(NAME, "uva3-gan-mnist", "lab1-classifier-mnist")


def wanted(config: ReportConfig, name: str = NAME, pictures: tuple[str, ...] = ("means", "reconstructions", "manifold")) -> DrawConfig:
    variant = config.variants[name].model_dump()
    values: dict[str, Any] = {key: variant[key] for key in ("dataset", "shape", "images", "model", "max_steps")}
    values |= {"held_out": variant["training"]["held_out"], "variant": name, "seed": 2, "pictures": list(pictures)}
    return parse(DrawConfig, {**values, "points": 11, "threads": 1}, "test")


def index(root: Path, name: str = NAME) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((root / f"reports/quick/figures/{name}/index.json").read_text())
    return entries


@pytest.fixture(scope="module")
def drawn(config: ReportConfig, make: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make(tmp_path_factory.mktemp("drawn"), config, NAME, HISTORY, seeds=(2,))
    draw(wanted(config), "quick", root)
    return root


def chunks(path: Path) -> list[str]:
    """Return the types of a PNG's chunks: eight bytes of signature, then length, type, data and checksum."""
    data, position, names = path.read_bytes(), 8, []
    while position < len(data):
        length, name = struct.unpack(">I4s", data[position : position + 8])
        names.append(name.decode())
        position += 12 + length
    return names


def test_every_picture_is_a_file_and_an_entry(drawn: Path) -> None:
    entries = index(drawn)
    assert [entry["kind"] for entry in entries] == ["means", "reconstructions", "manifold"]
    assert [entry["file"] for entry in entries] == [f"{entry['kind']}.png" for entry in entries]
    titles = [[grid["title"] for grid in entry["grids"]] for entry in entries]
    moments = ["before training", "epoch 1: step 8/16", "epoch 40: step 16/16"]
    assert titles == [moments, ["test images", *moments], ["Images over z1 and z2"]]
    for entry in entries:
        path = drawn / f"reports/quick/figures/{NAME}" / entry["file"]
        with Image.open(path) as image:
            assert image.format == "PNG" and min(image.size) > 100
        assert set(chunks(path)) == {"IHDR", "pHYs", "IDAT", "IEND"}
    # Of 16 steps 8 are epoch 1 of this made-up run.
    assert "before training, epoch 1: step 8/16, epoch 40: step 16/16" in entries[0]["description"]


def test_pictures_are_the_same_bytes_in_another_folder(
    drawn: Path, config: ReportConfig, make: Callable[..., Path], tmp_path: Path
) -> None:
    torch.manual_seed(1234)
    draw(wanted(config), "quick", make(tmp_path, config, NAME, HISTORY, seeds=(2,)))
    first, second = (root / f"reports/quick/figures/{NAME}" for root in (drawn, tmp_path))
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {path.name: path.read_bytes() for path in second.iterdir()}


def test_the_weights_of_another_seed_are_not_drawn(config: ReportConfig, make: Callable[..., Path], tmp_path: Path) -> None:
    draw(wanted(config), "quick", make(tmp_path, config, NAME, HISTORY, seeds=(0,)))
    assert index(tmp_path) == []


def test_a_variant_without_pictures_has_an_empty_index(config: ReportConfig, tmp_path: Path) -> None:
    draw(wanted(config, "lab1-classifier-mnist", ()), "quick", tmp_path)
    assert index(tmp_path, "lab1-classifier-mnist") == []


def test_what_was_drawn_before_and_is_not_asked_for_goes(config: ReportConfig, make: Callable[..., Path], tmp_path: Path) -> None:
    root = make(tmp_path, config, NAME, HISTORY, seeds=(2,), epochs=())
    draw(wanted(config, pictures=("final", "manifold")), "quick", root)
    draw(wanted(config, pictures=("means", "final")), "quick", root)
    # Without snapshots there are no means over them.
    assert [entry["kind"] for entry in index(root)] == ["final"]
    assert sorted(path.name for path in (root / f"reports/quick/figures/{NAME}").iterdir()) == ["final.png", "index.json"]


@pytest.mark.parametrize("shortened", [True, False])
def test_snapshots_of_a_gan_are_named_by_their_steps(
    shortened: bool, config: ReportConfig, make: Callable[..., Path], tmp_path: Path
) -> None:
    one = wanted(config, "uva3-gan-mnist", ("samples",)).model_copy(update={} if shortened else {"max_steps": None})
    draw(one, "quick", make(tmp_path, config, one.variant, HISTORY, seeds=(2,), epochs=(), steps=(0, 2000, 111000)))
    steps = ["before training", *(["step 2,000: step 8/16", "step 111,000: step 16/16"] if shortened else ["step 2,000", "step 111,000"])]
    assert index(tmp_path, one.variant)[0]["description"] == f"Grids of 25 generated images, one a snapshot: {', '.join(steps)}."


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (f"models/quick/{NAME}/2/epoch-040.safetensors", "no weights"),
        (f"models/quick/{NAME}/2/final.safetensors", None),
        ("data/quick/mnist/test.safetensors", None),
    ],
)
def test_a_broken_input_is_one_line(
    config: ReportConfig, make: Callable[..., Path], tmp_path: Path, file: str, content: str | None
) -> None:
    path = make(tmp_path, config, NAME, HISTORY, seeds=(2,)) / file
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(UserError) as caught:
        draw(wanted(config), "quick", tmp_path)
    assert "\n" not in str(caught.value) and file in str(caught.value)
    assert not (tmp_path / f"reports/quick/figures/{NAME}/index.json").exists()
