"""All figures of one source report, with an index of captions for the report and for MLflow."""

from collections.abc import Iterator
from pathlib import Path

from regen.common.files import write_json
from regen.evaluation.restore import moment, restore, snapshots
from regen.figures.curves import adversarial_curves, loss_curves, quantity_of
from regen.figures.drawings import DRAWINGS, Drawn, Trained
from regen.figures.style import apply_style, save
from regen.images.batches import images_of
from regen.images.prepare import prepare
from regen.params.schema import ReportConfig, ReportedVariant
from regen.results import details, evaluated_seeds, histories

__all__ = ["render"]


def render(config: ReportConfig, report: str, root: Path) -> None:
    """Write reports/<preset>/figures/<report>/, a PNG a figure, and <report>.json beside it with titles and captions.

    A variant without results has no figures; the report says so in its place.
    """
    apply_style()
    folder = root / "reports" / config.preset / "figures" / report
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for name, variant in config.variants.items():
        if variant.report != report or not evaluated_seeds(root, config, name):
            continue
        for drawn in _figures(config, name, variant, root):
            file = f"{name}.{drawn.kind}.png"
            save(drawn.figure, folder / file)
            index.append(
                {
                    "file": file,
                    "title": drawn.title,
                    "caption": drawn.caption,
                    "description": drawn.description,
                    "source": variant.figures.get(drawn.kind),
                    "variants": [name],
                }
            )
    write_json(folder.with_suffix(".json"), index)


def _figures(config: ReportConfig, name: str, variant: ReportedVariant, root: Path) -> Iterator[Drawn]:
    """Draw what this variant's model and results allow; images are those of the first seed."""
    runs = list(histories(root, config, name).values())
    quantity = quantity_of(runs)
    if quantity is not None:
        last = sum(run[f"val_{quantity.column}"].iloc[-1] for run in runs) / len(runs)
        caption = f"{quantity.label} of {name}, {_count(len(runs), 'seed')}. Validation ends at {last:{quantity.form}} {quantity.unit}."
        if all("train_objective_nats" in run for run in runs):
            objective = sum(run["train_objective_nats"].iloc[-1] for run in runs) / len(runs)
            caption += f" What is minimised is another quantity: in training it ends at {objective:.1f} nats."
        drawn, epochs = quantity.label[0].lower() + quantity.label[1:], _count(len(runs[0]), "epoch")
        description = f"Line chart of the {drawn} against the epoch, training and validation, over {epochs}."
        yield Drawn("curves", loss_curves(runs, variant.training.epochs), "Loss curves", caption, description)
    if variant.model.family == "gan" and runs:
        caption = f"What the players of {name} minimise in training and how images are judged, running means, {_count(len(runs), 'seed')}."
        if all("train_gradient_penalty" in run for run in runs):
            caption += " The gradient penalty, which the critic minimises too, is not drawn."
        description = f"Line charts against the epoch, over {_count(len(runs[0]), 'epoch')}: losses above, judgements below."
        yield Drawn("curves", adversarial_curves(runs, variant.training.epochs), "Losses of both players", caption, description)
    seed = evaluated_seeds(root, config, name)[0]
    weights = root / "models" / config.preset / name / str(seed)
    if not weights.exists():
        return
    restored = [restore(variant.model, variant.shape, path) for path in snapshots(weights)]
    trained = Trained(
        name=name,
        variant=variant,
        final=restore(variant.model, variant.shape, weights / "final.safetensors")[0],
        snapshots={_title(note, variant): model for model, note in restored},
        test=prepare(images_of(root / "data" / config.preset / variant.dataset, "test"), variant.images, "test"),
        details=details(root, config, name).get(seed, {}),
    )
    for drawing in DRAWINGS:
        yield from drawing(trained)


def _title(note: dict[str, int], variant: ReportedVariant) -> str:
    """Name a snapshot by the report's epoch or step, and by its own step where the run was shortened."""
    name = moment(note)
    return name if variant.max_steps is None or note["step"] == 0 else f"{name}: step {note['step']}/{note['steps']}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
