"""Checksums in the form of params.yaml: the algorithm, a colon, the digest."""

from pathlib import Path

from regen.common.files import checksum

__all__ = ["checksum_like"]


def checksum_like(expected: str, path: Path) -> str:
    """Return a file's checksum by the algorithm of `expected`, such as `md5:...` or `sha256:...`."""
    algorithm = expected.partition(":")[0]
    return f"{algorithm}:{checksum(path, algorithm)}"
