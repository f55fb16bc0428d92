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
LIKELIHOODS = (
    ("importance_samples", "K", "{:.0f}"),
    ("n_images", "n", "{:.0f}"),
    ("nll_nats", "-log p(x) (nats)", "{:.2f}"),
    ("nll_nats_low", "95 % from", "{:.2f}"),
    ("nll_nats_high", "to", "{:.2f}"),
    ("bits_per_dim", "bits a dimension", "{:.4f}"),
    ("ess_mean", "effective samples, mean", "{:.1f}"),
    ("ess_min", "worst", "{:.1f}"),
    ("max_weight_mean", "largest weight, mean", "{:.3f}"),
)
"""Columns of the report's tables: key, heading with its unit, format."""

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
    "density": "a density; D log 256 is added, so that it is per 8-bit level, and it does not compare with -ELBO above",
    "unnormalised": "a Bernoulli cross-entropy on grey values, which is no likelihood: compare it with nothing outside this table",
}
"""What -log p(x) of each kind is."""

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
    "likelihood_columns": LIKELIHOODS,
    "kinds": KINDS,
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


def _used(columns: Sequence[Column], rows: list[dict[str, Any]]) -> list[Column]:
    """Return the columns that are defined for at least one row; all of them where nothing was run."""
    measured = [row for row in rows if row]
    return [column for column in columns if not measured or any(column[0] in row for row in measured)]


def _environment(escape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("regen.report"), autoescape=escape, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"space_line": _space_line}
    environment.filters |= {"number": _number, "scalar": _scalar, "used": _used}
    return environment


def markdown(report: dict[str, Any]) -> str:
    """Return report.md; its figures are links relative to the report's folder."""
    return _environment(escape=False).get_template("report.md.j2").render(report, **TABLES)


def html(report: dict[str, Any], figures: Path) -> str:
    """Return report.html, self-contained: the figures below the folder `figures` are embedded."""

    def embedded(chapter: str, file: str) -> str:
        return "data:image/png;base64," + base64.b64encode((figures / chapter / file).read_bytes()).decode()

    return _environment(escape=True).get_template("report.html.j2").render(report, **TABLES, embedded=embedded)
