"""A user's own images as a data set: files with checksums, and what params.yaml says of them."""

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regen.common.errors import UserError
from regen.common.files import checksum
from regen.data.fetch import OWN_FOLDER
from regen.data.npz import ARRAYS
from regen.data.pictures import ARCHIVE, DAMAGE, layout, pixels
from regen.data.read import READERS
from regen.images.images import Images
from regen.params.schema import DataConfig, Fit, Kind

__all__ = ["LEAST", "SUFFIXES", "bring", "entry", "visible"]

SUFFIXES = (".png", ".jpg", ".jpeg")
LARGEST = 64
"""Most pixels a side that are taken as they are: larger images are cropped to this."""

LEAST = {"train": 2, "validation": 1, "test": 20}
"""Images of each split; sample quality is measured on ten blocks of two test images at least."""


def bring(name: str, source: Path, root: Path) -> DataConfig:
    """Copy the files at `source` to `root`/own/`name`/, a folder of pictures as one archive, and return what they are.

    `source` is a folder of PNG and JPEG images, of MNIST's or SVHN's files, or one .npz file. What was there under that name is replaced.

    Raises
    ------
    UserError
        If the name is none that params.yaml takes, or there is nothing that can be read, or too little; what was there then stays.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name) or name == "default":
        raise UserError(f"{name}: expected a name of lower-case letters, digits and underscores, not 'default'; choose another")
    if not source.exists():
        raise UserError(f"{source}: expected a folder of images or an .npz file, got nothing there; correct the path")
    place = root / OWN_FOLDER / name
    kind, files = _files(source)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=place.parent) as beside:
        folder = Path(beside, "new")
        folder.mkdir()
        for file, content in files.items():
            if isinstance(content, Path):
                shutil.copyfile(content, folder / file)
            else:
                _pack(content, source, folder / file)
        sums = {file: f"sha256:{checksum(folder / file, 'sha256')}" for file in sorted(files)}
        config = _described(name, kind, sums, folder, source)
        if place.exists():
            place.rename(Path(beside, "old"))
        folder.rename(place)
    return config


def entry(config: DataConfig) -> str:
    """Return the entry of a data set under `datasets` in params.yaml."""
    split = ", ".join(f"{key}: {count}" for key, count in config.split.model_dump().items())
    lines = [f"  {config.dataset}:", f"    kind: {config.kind}", f"    shape: {config.shape}"]
    lines += [f"    fit: {config.fit}"] if config.fit != "exact" else []
    lines += [f"    values: {config.values}", f"    classes: {json.dumps(config.classes)}", f"    split: {{{split}}}"]
    lines += ["    sources:", "      own:", "        status: own", "        files:"]
    return "\n".join([*lines, *(f'          {file}: "{known}"' for file, known in config.files.items())])


def _files(source: Path) -> tuple[Kind, dict[str, Path | list[Path]]]:
    """Return the kind of what lies there, and the files to be made of it: copies, or an archive of pictures."""
    if source.is_file():
        if source.suffix != ".npz":
            raise UserError(f"{source}: expected a folder or an .npz file, got another file; put images into a folder")
        return "npz", {ARRAYS: source}
    found = list(visible(source))
    for kind, pattern in (("idx", r"(train|t10k)-(images-idx3|labels-idx1)-ubyte\.gz"), ("mat", r"(train|test)_\d+x\d+\.mat")):
        if files := {path.name: path for path in found if path.parent == source and re.fullmatch(pattern, path.name)}:
            if not any(file.startswith(("train-images", "train_")) for file in files):
                raise UserError(f"{source}: expected images to train with, got {', '.join(files)} alone; add the file that has them")
            return kind, dict(files)  # type: ignore[return-value]
    if other := [path for path in found if path.suffix.lower() not in SUFFIXES]:
        raise UserError(f"{other[0]}: expected PNG or JPEG images, got another file ({len(other)} in all); move it away or convert it")
    if not found:
        raise UserError(f"{source}: expected PNG or JPEG images, got none; correct the path")
    for folder in sorted(path for path in source.rglob("*") if path.is_dir() and not _hidden(path, source)):
        if not any(path.is_relative_to(folder) for path in found):
            raise UserError(f"{folder}: expected images, for its name is that of a class, got none; add some or remove the folder")
    return "pictures", {ARCHIVE: found}


def visible(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in a fixed order, but for hidden ones and what desktops leave behind."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _hidden(path, folder) and path.name not in ("Thumbs.db", "desktop.ini"):
            yield path


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)


def _pack(paths: list[Path], source: Path, archive: Path) -> None:
    """Write an archive whose bytes depend on the files' names and contents alone; images are packed already."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        for path in paths:
            out.writestr(zipfile.ZipInfo(path.relative_to(source).as_posix()), path.read_bytes())


def _described(name: str, kind: Kind, files: dict[str, str], folder: Path, source: Path) -> DataConfig:
    """Return the configuration of these files, which were made of `source`: the shape and the classes that they have, and a split."""
    values: dict[str, Any] = {"dataset": name, "kind": kind, "source": "own", "status": "own", "files": files, "values": "grey"}
    values |= {"max_images": None, "preparations": [], "seed": 0, "fit": "exact", "split": LEAST, "classes": None}
    shape, fit, classes = _pictures(folder / ARCHIVE, source) if kind == "pictures" else ([1, 1, 1], "exact", None)
    if kind == "mat":
        size = re.findall(r"\d+", min(files))
        shape = [3, int(size[0]), int(size[1])]
    config = DataConfig.model_validate({**values, "shape": shape, "fit": fit, "classes": classes})
    try:
        sets = READERS[kind](config, folder)
    except UserError as error:
        # A reader advises to have the file, here a copy, fetched again.
        said = str(error).removeprefix(f"{folder}/").rpartition("; ")[0]
        raise UserError(f"{source}: {said}; mend it and run again") from error
    if kind != "pictures":
        shape, classes = list(next(iter(sets.values())).images.shape[1:]), _classes(kind, sets)
    split = _split(source, {key: len(images) for key, images in sets.items()})
    binary = all(((images.images == 0) | (images.images == 255)).all() for images in sets.values())
    return DataConfig.model_validate(
        {**values, "shape": shape, "fit": fit, "classes": classes, "split": split, "values": "binary" if binary else "grey"}
    )


def _classes(kind: Kind, sets: dict[str, Images]) -> int | None:
    """Return the number of classes of labels that count from 0, or in SVHN's format from 1."""
    labels = [images.labels for images in sets.values()]
    if any(found.ndim != 1 or not len(found) for found in labels):
        return None
    most = max(int(found.max()) for found in labels)
    return most if kind == "mat" else most + 1


def _pictures(archive: Path, source: Path) -> tuple[list[int], Fit, int | None]:
    """Return the shape (C, H, W) of the pictures in an archive, what makes them so, and the number of classes."""
    sizes, colours = set(), False
    with zipfile.ZipFile(archive) as content:
        members = content.namelist()
        for member in members:
            try:
                image = pixels(content.read(member), 3)
            except DAMAGE as error:
                raise UserError(
                    f"{member}: expected a PNG or JPEG image, got '{' '.join(str(error).split())}'; remove it or mend it"
                ) from error
            sizes.add(image.size)
            red, green, blue = image.split()
            colours = colours or red.tobytes() != green.tobytes() or green.tobytes() != blue.tobytes()
    channels = 3 if colours else 1
    folders = {name for names in layout(members).values() for name in names.values()}
    if "" in folders and len(folders) > 1:
        raise UserError(f"{source}: expected all images in folders, one a class, or none, got both; move them")
    classes = len(folders) if folders != {""} else None
    ((width, height), *others) = sorted(sizes)
    if not others and max(width, height) <= LARGEST:
        return [channels, height, width], "exact", classes
    side = min(LARGEST, *(min(size) for size in sizes))
    return [channels, side, side], "crop", classes


def _split(source: Path, counts: dict[str, int]) -> dict[str, int]:
    """Return the sizes of the splits: those that the files have, a sixth for each that is missing, but no less than is needed."""
    if "all" in counts or set(counts) == {"train"}:
        total = sum(counts.values())
        test = max(LEAST["test"], total // 6)
        validation = max(LEAST["validation"], (total - test) // 6)
        counts = {"train": total - test - validation, "validation": validation, "test": test}
    elif "validation" not in counts and "test" in counts:
        validation = max(LEAST["validation"], counts["train"] // 6)
        counts = {"train": counts["train"] - validation, "validation": validation, "test": counts["test"]}
    if few := [name for name, least in LEAST.items() if counts.get(name, 0) < least]:
        found = f"{max(counts.get(few[0], 0), 0)} {few[0]} images, where {LEAST[few[0]]} are needed"
        raise UserError(f"{source}: expected at least {sum(LEAST.values())} images, 20 of them to test with, got {found}; add images")
    return {name: counts[name] for name in LEAST}
