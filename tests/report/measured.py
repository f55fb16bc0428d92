"""The files of likelihoods, made up for the tests of the comparison."""

import json
import re
from pathlib import Path
from typing import Any

from forms import Page, both, chapters, tables

from regen.params.schema import ReportConfig

__all__ = ["CHECKS", "LATENTS", "PRIOR", "Row", "alone", "changed", "likelihood", "measure", "section", "started", "titled"]

Row = dict[str, Any]

CHECKS: list[Row] = [
    {"estimate": "importance sampling", "decodes": 5000, "n_images": 20, "nll_nats": 100.25, "standard_error_nats": 3.5},
    {
        **{"estimate": "annealed importance sampling", "chains": 4, "temperatures": 1000, "n_images": 20, "nll_nats": 100.5},
        **{"standard_error_nats": 3.75, "difference_nats": -0.25, "difference_standard_error_nats": 0.125, "largest_difference_nats": 1.75},
    },
    {
        **{"estimate": "quadrature", "decodes": 1048576, "grid_error_nats": 0.0015, "n_images": 20, "nll_nats": 99.75},
        **{"standard_error_nats": 3.25, "difference_nats": 0.5, "difference_standard_error_nats": 0.0625, "largest_difference_nats": 6.25},
    },
]
PRIOR: list[Row] = [
    {
        **{
            "prior_samples": samples,
            "estimates": 1000000 // samples,
            "n_images": 20,
            "nll_nats": 150.25 - index,
            "bias_nats": 50.5 - index,
        },
        **{"variance_nats2": 1234.5 / 4**index, "ess_mean": 1.25 + index, "ess_min": 1.0 + index, "truth": "quadrature"},
    }
    for index, samples in enumerate((10, 100, 1000))
]
LATENTS: list[Row] = [
    {"latent": 0, "variance_of_means": 0.75, "kl_nats": 3.25},
    {"latent": 1, "variance_of_means": 0.0, "kl_nats": 0.0625},
]
"""Rows of details.json, of numbers that are the same in binary."""


def likelihood(nll: float, **changes: Any) -> Row:
    """Return the scalars of a likelihood: an interval from 1.5 below to 2.5 above."""
    row = {"nll_nats": nll, "nll_nats_low": nll - 1.5, "nll_nats_high": nll + 2.5, "bits_per_dim": 0.21875}
    return {**row, "importance_samples": 5000, "n_images": 10000, "nll_kind": "unnormalised", **changes}


def measure(root: Path, config: ReportConfig, name: str, metrics: Row, seed: int = 0, **details: list[Row]) -> Path:
    """Write what the stage `evaluate` writes of one variant and seed, and return the root."""
    folder = root / "results" / config.preset / name / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "details.json").write_text(json.dumps(details))
    return root


def alone(config: ReportConfig) -> ReportConfig:
    """Return the configuration without chapters: the comparison of all variants, quickly."""
    return config.model_copy(update={"reports": {}})


def changed(config: ReportConfig, name: str, images: Row | None = None, **changes: Any) -> ReportConfig:
    """Return the configuration with a variant of other images, another data set, another source or another protocol."""
    variant = config.variants[name]
    changes |= {"images": variant.images.model_copy(update=images)} if images else {}
    return config.model_copy(update={"variants": {**config.variants, name: variant.model_copy(update=changes)}})


def started(root: Path, config: ReportConfig, name: str) -> Path:
    """Write a history alone: what was run and is still to be measured. Return the root."""
    path = root / "results" / config.preset / name / "0/history.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("epoch,train_neg_elbo_nats\n1,100.0\n")
    return root


def section(config: ReportConfig, root: Path) -> tuple[str, str]:
    """Return the source of the comparison, in Markdown and in HTML: the likelihoods and what stands behind them."""
    text, page = both(config, root)
    parts = [page.partition(f'<section id="{name}"')[2].partition(">")[2].partition("</section>")[0] for name in ("likelihoods", "checks")]
    return chapters(text)["Likelihoods"] + chapters(text).get("Behind the likelihoods", ""), "".join(parts)


def titled(config: ReportConfig, root: Path) -> dict[str, list[list[list[str]]]]:
    """Return the tables of the comparison by the title that they stand under; Markdown and HTML have the same."""
    text, page = section(config, root)
    in_markdown = dict(part.split("\n", 1) for part in re.split(r"^### ", text, flags=re.M)[1:])
    in_page = dict(part.split("</h3>", 1) for part in page.split("<h3>")[1:])
    found = {title: [[row for row in table if set(row) != {"---"}] for table in tables(body)] for title, body in in_markdown.items()}
    assert found == {title: Page(body).tables for title, body in in_page.items()}
    return found
