"""`dvc exp run -S` by DVC's own machinery: every leaf of params.yaml alone, and what the file does not have."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from altered import ROOT, small_params, write_params
from dvc.exceptions import InvalidArgumentError
from dvc.utils.hydra import apply_overrides

from regen.params.reading import read_yaml
from regen.params.resolve import read_params

TRAINING = "variants.mnist.uva3-vae-z2-mnist.training"


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path and the value of every number, text and list of these; entries of other lists by their index."""
    if isinstance(value, dict):
        children: Any = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        children = enumerate(value)
    else:
        yield path, value
        return
    for key, child in children:
        yield from leaves(child, (*path, key))


def another(value: Any, number: int) -> Any:
    """Return a value of the same kind that no other leaf gets; small fractions are written with an exponent."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"text-{number}"
    if isinstance(value, list):
        return [another(item, number) for item in value] or [f"text-{number}"]
    return 1_000_000 + number if isinstance(value, int) else number * 1e-9


def written(value: Any) -> str:
    """Return a value as one types it behind `-S KEY=`."""
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("half", [0, 1])
def test_every_leaf_is_changed_alone(half: int, tmp_path: Path) -> None:
    path = Path(shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml"))
    before = read_yaml(path)
    sections = {key: value for key, value in before.items() if key != "datasets"}
    changed = {key: another(value, number) for number, (key, value) in enumerate(leaves(sections), 1) if number % 2 == half}
    assert len(changed) > 500

    apply_overrides(path, [f"{'.'.join(map(str, key))}={written(value)}" for key, value in changed.items()])

    assert dict(leaves(read_yaml(path))) == {key: changed.get(key, value) for key, value in leaves(before)}


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    """Return a params.yaml that DVC's parser, pure Python for an update, reads quickly."""
    path = write_params(tmp_path, small_params())
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text())))
    return path


@pytest.mark.parametrize(("typed", "rate"), [("1e-3", 0.001), ("1e-05", 0.00001), ("2E-4", 0.0002), ("0.5", 0.5)])
def test_a_rate_may_be_written_with_an_exponent(typed: str, rate: float, small_file: Path) -> None:
    apply_overrides(small_file, [f"{TRAINING}.learning_rate={typed}"])
    assert read_params(small_file).variants["mnist"]["uva3-vae-z2-mnist"].training.learning_rate == rate


def test_a_key_that_the_file_lacks_is_refused_and_can_be_added(small_file: Path) -> None:
    before = small_file.read_bytes()
    for typed in (f"{TRAINING}.clip_norm=1.0", f"{TRAINING}.learning_rat=0.5", f"{TRAINING.replace('z2', 'z3')}.learning_rate=0.5"):
        with pytest.raises(InvalidArgumentError) as refused:
            apply_overrides(small_file, [typed])
        assert f"use +{typed}" in str(refused.value.__cause__)
        assert small_file.read_bytes() == before

    apply_overrides(small_file, [f"+{TRAINING}.clip_norm=1.0"])
    clipped = [variant.training.clip_norm for group in read_params(small_file).variants.values() for variant in group.values()]
    assert clipped == [1.0, None]
