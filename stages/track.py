"""Bring MLflow's store, mlflow/<preset>/, up to date with the preset's files."""

from pathlib import Path

from regen.common.files import write_text
from regen.tracking import synchronise


def main(preset: str) -> None:
    """Write synced.txt last: it says which runs the store shows."""
    write_text(Path("mlflow", preset, "synced.txt"), synchronise(Path(), preset))
