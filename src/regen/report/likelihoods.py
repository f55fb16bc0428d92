"""All models' likelihoods side by side, what confirms them, and what the latents carry: one table a data set and kind of -log p(x)."""

import math
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml

from regen.config.base import Config, Name, PositiveFloat, parse
from regen.params.schema import ReportConfig, ReportedVariant
from regen.results import mean_rows, means, metrics

__all__ = ["compared", "convergence", "read_published"]

COLLAPSED = 0.1
"""Mutual information in nats below which the latents say nothing of the image."""


class Published(Config):
    """A likelihood from the literature, in nats or in bits a dimension, with its protocol and how it is known."""

    dataset: Name
    model: str
    nll_nats: PositiveFloat | None = None
    bits_per_dim: PositiveFloat | None = None
    protocol: str
    source: str
    known: Literal["read", "recalled"]


class _Literature(Config):
    published: list[Published]


def read_published() -> list[Published]:
    """Read published.yaml."""
    source = files("regen.report") / "published.yaml"
    return parse(_Literature, {"published": yaml.safe_load(source.read_text(encoding="utf-8"))}, "published.yaml").published


def compared(config: ReportConfig, root: Path) -> dict[str, Any]:
    """Return what compares the models of all reports.

    `tables`: likelihoods, one table for each data as prepared and kind; `without`: variants that have none, with the reason; `checks`:
    second estimates; `prior_sampling`: the naive estimator; `latents`: latent spaces. Numbers are means over seeds.
    """
    variants = config.variants
    return {
        "tables": _tables(config, root),
        "without": {name: why for name, variant in variants.items() if (why := _without(list(metrics(root, config, name).values())))},
        "checks": [
            {"variant": name, "data": prepared(variant), **row}
            for name, variant in variants.items()
            # The protocol's estimate alone confirms nothing.
            if len(rows := mean_rows(root, config, name, "checks", "estimate")) > 1
            for row in rows
        ],
        "prior_sampling": [
            {"variant": name, "latents": _dim(variant), **row}
            for name, variant in variants.items()
            for row in mean_rows(root, config, name, "prior_sampling", "prior_samples")
        ],
        "latents": [row for name, variant in variants.items() for row in _latents(root, config, name, variant)],
    }


def prepared(variant: ReportedVariant) -> str:
    """Name the images that a variant is measured on."""
    size, binarisation = variant.images.size, variant.images.binarisation
    return variant.dataset + (f", {size}x{size}" if size is not None else "") + (", binarised" if binarisation is not None else "")


def _tables(config: ReportConfig, root: Path) -> list[dict[str, Any]]:
    """Return one table for each data (as prepared) and kind: its rows by rising -log p(x), and what is published on its data set."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for name, variant in config.variants.items():
        runs = [run for run in metrics(root, config, name).values() if run.get("nll_nats") is not None]
        if not runs:
            continue
        key = (prepared(variant), variant.data_source, runs[0]["nll_kind"])
        groups.setdefault(key, []).append({"variant": name, "seeds": len(runs), **means(runs), "others": _others(root, config, name)})
    tables = []
    for (data, source, kind), rows in sorted(groups.items()):
        rows.sort(key=lambda row: row["nll_nats"])
        # A published value is of the official data as they are, and a probability.
        published = [one.model_dump() for one in read_published() if one.dataset == data and kind == "probability" and source == "official"]
        others = list(dict.fromkeys(label for row in rows for label in row["others"]))
        tables.append({"data": data, "data_source": source, "nll_kind": kind, "others": others, "rows": rows, "published": published})
    return tables


def _others(root: Path, config: ReportConfig, name: str) -> dict[str, Any]:
    """Return -log p(x) at the largest K of every entry of the protocol but the last, which is the headline.

    Only of a run that has every K of the entry: one made under another protocol may be of other images.
    """
    rows = mean_rows(root, config, name, "likelihood", "importance_samples", "n_images")
    found: dict[str, Any] = {}
    for entry in config.variants[name].likelihood[:-1]:
        values = {row["importance_samples"]: row["nll_nats"] for row in rows if row["n_images"] == entry.n_images}
        if sorted(values) == entry.importance_samples:
            found[f"K = {entry.importance_samples[-1]:,}, n = {entry.n_images:,}"] = values[entry.importance_samples[-1]]
    return found


def convergence(config: ReportConfig, variants: Mapping[str, ReportedVariant], root: Path) -> list[dict[str, Any]]:
    """Return one table for each data and kind of these variants: -log p(x) by K, a row a variant and set of test images."""
    tables: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for name, variant in variants.items():
        kinds = [run["nll_kind"] for run in metrics(root, config, name).values() if run.get("nll_nats") is not None]
        rows = mean_rows(root, config, name, "likelihood", "importance_samples", "n_images")
        for count in dict.fromkeys(row["n_images"] for row in rows):
            some = [row for row in rows if row["n_images"] == count]
            largest = max(some, key=lambda row: row["importance_samples"])
            values = {f"K = {row['importance_samples']:,.0f}": row["nll_nats"] for row in some}
            key = (prepared(variant), variant.data_source, kinds[0] if kinds else "unknown")
            tables.setdefault(key, []).append({"variant": name, "values": values, **largest})
    return [
        {
            "dataset": key[0],
            "data_source": key[1],
            "nll_kind": key[2],
            "columns": sorted({column for row in rows for column in row["values"]}, key=lambda column: int(column[4:].replace(",", ""))),
            "rows": sorted(rows, key=lambda row: -row["n_images"]),
        }
        for key, rows in sorted(tables.items())
    ]


def _dim(variant: ReportedVariant) -> int:
    """Return the number of latents of a latent-variable model."""
    model: Any = variant.model
    dim: int = model.latent.dim
    return dim


def _without(runs: list[dict[str, Any]]) -> str | None:
    """Return why a variant that was run has no likelihood; None if it has one."""
    if not runs or any(run.get("nll_nats") is not None for run in runs):
        return None
    if any("weights" in run for run in runs):
        return "its weights are not finite"
    if any("gmm_log_likelihood_nats" in run for run in runs):
        return "its density is of codes, not of images"
    return "it gives classes, not images" if any("accuracy" in run for run in runs) else "it can be sampled from, no more"


def _latents(root: Path, config: ReportConfig, name: str, variant: ReportedVariant) -> list[dict[str, Any]]:
    """Return the row of a variant's latent space, if it was measured."""
    runs = [run for run in metrics(root, config, name).values() if run.get("mutual_information_nats") is not None]
    if not runs:
        return []
    row = means(runs)
    each = [latent["kl_nats"] for latent in mean_rows(root, config, name, "latents", "latent") if "kl_nats" in latent]
    counts = {split["split"]: split["n_images"] for split in mean_rows(root, config, name, "splits", "split")}
    collapsed = row["active_units"] == 0 or row["mutual_information_nats"] < COLLAPSED
    return [
        {
            "variant": name,
            "data": f"{prepared(variant)} ({variant.data_source})",
            "seeds": len(runs),
            "latents": _dim(variant),
            **row,
            **({"least_kl_nats": min(each), "most_kl_nats": max(each)} if each else {}),
            # Latents are of all test images, whatever the likelihood is of.
            "log_n": math.log(counts["test"]) if "test" in counts else None,
            "state": "collapsed" if collapsed else "",
        }
    ]
