"""What the reports show, chosen in studies/<report>/study.yaml: pictures of trained variants, and charts of their results."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regen.config.base import Config, Name, Positive
from regen.config.model import AutoEncoder, Gan, Model, PixelFlow, Standard, Vae
from regen.config.training import Preparation

__all__ = [
    "ChartSpec",
    "DrawConfig",
    "PictureKind",
    "ReportFigure",
    "anchors",
    "check_figures",
    "listed",
    "possible",
]

PictureKind = Literal[
    "means",
    "draws",
    "samples",
    "final",
    "reconstructions",
    "manifold",
    "square",
    "line",
    "quantile_line",
    "interpolation",
    "traversal",
    "codes",
    "latents_by_class",
    "nearest_training",
]
ASKED_FOR = ("final", "square", "quantile_line", "interpolation", "traversal")
"""Pictures that are large or alike: drawn of a variant only where a report lists them for it."""

Column = Annotated[
    str,
    Field(
        pattern=r"^(train|val)_(objective|objective_nats|neg_elbo_nats|recon_nats|kl_nats|nll_nats|cross_entropy_nats|accuracy|mse_per_pixel)$"
    ),
]
Measured = Literal[
    "neg_elbo_nats",
    "nll_nats",
    "recon_nats",
    "kl_nats",
    "accuracy",
    "frechet_classifier_distance",
    "kernel_classifier_distance",
    "precision",
    "recall",
    "laplacian_variance",
    "checkerboard_energy",
    "blockiness",
    "mean_confidence",
    "confident_share",
    "class_kl_nats",
]


class Standing(Config):
    """The losses of each variant, the naive estimator, or the KL of every latent."""

    kind: Literal["losses", "prior_sampling", "latents"]


class History(Config):
    """Columns of history.csv against the epoch, up to `epochs`; `mean`: with their means over these epochs."""

    kind: Literal["history"]
    columns: Annotated[list[Column], Field(min_length=1)]
    epochs: Positive | None = None
    mean: bool = False


class Snapshots(Config):
    """A measure of images over the snapshots of training."""

    kind: Literal["snapshots"]
    measure: Measured
    images: Literal["samples", "reconstructions"] = "samples"


class Measures(Config):
    """Measures of the trained variants, a panel each; with `images`, of these rows of quality_details.json."""

    kind: Literal["measure"]
    measures: Annotated[list[Measured], Field(min_length=1)]
    images: list[str] = []


class Tables(Config):
    """A histogram of the classes of samples, or a classifier's confusion matrix."""

    kind: Literal["classes", "confusion"]


ChartSpec = Annotated[Standing | History | Snapshots | Measures | Tables, Field(discriminator="kind")]


class ReportFigure(Config):
    """A figure of a report: pictures of its variants, or a chart over them; `number` is the source's, null where this project adds it.

    `points`: points of an interpolation.
    """

    number: Annotated[str, Field(pattern=r"^(Figure|Table) [0-9]+[a-z]?$")] | None
    title: str
    pictures: list[PictureKind] = []
    chart: ChartSpec | None = None
    variants: Annotated[list[Name], Field(min_length=1)]
    points: Annotated[int, Field(ge=2)] | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _pictures_or_a_chart(self) -> Self:
        if bool(self.pictures) == (self.chart is not None):
            have = "both" if self.pictures else "neither"
            raise ValueError(f"'{self.title}': {have} of pictures and chart; allowed: one of them")
        if self.points is not None and "interpolation" not in self.pictures:
            raise ValueError(f"points = {self.points}: allowed with the picture 'interpolation' only")
        if self.chart is not None and self.chart.kind == "confusion" and len(self.variants) > 1:
            raise ValueError(f"variants = {self.variants}: allowed with the chart 'confusion': one variant")
        return self


class DrawConfig(Config):
    """Resolved for `draw`: one variant, the seed whose weights are drawn, and which pictures; shape is of the prepared images."""

    variant: Name
    dataset: Name
    seed: int
    shape: list[Positive]
    images: Preparation
    held_out: Literal["validation", "test"]
    model: Model
    max_steps: Positive | None
    pictures: list[PictureKind]
    points: int
    threads: Positive


def anchors(report: str, figures: Sequence[ReportFigure]) -> list[str]:
    """Return the name of each figure of a report: '<report>-figure-4', and '<report>-added-1' for the first without a number."""
    names, added = [], 0
    for figure in figures:
        added += figure.number is None
        names.append(f"{report}-added-{added}" if figure.number is None else f"{report}-{figure.number.lower().replace(' ', '-')}")
    return names


def possible(model: Model, channels: int) -> list[PictureKind]:
    """Return the pictures that a model can have, in the order in which they are shown; `channels` of its images."""
    if isinstance(model, Gan):
        return ["samples", "final", "interpolation", "traversal", "nearest_training"]
    if isinstance(model, PixelFlow):
        return ["samples", "final", "interpolation", "nearest_training"]
    if isinstance(model, AutoEncoder):
        plane: list[PictureKind] = ["codes"] if model.latent_dim == 2 else []
        return ["samples", "final", "reconstructions", "interpolation", *plane, "nearest_training"]
    if not isinstance(model, Vae):
        return []
    found: list[PictureKind] = ["means"]
    # A Bernoulli draw of one channel is a black and white image; of three it is confetti.
    if model.likelihood.kind == "bernoulli" and channels == 1:
        found.append("draws")
    found += ["final", "reconstructions"]
    if model.latent.kind == "gaussian":
        # Quantiles are known of N(0, I) alone, and a single latent of a learned prior has no scale.
        if isinstance(model.prior, Standard):
            by_size: dict[int, list[PictureKind]] = {1: ["line", "quantile_line"], 2: ["manifold", "square"]}
            found += by_size.get(model.latent.dim, ["traversal"])
        found.append("interpolation")
    if model.latent.dim > 1:
        found.append("latents_by_class")
    return [*found, "nearest_training"]


def listed(figures: Sequence[ReportFigure], variant: str, model: Model, channels: int) -> tuple[list[PictureKind], int]:
    """Return the pictures that are drawn of a variant, and how many points its interpolations have."""
    own = [figure for figure in figures if variant in figure.variants]
    asked = {kind for figure in own for kind in figure.pictures}
    points = next((figure.points for figure in own if figure.points is not None), 10)
    return [kind for kind in possible(model, channels) if kind in asked or kind not in ASKED_FOR], points


def check_figures(figures: Mapping[str, Sequence[ReportFigure]], variants: Mapping[str, tuple[Model, int]]) -> None:
    """Refuse figures (by report) of what is not there; `variants` are models and channels by name.

    Keys are those of report.json, `reports.<report>.figures`.

    Raises
    ------
    ValueError
        Key, value and what is allowed.
    """
    asked: dict[str, int] = {}
    for report, position, figure in _each(figures):
        where = f"reports.{report}.figures.{position}"
        same = [one for one in figures[report] if figure.number is not None and one.number == figure.number]
        if len(same) > 1:
            raise ValueError(f"{where}.number = '{figure.number}': allowed: each number once")
        for name in figure.variants:
            if name not in variants:
                raise ValueError(f"{where}.variants: unknown variant '{name}'; allowed: names below 'variants'")
            can = possible(*variants[name])
            if unknown := [kind for kind in figure.pictures if kind not in can]:
                raise ValueError(f"{where}.pictures: '{unknown[0]}' of '{name}'; allowed: {', '.join(can) or 'none of a classifier'}")
            if figure.points is not None and asked.setdefault(name, figure.points) != figure.points:
                raise ValueError(f"{where}.points = {figure.points}: allowed: {asked[name]}, which another figure of '{name}' has")


def _each(figures: Mapping[str, Sequence[ReportFigure]]) -> Iterator[tuple[str, int, ReportFigure]]:
    for report, own in figures.items():
        for position, figure in enumerate(own):
            yield report, position, figure
