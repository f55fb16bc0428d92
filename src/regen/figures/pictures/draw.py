"""The pictures of one trained variant, with an index of captions and of where their images lie."""

from functools import partial
from pathlib import Path

from regen.common.files import write_json
from regen.evaluation.restore import moment, restore, snapshots
from regen.figures.pictures.drawings import AT_SNAPSHOTS, DRAWINGS, OF_CLASSES, Trained
from regen.figures.pictures.images import Picture
from regen.figures.style import apply_style, save
from regen.images.batches import images_of
from regen.images.prepare import prepare, trained_on
from regen.params.figures import DrawConfig

__all__ = ["draw"]


def draw(config: DrawConfig, preset: str, root: Path) -> None:
    """Write reports/<preset>/figures/<variant>/: a PNG a picture and index.json; an empty index where there are no weights.

    Raises
    ------
    UserError
        If weights or images cannot be read.
    """
    apply_style()
    folder = root / "reports" / preset / "figures" / config.variant
    weights = root / "models" / preset / config.variant / str(config.seed)
    index = []
    if config.pictures and weights.exists():
        trained = _trained(config, preset, root, weights)
        for kind in config.pictures:
            if kind in AT_SNAPSHOTS and not trained.snapshots:
                continue
            if kind in OF_CLASSES and trained.test.labels.ndim != 1:
                continue
            drawn = DRAWINGS[kind](trained)
            save(drawn.figure, folder / f"{kind}.png", plot=not isinstance(drawn.figure, Picture))
            texts = {"title": drawn.title, "caption": drawn.caption, "description": drawn.description}
            grids = {"grids": drawn.figure.grids} if isinstance(drawn.figure, Picture) and drawn.figure.grids else {}
            index.append({"file": f"{kind}.png", "kind": kind, **texts, **grids})
    # What an earlier configuration left here.
    for path in folder.glob("*.png"):
        if path.name not in {entry["file"] for entry in index}:
            path.unlink()
    write_json(folder / "index.json", index)


def _trained(config: DrawConfig, preset: str, root: Path, weights: Path) -> Trained:
    restored = [restore(config.model, config.shape, path) for path in snapshots(weights)]
    data = root / "data" / preset / config.dataset
    return Trained(
        config=config,
        final=restore(config.model, config.shape, weights / "final.safetensors")[0],
        snapshots={_title(note, config): model for model, note in restored},
        test=prepare(images_of(data, "test"), config.images, "test"),
        train=partial(trained_on, config, data),
    )


def _title(note: dict[str, int], config: DrawConfig) -> str:
    """Name a snapshot by the report's epoch or step, and by its own step where the run was shortened."""
    name = moment(note)
    return name if config.max_steps is None or note["step"] == 0 else f"{name}: step {note['step']}/{note['steps']}"
