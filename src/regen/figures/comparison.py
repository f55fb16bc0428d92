"""What compares variants, drawn from their tables alone: the naive estimator, and what every latent carries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from regen.common.files import write_json
from regen.evaluation.held_out.latent_space import ACTIVE
from regen.figures.style import BLUE, CLASSES, apply_style, save
from regen.params.schema import ReportConfig
from regen.results import mean_rows

__all__ = ["latent_information", "naive_estimator", "render_comparison"]

Rows = Sequence[Mapping[str, Any]]
MARKERS = "osD^v"


def render_comparison(config: ReportConfig, root: Path) -> None:
    """Write reports/<preset>/figures/comparison/, a PNG a figure, and comparison.json beside it with titles and captions."""
    apply_style()
    folder = root / "reports" / config.preset / "figures" / "comparison"
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    naive = {name: rows for name in config.variants if (rows := mean_rows(root, config, name, "prior_sampling", "prior_samples"))}
    if naive:
        save(naive_estimator(naive), folder / "prior_sampling.png")
        caption = "log p(x) as the log of the mean of p(x given z) over L latents drawn from the prior: "
        caption += "bias of -log p(x), standard deviation of one estimate and effective sample size, means over test images."
        description = (
            "Three line charts against the number of prior samples L, a line a variant: bias, standard deviation, effective sample size."
        )
        index.append(_entry("prior_sampling.png", "Likelihood by sampling the prior", caption, description, naive))
    latents = {
        name: rows for name in config.variants if (rows := mean_rows(root, config, name, "latents", "latent")) and "kl_nats" in rows[0]
    }
    if latents:
        save(latent_information(latents), folder / "latents.png")
        caption = "KL(q(z given x), p(z)) of every latent, mean over test images. "
        caption += f"Filled: active, the variance of its posterior mean is {ACTIVE:g} or more."
        description = f"Dot plot, a row a variant ({len(latents)}), a dot a latent, against the KL in nats."
        index.append(_entry("latents.png", "Information in every latent", caption, description, latents))
    write_json(folder.with_suffix(".json"), index)


def _entry(file: str, title: str, caption: str, description: str, variants: Mapping[str, Rows]) -> dict[str, Any]:
    texts = {"title": title, "caption": caption, "description": description}
    return {"file": file, **texts, "source": None, "variants": list(variants)}


def naive_estimator(rows: Mapping[str, Rows]) -> Figure:
    """Draw bias, standard deviation and effective sample size against L; a variant's rows are those of its table `prior_sampling`."""
    figure = Figure(figsize=(9.6, 3.6))
    panels = figure.subplots(1, 3, sharex=True)
    for (name, table), colour, marker in zip(rows.items(), CLASSES * len(rows), MARKERS * len(rows), strict=False):
        samples = [row["prior_samples"] for row in table]
        for axes, values in zip(
            panels,
            ([row["bias_nats"] for row in table], [row["variance_nats2"] ** 0.5 for row in table], [row["ess_mean"] for row in table]),
            strict=True,
        ):
            axes.plot(samples, values, color=colour, marker=marker, markersize=4, label=name)
    for axes, label in zip(panels, ("bias (nats an image)", "standard deviation (nats)", "effective sample size"), strict=True):
        axes.set_xscale("log")
        axes.set_xlabel("prior samples L")
        axes.set_ylabel(label)
    # A bias may be negative by chance: linear near 0.
    panels[0].set_yscale("symlog", linthresh=0.1)
    for axes in panels[1:]:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.yaxis.set_minor_formatter("{x:g}")
    for axes in panels:
        axes.yaxis.set_major_formatter("{x:g}")
        axes.margins(y=0.1)
    panels[0].axhline(0, color="black", linewidth=0.8)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=min(3, len(rows)))
    return figure


def latent_information(rows: Mapping[str, Rows]) -> Figure:
    """Draw the KL of every latent, a row a variant; a variant's rows are those of its table `latents`."""
    figure = Figure(figsize=(8.0, 1.2 + 0.24 * len(rows)))
    axes = figure.add_subplot()
    for number, table in enumerate(rows.values()):
        for active in (True, False):
            values = [row["kl_nats"] for row in table if (row["variance_of_means"] >= ACTIVE) == active]
            face = BLUE if active else "none"
            axes.plot(values, [number] * len(values), "o", color=BLUE, markerfacecolor=face, markersize=5, alpha=0.7, linestyle="none")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_xlim(0, 1.3 * max(row["kl_nats"] for table in rows.values() for row in table))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("KL of a latent (nats an image)")
    return figure
