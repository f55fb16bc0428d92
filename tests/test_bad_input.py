"""What users and machines do to data, caches, disks, stores and weights: exit status, one clear line, nothing lost, nothing half-written.

Bad values of params.yaml have their table in tests/params/test_bad_params.py and tests/config.
"""

import json
import os
import pickle
import resource
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import yaml
from repository import ROOT, VARIANTS, reduced
from safetensors.torch import load_file, save_file
from support.stages import call_stage

VARIANT = VARIANTS[0]
RUN = f"quick/{VARIANT}/0"
DATA, WEIGHTS, FEATURES = "data/quick/mnist/test.safetensors", f"models/{RUN}/final.safetensors", "features/quick/mnist/network.safetensors"
TRAIN, EVALUATE, QUALITY = ([kind, "quick", VARIANT, "0"] for kind in ("train", "evaluate", "quality"))
NETWORK, DRAW = ["features", "quick", "mnist"], ["draw", "quick", VARIANT]
CONFIGURE, FETCH, SPLIT = ["configure", "preset.yaml"], ["fetch", "quick", "mnist"], ["split", "quick", "mnist"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which one small variant was trained and measured."""
    root = tmp_path_factory.mktemp("finished")
    reduced(root)
    shutil.copyfile(ROOT / "preset.yaml", root / "preset.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for arguments in (CONFIGURE, FETCH, SPLIT, NETWORK, TRAIN, EVALUATE, QUALITY):
            call_stage(*arguments)
    return root


@pytest.fixture
def place(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of it, as the current folder, without a network."""

    def no_network(*_: object, **__: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "create_connection", no_network)
    # Set first, so that whatever a case sets is undone.
    monkeypatch.setenv("REGEN_DATA_MIRROR", "")
    monkeypatch.delenv("REGEN_DATA_MIRROR")
    shutil.copytree(finished, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def files(root: Path) -> dict[str, bytes]:
    """Return all files but those that a failed run may leave: logs, which say what ran, and what it would continue from."""
    paths = [path for path in root.rglob("*") if path.is_file() and not {"logs", "checkpoints"} & set(path.parts)]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def cut(path: str, keep: int) -> None:
    Path(path).write_bytes(Path(path).read_bytes()[:keep])


def edited(path: str, **values: object) -> None:
    Path(path).write_text(json.dumps({**json.loads(Path(path).read_text()), **values}))


def wide(path: str) -> dict[str, object]:
    """Return the model of a configuration with more units than any memory holds."""
    model: dict[str, object] = json.loads(Path(path).read_text())["model"]
    return {**model, "network": {"kind": "mlp", "hidden": [10**12], "activation": "relu"}}


def official() -> None:
    """Ask for the official MNIST in the fetch stage's configuration."""
    files_of = yaml.safe_load((ROOT / "params.yaml").read_text())["datasets"]["mnist"]["sources"]["official"]["files"]
    edited("configs/quick/mnist.source.json", source="official", status="official", files=files_of)


def mirror(path: str) -> None:
    official()
    os.environ["REGEN_DATA_MIRROR"] = path


def wrong_mirror() -> None:
    Path("mirror/mnist").mkdir(parents=True)
    Path("mirror/mnist/train-images-idx3-ubyte.gz").write_bytes(b"another file")
    mirror("mirror")


def in_disguise(path: str) -> None:
    """Put a pickle there that leaves a file behind if anybody opens it."""

    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return os.mkdir, ("executed",)

    Path(path).write_bytes(pickle.dumps(Trap()))


def tensors(path: str, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    save_file(change(load_file(path)), path, metadata={"regen": "null"})


def below_a_file(path: str) -> None:
    shutil.rmtree(path)
    Path(path).write_text("a file, not a folder")


CASES: list[tuple[str, Callable[[], object], list[str], list[str]]] = [
    ("params-missing", lambda: os.remove("params.yaml"), CONFIGURE, ["params.yaml", "restore it"]),
    ("params-empty", lambda: Path("params.yaml").write_text(""), CONFIGURE, ["params.yaml"]),
    ("params-not-text", lambda: Path("params.yaml").write_bytes(b"\xff\xfe\x00"), CONFIGURE, ["params.yaml", "expected"]),
    ("params-not-yaml", lambda: Path("params.yaml").write_text("a: [1"), CONFIGURE, ["params.yaml", "expected YAML"]),
    (
        "preset-unknown",
        lambda: Path("preset.yaml").write_text("{preset: fast, root: ., file: preset.yaml, seeds: {}}"),
        CONFIGURE,
        ["preset = 'fast'"],
    ),
    ("preset-missing", lambda: os.remove("preset.yaml"), CONFIGURE, ["preset.yaml"]),
    ("mirror-nowhere", lambda: mirror("nowhere"), FETCH, ["nowhere: no such folder", "REGEN_DATA_MIRROR"]),
    ("mirror-not-set", official, FETCH, ["REGEN_DATA_MIRROR: not set"]),
    ("mirror-other-bytes", wrong_mirror, FETCH, ["mirror/mnist/train-images-idx3-ubyte.gz: md5:"]),
    ("raw-missing", lambda: edited("configs/quick/mnist.data.json", source="official", status="official"), SPLIT, ["data/quick/raw/mnist"]),
    ("config-missing", lambda: os.remove(f"configs/quick/{VARIANT}.train.json"), TRAIN, [f"{VARIANT}.train.json"]),
    (
        "network-beyond-memory",
        lambda: edited(f"configs/quick/{VARIANT}.train.json", model=wide(f"configs/quick/{VARIANT}.train.json")),
        TRAIN,
        ["train quick", "expected memory", "allocate"],
    ),
    ("config-truncated", lambda: cut(f"configs/quick/{VARIANT}.train.json", 30), TRAIN, [f"{VARIANT}.train.json", "expected JSON"]),
    ("config-of-another-version", lambda: edited(f"configs/quick/{VARIANT}.train.json", rate=1), TRAIN, ["rate = 1", "unknown key"]),
    ("variant-unknown", lambda: None, ["train", "quick", "uva9-vae", "0"], ["uva9-vae.train.json"]),
    ("data-missing", lambda: shutil.rmtree("data/quick/mnist"), TRAIN, ["data/quick/mnist"]),
    (
        "data-truncated",
        lambda: cut("data/quick/mnist/train.safetensors", 1000),
        TRAIN,
        ["train.safetensors", "expected a safetensors file"],
    ),
    ("data-empty", lambda: cut(DATA, 0), EVALUATE, [DATA, "expected a safetensors file"]),
    ("data-a-pickle", lambda: in_disguise(DATA), EVALUATE, [DATA, "expected a safetensors file"]),
    ("data-other-names", lambda: tensors(DATA, lambda of: {"pictures": of["images"]}), EVALUATE, [DATA, "expected at least one image"]),
    ("data-flat", lambda: tensors(DATA, lambda of: {**of, "images": of["images"].flatten(1)}), EVALUATE, [DATA, "(N, C, H, W)", "784"]),
    ("data-floats", lambda: tensors(DATA, lambda of: {**of, "images": of["images"].float()}), QUALITY, [DATA, "expected uint8", "float32"]),
    ("data-without-labels", lambda: tensors(DATA, lambda of: {**of, "labels": of["labels"][1:].clone()}), EVALUATE, [DATA, "31 labels"]),
    ("weights-missing", lambda: os.remove(WEIGHTS), EVALUATE, [WEIGHTS, "run 'dvc repro'"]),
    ("weights-truncated", lambda: cut(WEIGHTS, 5000), EVALUATE, [WEIGHTS, "expected a safetensors file"]),
    ("weights-empty", lambda: cut(WEIGHTS, 0), QUALITY, [WEIGHTS, "expected a safetensors file"]),
    ("weights-a-pickle", lambda: in_disguise(WEIGHTS), EVALUATE, [WEIGHTS, "expected a safetensors file"]),
    (
        "weights-other-shapes",
        lambda: tensors(WEIGHTS, lambda of: {key: value.repeat(2, *[1] * (value.ndim - 1)) for key, value in of.items()}),
        EVALUATE,
        [WEIGHTS, "shape"],
    ),
    (
        "weights-other-names",
        lambda: tensors(WEIGHTS, lambda of: {f"old.{key}": value for key, value in of.items()}),
        EVALUATE,
        [WEIGHTS, "Missing key(s)"],
    ),
    ("features-missing", lambda: os.remove(FEATURES), QUALITY, [FEATURES, "run 'dvc repro'"]),
    ("features-truncated", lambda: cut(FEATURES, 900), QUALITY, [FEATURES, "expected a safetensors file"]),
    ("features-a-pickle", lambda: in_disguise(FEATURES), QUALITY, [FEATURES, "expected a safetensors file"]),
    ("results-a-file", lambda: below_a_file("results"), EVALUATE, ["results", "expected a writable file"]),
    ("models-a-file", lambda: below_a_file("models"), TRAIN, ["models", "expected a usable file"]),
    ("data-a-file", lambda: below_a_file("data/quick/mnist"), SPLIT, ["data/quick/mnist", "expected a writable file"]),
    ("configs-a-file", lambda: below_a_file("configs"), CONFIGURE, ["configs", "expected a writable file"]),
]


@pytest.mark.parametrize(("corrupt", "command", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_one_line_and_nothing_lost(
    corrupt: Callable[[], object], command: list[str], said: list[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corrupt()
    before = files(place)
    with pytest.raises(SystemExit) as caught:
        call_stage(*command)
    errors = capsys.readouterr().err
    assert caught.value.code == 1, errors
    assert errors.startswith("error: ") and errors.count("\n") == 1, errors
    assert [text for text in said if text not in errors] == [], errors
    assert files(place) == before
    assert not Path("executed").exists()


def test_a_seed_that_is_no_number_is_a_wrong_command(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        call_stage("train", "quick", VARIANT, "zero")
    assert caught.value.code == 2 and capsys.readouterr().err == "error: usage: python stages train PRESET VARIANT SEED\n"


def test_a_run_without_a_checkpoint_ends_well(place: Path) -> None:
    config = json.loads(Path(f"configs/quick/{VARIANT}.train.json").read_text())
    training = {**config["training"], "snapshot_epochs": []}
    # Seconds: no checkpoint is due, and there is no snapshot.
    edited(f"configs/quick/{VARIANT}.train.json", training=training, compute={**config["compute"], "checkpoint_minutes": 10})
    shutil.rmtree(Path("models", RUN))
    call_stage(*TRAIN)
    assert os.listdir(Path("models", RUN)) == ["final.safetensors"] and not Path("checkpoints", RUN).exists()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


WRITING = [CONFIGURE, SPLIT, NETWORK, TRAIN, EVALUATE, QUALITY, DRAW]


@pytest.mark.parametrize("command", WRITING, ids=lambda command: command[0])
def test_a_full_disk_is_one_line_and_keeps_what_was_there(command: list[str], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(place)
    with largest_file(100), pytest.raises(SystemExit) as caught:
        call_stage(*command)
    errors = capsys.readouterr().err
    assert caught.value.code == 1 and errors.count("\n") == 1 and "expected a writable file" in errors, errors
    assert files(place) == before


@pytest.fixture
def read_only(place: Path) -> Iterator[Path]:
    """Make the place a read-only file system: permissions alone do not stop the superuser."""
    mount = ["mount", "--bind", str(place), str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
    # The current folder is to be the mounted one.
    os.chdir(place)
    yield place
    os.chdir(place.parent)
    # Lazily: tensors that were read are mapped from it.
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("command", WRITING, ids=lambda command: command[0])
def test_a_read_only_disk_is_one_line(command: list[str], read_only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(read_only)
    with pytest.raises(SystemExit) as caught:
        call_stage(*command)
    errors = capsys.readouterr().err
    assert caught.value.code == 1 and errors.count("\n") == 1 and "Read-only file system" in errors, errors
    assert files(read_only) == before
