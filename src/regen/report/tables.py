"""The report's tables: which values stand in which column, and how they are written."""

from collections.abc import Sequence
from typing import Any

from regen.report.document import Code, Column, Table, Text
from regen.report.words import WITHOUT_RESULT

__all__ = [
    "APPEARANCE",
    "CHECKS",
    "COMPARED",
    "DISTANCES",
    "LATENTS",
    "METRICS",
    "PATHS",
    "PRIOR_SAMPLING",
    "SEEDS",
    "WEIGHTS",
    "Field",
    "cells",
    "columns",
    "grid",
    "number",
    "used",
    "written",
]

Field = tuple[str, str, str]
"""The key of a value, the heading of its column with the unit, and its format."""

SEEDS = (("seeds", "seeds", "{}"),)
METRICS = (
    ("neg_elbo_nats", "-ELBO (nats)", "{:.2f}"),
    ("recon_nats", "reconstruction (nats)", "{:.2f}"),
    ("kl_nats", "KL (nats)", "{:.2f}"),
    ("mse_per_pixel", "squared error a pixel", "{:.5f}"),
    ("gmm_log_likelihood_nats", "log p(code), mixture (nats)", "{:.3f}"),
    ("cross_entropy_nats", "cross-entropy (nats)", "{:.4f}"),
    ("accuracy", "accuracy", "{:.4f}"),
    ("discriminator_nats", "discriminator's loss (nats)", "{:.3f}"),
    ("accuracy_real", "test images judged real", "{:.3f}"),
    ("accuracy_fake", "generated images judged generated", "{:.3f}"),
    ("probability_real", "D of test images", "{:.3f}"),
    ("probability_fake", "D of generated images", "{:.3f}"),
    ("critic", "critic on generated minus on test images", "{:.3f}"),
)

WEIGHTS = (
    ("ess_mean", "effective samples, mean", "{:.1f}"),
    ("ess_min", "worst", "{:.1f}"),
    ("max_weight_mean", "largest weight, mean", "{:.3f}"),
)
"""Columns of the report's tables: key, heading with its unit, format."""

COMPARED = (
    ("seeds", "seeds", "{}"),
    ("importance_samples", "K", "{:,.0f}"),
    ("n_images", "n", "{:,.0f}"),
    ("nll_nats", "-log p(x) (nats)", "{:.2f}"),
    ("nll_nats_low", "95 % from", "{:.2f}"),
    ("nll_nats_high", "to", "{:.2f}"),
    ("bits_per_dim", "bits a dimension", "{:.4f}"),
)
"""Columns of the comparison of all models."""

CHECKS = (
    ("data", "data", "{}"),
    ("seeds", "seeds", "{}"),
    ("estimate", "estimate", "{}"),
    ("decodes", "latents an image", "{:,.0f}"),
    ("chains", "chains", "{:,.0f}"),
    ("temperatures", "temperatures", "{:,.0f}"),
    ("nll_nats", "-log p(x) (nats)", "{:.2f}"),
    ("difference_nats", "by q minus this (nats)", "{:.3f}"),
    ("difference_standard_error_nats", "standard error", "{:.3f}"),
    ("largest_difference_nats", "largest of an image", "{:.2f}"),
    ("grid_error_nats", "error of the grid, at most", "{:.2g}"),
)
"""Columns of the second estimates."""

PRIOR_SAMPLING = (
    ("latents", "latents", "{}"),
    ("prior_samples", "L", "{:,.0f}"),
    ("estimates", "estimates", "{:,.0f}"),
    ("nll_nats", "-log p(x) (nats)", "{:.2f}"),
    ("bias_nats", "bias (nats)", "{:.3f}"),
    ("variance_nats2", "variance (nats^2)", "{:.4g}"),
    ("ess_mean", "effective samples, mean", "{:.2f}"),
    ("ess_min", "worst", "{:.2f}"),
    ("truth", "held against", "{}"),
)
"""Columns of the naive estimator."""

LATENTS = (
    ("data", "data", "{}"),
    ("seeds", "seeds", "{}"),
    ("latents", "latents", "{}"),
    ("active_units", "active", "{:.3g}"),
    ("kl_nats", "KL(q(z given x), p(z)) (nats)", "{:.2f}"),
    ("least_kl_nats", "of one latent, least", "{:.3f}"),
    ("most_kl_nats", "most", "{:.2f}"),
    ("mutual_information_nats", "I(x; z) (nats)", "{:z.2f}"),
    ("log_n", "log n", "{:.2f}"),
    ("aggregate_kl_nats", "KL(q(z), p(z)) (nats)", "{:z.2f}"),
    ("state", "state", "{}"),
)
"""Columns of the latent spaces."""

DISTANCES = (
    ("frechet_classifier_distance", "Frechet distance", "{:.5g}"),
    ("frechet_before", "before training", "{:.5g}"),
    ("kernel_classifier_distance", "kernel distance", "{:.4g}"),
    ("kernel_standard_error", "standard error", "{:.4g}"),
    ("precision", "precision", "{:.3f}"),
    ("recall", "recall", "{:.3f}"),
    ("density", "density", "{:.3f}"),
    ("coverage", "coverage", "{:.3f}"),
    ("nearest_train_ratio", "nearest training image", "{:.3f}"),
)
"""Columns of how far samples lie from test images."""

APPEARANCE = (
    ("digits_covered", "classes covered", "{:.3g}"),
    ("class_kl_nats", "KL to uniform classes (nats)", "{:.3f}"),
    ("top_class", "most frequent class", "{}"),
    ("top_class_share", "its share", "{:.3f}"),
    ("mean_confidence", "confidence", "{:.3f}"),
    ("confident_share", "confident", "{:.3f}"),
    ("laplacian_variance", "sharpness", "{:.4g}"),
    ("sharpness_test", "test images'", "{:.4g}"),
    ("checkerboard_energy", "period-2 energy", "{:.3f}"),
    ("blockiness", "2x2 blockiness", "{:.3f}"),
)
"""Columns of what samples look like: their classes and their texture."""

PATHS = (
    ("length", "length", "{:.2f}"),
    ("largest_step", "largest step", "{:.3f}"),
    ("mean_confidence", "confidence", "{:.3f}"),
    ("least_confidence", "least confidence", "{:.3f}"),
)
"""Columns of the table of paths between generated images."""


def number(value: float | None) -> str:
    """Write a number to five significant digits, or that there is none."""
    return WITHOUT_RESULT if value is None else f"{value:.5g}"


def written(value: Any, form: str) -> str:
    """Write a value in its format, nothing where there is none; what the format is not for is written as it is."""
    if value is None:
        return ""
    try:
        return form.format(value)
    except (ValueError, TypeError):
        return str(value)


def cells(values: dict[str, Any], fields: Sequence[Field], undefined: str = "") -> list[Text]:
    """Return a row's cells; a value that the row lacks is `undefined`."""
    return [written(values.get(key), form) or undefined for key, _, form in fields]


def used(fields: Sequence[Field], rows: Sequence[dict[str, Any]]) -> list[Field]:
    """Return the columns that are defined for at least one row; all of them where nothing was run."""
    measured = [row for row in rows if row]
    return [column for column in fields if not measured or any(column[0] in row for row in measured)]


def columns(*headings: str, fields: Sequence[Field] = ()) -> list[Column]:
    """Return columns of words, then those of values; a column of values is numeric unless its format is for any value."""
    return [Column(heading, numeric=False) for heading in headings] + [
        Column(heading, numeric=form != "{}" or key in ("seeds", "latents")) for key, heading, form in fields
    ]


def grid(label: str, fields: Sequence[Field], rows: Sequence[dict[str, Any]]) -> Table:
    """Return a sortable table: a row each, named by its variant."""
    shown = used(fields, rows)
    return Table(label, columns("variant", fields=shown), [[Code(row["variant"]), *cells(row, shown)] for row in rows], sortable=True)
