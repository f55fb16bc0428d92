"""The presets as lenses, and what a change of params.yaml reaches."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from altered import ROOT, VARIANT, changed, chosen, files, raw_params, write_params
from ruamel.yaml import YAML

from regen.config.base import parse
from regen.params.resolve import read_params, read_preset, resolve
from regen.params.schema import Params, Variant


def test_presets_are_lenses(resolved: Callable[[str], dict[str, Any]]) -> None:
    quick, paper = resolved("quick"), resolved("paper")
    variants = [name for group in raw_params()["variants"].values() for name in group]
    expected = {f"{name}.{purpose}.json" for name in variants for purpose in ("train", "evaluate", "quality", "draw")}
    expected |= {f"{name}.{purpose}.json" for name in raw_params()["datasets"] for purpose in ("source", "data", "features")} | {
        "report.json"
    }
    expected |= {f"{name}.probe.json" for name in raw_params()["probes"]}

    assert set(quick) == set(paper) == expected
    assert all(quick[f"{name}.train.json"].max_steps <= 100 for name in variants)
    # The reports' own schedules, but for CelebA: of its variants one alone has the report's 200 epochs.
    cut = {name: limit for name in variants if (limit := paper[f"{name}.train.json"].max_steps) is not None}
    assert cut == dict.fromkeys(set(raw_params()["variants"]["celeba"]) - {"davari-vae-deconv-celeba"}, 790)
    long, short = (paper[f"{name}.train.json"] for name in ("davari-vae-deconv-celeba", "ext-vae-deconv-short-celeba"))
    assert (long.model, long.training) == (short.model, short.training)
    # The issue: at least 10,000 samples a model.
    assert all(paper[f"{name}.quality.json"].n_samples >= 10_000 for name in variants)
    # The protocol that the metrics' definition fixes: K up to 500 on all test images, and up to 5,000 on 1,000 of them.
    protocol = {(tuple(row.importance_samples), row.n_images) for row in paper["vu4a-vae-svhn.evaluate.json"].likelihood}
    assert protocol == {((1, 5, 50, 500), None), ((1, 5, 50, 500, 2000, 5000), 1000)}
    # CelebA: K up to 2,000 on 200 images.
    (celeba,) = paper["davari-vae-deconv-celeba.evaluate.json"].likelihood
    assert (celeba.importance_samples, celeba.n_images) == ([1, 5, 50, 500, 2000], 200)


def test_the_recipe_for_a_new_variant_is_a_whole_entry() -> None:
    recipe = re.search(r"```yaml\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert recipe is not None
    ((group, entries),) = YAML(typ="safe").load(recipe[1]).items()
    ((name, entry),) = entries.items()

    assert group in raw_params()["variants"] and name not in raw_params()["variants"][group]
    assert parse(Variant, entry, "CONTRIBUTING.md").report in raw_params()["reports"]


def test_a_changed_rate_changes_one_variant_alone(configure: Callable[..., Path]) -> None:
    before = files(configure(raw_params()))
    after = files(configure(changed("variants/mnist/uva3-vae-z20-mnist/training/learning_rate", 0.002, raw_params)))

    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {"quick/uva3-vae-z20-mnist.train.json", "quick/report.json"}


def test_a_variant_may_be_trained_for_longer_than_its_data_set(configure: Callable[..., Path]) -> None:
    folder = configure(changed("presets/quick/max_steps", {"default": 7, "uva3-vae-z2-mnist": None}))
    steps = {path.name: json.loads(path.read_text())["max_steps"] for path in folder.rglob("*.train.json")}
    assert steps == {"uva3-vae-z2-mnist.train.json": None, "vu4a-vae-svhn.train.json": 7}
    shown = json.loads((folder / "quick/report.json").read_text())["variants"]
    assert {name: row["max_steps"] for name, row in shown.items()} == {"uva3-vae-z2-mnist": None, "vu4a-vae-svhn": 7}
    assert json.loads((folder / "quick/uva3-vae-z2-mnist.draw.json").read_text())["max_steps"] is None


def test_pictures_are_those_of_figures_and_those_that_the_variant_names(configure: Callable[..., Path]) -> None:
    def drawn(pictures: list[str] | None) -> list[str]:
        values = changed(f"{VARIANT}/pictures", pictures)
        values["reports"]["uva3"]["figures"] = [{"number": None, "title": "One", "pictures": ["final"], "variants": ["uva3-vae-z2-mnist"]}]
        found: list[str] = json.loads((configure(values) / "quick/uva3-vae-z2-mnist.draw.json").read_text())["pictures"]
        return found

    assert drawn([]) == ["final"] and drawn(["reconstructions", "means"]) == ["means", "final", "reconstructions"]
    assert drawn(None) == ["means", "draws", "final", "reconstructions", "manifold", "latents_by_class", "nearest_training"]


def test_another_protocol_changes_evaluations_of_one_data_set_alone(configure: Callable[..., Path]) -> None:
    before = files(configure(raw_params()))
    after = files(configure(changed("presets/quick/likelihood/svhn", [{"importance_samples": [2], "n_images": None}], raw_params)))

    evaluations = {f"quick/{name}.evaluate.json" for name in raw_params()["variants"]["svhn"]}
    assert {name for name in before if before[name] != after[name]} == {*evaluations, "quick/report.json"}


@pytest.mark.parametrize(
    ("path", "value", "reached"),
    [
        ("variants/mnist/uva3-vae-z20-mnist/checks", ["annealed"], r"uva3-vae-z20-mnist\.evaluate\.json"),
        ("presets/quick/checks/chains", 5, r".*\.evaluate\.json"),
        ("memory_mb", 7, r".*\.evaluate\.json"),
    ],
    ids=["a variant", "a preset", "the memory"],
)
def test_other_checks_or_memory_change_evaluations_alone(path: str, value: Any, reached: str, params: Params) -> None:
    before, values = resolve(params, chosen("quick")), params.model_dump()
    after = resolve(parse(Params, changed(path, value, lambda: values), "params.yaml"), chosen("quick"))
    assert {name for name in before if before[name] != after[name]} == {name for name in before if re.fullmatch(reached, name)}


@pytest.mark.parametrize(("file", "preset", "seeds"), [("preset.yaml", "quick", [0]), ("paper/preset.yaml", "paper", [0, 1, 2])])
def test_the_preset_files_are_good(file: str, preset: str, seeds: list[int], params: Params) -> None:
    read = read_preset(ROOT / file, params)
    assert (read.preset, read.file, read.seeds_of("mnist")) == (preset, file, seeds)
    # DVC runs every stage in the root, seen from the pipeline's folder.
    assert (ROOT / file).parent.joinpath(read.root).resolve() == ROOT
    report: Any = resolve(params, read)["report.json"]
    assert (report.preset, report.variants["uva3-vae-z2-mnist"].seeds) == (preset, seeds)


def test_shape_and_values_are_those_of_the_prepared_images(tmp_path: Path) -> None:
    images = {"luminance": False, "size": 32, "channels": 3, "binarisation": "every_epoch"}
    path = write_params(tmp_path, changed(f"{VARIANT}/images", images))
    resolved: Any = resolve(read_params(path), chosen("quick"))
    train, evaluate, quality = (resolved[f"uva3-vae-z2-mnist.{purpose}.json"] for purpose in ("train", "evaluate", "quality"))
    shown, other = resolved["report.json"].variants["uva3-vae-z2-mnist"], resolved["vu4a-vae-svhn.evaluate.json"]

    assert train.shape == evaluate.shape == quality.shape == shown.shape == [3, 32, 32]
    assert all(one.images.model_dump() == images for one in (train, evaluate, quality, shown))
    assert (evaluate.values, other.values, other.shape) == ("binary", "grey", [3, 32, 32])
    # The data set itself is as it was, and knows of what is made of it.
    assert [made.model_dump() for made in resolved["mnist.data.json"].preparations] == [images]
    assert (resolved["mnist.data.json"].shape, resolved["mnist.data.json"].values) == ([1, 28, 28], "grey")
