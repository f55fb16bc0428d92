"""Markdown and HTML from the assembled report: one set of values, two templates."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["html", "markdown"]

COLUMNS = (
    ("neg_elbo_nats", "-ELBO (nats)", "{:.2f}"),
    ("recon_nats", "reconstruction (nats)", "{:.2f}"),
    ("kl_nats", "KL (nats)", "{:.2f}"),
    ("nll_nats", "-log p(x) (nats)", "{:.2f}"),
    ("nll_kind", "kind", "{}"),
    ("bits_per_dim", "bits a dimension", "{:.4f}"),
    ("mse_per_pixel", "squared error a pixel", "{:.5f}"),
    ("ess_mean", "effective samples", "{:.1f}"),
    ("importance_samples", "K", "{:.0f}"),
    ("n_images", "n", "{:.0f}"),
)
"""Metrics that the report shows: key, heading with its unit, format."""


def _number(value: float | None) -> str:
    """Write a number to five significant digits, or that there is none."""
    return "no result" if value is None else f"{value:.5g}"


def _scalar(values: dict[str, Any], key: str, form: str) -> str:
    """Write one metric of a variant; the interval beside the likelihood."""
    if values.get(key) is None:
        return "not defined" if values else "no result"
    text = form.format(values[key])
    if key == "nll_nats" and values.get("nll_nats_low") is not None:
        text += f" [{values['nll_nats_low']:.2f}, {values['nll_nats_high']:.2f}]"
    return text


def _environment(escape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("regen.report"), autoescape=escape, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": _number, "scalar": _scalar}
    return environment


def markdown(report: dict[str, Any]) -> str:
    """Return report.md; its figures are links relative to the report's folder."""
    return _environment(escape=False).get_template("report.md.j2").render(report, columns=COLUMNS)


def html(report: dict[str, Any], figures: Path) -> str:
    """Return report.html, self-contained: the figures below the folder `figures` are embedded."""

    def embedded(chapter: str, file: str) -> str:
        return "data:image/png;base64," + base64.b64encode((figures / chapter / file).read_bytes()).decode()

    return _environment(escape=True).get_template("report.html.j2").render(report, columns=COLUMNS, embedded=embedded)
