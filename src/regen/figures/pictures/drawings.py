"""The pictures of a trained model, by kind; which of them a model can have is said in params/figures.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from matplotlib.figure import Figure

from regen.common.determinism import derive_seed
from regen.figures.pictures.codes import class_plane, code_plane, principal_plane
from regen.figures.pictures.images import (
    interpolations,
    line,
    neighbours,
    panels,
    plane,
    prior_quantiles,
    reconstructions,
    samples,
    traversal,
)
from regen.images.batches import to_levels, to_unit_interval
from regen.images.images import Images
from regen.models.autoencoder import CODE_PRIORS, AutoEncoder
from regen.params.figures import DrawConfig, PictureKind

__all__ = ["AT_SNAPSHOTS", "DRAWINGS", "OF_CLASSES", "Drawn", "Trained"]

CODES = 2000
"""Test images whose codes are drawn: more would hide each other."""

AT_SNAPSHOTS = ("means", "draws", "reconstructions")
"""Kinds that show the snapshots alone: there are none of a variant without snapshots."""

OF_CLASSES = ("latents_by_class",)
"""Kinds that show classes: there are none of a data set without them."""

SAMPLED = 3
"""Samples whose latents are moved one at a time."""

BESIDE = 10
"""Samples that stand beside their nearest training images."""


@dataclass(frozen=True)
class Drawn:
    """A figure with the texts that go with it."""

    figure: Figure
    title: str
    caption: str
    description: str


@dataclass(frozen=True)
class Trained:
    """What a drawing may use of one variant: the final model, those at the snapshots by title, prepared images; `train` reads its own."""

    config: DrawConfig
    final: Any
    snapshots: dict[str, Any]
    test: Images
    train: Callable[[], Images] = field(repr=False)

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.config.variant

    @property
    def count(self) -> int:
        """How many samples are drawn: 25, of images above 32 pixels 16."""
        return 25 if self.config.shape[-1] <= 32 else 16

    @property
    def panels(self) -> str:
        """Describe a row of panels, one a snapshot."""
        return f"Grids of {self.count} generated images, one a snapshot: {', '.join(self.snapshots)}."


def means(trained: Trained) -> Drawn:
    """Draw decoder means at the snapshots."""
    # A prior that is trained gives other latents from the same noise.
    same = "latents" if trained.config.model.prior.kind == "standard" else "noise"  # type: ignore[union-attr]
    caption = f"Decoder means of {trained.count} prior samples of {trained.name}; the same {same} at every snapshot."
    figure = samples(trained.snapshots, derive_seed("figures", "samples"), draws=False, count=trained.count)
    return Drawn(figure, "Samples: decoder means", caption, trained.panels)


def draws(trained: Trained) -> Drawn:
    """Draw Bernoulli draws at the snapshots."""
    caption = f"Bernoulli draws of {trained.count} prior samples of {trained.name}; the same latents as the means."
    figure = samples(trained.snapshots, derive_seed("figures", "samples"), draws=True, count=trained.count)
    return Drawn(figure, "Samples: Bernoulli draws", caption, trained.panels)


@torch.no_grad()
def generated(trained: Trained) -> Drawn:
    """Draw 25 images at every snapshot of a model that generates without a decoder, or of every distribution of codes."""
    models, drawn = trained.snapshots or {"after training": trained.final}, {}
    caption = f"{trained.count} samples of {trained.name}; the same noise at every snapshot."
    description = trained.panels if trained.snapshots else f"Grid of {trained.count} generated images."
    if isinstance(trained.final, AutoEncoder):
        caption = f"Decoded codes of {trained.name}, {trained.count} each, drawn from N(0, I), "
        caption += "from one Gaussian fitted to the codes, and from the mixture."
        description = f"Three grids of {trained.count} decoded codes, one a distribution of codes."
        titles = {"standard": "N(0, I)", "gaussian": "one Gaussian", "mixture": "mixture"}
        drawn = {titles[prior]: _sample(trained.final, trained.count, prior) for prior in CODE_PRIORS}
    else:
        drawn = {title: _sample(model, trained.count) for title, model in models.items()}
    return Drawn(panels(drawn), "Samples", caption, description)


def _sample(model: Any, count: int, *prior: str) -> torch.Tensor:
    """Return `count` images of a model, from the same noise at every call."""
    torch.manual_seed(derive_seed("figures", "samples"))
    images: torch.Tensor = model.sample(count, *prior)
    return images


@torch.no_grad()
def final(trained: Trained) -> Drawn:
    """Draw 25 samples of the trained model alone, to stand beside those of others."""
    if trained.config.model.family == "vae":
        figure = samples({"after training": trained.final}, derive_seed("figures", "samples"), draws=False, count=trained.count)
        what = f"decoder means of {trained.count} prior samples"
    else:
        codes = ("mixture",) if isinstance(trained.final, AutoEncoder) else ()
        figure = panels({"after training": _sample(trained.final, trained.count, *codes)})
        what = f"{trained.count} decoded codes from the mixture" if codes else f"{trained.count} samples"
    caption = f"{trained.name} after training: {what}."
    return Drawn(figure, "Samples after training", caption, f"Grid of {trained.count} generated images.")


def reconstructed(trained: Trained) -> Drawn:
    """Draw twelve test images and their reconstructions at the snapshots."""
    images = trained.test.images[:12]
    model = trained.config.model
    at = {"gaussian": "mean of q", "bernoulli": "likelier value of every latent"}[model.latent.kind] if model.family == "vae" else "code"
    caption = f"{len(images)} test images and what {trained.name} makes of them at every snapshot (decoder mean at the {at})."
    description = f"Rows of images: test images, then their reconstructions {', '.join(trained.snapshots)}."
    return Drawn(reconstructions(trained.snapshots, images), "Reconstructions", caption, description)


def manifold(trained: Trained) -> Drawn:
    """Draw decoded images at quantiles of a two-latent prior."""
    caption = f"Decoder means of {trained.name} after training, at 20 x 20 quantiles of the prior."
    figure = plane(trained.final, prior_quantiles(20), "quantiles of the prior")
    return Drawn(figure, "Data manifold", caption, "Grid of 400 decoded images over the two latent dimensions.")


def square(trained: Trained) -> Drawn:
    """Draw decoded images on the square [-5, 5]^2 of two latents (ai3611, Figure 6)."""
    caption = f"Decoder means of {trained.name} after training, at 16 x 16 even steps from -5 to 5."
    figure = plane(trained.final, torch.linspace(-5, 5, 16), "even steps")
    return Drawn(figure, "Images on a square of the latent space", caption, "Grid of 256 decoded images over the two latent dimensions.")


FRAMED = "row by row; framed: within two standard deviations of the prior."


def along(trained: Trained) -> Drawn:
    """Draw decoded images along a single latent (ai3611, Figure 5)."""
    caption = f"Decoder means of {trained.name} after training at 256 values of z from -5 to 5, {FRAMED}"
    figure = line(trained.final, torch.linspace(-5, 5, 256))
    return Drawn(figure, "Images along z", caption, "Grid of 256 decoded images along the latent dimension.")


def along_quantiles(trained: Trained) -> Drawn:
    """Draw decoded images at quantiles of a single latent's prior."""
    caption = f"Decoder means of {trained.name} after training at 256 quantiles of the prior, {FRAMED}"
    figure = line(trained.final, prior_quantiles(256))
    return Drawn(figure, "Images along the prior's quantiles", caption, "Grid of 256 decoded images along the latent dimension.")


def interpolated(trained: Trained) -> Drawn:
    """Draw paths between generated images."""
    points = trained.config.points
    figure = interpolations(trained.final, derive_seed("figures", "interpolation"), points=points)
    caption = f"{points} points between pairs of images generated by {trained.name} after training, the same pairs in every panel."
    return Drawn(figure, "Interpolation", caption, f"Three panels of two rows of {points} images, a row a path.")


def traversed(trained: Trained) -> Drawn:
    """Draw what single latents of N(0, I) do to the image at 0 and to samples (davari, Figure 5)."""
    model = trained.config.model
    dim = model.latent_dim if model.family == "gan" else model.latent.dim  # type: ignore[union-attr]
    rows = min(3, dim)
    torch.manual_seed(derive_seed("figures", "traversal"))
    figure = traversal(trained.final, torch.randn(SAMPLED, dim), rows)
    caption = (
        f"Single latents of {trained.name} from -3 to 3, all others at 0, and in the {SAMPLED} rows below as {SAMPLED} samples have them: "
    )
    caption += f"the {rows} of {dim} that change the image most from 0, in this order."
    return Drawn(figure, "Latent traversal", caption, f"Grid of images, {rows * (1 + SAMPLED)} rows, {1 + SAMPLED} a latent.")


@torch.no_grad()
def classed(trained: Trained) -> Drawn:
    """Draw the posterior means of test images by class: two latents as they are, more on two principal components."""
    test = trained.test.take(slice(CODES))
    means = trained.final.encoder(to_unit_interval(test.images)).mean
    what = f"Means of q(z | x) of {len(test)} test images by {trained.name}, coloured by class"
    if means.shape[1] == 2:
        figure, caption = class_plane(means, test.labels, "$z_1$", "$z_2$"), f"{what}."
    else:
        points, shares = principal_plane(means)
        named = [f"principal component {place} ({100 * share:.0f} %)" for place, share in enumerate(shares, 1)]
        figure = class_plane(points, test.labels, *named)
        caption = f"{what}, on the two principal components of all {means.shape[1]} latents, with their shares of the variance."
    return Drawn(figure, "Latents by class", caption, "Scatter plot of two-dimensional points, a colour a class.")


@torch.no_grad()
def beside_training(trained: Trained) -> Drawn:
    """Draw samples above the training images that are nearest in pixels."""
    torch.manual_seed(derive_seed("figures", "nearest"))
    figure = neighbours(to_levels(trained.final.sample(BESIDE)), trained.train().images)
    caption = f"{BESIDE} samples of {trained.name} after training and the training images nearest to each by the distance of pixels."
    return Drawn(
        figure, "Samples and their nearest training images", caption, "Four rows of images: samples, then three neighbours of each."
    )


def coded(trained: Trained) -> Drawn:
    """Draw the codes of an auto-encoder with two of them, by class if there are classes, with the mixture over them."""
    test = trained.test.take(slice(CODES))
    figure = code_plane(trained.final.codes(test.images), test.labels, trained.final.mixture)
    coloured = ", coloured by class" if test.labels.ndim == 1 else ""
    caption = f"Codes of {len(test)} test images by {trained.name}{coloured}; ellipses: components at one and two standard deviations."
    description = f"Scatter plot of two-dimensional codes with ellipses for {len(trained.final.mixture.weights)} components."
    return Drawn(figure, "Latent codes and the mixture", caption, description)


DRAWINGS: dict[PictureKind, Callable[[Trained], Drawn]] = {
    "means": means,
    "draws": draws,
    "samples": generated,
    "final": final,
    "reconstructions": reconstructed,
    "manifold": manifold,
    "square": square,
    "line": along,
    "quantile_line": along_quantiles,
    "interpolation": interpolated,
    "traversal": traversed,
    "codes": coded,
    "latents_by_class": classed,
    "nearest_training": beside_training,
}
