"""All figures of one source report, with an index of captions for the report and for MLflow."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from regen.config.schema import FigureKind, ReportConfig, ReportedVariant
from regen.data.batches import images_of, to_unit_interval
from regen.determinism import derive_seed
from regen.evaluation.restore import restore
from regen.figures.curves import loss_curves
from regen.figures.images import manifold, reconstructions, samples
from regen.figures.style import apply_style, save
from regen.files import write_json
from regen.models.vae import LatentVariableModel
from regen.results import evaluated_seeds, histories, snapshots

__all__ = ["render"]


@dataclass(frozen=True)
class _Drawn:
    kind: FigureKind
    figure: Figure
    title: str
    caption: str
    description: str


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


def _figures(config: ReportConfig, name: str, variant: ReportedVariant, root: Path) -> Iterator[_Drawn]:
    """Draw what this variant's model and results allow; images are those of the first seed."""
    runs = list(histories(root, config, name).values())
    if runs:
        last = sum(run["val_neg_elbo_nats"].iloc[-1] for run in runs) / len(runs)
        caption = f"Negative ELBO of {name}, {_count(len(runs), 'seed')}. Validation ends at {last:.1f} nats."
        description = f"Line chart of the negative ELBO against the epoch, training and validation, over {len(runs[0])} epochs."
        yield _Drawn("curves", loss_curves(runs, variant.training.epochs), "Loss curves", caption, description)
    weights = root / "models" / config.preset / name / str(evaluated_seeds(root, config, name)[0])
    if not weights.exists():
        return
    shape = config.shapes[variant.dataset]
    restored = {epoch: restore(variant.model, shape, path) for epoch, path in snapshots(weights).items()}
    models = {_title(epoch, note["step"], note["steps"], variant): model for epoch, (model, note) in restored.items()}
    if models:
        yield from _sample_figures(name, variant, shape, models)
        x = to_unit_interval(images_of(root / "data" / config.preset / variant.dataset, "test")[:12])
        caption = f"Twelve test images and what {name} makes of them at every snapshot (decoder mean at the mean of q)."
        description = f"Rows of images: test images, then their reconstructions {', '.join(models)}."
        yield _Drawn("reconstructions", reconstructions(models, x), "Reconstructions", caption, description)
    if variant.model.latent.dim == 2:
        final, _ = restore(variant.model, shape, weights / "final.safetensors")
        caption = f"Decoder means of {name} after training, at 20 x 20 quantiles of the prior."
        yield _Drawn("manifold", manifold(final), "Data manifold", caption, "Grid of 400 decoded images over the two latent dimensions.")


def _sample_figures(name: str, variant: ReportedVariant, shape: list[int], models: dict[str, LatentVariableModel]) -> Iterator[_Drawn]:
    """Draw decoder means at the snapshots and, where a draw is a plausible image, Bernoulli draws."""
    seed = derive_seed("figures", "samples")
    caption = f"Decoder means of 25 prior samples of {name}; the same latents at every snapshot."
    yield _Drawn("means", samples(models, seed, draws=False), "Samples: decoder means", caption, _panels(models))
    # A Bernoulli draw of one channel is a black and white image; of three it is confetti.
    if variant.model.likelihood.kind == "bernoulli" and shape[0] == 1:
        caption = f"Bernoulli draws of 25 prior samples of {name}; the same latents as the means."
        yield _Drawn("draws", samples(models, seed, draws=True), "Samples: Bernoulli draws", caption, _panels(models))


def _panels(models: dict[str, LatentVariableModel]) -> str:
    return f"Grids of 25 generated images, one a snapshot: {', '.join(models)}."


def _title(epoch: int, step: int, steps: int, variant: ReportedVariant) -> str:
    """Name a snapshot by the report's epoch, and by its step where the run was shortened."""
    name = "before training" if epoch == 0 else f"epoch {epoch}"
    return name if variant.max_steps is None or epoch == 0 else f"{name}: step {step}/{steps}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
