"""The page to look and play: pictures whose tiles a slider chooses, and charts that explain what a sentence cannot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import exp
from statistics import fmean
from typing import Any

from regen.claims.reads import late
from regen.report.charts import Chart, labelled, lines
from regen.report.pictures import Picture, Pictures, Thumbnail
from regen.report.plots import labels, naive_estimator
from regen.report.reshape import reshaped
from regen.results import Missing, Results

__all__ = ["Exhibit", "Viewer", "exhibits", "gradients", "rate_distortion", "samples_needed"]


@dataclass(frozen=True)
class Viewer:
    """A picture of tiles; `panels`: one slider chooses a grid (a moment of training), else two choose a tile."""

    picture: Picture
    title: str
    panels: bool = False


@dataclass(frozen=True)
class Exhibit:
    """Something to look at, with one short text; `viewers`: of these one is shown at a time, where there are scripts."""

    id: str
    title: str
    text: str
    viewers: list[Viewer] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    pair: tuple[tuple[Thumbnail, str], ...] = ()


def exhibits(results: Results, pictures: Pictures) -> list[Exhibit]:
    """Return the exhibits of which something was drawn or measured."""
    found = []
    for make in EXHIBITS:
        try:
            exhibit = make(results, pictures)
        except Missing:
            continue
        if exhibit.viewers or exhibit.charts or exhibit.pair:
            found.append(exhibit)
    return found


def _viewers(results: Results, pictures: Pictures, kinds: Sequence[str], names: Sequence[str] = (), panels: bool = False) -> list[Viewer]:
    """Return a viewer for each picture of these kinds, of these variants or of all."""
    chosen = names or list(results.config.variants)
    titles = labels(results.config, list(chosen))
    suffix = {"square": ", even steps from −5 to 5", "quantile_line": ", quantiles of the prior", "line": ", even steps from −5 to 5"}
    return [
        Viewer(picture, titles[name] + (suffix.get(picture.kind, "") if len(kinds) > 1 else ""), panels)
        for name in chosen
        for picture in pictures.of(name)
        if picture.kind in kinds and picture.grids
    ]


def _manifold(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "manifold",
        "The latent plane",
        "Every tile is the image that the decoder makes of one pair of latents. Move through the plane: digits turn into each other, and "
        "where the steps go beyond two standard deviations of the prior the model hardly ever generates.",
        _viewers(results, pictures, ("manifold", "square")),
    )


def _line(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "line",
        "One latent",
        "A single number decides which digit is drawn. The frame holds what lies within two standard deviations of the prior.",
        _viewers(
            results, pictures, ("quantile_line", "line"), [name for name in ("ai3611-vae-z1-mnist",) if name in results.config.variants]
        ),
    )


def _traversal(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "traversal",
        "One latent at a time",
        "The latents that change the image most, one by one, from −3 to 3. The others stay at zero, and below as three samples have them.",
        _viewers(results, pictures, ("traversal",)),
    )


def _interpolation(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "interpolation",
        "From one image to another",
        "The same two ends, joined straight through the latents, on an arc, and straight through the pixels, a double exposure.",
        _viewers(results, pictures, ("interpolation",)),
    )


def _training(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "training",
        "Training over time",
        "The same latents at every snapshot, so that each tile can be followed from noise to image.",
        [one for one in _viewers(results, pictures, ("samples", "means"), panels=True) if len(one.picture.grids) > 1],
    )


def _reshape(results: Results, pictures: Pictures) -> Exhibit:
    rows = {(row["images"], row["reshape"]): row for row in results.probe("reshape")["rows"]}
    right, wrong = (rows["samples", how]["frechet_classifier_distance"] for how in ("right", "wrong"))
    return Exhibit(
        "reshape",
        "The same samples, read with the axes in the wrong order",
        "A colour image is stored as three planes. Read as if the three values of a pixel stood side by side, it falls into small "
        f"coloured copies: the distance to real digits goes from {right:,.0f} to {wrong:,.0f}. Whether the report's images were read so "
        "cannot be told.",
        pair=reshaped(pictures, "vu4a-gan-mnist"),
    )


def _naive(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "naive",
        "Estimating log p(x) by sampling the prior",
        "With two latents ten thousand samples come within a third of a nat; with twenty, a hundred thousand are still tens of nats off. "
        "The number needed grows exponentially with the latents, not with the pixels."
        if _naive_holds(results)
        else "Bias of the estimate against the number of samples from the prior.",
        charts=[*naive_estimator(results, list(results.config.variants)), *samples_needed(results)],
    )


def _naive_holds(results: Results) -> bool:
    """Say whether the sentence about the naive estimator is what the results show."""
    bias: dict[tuple[int, int], list[float]] = {}
    for name, variant in results.config.variants.items():
        for run in results.details(name).values():
            for row in run.get("prior_sampling", []):
                model: Any = variant.model
                bias.setdefault((model.latent.dim, row["prior_samples"]), []).append(row["bias_nats"])
    two, twenty = bias.get((2, 10_000)), bias.get((20, 100_000))
    return bool(two and twenty and max(two) < 1 / 3 and min(twenty) > 10)


def samples_needed(results: Results) -> list[Chart]:
    """Return how many samples from the prior have an effective size of ten, against the number of latents; nothing without the probe."""
    try:
        rows = results.probe("prior_cost")["rows"]
    except Missing:
        return []
    shown = [
        {"x": row["latents"], "y": row[key], "kind": kind}
        for key, kind in (("samples_needed", "measured"), ("samples_needed_closed_form", "closed form"))
        for row in rows
        if row.get(key)
    ]
    if not shown:
        return []
    chart = lines(shown, "Latents", "Prior draws for an effective sample size of 10", log_y=True)
    described = (
        "Samples from the prior that give an effective sample size of ten, against the number of latents, in a linear-Gaussian model."
    )
    return [Chart(chart, described, f"results/{results.config.preset}/probes/prior_cost.json", True)]


def _discriminator(results: Results, pictures: Pictures) -> Exhibit:
    probe = results.probe("early_gradients")
    rows = [row for row in probe["rows"] if row["run_step"] > 0]
    said = [
        {"x": row["run_step"], "y": row[key], "kind": kind}
        for key, kind in (("probability_real", "D(x), real images"), ("probability_fake", "D(G(z)), generated images"))
        for row in rows
    ]
    norms = [
        {"x": row["run_step"], "y": row[key], "kind": kind}
        for key, kind in (("saturating_gradient_norm", "saturating loss"), ("non_saturating_gradient_norm", "non-saturating loss"))
        for row in rows
    ]
    source = f"results/{results.config.preset}/probes/early_gradients.json"
    return Exhibit(
        "discriminator",
        "What the discriminator says, step by step",
        "Mean of the discriminator's output over batches, and the norm of the gradient that reaches the generator.",
        charts=[
            Chart(lines(said, "Training step", "Mean output of the discriminator", log_x=True), "D(x) and D(G(z)) by step.", source, True),
            Chart(lines(norms, "Training step", "Gradient norm at the generator", log_x=True), "Gradient norms by step.", source, True),
        ],
    )


def _weights(results: Results) -> list[dict[str, Any]]:
    """Return rate and distortion of the models that differ in the weight of the KL alone, by rising rate; raises Missing without three.

    They are the validation images' means of the last five epochs, of the schedule that most of them share.
    """
    kl, recon = late(results, "val_kl_nats"), late(results, "val_recon_nats")
    by_epochs: dict[int, list[dict[str, Any]]] = {}
    for name, variant in results.config.variants.items():
        objective: Any = variant.training.objective
        model: Any = variant.model
        plain = variant.report == "ai3611" and model.family == "vae" and model.latent.dim == 1 and variant.training.noise is None
        if plain and objective.kind == "elbo" and results.histories(name):
            rate, distortion = (fmean(read(name).values()) for read in (kl, recon))
            row = {"x": rate, "y": distortion, "weight": objective.kl_weight, "name": f"KL × {objective.kl_weight:g}"}
            by_epochs.setdefault(variant.training.epochs, []).append(row)
    rows = max(by_epochs.values(), key=len, default=[])
    if len(rows) < 3:
        raise Missing("fewer than three weights of the KL were run")
    return sorted(rows, key=lambda row: row["x"])


def rate_distortion(results: Results) -> Chart:
    """Return KL against reconstruction error, a point a weight of the KL; raises Missing without three."""
    rows = _weights(results)
    chart = labelled(rows, "Rate: KL (nats per image)", "Distortion: reconstruction error (nats per image)")
    source = f"results/{results.config.preset}/ai3611-vae-z1-*/*/history.csv"
    described = "Reconstruction error of validation images against their KL at the end of training, a point for each weight of the KL."
    return Chart(chart, described, source)


def _rates(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "rate-distortion",
        "What the weight of the KL buys",
        _said_of_weights(_weights(results))
        + " Each point has an objective of its own: only scored at one common weight can they be ranked.",
        charts=[rate_distortion(results)],
    )


def _said_of_weights(rows: Sequence[dict[str, Any]]) -> str:
    """Say of rate and distortion what these rows show: down to weight 1 both gain; below it the reconstruction may gain no more."""
    plain = next((row for row in rows if row["weight"] == 1), None)
    if plain is None:
        return "How much the latent carries (rate), against what the reconstruction loses (distortion)."
    above = [row for row in rows if row["weight"] >= 1]
    below = [row for row in rows if row["weight"] < 1]
    gains = all(first["y"] > second["y"] for first, second in pairwise(above)) and len(above) > 1
    if gains and below and min(row["y"] for row in below) >= plain["y"]:
        return (
            f"Down from weight {above[0]['weight']:g} to 1 the latent carries more about the image (rate) and the reconstruction improves "
            "(distortion); smaller weights raise the rate and gain nothing."
        )
    if gains and all(row["y"] < plain["y"] for row in below):
        return "A smaller weight lets the latent carry more about the image (rate), and the reconstruction improves (distortion)."
    return "How much the latent carries (rate), against what the reconstruction loses (distortion)."


def _whole(results: Results, pictures: Pictures, *kinds: str) -> list[Viewer]:
    """Return a viewer for the first picture of these kinds of every variant, without sliders."""
    found = {name: picture for name in results.config.variants if (picture := pictures.find(name, *kinds)) is not None}
    titles = labels(results.config, list(found))
    return [Viewer(replace(picture, grids=[]), titles[name]) for name, picture in found.items()]


def _by_class(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "classes",
        "Where the digits lie in the latent space",
        "Each point is a test image, coloured by its digit; no model was told the digits.",
        _whole(results, pictures, "codes", "latents_by_class"),
    )


def _nearest(results: Results, pictures: Pictures) -> Exhibit:
    return Exhibit(
        "nearest",
        "Did the model copy its training images?",
        "The top row shows samples. Below each stand the three training images that are nearest to it, pixel by pixel: a copy would show.",
        _whole(results, pictures, "nearest_training"),
    )


def gradients() -> Chart:
    """Return the gradients of both generator losses at the discriminator's logit a, against D(G(z)) = sigmoid(a)."""
    shares = [1 / (1 + exp(-a / 4)) for a in range(-20, 21)]
    rows = [{"x": share, "y": share, "kind": "saturating: |d log(1 − D)/da| = D"} for share in shares]
    rows += [{"x": share, "y": 1 - share, "kind": "non-saturating: |d log D/da| = 1 − D"} for share in shares]
    return Chart(
        lines(rows, "D(G(z))", "Size of the gradient at the logit", points=False), "Gradients of both losses against D(G(z)).", "", True
    )


EXHIBITS: tuple[Callable[[Results, Pictures], Exhibit], ...] = (
    _training,
    _manifold,
    _line,
    _reshape,
    _traversal,
    _interpolation,
    _naive,
    _discriminator,
    _rates,
    _by_class,
    _nearest,
)
