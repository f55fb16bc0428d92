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

KINDS = {
    "probability": "a probability of the images' discrete values",
    "density": "a density; D log 256 is added, so that it is per 8-bit level, and it does not compare with -ELBO above",
    "unnormalised": "a Bernoulli cross-entropy on grey values, which is no likelihood: compare it with nothing outside this table",
}
"""What -log p(x) of each kind is."""


TABLES = {"metric_columns": METRICS, "likelihood_columns": LIKELIHOODS, "kinds": KINDS}


def _number(value: float | None) -> str:
    """Write a number to five significant digits, or that there is none."""
    return "no result" if value is None else f"{value:.5g}"


def _scalar(values: dict[str, Any], key: str, form: str) -> str:
    """Write one value of a table's row."""
    if values.get(key) is None:
        return "not defined" if values else "no result"
    return form.format(values[key])


def _used(columns: Sequence[Column], variants: list[dict[str, Any]]) -> list[Column]:
    """Return the columns that are defined for at least one variant; all of them where nothing was run."""
    measured = [variant["metrics"] for variant in variants if variant["metrics"]]
    return [column for column in columns if not measured or any(column[0] in metrics for metrics in measured)]


def _environment(escape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("regen.report"), autoescape=escape, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
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
