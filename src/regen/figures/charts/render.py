"""The charts of a report, with an index of captions and of where their data points lie."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from regen.common.errors import UserError
from regen.common.files import write_json
from regen.figures.charts.chart import Drawn
from regen.figures.charts.comparison import draw_latents, draw_prior_sampling
from regen.figures.charts.confusion import draw_confusion
from regen.figures.charts.history import draw_history
from regen.figures.charts.losses import losses, losses_title
from regen.figures.charts.measures import draw_classes, draw_measures, draw_snapshots
from regen.figures.style import apply_style, save
from regen.params.figures import ALL, STANDING, ReportFigure, anchors
from regen.params.schema import ReportConfig

__all__ = ["render_charts"]

CHARTS: dict[str, Callable[[ReportConfig, ReportFigure, Path], Drawn | None]] = {
    "history": draw_history,
    "snapshots": draw_snapshots,
    "measure": draw_measures,
    "classes": draw_classes,
    "confusion": draw_confusion,
}


class Wanted(NamedTuple):
    """A chart that is to be drawn, of these variants as far as they have results."""

    name: str
    title: str
    variants: list[str]
    draw: Callable[[], Drawn | None]


def render_charts(config: ReportConfig, part: str, root: Path) -> None:
    """Write reports/<preset>/figures/charts/<part>/: a PNG a chart and index.json.

    part: a report, or `all` for the charts of the variants of all reports. What has no results has no entry. Of a chart whose results
    cannot be read the entry has a `problem` and no file; the others are drawn.
    """
    apply_style()
    folder = root / "reports" / config.preset / "figures" / "charts" / part
    index = [
        entry
        for wanted in (_of_all(config, root) if part == ALL else _of_report(config, part, root))
        if (entry := _entry(wanted, folder)) is not None
    ]
    # What an earlier configuration left here.
    for path in folder.glob("*.png"):
        if path.name not in {entry.get("file") for entry in index}:
            path.unlink()
    write_json(folder / "index.json", index)


def _of_all(config: ReportConfig, root: Path) -> Iterator[Wanted]:
    """Yield the charts of the variants of all reports."""
    every = list(config.variants)
    yield Wanted("prior_sampling", "Likelihood by sampling the prior", every, lambda: draw_prior_sampling(config, root))
    yield Wanted("latents", "Information in every latent", every, lambda: draw_latents(config, root))


def _of_report(config: ReportConfig, report: str, root: Path) -> Iterator[Wanted]:
    """Yield the losses of each variant of a report, then the charts that it lists."""
    for name in (name for name, variant in config.variants.items() if variant.report == report):
        yield Wanted(f"losses-{name}", losses_title(config, name), [name], lambda name=name: losses(config, name, root))  # type: ignore[misc]
    figures = config.reports[report].figures
    for anchor, figure in zip(anchors(report, figures), figures, strict=True):
        if figure.chart is not None and figure.chart.kind not in STANDING:
            draw = CHARTS[figure.chart.kind]
            yield Wanted(anchor, figure.title, figure.variants, lambda draw=draw, figure=figure: draw(config, figure, root))  # type: ignore[misc]


def _entry(wanted: Wanted, folder: Path) -> dict[str, Any] | None:
    """Draw and save a chart; return its entry, None where there is nothing to draw."""
    named = {"name": wanted.name, "title": wanted.title}
    try:
        drawn = wanted.draw()
        if drawn is None:
            return None
        file = f"{wanted.name}.png"
        save(drawn.chart, folder / file)
    except UserError as error:
        return {**named, "problem": str(error), "variants": wanted.variants}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # Results that are JSON or CSV, and yet not what the pipeline writes: which key is missing is all that can be said.
        reason = " ".join(f"{type(error).__name__} {error}".split())
        whose = ", ".join(wanted.variants) if len(wanted.variants) <= 5 else f"one of {len(wanted.variants)} variants"
        return {**named, "problem": f"results of {whose}: malformed, got '{reason}'", "variants": wanted.variants}
    texts = {"caption": drawn.caption, "description": drawn.description, "variants": drawn.variants}
    return {"file": file, **named, **texts, **({"points": points} if (points := drawn.chart.points()) else {})}
