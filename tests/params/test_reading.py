"""What YAML itself would let pass, and that DVC and this package read the same values."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from altered import ROOT
from dvc.utils.serialize import load_yaml

from regen.common.errors import UserError
from regen.params.reading import read_yaml
from regen.params.resolve import read_params

FILES = ("params.yaml", "preset.yaml", "paper/preset.yaml")


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Return a reader of a text."""

    def call(text: str) -> Any:
        path = tmp_path / "params.yaml"
        path.write_text(text)
        return read_yaml(path)

    return call


@pytest.mark.parametrize("name", FILES)
def test_every_value_is_spelled_out_where_it_stands(name: str) -> None:
    tokens = list(yaml.scan((ROOT / name).read_text()))
    assert [token.start_mark.line + 1 for token in tokens if isinstance(token, yaml.AnchorToken | yaml.AliasToken)] == []
    assert "<<" not in [token.value for token in tokens if isinstance(token, yaml.ScalarToken)]


@pytest.mark.parametrize("name", FILES)
def test_dvc_reads_the_same_values(name: str) -> None:
    # As text, for 1 == 1.0 == True.
    assert repr(read_yaml(ROOT / name)) == repr(load_yaml(ROOT / name))


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("first: &shared {a: 1}\nsecond: *shared", 1, "&shared"),
        ("first: 1\nlist: [1, &two 2]", 2, "&two"),
        ("first: 1\nsecond: *unknown", 2, "*unknown"),
        ("first:\n  <<: {a: 1}\n  b: 2", 2, "<<"),
        ("&key first: 1", 1, "&key"),
    ],
    ids=["anchor", "anchor of a number", "alias", "merge", "anchor of a key"],
)
def test_what_shares_a_value_is_refused(text: str, line: int, found: str, read: Any) -> None:
    with pytest.raises(UserError) as refused:
        read(text)
    assert f"params.yaml, line {line}: expected every value spelled out, got '{found}'; " in str(refused.value)
    assert "\n" not in str(refused.value)


def test_text_that_looks_like_an_anchor_is_text(read: Any) -> None:
    assert read("a: '&shared'\nb: '*shared'\n'<<': R&D * 2") == {"a": "&shared", "b": "*shared", "<<": "R&D * 2"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(("1e-3", 0.001), ("1e-05", 0.00001), ("1E-4", 0.0001), ("1.0e-4", 0.0001), ("2e3", 2000.0), (".5", 0.5)),
        *(("1_000", 1000), ("010", 10), ("0o10", 8), ("-1", -1), ("1:30", "1:30")),
        *(("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("true", True), ("False", False), ("null", None), ("~", None)),
        *(('"1e-3"', "1e-3"), ("1e", "1e"), ("1.2.3", "1.2.3")),
    ],
)
def test_numbers_and_words_are_those_of_yaml_1_2(written: str, value: Any, read: Any, tmp_path: Path) -> None:
    assert repr(read(f"a: {written}\nb:\n- {written}")) == repr({"a": value, "b": [value]})
    assert repr(load_yaml(tmp_path / "params.yaml")) == repr({"a": value, "b": [value]})


def test_a_word_is_no_switch(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    assert "batch_norm: true" in text
    path.write_text(text.replace("batch_norm: true", "batch_norm: yes", 1))
    shutil.copytree(ROOT / "studies", tmp_path / "studies")
    with pytest.raises(UserError, match=r'generator\.batch_norm = "yes": allowed: a valid boolean'):
        read_params(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: 1\ncompute: {}\nseed: 0", ', line 3: expected YAML, got \'found duplicate key "seed"'),
        ("a: {title: One, epochs: 1, title: Two}", ', line 1: expected YAML, got \'found duplicate key "title"'),
        ("a: {b: [" + "{c: 1}, " * 99 + "], b: 2}", ', line 1: expected YAML, got \'found duplicate key "b"'),
        ("a: 1\n---\nb: 2", ", line 2: expected YAML, got 'but found another document'"),
        ("a: [1\n", ", line 1: expected YAML"),
        ("a: 2021-02-30", ": expected YAML, got 'day is out of range for month'"),
        ("{a: 1}: 2", ", line 1: expected YAML"),
        ("a: \x01", ": expected YAML"),
    ],
    ids=["twice", "twice in a line", "twice, long", "two documents", "open list", "no such day", "mapping as key", "control character"],
)
def test_what_is_no_plain_yaml_is_one_line(text: str, said: str, read: Any) -> None:
    with pytest.raises(UserError) as refused:
        read(text)
    assert f"params.yaml{said}" in str(refused.value) and str(refused.value).endswith("'; mend the line")
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400
