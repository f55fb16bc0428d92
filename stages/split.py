"""Read and split one data set: data/<preset>/raw/<dataset>/ -> data/<preset>/<dataset>/ and results/<preset>/data/<dataset>.json."""

from pathlib import Path

from regen.common.determinism import make_deterministic
from regen.common.files import write_json
from regen.config.base import load
from regen.data.read import read
from regen.data.split import card, split, write
from regen.params.schema import DataConfig


def main(preset: str, dataset: str) -> None:
    """Write the three splits and their data card."""
    make_deterministic()
    config = load(DataConfig, Path("configs", preset, f"{dataset}.data.json"))
    splits = split(config, read(config, Path("data", preset, "raw", dataset)))
    write(splits, Path("data", preset, dataset))
    write_json(Path("results", preset, "data", f"{dataset}.json"), card(config, splits))
