"""Files that are whole or absent: atomic writes, stable bytes, checksums."""

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from regen.common.errors import UserError

if TYPE_CHECKING:
    import torch

__all__ = [
    "checksum",
    "checksum_of",
    "read_json",
    "read_tensors",
    "replacing",
    "write_csv",
    "write_json",
    "write_tensors",
    "write_text",
]

PRECISION = 8
"""Significant digits of every float in a tracked JSON or CSV file: what float32 arithmetic can carry."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` on success, delete it on failure.

    Raises
    ------
    UserError
        If the folder cannot be written (read-only, full disk); `path` is then as it was before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        # A reader inside the block may fail too; its own message must not be taken for ours.
        if error.filename not in (None, str(temporary), str(path), *map(str, path.parents)):
            raise
        reason = error.strerror or str(error)
        raise UserError(
            f"{path}: expected a writable file, got '{reason}'; nothing was changed, free space or fix permissions and run again"
        ) from error
    finally:
        # Where a parent is a file, there is nothing to delete and the error above is the one to read.
        with suppress(FileNotFoundError, NotADirectoryError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with Unix line ends, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        # JSON has no NaN: an undefined number is null, never a token that only Python can read.
        return float(f"{value:.{PRECISION}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def write_json(path: Path, value: Any, sort: bool = True) -> None:
    """Write JSON, sorted unless its order says something, floats to 8 significant digits, non-finite floats as null."""
    write_text(path, json.dumps(_rounded(value), indent=1, sort_keys=sort, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    UserError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: expected a JSON file, got nothing there; run 'dvc repro' to make it") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path}: expected JSON, got '{error}'; delete the file and run 'dvc repro' again") from error


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one line a row, columns in the order of the first row, floats to 8 significant digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: f"{value:.{PRECISION}g}" if isinstance(value, float) else value for key, value in row.items()})
    write_text(path, text.getvalue())


def write_tensors(path: Path, tensors: Mapping[str, "torch.Tensor"], note: Any = None) -> None:
    """Write tensors as safetensors; `note` is any JSON value kept in the file's header."""
    from safetensors.torch import save

    # A single metadata key: the format does not fix the order of several, and so not the bytes.
    metadata = {"regen": json.dumps(note, sort_keys=True)}
    with replacing(path) as temporary:
        # Not save_file: it hides a full disk behind an error of its own, and sets the mode to 0600.
        temporary.write_bytes(save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata))


def read_tensors(path: Path) -> tuple[dict[str, "torch.Tensor"], Any]:
    """Return the tensors of a safetensors file and its note.

    Raises
    ------
    UserError
        If the file is missing, truncated or not safetensors (a pickle is never opened).
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            note = json.loads((file.metadata() or {}).get("regen", "null"))
            return {name: file.get_tensor(name) for name in file.keys()}, note  # noqa: SIM118 (no mapping)
    except FileNotFoundError as error:
        raise UserError(f"{path}: expected a safetensors file, got nothing there; run 'dvc repro' to make it") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path}: expected a safetensors file, got '{error}'; delete it and run 'dvc repro' again") from error


def checksum_of(stream: BinaryIO, algorithm: str) -> str:
    """Return the hexadecimal digest of a binary stream; `algorithm` is `md5` or `sha256`."""
    digest = hashlib.new(algorithm)
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def checksum(path: Path, algorithm: str) -> str:
    """Return the hexadecimal digest of a file."""
    with path.open("rb") as stream:
        return checksum_of(stream, algorithm)
