"""Fetch one data set's raw files: configs/<preset>/<dataset>.source.json -> data/<preset>/raw/<dataset>/."""

from pathlib import Path

from regen.config.base import load
from regen.data.fetch import fetch
from regen.params.schema import SourceConfig


def main(preset: str, dataset: str) -> None:
    """Copy from the mirrors or download, checking every checksum."""
    fetch(load(SourceConfig, Path("configs", preset, f"{dataset}.source.json")), Path("data", preset, "raw", dataset))
