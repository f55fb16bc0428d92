"""Markdown and HTML from the assembled report: one set of values, two templates."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["html", "markdown"]

Column = tuple[str, str, str]

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
    ("state", "", "{}"),
)
"""Columns of the latent spaces."""

QUALITY = (
    ("frechet_classifier_distance", "Frechet distance", "{:.5g}"),
    ("frechet_before", "before training", "{:.5g}"),
    ("kernel_classifier_distance", "kernel distance", "{:.4g}"),
    ("kernel_standard_error", "standard error", "{:.4g}"),
    ("precision", "precision", "{:.3f}"),
    ("recall", "recall", "{:.3f}"),
    ("density", "density", "{:.3f}"),
    ("coverage", "coverage", "{:.3f}"),
    ("digits_covered", "classes covered", "{:.3g}"),
    ("class_kl_nats", "KL to uniform classes (nats)", "{:.3f}"),
    ("top_class", "most frequent class", "{}"),
    ("top_class_share", "its share", "{:.3f}"),
    ("mean_confidence", "confidence", "{:.3f}"),
    ("laplacian_variance", "sharpness", "{:.4g}"),
    ("sharpness_test", "test images'", "{:.4g}"),
    ("checkerboard_energy", "period-2 energy", "{:.3f}"),
    ("nearest_train_ratio", "nearest training image", "{:.3f}"),
)
"""Columns of the table of sample quality."""

PATHS = (
    ("length", "length", "{:.2f}"),
    ("largest_step", "largest step", "{:.3f}"),
    ("mean_confidence", "confidence", "{:.3f}"),
    ("least_confidence", "least confidence", "{:.3f}"),
)
"""Columns of the table of paths between generated images."""

KINDS = {
    "probability": "a probability of the images' discrete values",
    "density": "a density; D log 256 is added, so that it is per 8-bit level, and it does not compare with -ELBO",
    "unnormalised": "a Bernoulli cross-entropy on grey values, which is no likelihood: it compares with nothing outside this table",
}
"""What -log p(x) of each kind is."""

PROTOCOL = (
    "Every row of a table: the same test images, prepared in the same way, and the mean over n of them of -log (1/K sum of K importance "
    "weights), with latents drawn from q(z given x). K = 1 is a flow, exact at one uniform dequantisation. Intervals are 95 % bootstrap "
    "intervals over images; seeds are averaged. Where n is not all test images they are a random choice, the same for every row. "
    "The estimate lies above -log p(x) in the mean."
)

CHECKS_NOTE = (
    "The importance weights above come from q. These estimates do not: a sum over all states of binary latents or over a grid of one or "
    "two Gaussian ones, which is exact, and annealed importance sampling from the prior. Where the protocol's value lies above them, q "
    "misses latents that explain the image."
)

PRIOR_NOTE = (
    "log p(x) estimated as the log of the mean of p(x given z) over L draws from the prior, on {n_images:,.0f} test images. The bias is of "
    "-log p(x), the variance over independent estimates."
)

LATENTS_NOTE = (
    "On the test images. KL(q(z given x), p(z)) is the information that q carries about which image it was, I(x; z), at most log n, and "
    "the distance of the mean of all q from the prior. A latent is active where the variance of its posterior mean over images is 0.01 or "
    "more. Collapsed: no active latent, or less than 0.1 nats of information."
)

QUALITY_NOTE = (
    "A decoder gives its means; draws from its likelihood stand beside them. Sharpness is the variance of the Laplacian. "
    "The period-2 energy is over that of the test images. "
    "The distance to the nearest training image is over that of a test image: near 0 means copies. "
    "The floor is what the data set's own training images reach."
)

PATH_NOTE = (
    "Ten points between pairs of generated images. The length is the way through the features over the distance of its ends, "
    "the largest step its share of the way: 0.111 if all are even."
)

TABLES = {
    "metric_columns": METRICS,
    "weight_columns": WEIGHTS,
    "compared_columns": COMPARED,
    "check_columns": CHECKS,
    "prior_columns": PRIOR_SAMPLING,
    "latent_columns": LATENTS,
    "kinds": KINDS,
    "protocol": PROTOCOL,
    "checks_note": CHECKS_NOTE,
    "prior_note": PRIOR_NOTE,
    "latents_note": LATENTS_NOTE,
    "quality_columns": QUALITY,
    "quality_note": QUALITY_NOTE,
    "path_columns": PATHS,
    "path_note": PATH_NOTE,
}


def _space_line(space: dict[str, Any]) -> str:
    """Describe the features in which samples are compared."""
    test = space["test"]
    count = f"{test['n_images']:,} test images"
    match space["labels"]:
        case "classes":
            network = f"a convolutional classifier of {space['labels_of']}, right on {test['accuracy']:.2%} of {count}"
        case "factors":
            network = f"a convolutional network of the images' factors, squared error {test['squared_error']:.3g} on {count}"
        case _:
            network = "a convolutional network with random weights, for the data set has no labels"
    return f"Compared with {space['n_images']:,} test images in the {space['n_features']} features of {network}. This is no FID."


def _number(value: float | None) -> str:
    """Write a number to five significant digits, or that there is none."""
    return "no result" if value is None else f"{value:.5g}"


def _scalar(values: dict[str, Any], key: str, form: str) -> str:
    """Write one value of a table's row."""
    if values.get(key) is None:
        return "not defined" if values else "no result"
    return form.format(values[key])


def _cell(values: dict[str, Any], key: str, form: str) -> str:
    """Write one value of a row that need not have it."""
    return "" if values.get(key) is None else form.format(values[key])


def _used(columns: Sequence[Column], rows: list[dict[str, Any]]) -> list[Column]:
    """Return the columns that are defined for at least one row; all of them where nothing was run."""
    measured = [row for row in rows if row]
    return [column for column in columns if not measured or any(column[0] in row for row in measured)]


def _environment(escape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("regen.report"), autoescape=escape, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"space_line": _space_line}
    environment.filters |= {"number": _number, "scalar": _scalar, "cell": _cell, "used": _used}
    return environment


def markdown(report: dict[str, Any]) -> str:
    """Return report.md; its figures are links relative to the report's folder."""
    return _environment(escape=False).get_template("report.md.j2").render(report, **TABLES)


def html(report: dict[str, Any], figures: Path) -> str:
    """Return report.html, self-contained: the figures below the folder `figures` are embedded."""

    def embedded(chapter: str, file: str) -> str:
        return "data:image/png;base64," + base64.b64encode((figures / chapter / file).read_bytes()).decode()

    return _environment(escape=True).get_template("report.html.j2").render(report, **TABLES, embedded=embedded)
