"""All models' likelihoods side by side, what confirms them, and what the latents carry: the values of the report's tables."""

import math
from collections.abc import Iterable
from typing import Any

from regen.params.schema import ReportedVariant
from regen.report.published import QUANTITIES, Published, read_published
from regen.report.reading import Results
from regen.results import means

__all__ = [
    "checks",
    "convergence",
    "few_weights",
    "fixed_scale",
    "held_against",
    "latents",
    "likelihoods",
    "prepared",
    "prior_sampling",
    "without",
]

COLLAPSED = 0.1
"""Mutual information in nats below which the latents say nothing of the image."""

AT_LIMIT = 0.2
"""Nats below log n from which on the mutual information is at its limit."""

WIDE = 3
"""Width of the interval at the smallest K, over that at the largest, above which a few images decide."""


def checks(results: Results) -> list[dict[str, Any]]:
    """Return the second estimates, a row each; the protocol's estimate alone confirms nothing."""

    def rows(name: str) -> list[dict[str, Any]]:
        found = results.rows(name, "checks", "estimate")
        return [{"variant": name, "data": prepared(results.config.variants[name]), **row} for row in found] if len(found) > 1 else []

    return results.each(results.config.variants, rows)


def prior_sampling(results: Results) -> list[dict[str, Any]]:
    """Return what the naive estimator gives, a row a number of draws."""
    variants = results.config.variants
    return results.each(
        variants,
        lambda name: [
            {"variant": name, "latents": _dim(variants[name]), **row} for row in results.rows(name, "prior_sampling", "prior_samples")
        ],
    )


def prepared(variant: ReportedVariant) -> str:
    """Name the images that a variant is measured on."""
    size, binarisation = variant.images.size, variant.images.binarisation
    return variant.dataset + (f", {size}x{size}" if size is not None else "") + (", binarised" if binarisation is not None else "")


def likelihoods(results: Results) -> list[dict[str, Any]]:
    """Return one table for each data (as prepared) and kind: its rows by rising -log p(x), and what is published on its data set."""

    def row(name: str) -> list[tuple[tuple[str, str, str], dict[str, Any]]]:
        variant = results.config.variants[name]
        runs = [run for run in results.metrics(name) if run.get("nll_nats") is not None]
        if not runs:
            return []
        values = means(runs)
        key = (prepared(variant), variant.data_source, str(runs[0].get("nll_kind")))
        return [
            (
                key,
                {
                    "variant": name,
                    "seeds": len(runs),
                    **values,
                    "nll_nats": float(values["nll_nats"]),
                    "epochs": _epochs(results, name),
                    "step": _step(results, name),
                },
            )
        ]

    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for key, values in results.each(results.config.variants, row):
        groups.setdefault(key, []).append(values)
    tables = []
    for (data, source, kind), rows in sorted(groups.items()):
        rows.sort(key=lambda row: row["nll_nats"])
        # A published likelihood is of the official data as they are, and a probability.
        of_data = [one for one in read_published() if one.dataset == data and source == "official" and kind == "probability"]
        published = [one.model_dump() for one in of_data if one.neg_elbo_nats is None]
        steps = list(dict.fromkeys(label for row in rows for label in row["step"]))
        tables.append({"data": data, "data_source": source, "nll_kind": kind, "steps": steps, "rows": rows, "published": published})
    return tables


def fixed_scale(results: Results, rows: Iterable[dict[str, Any]]) -> dict[float, float]:
    """Return the standard deviation of Gaussian likelihoods that do not learn it -> what it costs at least, in bits a dimension.

    The density of a Gaussian is 1 / (sigma sqrt(2 pi)) at most, a level of 8 bits 1/256 wide.
    """
    models: list[Any] = [results.config.variants[row["variant"]].model for row in rows]
    likelihoods = [model.likelihood for model in models if model.family == "vae" and model.likelihood.kind == "gaussian"]
    scales = dict.fromkeys(likelihood.scale for likelihood in likelihoods if not likelihood.learn_scale)
    return {scale: 8 + math.log2(scale * math.sqrt(2 * math.pi)) for scale in scales}


def few_weights(results: Results) -> list[dict[str, Any]]:
    """Return the estimates by importance sampling with fewer than two effective samples at their largest K, a row a variant."""

    def rows(name: str) -> list[dict[str, Any]]:
        found = results.rows(name, "likelihood", "importance_samples", "n_images")
        largest = max(found, key=lambda row: row["importance_samples"], default={"importance_samples": 1})
        few = largest["importance_samples"] > 1 and largest["ess_mean"] < 2
        return [{"variant": name, **largest}] if few else []

    return results.each(results.config.variants, rows)


def _step(results: Results, name: str) -> dict[str, float]:
    """Return how -log p(x) changes from the headline's K to the largest K of the protocol's first entry, on that entry's images.

    Only of a run that has every K of the entry: one made under another protocol may be of other images.
    """
    entry, headline = results.config.variants[name].likelihood[0], results.config.variants[name].likelihood[-1]
    rows = results.rows(name, "likelihood", "importance_samples", "n_images")
    values = {row["importance_samples"]: row["nll_nats"] for row in rows if row["n_images"] == entry.n_images}
    start, end = headline.importance_samples[-1], entry.importance_samples[-1]
    if entry is headline or sorted(values) != entry.importance_samples or start not in values:
        return {}
    return {f"step from K = {start:,} to {end:,}, n = {entry.n_images:,}": values[end] - values[start]}


def _epochs(results: Results, name: str) -> int | None:
    """Return the epochs that all seeds of a variant were trained; None where no history is there."""
    return min((len(history) for history in results.histories(name).values()), default=None)


def held_against(results: Results) -> list[dict[str, Any]]:
    """Return a row for each published number whose nearest variant was run on the official data: here, published, the difference, and why.

    -log p(x) is of all images of the headline, at the protocol's largest K: the step to it from the headline's K was measured on the
    fewer images of that K, and is added.
    """

    def rows(one: Published) -> list[dict[str, Any]]:
        beside = one.beside
        if beside is None or beside.variant not in results.config.variants:
            return []
        variant = results.config.variants[beside.variant]
        runs = [run for run in results.metrics(beside.variant) if run.get(one.quantity) is not None]
        likelihood = one.quantity != "neg_elbo_nats"
        if (
            not runs
            or (prepared(variant), variant.data_source) != (one.dataset, "official")
            or (likelihood and runs[0].get("nll_kind") != "probability")
        ):
            return []
        values = means(runs)
        here, n = values[one.quantity], f"n = {values['n_images']:,.0f}"
        measured_at = f"K = {values['importance_samples']:,.0f}, {n}" if likelihood else n
        if one.quantity == "nll_nats":
            for label, change in _step(results, beside.variant).items():
                measured_at, here = f"{measured_at}; the {label}", here + change
        epochs = "" if beside.epochs is None else f"{variant.training.epochs:,} of {beside.epochs:,} epochs; "
        return [
            {
                "variant": beside.variant,
                "quantity": QUANTITIES[one.quantity],
                "form": "{:.3f}" if one.quantity == "bits_per_dim" else "{:.2f}",
                "here": here,
                "published": one.value,
                "difference": here - one.value,
                "measured_at": measured_at,
                "model": one.model,
                "source": f"{one.source} ({one.known}): {one.protocol}",
                "differs": epochs + beside.differs,
            }
        ]

    return results.each(read_published(), rows, lambda one: one.model)


def convergence(results: Results, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return one table for each data and kind of these variants: -log p(x) by K, a row a variant and set of test images."""

    def of(name: str) -> list[tuple[tuple[str, str, str], dict[str, Any]]]:
        variant = results.config.variants[name]
        kinds = [str(run["nll_kind"]) for run in results.metrics(name) if run.get("nll_nats") is not None]
        rows = results.rows(name, "likelihood", "importance_samples", "n_images")
        found: list[tuple[tuple[str, str, str], dict[str, Any]]] = []
        for count in dict.fromkeys(row["n_images"] for row in rows):
            some = [row for row in rows if row["n_images"] == count]
            largest = max(some, key=lambda row: row["importance_samples"])
            values = {f"K = {row['importance_samples']:,.0f}": row["nll_nats"] for row in some}
            first = min(some, key=lambda row: row["importance_samples"])
            wide = first if _width(first) > WIDE * _width(largest) else None
            key = (prepared(variant), variant.data_source, kinds[0] if kinds else "unknown")
            found.append((key, {"variant": name, "values": values, "wide": wide, **largest, "n_images": float(count)}))
        return found

    tables: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for key, row in results.each(names, of):
        tables.setdefault(key, []).append(row)
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


def _width(row: dict[str, Any]) -> float:
    """Return the width of the interval of -log p(x)."""
    width: float = row["nll_nats_high"] - row["nll_nats_low"]
    return width


def _dim(variant: ReportedVariant) -> int:
    """Return the number of latents of a latent-variable model."""
    model: Any = variant.model
    dim: int = model.latent.dim
    return dim


def without(results: Results) -> dict[str, str]:
    """Return why a variant that was run has no likelihood."""

    def reason(name: str) -> list[tuple[str, str]]:
        runs = results.metrics(name)
        if not runs or any(run.get("nll_nats") is not None for run in runs):
            return []
        if any("weights" in run for run in runs):
            return [(name, "its weights are not finite")]
        if any("gmm_log_likelihood_nats" in run for run in runs):
            return [(name, "its density is of codes, not of images")]
        return [(name, "it gives classes, not images" if any("accuracy" in run for run in runs) else "it can be sampled from, no more")]

    return dict(results.each(results.config.variants, reason))


def latents(results: Results) -> list[dict[str, Any]]:
    """Return what each measured latent space carries, a row a variant."""
    return results.each(results.config.variants, lambda name: _latents(results, name))


def _latents(results: Results, name: str) -> list[dict[str, Any]]:
    variant = results.config.variants[name]
    runs = [run for run in results.metrics(name) if run.get("mutual_information_nats") is not None]
    if not runs:
        return []
    row = means(runs)
    each = [latent["kl_nats"] for latent in results.rows(name, "latents", "latent") if "kl_nats" in latent]
    counts = {split["split"]: split["n_images"] for split in results.rows(name, "splits", "split")}
    log_n = math.log(counts["test"]) if "test" in counts else None
    collapsed = row["active_units"] == 0 or row["mutual_information_nats"] < COLLAPSED
    at_limit = log_n is not None and row["mutual_information_nats"] > log_n - AT_LIMIT
    return [
        {
            "variant": name,
            "data": f"{prepared(variant)} ({variant.data_source})",
            "seeds": len(runs),
            "latents": _dim(variant),
            **row,
            **({"least_kl_nats": min(each), "most_kl_nats": max(each)} if each else {}),
            # Latents are of all test images, whatever the likelihood is of.
            "log_n": log_n,
            "state": "collapsed" if collapsed else "I(x; z) at its limit" if at_limit else "",
        }
    ]
