"""A model from its configuration and its weights."""

from pathlib import Path
from typing import Any

from regen.common.errors import UserError
from regen.common.files import read_tensors
from regen.models.build import build

__all__ = ["moment", "restore", "snapshots"]


def restore(config: Any, shape: list[int], path: Path) -> tuple[Any, dict[str, Any]]:
    """Return the model of a configuration (`regen.config.model.Model`) with the weights of a snapshot, and its note.

    Raises
    ------
    UserError
        If the file is missing or broken, or its weights do not fit the configuration.
    """
    tensors, note = read_tensors(path)
    model = build(config, shape)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise UserError(
            f"{path}: expected the weights of the configured model, got: {first}; run 'dvc repro --force' to train it again"
        ) from None
    return model.eval(), note


def snapshots(folder: Path) -> list[Path]:
    """Return the files of weights that `models/<preset>/<variant>/<seed>` holds beside the final ones, in the order of training."""
    found = {unit: folder.glob(f"{unit}-*.safetensors") for unit in ("epoch", "step")}
    return [path for unit in found for path in sorted(found[unit], key=lambda path: (len(path.name), path.name))]


def moment(note: dict[str, Any]) -> str:
    """Name the report's epoch or step that a snapshot's note tells.

    Of a shortened run, an early one may fall on no step at all: that is the model before training.
    """
    if note["step"] == 0:
        return "before training"
    return f"epoch {note['epoch']}" if "epoch" in note else f"step {note['report_step']:,}"
