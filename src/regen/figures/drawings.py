"""What can be drawn of a trained model: every drawing asks for what the model can do, and draws nothing where it cannot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure

from regen.common.determinism import derive_seed
from regen.figures.codes import code_plane, confusion_matrix
from regen.figures.images import interpolations, line, manifold, panels, reconstructions, samples, traversal
from regen.images.batches import to_unit_interval
from regen.images.images import Images
from regen.models.autoencoder import CODE_PRIORS, AutoEncoder
from regen.params.schema import FigureKind, ReportedVariant

__all__ = ["DRAWINGS", "Drawn", "Trained"]

CODES = 2000
"""Test images whose codes are drawn: more would hide each other."""


@dataclass(frozen=True)
class Drawn:
    """A figure with the texts that go with it."""

    kind: FigureKind
    figure: Figure
    title: str
    caption: str
    description: str


@dataclass(frozen=True)
class Trained:
    """What a drawing may use of one variant: the final model, those at the snapshots by title, prepared test images, tables."""

    name: str
    variant: ReportedVariant
    final: Any
    snapshots: dict[str, Any]
    test: Images
    details: dict[str, Any]

    @property
    def panels(self) -> str:
        """Describe a row of panels, one a snapshot."""
        return f"Grids of 25 generated images, one a snapshot: {', '.join(self.snapshots)}."


def decoded_samples(trained: Trained) -> Iterator[Drawn]:
    """Draw decoder means at the snapshots and, where a draw is a plausible image, Bernoulli draws."""
    model = trained.variant.model
    if model.family != "vae" or not trained.snapshots:
        return
    seed = derive_seed("figures", "samples")
    # A prior that is trained gives other latents from the same noise.
    same = "latents" if model.prior.kind == "standard" else "noise"
    caption = f"Decoder means of 25 prior samples of {trained.name}; the same {same} at every snapshot."
    yield Drawn("means", samples(trained.snapshots, seed, draws=False), "Samples: decoder means", caption, trained.panels)
    # A Bernoulli draw of one channel is a black and white image; of three it is confetti.
    if model.likelihood.kind == "bernoulli" and trained.variant.shape[0] == 1:
        caption = f"Bernoulli draws of 25 prior samples of {trained.name}; the same latents as the means."
        yield Drawn("draws", samples(trained.snapshots, seed, draws=True), "Samples: Bernoulli draws", caption, trained.panels)


@torch.no_grad()
def direct_samples(trained: Trained) -> Iterator[Drawn]:
    """Draw 25 images at every snapshot of a model that generates without a decoder."""
    if hasattr(trained.final, "decoder") or not hasattr(trained.final, "sample") or not trained.snapshots:
        return
    images = {}
    for title, model in trained.snapshots.items():
        torch.manual_seed(derive_seed("figures", "samples"))
        images[title] = model.sample(25)
    caption = f"25 samples of {trained.name}; the same noise at every snapshot."
    yield Drawn("samples", panels(images), "Samples", caption, trained.panels)


@torch.no_grad()
def code_prior_samples(trained: Trained) -> Iterator[Drawn]:
    """Draw 25 decoded codes of each distribution that an auto-encoder's codes may be drawn from."""
    if not isinstance(trained.final, AutoEncoder):
        return
    images = {}
    for prior in CODE_PRIORS:
        torch.manual_seed(derive_seed("figures", "samples"))
        images[{"standard": "N(0, I)", "gaussian": "one Gaussian", "mixture": "mixture"}[prior]] = trained.final.sample(25, prior)
    caption = f"Decoded codes of {trained.name}, drawn from N(0, I), from one Gaussian fitted to the codes, and from the mixture."
    yield Drawn("samples", panels(images), "Samples", caption, "Three grids of 25 decoded codes, one a distribution of codes.")


def reconstructed(trained: Trained) -> Iterator[Drawn]:
    """Draw twelve test images and their reconstructions at the snapshots."""
    if not hasattr(trained.final, "decoder") or not trained.snapshots:
        return
    x = to_unit_interval(trained.test.images[:12])
    model = trained.variant.model
    at = {"gaussian": "mean of q", "bernoulli": "likelier value of every latent"}[model.latent.kind] if model.family == "vae" else "code"
    caption = f"Twelve test images and what {trained.name} makes of them at every snapshot (decoder mean at the {at})."
    description = f"Rows of images: test images, then their reconstructions {', '.join(trained.snapshots)}."
    yield Drawn("reconstructions", reconstructions(trained.snapshots, x), "Reconstructions", caption, description)


def latent_space(trained: Trained) -> Iterator[Drawn]:
    """Draw decoded images over a latent space of one or two dimensions with the prior N(0, I)."""
    model = trained.variant.model
    if model.family != "vae" or model.latent.kind != "gaussian" or model.prior.kind != "standard":
        return
    if model.latent.dim == 2:
        caption = f"Decoder means of {trained.name} after training, at 20 x 20 quantiles of the prior."
        description = "Grid of 400 decoded images over the two latent dimensions."
        yield Drawn("manifold", manifold(trained.final), "Data manifold", caption, description)
    if model.latent.dim == 1:
        caption = (
            f"Decoder means of {trained.name} after training at 256 values of z from -5 to 5, row by row; "
            "framed: within two standard deviations of the prior."
        )
        yield Drawn("line", line(trained.final), "Images along z", caption, "Grid of 256 decoded images along the latent dimension.")


def interpolated(trained: Trained) -> Iterator[Drawn]:
    """Draw paths between generated images, of a model with continuous latents."""
    model = trained.variant.model
    if not hasattr(trained.final, "latents") or (model.family == "vae" and model.latent.kind == "bernoulli"):
        return
    figure = interpolations(trained.final, derive_seed("figures", "interpolation"))
    caption = f"Ten points between pairs of images generated by {trained.name} after training, the same pairs in every panel."
    yield Drawn("interpolation", figure, "Interpolation", caption, "Three panels of two rows of ten images, a row a path.")


def traversed(trained: Trained) -> Iterator[Drawn]:
    """Draw what single latents of N(0, I) do to the image."""
    model = trained.variant.model
    if model.family == "gan":
        dim = model.latent_dim
    elif model.family == "vae" and model.latent.kind == "gaussian" and model.prior.kind == "standard" and model.latent.dim > 2:
        dim = model.latent.dim
    else:
        return
    rows = min(6, dim)
    caption = (
        f"Single latents of {trained.name} from -3 to 3, all others at 0: the {rows} of {dim} that change the image most, in this order."
    )
    description = f"Grid of images, {rows} rows, a row a latent."
    yield Drawn("traversal", traversal(trained.final, dim), "Latent traversal", caption, description)


def codes(trained: Trained) -> Iterator[Drawn]:
    """Draw the codes of an auto-encoder with two of them, by class if there are classes, with the mixture over them."""
    if not isinstance(trained.final, AutoEncoder) or trained.final.mixture.means.shape[1] != 2:
        return
    test = trained.test.take(slice(CODES))
    figure = code_plane(trained.final.codes(test.images), test.labels, trained.final.mixture)
    coloured = ", coloured by class" if test.labels.ndim == 1 else ""
    caption = f"Codes of {len(test)} test images by {trained.name}{coloured}; ellipses: components at one and two standard deviations."
    description = f"Scatter plot of two-dimensional codes with ellipses for {len(trained.final.mixture.weights)} components."
    yield Drawn("codes", figure, "Latent codes and the mixture", caption, description)


def confused(trained: Trained) -> Iterator[Drawn]:
    """Draw a classifier's confusion matrix."""
    if "confusion" not in trained.details:
        return
    matrix = trained.details["confusion"]
    right, count = sum(row[index] for index, row in enumerate(matrix)), sum(map(sum, matrix))
    caption = f"Predictions of {trained.name} on {count} test images; {right} ({right / count:.2%}) lie on the diagonal."
    description = "Table of counts: a row a true class, a column a predicted class."
    yield Drawn("confusion", confusion_matrix(matrix), "Confusion matrix", caption, description)


DRAWINGS: tuple[Callable[[Trained], Iterator[Drawn]], ...] = (
    decoded_samples,
    direct_samples,
    code_prior_samples,
    reconstructed,
    latent_space,
    interpolated,
    traversed,
    codes,
    confused,
)
