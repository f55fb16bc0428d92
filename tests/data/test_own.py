"""A user's own images: every format, what is odd about single files, and the entry that describes them."""

import gzip
import hashlib
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from scipy.io import savemat

from regen.common.errors import UserError
from regen.data.fetch import fetch
from regen.data.own import bring, entry
from regen.data.pictures import layout
from regen.data.read import read
from regen.data.split import card, split
from regen.images.images import Images
from regen.params.schema import DataConfig, Dataset

MakeConfig = Callable[..., DataConfig]
RED = (200, 30, 60)


def picture(path: Path, colour: Any = RED, size: tuple[int, int] = (32, 32), mode: str = "RGB", **saved: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **saved)
    return path


def many(folder: Path, count: int = 30, **of: Any) -> Path:
    """Write images that differ in their red."""
    for number in range(count):
        picture(folder / f"{number:03}.png", (number, 30, 60), **of)
    return folder


def brought(source: Path, root: Path, **changes: Any) -> dict[str, Images]:
    """Return the images as `read` sees them, as the entry says or with changes."""
    config = bring("pets", source, root)
    return read(config.model_copy(update=changes), root / "own/pets")


def refused(source: Path, root: Path, **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        brought(source, root, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_becomes_an_entry_that_params_takes(tmp_path: Path) -> None:
    config = bring("pets", many(tmp_path / "in", 42), tmp_path)
    ((name, written),) = yaml.safe_load(entry(config)).items()
    data = Dataset.model_validate(written)
    archive = tmp_path / "own/pets/images.zip"
    assert (name, data.kind, data.shape, data.fit, data.values, data.classes) == ("pets", "pictures", [3, 32, 32], "exact", "grey", None)
    assert data.split.model_dump() == {"train": 19, "validation": 3, "test": 20}
    (source,) = data.sources.values()
    assert (source.status, source.files) == ("own", {"images.zip": "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest()})
    # The same images make the same bytes, wherever and whenever.
    assert bring("cats", tmp_path / "in", tmp_path / "other").files == source.files


def test_the_files_are_found_without_a_mirror_split_and_never_called_official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = bring("pets", many(tmp_path / "in"), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REGEN_DATA_MIRROR", raising=False)
    fetch(config, Path("raw"))
    splits = split(config, read(config, Path("raw")))
    assert {name: len(images) for name, images in splits.items()} == {"train": 9, "validation": 1, "test": 20}
    reds = torch.cat([images.images[:, 0, 0, 0] for images in splits.values()])
    assert reds.tolist() != list(range(30)) and sorted(reds.tolist()) == list(range(30))
    made = card(config, splits)
    assert (made["data_source"], made["checksum_state"]) == ("own", "own")
    assert "user's own images 'pets'" in made["description"] and "official" not in made["description"]


def test_a_user_s_own_images_of_another_number_are_refused(tmp_path: Path) -> None:
    config = bring("pets", many(tmp_path / "in"), tmp_path)
    changed = config.model_copy(update={"split": config.split.model_copy(update={"test": 21})})
    with pytest.raises(UserError, match="expected 21 test images, got 20"):
        split(changed, read(changed, tmp_path / "own/pets"))


def test_folders_are_classes(tmp_path: Path) -> None:
    for name in ("dogs", "cats"):
        many(tmp_path / "in" / name, 15)
    (tmp_path / "in/cats/.DS_Store").write_bytes(b"")
    config = bring("pets", tmp_path / "in", tmp_path)
    images = read(config, tmp_path / "own/pets")["all"]
    assert (config.classes, images.label_names, images.labels.bincount().tolist()) == (2, ["cats", "dogs"], [15, 15])
    # A limit would take cats alone if they were not shuffled.
    assert set(split(config, {"all": images})["test"].labels.tolist()) == {0, 1}
    assert "expected a folder for each of 3 classes" in refused(tmp_path / "in", tmp_path, classes=3)
    assert read(config.model_copy(update={"classes": None}), tmp_path / "own/pets")["all"].labels.shape == (30, 0)


def test_folders_may_be_splits(tmp_path: Path) -> None:
    for number, (name, count) in enumerate((("train", 9), ("test", 20))):
        for group in ("a", "b"):
            many(tmp_path / "in" / name / group, count + number)
    config = bring("pets", tmp_path / "in", tmp_path)
    assert config.split.model_dump() == {"train": 15, "validation": 3, "test": 42}
    splits = split(config, read(config, tmp_path / "own/pets"))
    assert [len(splits[name]) for name in ("train", "validation", "test")] == [15, 3, 42]
    # The first of them, which a limit keeps, are of both classes.
    assert set(splits["test"].labels[:20].tolist()) == {0, 1}
    assert layout(["train/1.png", "test/1.png", "val/1.png"]) == {
        "test": {"test/1.png": ""},
        "train": {"train/1.png": ""},
        "validation": {"val/1.png": ""},
    }
    assert layout(["train/1.png", "trucks/1.png"]) == {"all": {"train/1.png": "train", "trucks/1.png": "trucks"}}


def test_grey_images_have_one_channel_and_large_ones_are_cropped(tmp_path: Path) -> None:
    for number in range(30):
        picture(tmp_path / f"in/{number}.jpg", number, (80, 120 + number), "L", quality=95)
    config = bring("pets", tmp_path / "in", tmp_path)
    assert (config.shape, config.fit) == ([1, 64, 64], "crop")


def test_an_image_of_another_size_is_refused_cropped_or_squashed(tmp_path: Path) -> None:
    folder = many(tmp_path / "in")
    tall = Image.new("RGB", (32, 64), (0, 0, 0))
    tall.paste((255, 255, 255), (0, 16, 32, 48))
    tall.save(folder / "000.png")
    small = {"shape": [3, 32, 32]}
    assert "000.png of 32x32 pixels, got 32x64" in refused(folder, tmp_path, **small, fit="exact")
    # The middle half is white.
    assert brought(folder, tmp_path, **small, fit="crop")["all"].images[0].unique().tolist() == [255]
    squashed = brought(folder, tmp_path, **small, fit="squash")["all"].images[0]
    assert squashed[:, 2].max() == 0 and squashed[:, 16].min() == 255


def odd(tmp_path: Path, make: Callable[[Path], object]) -> torch.Tensor:
    """Return an image (3, 32, 32) that stands first among plain ones."""
    folder = many(tmp_path / "in")
    (folder / "000.png").unlink()
    make(folder / "000.png")
    return brought(folder, tmp_path)["all"].images[0]


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    levels = np.full((32, 32), 257 * 100, np.uint16)
    levels[0, 0] = 65535
    image = odd(tmp_path, lambda path: Image.fromarray(levels).save(path))
    assert image.unique().tolist() == [100, 255] and image[:, 0, 0].tolist() == [255] * 3


@pytest.mark.parametrize(
    ("mode", "colour", "expected"), [("RGBA", (*RED, 0), [255] * 3), ("RGBA", (*RED, 255), list(RED)), ("LA", (9, 0), [255] * 3)]
)
def test_what_is_transparent_is_white(tmp_path: Path, mode: str, colour: Any, expected: list[int]) -> None:
    image = odd(tmp_path, lambda path: picture(path, colour, mode=mode))
    assert image[:, 5, 5].tolist() == expected


def test_a_palette_and_one_bit_are_colours(tmp_path: Path) -> None:
    assert odd(tmp_path / "a", lambda path: Image.new("RGB", (32, 32), RED).quantize().save(path))[:, 0, 0].tolist() == list(RED)
    assert odd(tmp_path / "b", lambda path: picture(path, 1, mode="1"))[:, 0, 0].tolist() == [255] * 3


def test_cmyk_is_colour(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("CMYK", (32, 32), (0, 255, 255, 0)).save(stream, "JPEG", quality=100)
    # Cyan none, magenta and yellow full: red. The format counts, not the name.
    red, green, blue = odd(tmp_path, lambda path: path.write_bytes(stream.getvalue()))[:, 5, 5].tolist()
    assert red > 200 > 60 > max(green, blue)


def test_a_photograph_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    lying = Image.new("RGB", (32, 32), (0, 0, 0))
    lying.paste((255, 255, 255), (0, 0, 32, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is at the right
    image = odd(tmp_path, lambda path: lying.save(path, "JPEG", exif=exif, quality=100))
    assert image[:, :, :14].max() < 30 and image[:, :, 18:].min() > 225


@pytest.mark.parametrize("content", [b"", b"no image at all", b"GIF89a" + bytes(30)])
def test_what_is_no_image_is_one_line(tmp_path: Path, content: bytes) -> None:
    folder = many(tmp_path / "in")
    (folder / "007.png").write_bytes(content)
    assert refused(folder, tmp_path).startswith("007.png: expected a PNG or JPEG image, got '")


def test_a_truncated_image_is_one_line(tmp_path: Path) -> None:
    path = many(tmp_path / "in") / "007.png"
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    assert refused(tmp_path / "in", tmp_path).startswith("007.png: expected a PNG or JPEG image, got '")


def nothing(folder: Path) -> Path:
    folder.mkdir()
    return folder


def with_empty_class(folder: Path) -> Path:
    many(folder / "cats")
    (folder / "dogs").mkdir()
    return folder


def with_text(folder: Path) -> Path:
    (many(folder) / "labels.csv").write_text("0")
    return folder


def with_loose_images(folder: Path) -> Path:
    many(folder / "cats")
    return many(folder)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path, ["expected a folder of images or an .npz file, got nothing there"]),
        (nothing, ["expected PNG or JPEG images, got none"]),
        (with_empty_class, ["dogs: expected images", "class, got none"]),
        (with_text, ["labels.csv: expected PNG or JPEG images", "(1 in all)"]),
        (with_loose_images, ["expected all images in folders, one a class, or none, got both"]),
        (lambda path: many(path, 1), ["expected at least 23 images", "0 train images, where 2 are needed"]),
        (lambda path: many(path, 22), ["expected at least 23 images", "1 train images"]),
        (lambda path: picture(path.with_suffix(".png")), ["expected a folder or an .npz file", "put images into a folder"]),
    ],
)
def test_too_little_is_one_line(tmp_path: Path, make: Callable[[Path], Path], said: list[str]) -> None:
    message = refused(make(tmp_path / "in"), tmp_path)
    assert [text for text in said if text not in message] == [], message


@pytest.mark.parametrize("name", ["default", "Pets", "my pets", "../pets", "a.b"])
def test_a_name_that_params_does_not_take(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"expected a name of lower-case letters"):
        bring(name, many(tmp_path / "in"), tmp_path)


def arrays(path: Path, **content: Any) -> Path:
    np.savez(path, **content)
    return path


LEVELS = np.arange(30, dtype=np.uint8)


def test_arrays(tmp_path: Path) -> None:
    source = arrays(tmp_path / "a.npz", images=np.broadcast_to(LEVELS[:, None, None], (30, 8, 9)), labels=LEVELS[:, None] % 3)
    config = bring("pets", source, tmp_path)
    images = read(config, tmp_path / "own/pets")["all"]
    assert (config.kind, config.shape, config.classes) == ("npz", [1, 8, 9], 3)
    assert images.images[:, 0, 7, 8].tolist() == list(range(30)) and images.labels[:4].tolist() == [0, 1, 2, 0]


def test_arrays_in_three_sets_and_in_colour(tmp_path: Path) -> None:
    pixels = np.zeros((30, 4, 4, 3), np.uint8)
    pixels[:, 1, 2, 0] = LEVELS + 1
    source = arrays(tmp_path / "a.npz", train_images=pixels, val_images=pixels[:3], test_images=pixels[:21])
    config = bring("pets", source, tmp_path)
    sets = read(config, tmp_path / "own/pets")
    assert (config.shape, config.classes, config.split.model_dump()) == ([3, 4, 4], None, {"train": 30, "validation": 3, "test": 21})
    assert sets["test"].images.nonzero()[:2].tolist() == [[0, 0, 1, 2], [1, 0, 1, 2]] and sets["train"].labels.shape == (30, 0)


class Trap:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('unpickled')",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"images": np.array([Trap()] * 30)}, "allow_pickle=False"),
        ({"images": np.zeros((30, 4, 4))}, "float64 (30, 4, 4)"),
        ({"images": np.zeros((30, 4, 4), np.uint16)}, "uint16"),
        ({"images": np.zeros((30, 16), np.uint8)}, "(30, 16)"),
        ({"images": np.zeros((30, 4, 4), np.uint8), "labels": np.zeros(29, np.int64)}, "labels of 30 whole numbers"),
        ({"images": np.zeros((30, 4, 4), np.uint8), "labels": np.zeros(30)}, "float64"),
        ({"pictures": np.zeros((30, 4, 4), np.uint8)}, "got 'pictures'"),
        ({"test_images": np.zeros((30, 4, 4), np.uint8)}, "got 'test_images'"),
    ],
)
def test_other_arrays_are_one_line(tmp_path: Path, content: dict[str, Any], said: str) -> None:
    assert said in refused(arrays(tmp_path / "a.npz", **content), tmp_path)


def test_a_truncated_file_of_arrays_is_one_line(tmp_path: Path) -> None:
    path = arrays(tmp_path / "a.npz", images=np.zeros((30, 4, 4), np.uint8))
    path.write_bytes(path.read_bytes()[:300])
    assert "images.npz: expected a .npz file with 'images'" in refused(path, tmp_path)


def idx(numbers: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(f">HBB{numbers.ndim}I", 0, 8, numbers.ndim, *numbers.shape) + numbers.tobytes())


def test_idx_with_and_without_labels_and_test_images(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(idx(np.broadcast_to(LEVELS[:, None, None], (30, 6, 7))))
    config = bring("pets", folder, tmp_path)
    assert (config.kind, config.shape, config.classes, config.split.test) == ("idx", [1, 6, 7], None, 20)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(idx(LEVELS % 5))
    assert (bring("pets", folder, tmp_path).classes, brought(folder, tmp_path)["train"].label_names) == (5, list("01234"))
    for name in ("images-idx3", "labels-idx1"):
        (folder / f"t10k-{name}-ubyte.gz").write_bytes((folder / f"train-{name}-ubyte.gz").read_bytes())
    assert bring("pets", folder, tmp_path).split.model_dump() == {"train": 25, "validation": 5, "test": 30}


def test_matlab_files_of_another_size(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    pixels = np.broadcast_to(LEVELS, (16, 24, 3, 30))
    savemat(folder / "train_16x24.mat", {"X": pixels, "y": (LEVELS[:, None] % 4) + 1})
    config = bring("pets", folder, tmp_path)
    images = read(config, tmp_path / "own/pets")["train"]
    assert (config.kind, config.shape, config.classes) == ("mat", [3, 16, 24], 4)
    # SVHN's convention: the last class is label 0.
    assert images.labels[:5].tolist() == [1, 2, 3, 0, 1] and images.images[:, 2, 15, 23].tolist() == list(range(30))


@pytest.mark.parametrize(("classes", "said"), [(3, "labels from 0 to 2, got 0 to 4"), (None, ""), (9, "")])
def test_labels_beyond_the_classes_are_one_line(tmp_path: Path, classes: int | None, said: str) -> None:
    source = arrays(tmp_path / "a.npz", images=np.zeros((30, 4, 4), np.uint8), labels=LEVELS % 5)
    if said:
        assert said in refused(source, tmp_path, classes=classes)
    else:
        assert brought(source, tmp_path, classes=classes)["all"].labels.shape == ((30, 0) if classes is None else (30,))


def test_a_negative_label_and_labels_that_are_not_there_are_one_line(tmp_path: Path) -> None:
    pixels = np.zeros((30, 4, 4), np.uint8)
    source = arrays(tmp_path / "a.npz", images=pixels, labels=LEVELS.astype(np.int64) - 1)
    assert "got -1 to 28" in refused(source, tmp_path, classes=30)
    assert "labels of 2 classes, got none" in refused(arrays(tmp_path / "b.npz", images=pixels), tmp_path, classes=2)


def test_values_that_are_not_binary_are_one_line(tmp_path: Path) -> None:
    pixels = np.zeros((30, 4, 4), np.uint8)
    assert bring("pets", arrays(tmp_path / "a.npz", images=pixels), tmp_path).values == "binary"
    assert "values 0 and 255" in refused(arrays(tmp_path / "a.npz", images=pixels + np.uint8(7)), tmp_path, values="binary")


def test_a_data_set_stays_unless_what_replaces_it_is_good(tmp_path: Path) -> None:
    place = tmp_path / "own/pets"

    def there() -> dict[str, bytes]:
        assert list(place.parent.iterdir()) == [place]
        return {path.name: path.read_bytes() for path in place.iterdir()}

    bring("pets", many(tmp_path / "in"), tmp_path)
    before = there()
    refused(many(tmp_path / "few", 3), tmp_path)
    assert there() == before
    said = refused(arrays(tmp_path / "wrong.npz", images=np.zeros((30, 4, 4))), tmp_path)
    assert there() == before
    assert said.startswith(f"{tmp_path / 'wrong.npz'}: images.npz: expected images of uint8") and said.endswith("; mend it and run again")
    good = arrays(tmp_path / "right.npz", images=np.zeros((30, 4, 4), np.uint8))
    bring("pets", good, tmp_path)
    assert there() == {"images.npz": good.read_bytes()}


@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "test_16x24.mat"])
def test_files_without_images_to_train_with_are_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(idx(np.zeros((30, 6, 7), np.uint8)))
    assert refused(tmp_path / "in", tmp_path).startswith(f"{tmp_path / 'in'}: expected images to train with, got {name} alone; ")


def test_an_archive_without_images_is_one_line(make_config: MakeConfig, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.mkdir("cats")
    config = make_config(
        "pets", "own", kind="pictures", shape=[1, 4, 4], values="grey", classes=None, split={"train": 1, "validation": 1, "test": 1}
    )
    with pytest.raises(UserError, match="expected a zip archive of PNG and JPEG images, got 'no images'"):
        read(config, tmp_path)
