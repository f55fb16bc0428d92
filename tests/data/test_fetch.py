"""Fetching: mirrors, checksums, downloads, and what is left behind when they fail."""

import errno
import gzip
import hashlib
import io
import json
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import yaml

from regen.common.errors import UserError
from regen.data.addresses import addresses
from regen.data.fetch import fetch, mirrors
from regen.params.schema import DataConfig

MakeConfig = Callable[..., DataConfig]
GOOD, OTHER = b"the right bytes", b"other bytes"
SHA256 = "sha256:" + hashlib.sha256(GOOD).hexdigest()
MD5 = "md5:" + hashlib.md5(GOOD).hexdigest()
NAME = "train_32x32.mat"
PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise URLError("no network in tests")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.delenv("REGEN_DATA_MIRROR", raising=False)


def put(root: Path, content: bytes, name: str = NAME, dataset: str = "svhn") -> Path:
    path = root / dataset / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def failure(config: DataConfig, destination: Path) -> str:
    with pytest.raises(UserError) as caught:
        fetch(config, destination)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_mirrors_are_the_folders_of_the_variable_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mirrors() == []
    monkeypatch.setenv("REGEN_DATA_MIRROR", "b::a/c")
    assert mirrors() == [Path("b"), Path("a/c")]


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_the_first_file_with_the_right_checksum_is_taken(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checksum: str
) -> None:
    put(tmp_path / "a", OTHER)
    put(tmp_path / "b", GOOD)
    monkeypatch.setenv("REGEN_DATA_MIRROR", f"{tmp_path}/absent:{tmp_path}/a:{tmp_path}/b")
    fetch(make_config("svhn", "subset", files={NAME: checksum}), tmp_path / "raw")
    assert (tmp_path / "raw" / NAME).read_bytes() == GOOD
    assert json.loads((tmp_path / "raw" / "source.json").read_text()) == {"dataset": "svhn", "source": "subset"}
    assert sorted(os.listdir(tmp_path / "raw")) == ["source.json", NAME]


def test_packed_text_is_unpacked(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, gzip.compress(GOOD), "binarized_mnist_test.amat.gz", "binarized_mnist")
    monkeypatch.setenv("REGEN_DATA_MIRROR", str(tmp_path))
    fetch(make_config("binarized_mnist", files={"binarized_mnist_test.amat": SHA256}), tmp_path / "raw")
    assert (tmp_path / "raw" / "binarized_mnist_test.amat").read_bytes() == GOOD


def test_embedded_data_need_nothing(make_config: MakeConfig, tmp_path: Path) -> None:
    fetch(make_config("mnist", "stand-in"), tmp_path / "raw")
    assert os.listdir(tmp_path / "raw") == ["source.json"]


def test_a_subset_is_never_downloaded(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("went to the network"))
    message = failure(make_config("svhn", "subset", files={NAME: SHA256}), tmp_path / "raw")
    assert "REGEN_DATA_MIRROR: not set" in message and SHA256 in message and "README.md" in message


def test_every_place_is_listed_with_what_was_seen(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "wrong", OTHER)
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder" / "svhn" / NAME).mkdir(parents=True)
    monkeypatch.setenv("REGEN_DATA_MIRROR", ":".join(f"{tmp_path}/{name}" for name in ("absent", "wrong", "empty", "folder")))
    message = failure(make_config("svhn", files={NAME: SHA256}), tmp_path / "raw")
    assert f"{tmp_path}/absent: no such folder" in message
    assert f"{tmp_path}/wrong/svhn/{NAME}: sha256:{hashlib.sha256(OTHER).hexdigest()}" in message
    assert f"{tmp_path}/empty/svhn/{NAME}: missing" in message
    assert f"{tmp_path}/folder/svhn/{NAME}: unreadable (Is a directory)" in message
    assert f"http://ufldl.stanford.edu/housenumbers/{NAME}: unreadable (<urlopen error no network in tests>)" in message
    assert os.listdir(tmp_path / "raw") == []


def test_a_truncated_packed_file_is_refused(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, gzip.compress(GOOD)[:-9], "binarized_mnist_test.amat.gz", "binarized_mnist")
    monkeypatch.setenv("REGEN_DATA_MIRROR", str(tmp_path))
    message = failure(make_config("binarized_mnist", files={"binarized_mnist_test.amat": SHA256}), tmp_path / "raw")
    assert "binarized_mnist_test.amat.gz: unreadable (Compressed file ended" in message
    assert os.listdir(tmp_path / "raw") == []


def test_a_good_download_is_kept(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float]] = []

    def answer(request: urllib.request.Request, timeout: float) -> io.BytesIO:
        asked.append((request.full_url, timeout))
        return io.BytesIO(GOOD)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    fetch(make_config("svhn", files={NAME: SHA256}), tmp_path / "raw")
    assert (tmp_path / "raw" / NAME).read_bytes() == GOOD
    assert asked == [(f"http://ufldl.stanford.edu/housenumbers/{NAME}", 10)]


def test_a_wrong_or_broken_download_leaves_nothing(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise TimeoutError("timed out")
            return super().read(4)

    answers = [io.BytesIO(OTHER), Breaking(GOOD)]
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: answers.pop(0))
    name = "t10k-labels-idx1-ubyte.gz"
    message = failure(make_config("mnist", files={name: SHA256}), tmp_path / "raw")
    assert f"sha256:{hashlib.sha256(OTHER).hexdigest()}" in message and "timed out" in message
    assert os.listdir(tmp_path / "raw") == []


@pytest.mark.parametrize("proxy", ["//", "http://proxy:port", "http://h h", "http://" + "a" * 300, "http://\n", "socks5://h:1", "\udcff"])
def test_an_impossible_proxy_is_one_line(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.undo()
    monkeypatch.delenv("REGEN_DATA_MIRROR", raising=False)
    # Kept from the first use on, with the proxies of that moment.
    monkeypatch.setattr(urllib.request, "_opener", None)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    message = failure(make_config("svhn", files={NAME: SHA256}), tmp_path / "raw")
    assert f"http://ufldl.stanford.edu/housenumbers/{NAME}: unreadable (" in message and "REGEN_DATA_MIRROR" in message


def test_two_data_sets_of_one_kind_share_its_files_and_a_users_own_are_their_own(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, GOOD)
    put(tmp_path, OTHER, dataset="pets")
    monkeypatch.setenv("REGEN_DATA_MIRROR", str(tmp_path))
    facts = {"shape": [3, 32, 32], "values": "grey", "classes": 10, "split": {"train": 1, "validation": 1, "test": 1}}
    fetch(make_config("pets", "subset", kind="svhn", files={NAME: SHA256}, **facts), tmp_path / "raw")
    assert (tmp_path / "raw" / NAME).read_bytes() == GOOD
    files = {NAME: "sha256:" + hashlib.sha256(OTHER).hexdigest()}
    fetch(make_config("pets", "own", kind="mat", files=files, **facts), tmp_path / "own")
    assert (tmp_path / "own" / NAME).read_bytes() == OTHER


def test_a_good_file_is_kept_and_a_wrong_one_replaced(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config("svhn", "subset", files={NAME: SHA256})
    kept = put(tmp_path, GOOD, dataset="raw")
    before = kept.stat().st_ino
    fetch(config, tmp_path / "raw")
    assert kept.stat().st_ino == before
    kept.write_bytes(OTHER)
    put(tmp_path / "mirror", GOOD)
    monkeypatch.setenv("REGEN_DATA_MIRROR", f"{tmp_path}/mirror")
    fetch(config, tmp_path / "raw")
    assert kept.read_bytes() == GOOD


def test_a_failure_does_not_overwrite_what_was_there(make_config: MakeConfig, tmp_path: Path) -> None:
    kept = put(tmp_path, OTHER, dataset="raw")
    failure(make_config("svhn", files={NAME: SHA256}), tmp_path / "raw")
    assert kept.read_bytes() == OTHER


def test_a_full_disk_is_one_line_and_leaves_nothing(make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, GOOD)
    monkeypatch.setenv("REGEN_DATA_MIRROR", str(tmp_path))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    message = failure(make_config("svhn", "subset", files={NAME: SHA256}), tmp_path / "raw")
    assert "No space left on device" in message
    assert os.listdir(tmp_path / "raw") == []


@pytest.mark.parametrize("below", ["raw", "raw/deeper"])
def test_a_destination_below_a_file_is_one_line(make_config: MakeConfig, tmp_path: Path, below: str) -> None:
    (tmp_path / "raw").write_text("a file")
    assert str(tmp_path / below) in failure(make_config("mnist", "stand-in"), tmp_path / below)
    assert (tmp_path / "raw").read_text() == "a file"


def test_every_official_file_has_an_address() -> None:
    for dataset, section in yaml.safe_load(PARAMS.read_text())["datasets"].items():
        for name in section["sources"].get("official", {"files": {}})["files"]:
            assert addresses(section.get("kind", dataset), name), f"{dataset}/{name}"


@pytest.mark.parametrize(
    ("dataset", "source"),
    [("mnist", "official"), ("binarized_mnist", "official"), ("svhn", "subset"), ("svhn", "grey"), ("celeba", "subset")],
)
def test_the_checksums_of_params_fit_the_real_files(
    make_config: MakeConfig, real_mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str, source: str
) -> None:
    files = yaml.safe_load(PARAMS.read_text())["datasets"][dataset]["sources"][source]["files"]
    monkeypatch.setenv("REGEN_DATA_MIRROR", real_mirror)
    fetch(make_config(dataset, source, files=files), tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([*files, "source.json"])
