"""Files as a row of bytes: their contents one after another, cut into pieces; which files they are is told apart from them."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

__all__ = ["PIECE", "collect", "link", "pieces_of", "unpack"]

PIECE = 32 << 20
"""Bytes in one piece at most: what is in memory beside the file itself while it is read, sent or written."""


def pieces_of(path: Path) -> Iterator[tuple[bytes, str]]:
    """Yield a file in pieces, each with the MD5 of all that was read so far."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            yield piece, digest.hexdigest()


def unpack(folder: Path, files: Sequence[tuple[str, int]], pieces: Iterable[bytes]) -> None:
    """Write files of given sizes, in this order, from the pieces that hold their contents.

    Raises
    ------
    ValueError
        If a name leads out of the folder, or the pieces end too soon.
    """
    source, rest = iter(pieces), memoryview(b"")
    for name, size in files:
        if name.startswith("/") or ".." in Path(name).parts:
            raise ValueError(f"{name}: expected a path inside {folder}")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            while size:
                rest = rest if rest else memoryview(next(source, b""))
                if not rest:
                    raise ValueError(f"{name}: {size} bytes are missing")
                count = file.write(rest[:size])
                size, rest = size - count, rest[count:]


def link(code: Path, box: Path, written: Iterable[str]) -> None:
    """Make the code visible in a folder by symbolic links, and real folders where something is written below one."""
    below = {parent for name in written for parent in Path(name).parents}
    taken = set(map(Path, written))
    for directory, folders, files in os.walk(code):
        here = Path(directory).relative_to(code)
        for name in sorted([*folders, *files]):
            path = here / name
            if path in taken:
                continue
            if path in below:
                (box / path).mkdir(parents=True, exist_ok=True)
            else:
                (box / path).symlink_to(code / path)
        folders[:] = [name for name in folders if here / name in below and here / name not in taken]


def collect(box: Path, names: Iterable[str]) -> tuple[dict[str, list[bytes]], list[str]]:
    """Return the contents of files and of all files in folders, by path and in pieces; and the folders themselves, empty ones too."""
    files: dict[str, list[bytes]] = {}
    folders = []
    for name in names:
        if (box / name).is_dir():
            folders.append(name)
        inside = sorted((box / name).rglob("*")) if (box / name).is_dir() else [box / name]
        for path in inside:
            if path.is_file():
                files[path.relative_to(box).as_posix()] = [piece for piece, _ in pieces_of(path)]
    return files, folders
