"""Files are whole or absent, the same bytes twice, and never a pickle."""

import csv
import errno
import hashlib
import json
import math
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.common.errors import UserError
from regen.common.files import checksum, read_json, read_tensors, replacing, write_csv, write_json, write_tensors, write_text


def one_line(call: Callable[[], Any]) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_replacing_makes_folders_and_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("new")
        # A rename is only atomic within a folder's file system.
        assert temporary.parent == path.parent and not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(path.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_replacing_keeps_the_old_file_on_failure(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_full_disk_is_one_line_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    assert "file.txt: expected a writable file, got 'No space left on device'" in one_line(fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_parent_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "parent").write_text("a file")
    assert "expected a writable file" in one_line(lambda: write_text(tmp_path / "parent" / "file.txt", "text"))
    assert (tmp_path / "parent").read_text() == "a file"


def test_a_reader_that_fails_inside_is_not_taken_for_a_writer(tmp_path: Path) -> None:
    def fail() -> None:
        with replacing(tmp_path / "copy") as temporary:
            temporary.write_bytes((tmp_path / "original").read_bytes())

    with pytest.raises(FileNotFoundError, match="original"):
        fail()


def test_text_has_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "née\nx\n")
    assert (tmp_path / "a.txt").read_bytes() == b"n\xc3\xa9e\nx\n"


def test_json_is_sorted_rounded_and_without_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"b": [1 / 3, math.nan, (math.inf, -math.inf)], "a": {"z": 2, "y": 123456789.123}, "c": True, "d": None})

    assert list(json.loads(path.read_text())) == ["a", "b", "c", "d"]
    assert json.loads(path.read_text()) == {
        "a": {"y": 123456790.0, "z": 2},
        "b": [0.33333333, None, [None, None]],
        "c": True,
        "d": None,
    }
    assert path.read_text().index('"y"') < path.read_text().index('"z"')
    assert path.read_bytes().endswith(b"}\n")
    assert read_json(path) == json.loads(path.read_text())


def test_json_does_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1, "b": {"c": 2.0, "d": 3}})
    write_json(tmp_path / "b.json", {"b": {"d": 3, "c": 2.0}, "a": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize("content", [b'{"a": ', b"\xff\xfe", b""])
def test_broken_json_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    assert "a.json: expected JSON, got" in one_line(lambda: read_json(path))


def test_missing_files_say_what_to_do(tmp_path: Path) -> None:
    assert "missing.json: expected a JSON file" in one_line(lambda: read_json(tmp_path / "missing.json"))
    message = one_line(lambda: read_tensors(tmp_path / "missing.safetensors"))
    assert "missing.safetensors: expected a safetensors file" in message and "dvc repro" in message


def test_csv_keeps_order_and_eight_digits(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, [{"epoch": 1, "b": 2 / 3, "a": 100.0}, {"epoch": 2, "b": 1e-12, "a": 98.7654321987}])

    assert path.read_bytes() == b"epoch,b,a\n1,0.66666667,100\n2,1e-12,98.765432\n"
    with path.open(newline="") as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["1", "2"]


TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor([255, 0], dtype=torch.uint8), "empty": torch.zeros(0, 2)}


def test_tensors_come_back_with_their_note(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", {**TENSORS, "transposed": TENSORS["b"].T}, {"epoch": 3, "of": [1, 2]})
    tensors, note = read_tensors(tmp_path / "a.safetensors")

    assert note == {"epoch": 3, "of": [1, 2]}
    assert set(tensors) == {"a", "b", "empty", "transposed"}
    for name, expected in {**TENSORS, "transposed": TENSORS["b"].T}.items():
        assert tensors[name].dtype == expected.dtype and torch.equal(tensors[name], expected)


def test_tensors_are_the_same_bytes_whatever_the_name_and_the_order(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", TENSORS, {"x": 1, "y": 2})
    write_tensors(tmp_path / "other.safetensors", dict(reversed(TENSORS.items())), {"y": 2, "x": 1})
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "other.safetensors").read_bytes()


def test_tensors_can_be_read_by_others(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", {"b": TENSORS["b"]}, {"epoch": 3})
    data = (tmp_path / "a.safetensors").read_bytes()
    # The format: a length of 8 bytes, a JSON header, then the numbers.
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert header["b"]["dtype"] == "F32" and header["b"]["shape"] == [2, 3]
    assert struct.unpack("<6f", data[8 + length :]) == (0, 1, 2, 3, 4, 5)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.sprung),)


def test_a_pickle_in_disguise_is_refused_and_not_executed(tmp_path: Path) -> None:
    path, sprung = tmp_path / "a.safetensors", tmp_path / "sprung"
    path.write_bytes(pickle.dumps(Trap(sprung)))
    assert "a.safetensors: expected a safetensors file" in one_line(lambda: read_tensors(path))
    torch.save({"weight": torch.zeros(2), "trap": Trap(sprung)}, path)
    assert "a.safetensors: expected a safetensors file" in one_line(lambda: read_tensors(path))
    assert not sprung.exists()
    # The trap works: what was refused would have been executed.
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()


@pytest.mark.parametrize("keep", [0, 4, 20, -1])
def test_a_truncated_file_is_one_line(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, TENSORS)
    path.write_bytes(path.read_bytes()[:keep])
    assert "a.safetensors: expected a safetensors file" in one_line(lambda: read_tensors(path))


def test_a_header_that_promises_more_than_there_is_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    assert "a.safetensors: expected a safetensors file" in one_line(lambda: read_tensors(path))


def test_a_folder_in_place_of_tensors_is_one_line(tmp_path: Path) -> None:
    assert "expected a safetensors file" in one_line(lambda: read_tensors(tmp_path))


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_checksum(tmp_path: Path, algorithm: str) -> None:
    content = b"regen" * 500_000
    (tmp_path / "a").write_bytes(content)
    assert checksum(tmp_path / "a", algorithm) == hashlib.new(algorithm, content).hexdigest()
