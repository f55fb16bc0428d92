"""The loss curves of one variant with their texts; drawn of every variant that was trained."""

from pathlib import Path

from regen.figures.charts.chart import Drawn, count
from regen.figures.charts.curves import adversarial_curves, loss_curves
from regen.params.schema import ReportConfig
from regen.results import histories, quantity_of

__all__ = ["losses", "losses_title"]


def losses_title(config: ReportConfig, name: str) -> str:
    """Return the title of a variant's loss curves."""
    return "Losses of both players" if config.variants[name].model.family == "gan" else "Loss curves"


def losses(config: ReportConfig, name: str, root: Path) -> Drawn | None:
    """Draw the loss curves of a variant; None without a history.

    Raises
    ------
    UserError
        If a history is not the CSV that training writes.
    """
    runs = list(histories(root, config, name).values())
    if not runs:
        return None
    declared, run = config.variants[name].training.epochs, len(runs[0])
    length = count(run, "epoch") if run >= declared else f"{run} of {count(declared, 'epoch')}"
    trained = f"{count(len(runs), 'seed')}, {length}"
    if config.variants[name].model.family == "gan":
        caption = f"What the players of {name} minimise in training and how images are judged, running means; {trained}."
        if all("train_gradient_penalty" in one for one in runs):
            caption += " The gradient penalty, which the critic minimises too, is not drawn."
        description = f"Line charts against the epoch, over {count(run, 'epoch')}: losses above, judgements below."
        return Drawn(adversarial_curves(runs, declared), caption, description, [name])
    quantity = quantity_of(runs)
    if quantity is None:
        return None
    last = sum(one[f"val_{quantity.column}"].iloc[-1] for one in runs) / len(runs)
    caption = f"{quantity.label} of {name}; {trained}. Validation ends at {last:{quantity.form}} {quantity.unit}."
    minimised = all("train_objective_nats" in one for one in runs)
    if minimised:
        objective = sum(one["train_objective_nats"].iloc[-1] for one in runs) / len(runs)
        caption += f" What is minimised is another quantity: in training it ends at {objective:.1f} nats."
    drawn = quantity.label[0].lower() + quantity.label[1:]
    form, below = ("Line charts", ", above; below, what is minimised in training") if minimised else ("Line chart", "")
    description = f"{form} of the {drawn} against the epoch, training and validation, over {count(run, 'epoch')}{below}."
    return Drawn(loss_curves(runs, declared), caption, description, [name])
