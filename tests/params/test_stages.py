"""A data set without its stages, or with those of another, is refused before anything runs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from altered import ROOT, changed, chosen, raw_params, write_params

from regen.common.errors import UserError
from regen.params.resolve import read_params
from regen.params.schema import Params, PresetFile
from regen.params.stages import PARTS, check_stages


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Return a folder with the pipeline's files of both presets."""
    for folder in ("", "paper/"):
        shutil.copytree(ROOT / folder / "pipeline", tmp_path / folder / "pipeline", ignore=shutil.ignore_patterns("dvc.lock"))
        shutil.copyfile(ROOT / folder / "dvc.yaml", tmp_path / folder / "dvc.yaml")
    return tmp_path


def replaced(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def refused(params: Params, preset: PresetFile, root: Path) -> str:
    with pytest.raises(UserError) as caught:
        check_stages(params, preset, root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def preset(folder: str) -> PresetFile:
    return PresetFile.model_validate(yaml.safe_load((ROOT / folder / "preset.yaml").read_text()))


@pytest.mark.parametrize("folder", ["", "paper/"])
def test_the_pipeline_has_all_stages(folder: str, params: Params) -> None:
    check_stages(params, preset(folder), ROOT)


@pytest.mark.parametrize("folder", ["", "paper/"])
def test_a_new_data_set_costs_an_entry_and_a_line_a_file(folder: str, pipeline: Path) -> None:
    values = changed("datasets/pets", {**raw_params()["datasets"]["svhn_colour"]}, raw_params)
    values["variants"]["pets"] = {"pets-vae": values["variants"]["svhn_colour"]["ext-vae-svhn1083"]}
    params = read_params(write_params(pipeline, values))
    place = pipeline / folder
    assert f"{place}/dvc.yaml: expected 'pets' in stages.features.matrix.dataset" in refused(params, preset(folder), pipeline)
    replaced(place / "dvc.yaml", ("{dataset: [mnist, ", "{dataset: [pets, mnist, "))
    for part in PARTS:
        path = place / "pipeline" / part / "dvc.yaml"
        assert f"{path}: expected a stage '{part}-pets', got none; add the line" in refused(params, preset(folder), pipeline)
        (line,) = [line for line in path.read_text().splitlines() if line.startswith(f"  {part}-svhn_colour:")]
        path.write_text(f"{path.read_text()}{line.replace('svhn_colour', 'pets')}\n")
    check_stages(params, preset(folder), pipeline)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("${variants.svhn_colour}", "${variants.svhn}"), "got variants ${variants.svhn}"),
        (('svhn_colour}", seed: "${seeds.default}"', 'svhn_colour}", seed: "${seeds.svhn}"'), "got seeds ${seeds.svhn}"),
        (("data/${preset}/svhn_colour", "data/${preset}/svhn"), "got images of data/${preset}/svhn"),
    ],
)
def test_stages_of_another_data_set_are_one_line(pair: tuple[str, str], said: str, pipeline: Path, params: Params) -> None:
    replaced(pipeline / "pipeline/train/dvc.yaml", pair)
    message = refused(params, preset(""), pipeline)
    assert (
        message.startswith(f"{pipeline}/pipeline/train/dvc.yaml: expected variants, seeds and images of 'svhn_colour'") and said in message
    )


def test_seeds_that_are_no_longer_the_default_are_one_line(pipeline: Path, params: Params) -> None:
    other = chosen("quick").model_copy(update={"seeds": {**preset("").seeds, "mnist": [3]}})
    assert "got seeds ${seeds.default}; add the line" in refused(params, other, pipeline)


def test_a_pipeline_that_is_no_yaml_is_one_line(pipeline: Path, params: Params) -> None:
    (pipeline / "pipeline/draw/dvc.yaml").write_text("stages: [")
    assert "pipeline/draw/dvc.yaml: expected stages in YAML" in refused(params, preset(""), pipeline)


def test_configure_refuses_and_writes_nothing(configure: Callable[..., Path], pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replaced(pipeline / "pipeline/quality/dvc.yaml", ("  quality-celeba32:", "  quality-faces:"))
    with pytest.raises(SystemExit) as caught:
        configure(raw_params(), yaml.safe_load((ROOT / "preset.yaml").read_text()))
    assert caught.value.code == 1 and "a stage 'quality-celeba32', got none" in capsys.readouterr().err and not Path("configs").exists()
