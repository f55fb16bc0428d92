"""Saved views of an experiment in MLflow's page: which columns and charts stand side by side, and in which order."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regen.tracked_run import TrackedRun

__all__ = ["view_addresses", "view_links", "view_tags"]

PREFIX = "mlflow.sharedViewState."
"""What MLflow's page calls a saved view: a tag of the experiment that holds the page's own state as JSON."""

_LIKELIHOOD = ("nll_nats", "nll_nats_low", "nll_nats_high", "bits_per_dim", "neg_elbo_nats", "recon_nats", "kl_nats", "active_units")
_LIKELIHOOD_CURVES = ("val_neg_elbo_nats", "val_recon_nats", "val_kl_nats", "train_neg_elbo_nats", "val_nll_nats")
_SAMPLES = (
    "frechet_classifier_distance",
    "kernel_classifier_distance",
    "precision",
    "recall",
    "density",
    "coverage",
    "digits_covered",
    "nearest_train_ratio",
    "laplacian_variance",
    "checkerboard_energy",
)
_PLAYERS = ("discriminator_nats", "accuracy_real", "accuracy_fake", "probability_real", "probability_fake", "critic")
_PLAYER_CURVES = ("train_discriminator_nats", "train_generator_nats", "val_probability_real", "val_probability_fake", "train_critic")


@dataclass(frozen=True)
class _View:
    """A name, the runs (a query), metrics of the table (sorted by the first, smallest on top), curves and a scatter plot."""

    name: str
    query: str
    columns: Sequence[str]
    curves: Sequence[str]
    scatter: tuple[str, str]
    tags: Sequence[str] = ()


def view_tags(runs: Sequence[TrackedRun]) -> dict[str, str]:
    """Return the tags of an experiment that hold its views; one for each kind of likelihood, for kinds do not compare."""
    return {PREFIX + view.name.lower().replace(" ", "-"): _saved(view, runs) for view in _views(runs)}


def view_addresses(experiment: str, tags: dict[str, str]) -> dict[str, str]:
    """Return name -> the part of an address that opens a view, of those that an experiment's tags hold and that nobody made by hand."""
    address = f"#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey="
    saved = {key.removeprefix(PREFIX): json.loads(value) for key, value in tags.items() if key.startswith(PREFIX)}
    return {view["name"]: address + key for key, view in saved.items() if view.get("createdAt") == 0}


def view_links(experiment: str, tags: dict[str, str]) -> str:
    """Return in Markdown the links that open an experiment's views."""
    return ", ".join(f"[{name}]({address})" for name, address in view_addresses(experiment, tags).items())


def _views(runs: Sequence[TrackedRun]) -> list[_View]:
    kinds = sorted({run.tags["nll_kind"] for run in runs if any(name == "nll_nats" for name, _, _ in run.metrics)})
    families = {run.tags["family"] for run in runs}
    views = [
        _View(f"Likelihood {kind}", f"tags.nll_kind = '{kind}'", _LIKELIHOOD, _LIKELIHOOD_CURVES, ("recon_nats", "kl_nats"), ["family"])
        for kind in kinds
    ]
    views.append(_View("Samples", "", _SAMPLES, (), ("precision", "recall"), ["family", "sampler"]))
    if "gan" in families:
        views.append(_View("GANs", "tags.family = 'gan'", _PLAYERS, _PLAYER_CURVES, ("probability_real", "probability_fake")))
    return views


def _saved(view: _View, runs: Sequence[TrackedRun]) -> str:
    """Return a view as MLflow's page saves it; what no run has is left out, and a time of 0 says that nobody made it by hand."""
    known = {name for run in runs for name, _, _ in run.metrics}
    columns, curves = ([name for name in names if name in known] for names in (view.columns, view.curves))
    section = {"uuid": "regen", "name": view.name, "display": True, "isReordered": True, "deleted": False, "isGenerated": False}
    cards = [
        *(_card("BAR", name, metricKey=name) for name in columns[:1]),
        *(_card("LINE", name, metricKey=name, selectedMetricKeys=[name], xAxisKey="step", **_LINE) for name in curves),
        *(_card("BAR", name, metricKey=name) for name in columns[1:]),
    ]
    if set(view.scatter) <= known:
        x, y = ({"key": name, "type": "METRIC"} for name in view.scatter)
        cards.insert(1, _card("SCATTER", " and ".join(view.scatter), xaxis=x, yaxis=y))
    state = {
        "searchFilter": view.query,
        "orderByKey": f"metrics.`{view.columns[0]}`",
        "orderByAsc": True,
        "selectedColumns": [*(f"tags.`{name}`" for name in view.tags), *(f"metrics.`{name}`" for name in columns)],
        "runsHiddenMode": "SHOW_ALL",
        "compareRunSections": [section],
        "compareRunCharts": cards,
        "isAccordionReordered": True,
    }
    # A tag holds 5,000 characters.
    packed = "deflate;" + base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return json.dumps({"name": view.name, "createdAt": 0, "updatedAt": 0, "state": packed})


_LINE = {"lineSmoothness": 0, "xAxisScaleType": "linear", "scaleType": "linear", "useGlobalXaxisKey": True, "useGlobalLineSmoothing": True}


def _card(kind: str, title: str, **settings: Any) -> dict[str, Any]:
    """Return a chart of the page, of as many runs as MLflow shows at once."""
    common = {"type": kind, "uuid": f"{kind} {title}", "metricSectionId": "regen", "displayName": title, "runsCountToCompare": 100}
    return {**common, "deleted": False, "isGenerated": False, **settings}
