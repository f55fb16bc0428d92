"""Raw files from mirror folders or from their publishers, each checked against its checksum."""

import gzip
import hashlib
import os
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from http.client import HTTPException
from pathlib import Path
from typing import IO, cast

from regen.common.errors import UserError
from regen.common.files import replacing, write_json
from regen.data.addresses import addresses
from regen.data.checksums import checksum_like
from regen.params.schema import SourceConfig

__all__ = ["OWN_FOLDER", "fetch", "mirrors"]

OWN_FOLDER = Path("own")
"""Where scripts/own.py puts a user's own data sets, and the last mirror that is looked at."""

TIMEOUT = 10
"""Seconds without an answer after which a download is given up."""


class _RefusedError(Exception):
    """A place that does not hold the wanted bytes; its text says what is there instead."""


def mirrors() -> list[Path]:
    """Return the folders of REGEN_DATA_MIRROR, in the order in which they are looked at."""
    return [Path(folder) for folder in os.environ.get("REGEN_DATA_MIRROR", "").split(":") if folder]


def fetch(config: SourceConfig, destination: Path) -> None:
    """Put every file of `config.files` into the folder `destination`, and `source.json`, which says what they are.

    The first file of the mirrors with the right checksum is taken, in the folder of the data set's kind (of a user's own: of its name);
    failing that, official files are downloaded.
    A file that is there already with the right checksum is kept.

    Raises
    ------
    UserError
        If a file is nowhere to be had, or `destination` cannot be written.
    """
    for name, expected in config.files.items():
        path = destination / name
        if not path.is_file() or checksum_like(expected, path) != expected:
            _place(config, name, expected, path)
    write_json(destination / "source.json", {"dataset": config.dataset, "source": config.source})


def _place(config: SourceConfig, name: str, expected: str, path: Path) -> None:
    """Write `path` from the first place that holds the expected bytes."""
    seen = [] if mirrors() else ["REGEN_DATA_MIRROR: not set"]
    seen += [f"{mirror}: no such folder" for mirror in mirrors() if not mirror.is_dir()]
    for place in _places(config, name):
        try:
            return _take(place, path, expected)
        except _RefusedError as refusal:
            seen.append(f"{place}: {refusal}")
    raise UserError(
        f"{config.dataset}/{name} (source '{config.source}'): expected {expected}, got {'; '.join(seen)}; "
        'put the file into a folder named in REGEN_DATA_MIRROR (see README.md, "Data") or choose another source in params.yaml'
    )


def _places(config: SourceConfig, name: str) -> Iterator[str]:
    """Yield every place to look at: files of the mirrors first, then the publisher's addresses."""
    own = config.status == "own"
    for mirror in filter(Path.is_dir, [*mirrors(), *([OWN_FOLDER] if own else [])]):
        file = mirror / (config.dataset if own else config.kind) / name
        yield str(file)
        if name.endswith(".amat"):
            yield f"{file}.gz"
    # Only official files have a publisher; a subset exists in mirrors alone.
    if config.status == "official":
        yield from addresses(config.kind, name)


def _open(place: str) -> AbstractContextManager[IO[bytes]]:
    """Open a place for reading: an address, a packed text (its checksum is of the unpacked one) or a plain file."""
    if "://" in place:
        # Some publishers answer only to a client that gives its name.
        request = urllib.request.Request(place, headers={"User-Agent": "regen"})
        stream: AbstractContextManager[IO[bytes]] = urllib.request.urlopen(request, timeout=TIMEOUT)
        return stream
    if place.endswith(".amat.gz"):
        return cast(IO[bytes], gzip.open(place, "rb"))
    return open(place, "rb")


def _take(place: str, path: Path, expected: str) -> None:
    """Copy a place's bytes to `path` if they have the expected checksum; otherwise leave `path` as it is."""
    algorithm = expected.partition(":")[0]
    digest = hashlib.new(algorithm)
    with replacing(path) as temporary:
        with temporary.open("wb") as file:
            for block in _blocks(place):
                digest.update(block)
                file.write(block)
        got = f"{algorithm}:{digest.hexdigest()}"
        if got != expected:
            raise _RefusedError(got)


def _blocks(place: str) -> Iterator[bytes]:
    """Yield a place's bytes; failures to read become a refusal, so that they are not taken for failures to write."""
    try:
        with _open(place) as stream:
            while block := stream.read(1 << 20):
                yield block
    except FileNotFoundError as error:
        raise _RefusedError("missing") from error
    except (OSError, EOFError, ValueError, zlib.error, HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise _RefusedError(f"unreadable ({' '.join(reason.split())})") from error
