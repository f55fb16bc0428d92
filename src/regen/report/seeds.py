"""How far apart the seeds of a variant come out: what a difference between two runs of one seed each may be worth."""

from typing import Any

from scipy.special import stdtr

from regen.report import tables
from regen.report.document import Paragraph, Section
from regen.report.reading import Results

__all__ = ["seeds"]

MEASURES = {
    "neg_elbo_nats": ("-ELBO", " (nats)", "{:.2f}"),
    "nll_nats": ("-log p(x)", " (nats)", "{:.2f}"),
    "frechet_classifier_distance": ("Frechet distance", "", "{:.1f}"),
}
"""Key in metrics.json or quality.json -> name, unit and format."""

SAID = (
    "The same variant, data and protocol; only the seed differs, which draws the initial weights, the order of the images and all noise. "
    "A difference between two variants of one seed each that is no larger than these may be the seeds' alone. Apart by: from the smallest "
    "to the largest. Of a Gaussian likelihood -log p(x) has D log 256 added, -ELBO has not."
)

# P(t > 1) of Student's t with n - 1 degrees of freedom.
TWO, THREE = (100 * float(stdtr(seeds - 1, -1.0)) for seeds in (2, 3))
WEAK = (
    "A claim that one variant lies above another holds with one seed where it does (of likelihoods: by more than the standard error over "
    "images), and with several where the mean of their differences exceeds its standard error. Of variants that do not differ, half would "
    f"pass with one seed, {TWO:.0f} % with two and {THREE:.0f} % with three: a difference of little more than one standard error says "
    "little."
)


def seeds(results: Results) -> Section | None:
    """Return a table of the variants with several seeds: mean and range of -ELBO, likelihood and Frechet distance; None without any."""
    rows = results.each(results.config.variants, lambda name: _row(results, name))
    if not rows:
        return None
    fields = [
        (f"{key}_{which}", f"{name}, {heading}{unit}", form)
        for key, (name, unit, form) in MEASURES.items()
        for which, heading in (("mean", "mean"), ("range", "apart by"))
    ]
    table = tables.grid("Means and ranges over seeds", [*tables.SEEDS, *fields], rows)
    return Section("What a seed changes", [Paragraph(SAID), Paragraph(WEAK), table, *results.notices()], id="seeds", short="seeds")


def _row(results: Results, name: str) -> list[dict[str, Any]]:
    runs = [*results.metrics(name), *results.quality(name)]
    values = {key: [run[key] for run in runs if run.get(key) is not None] for key in MEASURES}
    several = {key: found for key, found in values.items() if len(found) > 1}
    row: dict[str, Any] = {"variant": name, "seeds": max(map(len, several.values()), default=0)}
    for key, found in several.items():
        row |= {f"{key}_mean": sum(found) / len(found), f"{key}_range": max(found) - min(found)}
    return [row] if several else []
