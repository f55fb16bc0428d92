"""A temporary folder in which the stages run on real images, one epoch a training."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import REPOSITORY

from regen.common.errors import UserError

__all__ = ["VARIANT", "real_workspace", "stage", "stage_command"]

VARIANT = "uva3-vae-z20-mnist"


def stage_command(name: str, *arguments: str) -> list[str]:
    """Return the command of one stage."""
    return [sys.executable, str(REPOSITORY / "stages"), name, *arguments]


def stage(folder: Path, name: str, *arguments: str) -> None:
    """Run one stage in `folder`.

    Raises
    ------
    UserError
        If it fails: the stage's own line.
    """
    # The mirror of a development machine; without it the stage downloads the official files.
    environment = {"REGEN_DATA_MIRROR": str(REPOSITORY.parent / "shared" / "data"), **os.environ}
    result = subprocess.run(stage_command(name, *arguments), cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(result.stderr.strip().splitlines()[-1].removeprefix("error: "))


@contextmanager
def real_workspace(*datasets: str) -> Iterator[Path]:
    """Yield a folder with configs/paper and data/paper of these data sets; training is cut to one epoch.

    Raises
    ------
    UserError
        If the files are in no mirror and cannot be downloaded.
    """
    with tempfile.TemporaryDirectory(prefix="regen-benchmark-") as name:
        folder = Path(name)
        (folder / "paper").mkdir()
        for file in ("params.yaml", "paper/preset.yaml"):
            shutil.copyfile(REPOSITORY / file, folder / file)
        stage(folder, "configure", "paper/preset.yaml")
        for dataset in datasets:
            stage(folder, "fetch", "paper", dataset)
            stage(folder, "split", "paper", dataset)
        for variant in folder.glob("configs/paper/*.train.json"):
            variant.write_text(json.dumps({**json.loads(variant.read_text()), "max_steps": 1}))
        yield folder
