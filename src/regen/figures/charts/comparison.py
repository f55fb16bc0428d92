"""What compares variants, drawn from their tables alone: the naive estimator, and what every latent carries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.ticker import LogLocator

from regen.evaluation.held_out.latent_space import ACTIVE
from regen.figures.charts.chart import Chart, Drawn
from regen.figures.style import BLUE, LINES, MARKERS, VERMILLION
from regen.params.schema import ReportConfig
from regen.results import mean_rows

__all__ = ["draw_latents", "draw_prior_sampling", "latent_information", "naive_estimator"]

Rows = Sequence[Mapping[str, Any]]

LINEAR_BELOW = 0.01
"""KL in nats below which the axis of the latents is linear: some carry nothing at all."""


def draw_prior_sampling(config: ReportConfig, root: Path) -> Drawn | None:
    """Draw the naive estimator of every variant that was checked by it; None if none was."""
    found = {name: rows for name in config.variants if (rows := mean_rows(root, config, name, "prior_sampling", "prior_samples"))}
    if not found:
        return None
    caption = "log p(x) as the log of the mean of p(x given z) over L latents drawn from the prior: "
    caption += "bias of -log p(x), standard deviation of one estimate and effective sample size, means over test images."
    description = (
        "Three line charts against the number of prior samples L, a line a variant: bias, standard deviation, effective sample size."
    )
    return Drawn(naive_estimator(found), caption, description, list(found))


def draw_latents(config: ReportConfig, root: Path) -> Drawn | None:
    """Draw the KL of every latent, of every variant that has them; None if none has."""
    found = {
        name: rows for name in config.variants if (rows := mean_rows(root, config, name, "latents", "latent")) and "kl_nats" in rows[0]
    }
    if not found:
        return None
    caption = "KL(q(z given x), p(z)) of every latent, mean over test images. "
    caption += (
        f"Active: the variance of its posterior mean is {ACTIVE:g} or more. The axis is linear below {LINEAR_BELOW:g}, logarithmic above."
    )
    description = f"Dot plot, a row a variant ({len(found)}), a dot a latent, against the KL in nats."
    return Drawn(latent_information(found), caption, description, list(found))


def naive_estimator(rows: Mapping[str, Rows]) -> Chart:
    """Draw bias, standard deviation and effective sample size against L; a variant's rows are those of its table `prior_sampling`."""
    figure = Chart(figsize=(9.6, 3.6))
    panels = figure.subplots(1, 3, sharex=True)
    for (name, table), colour, marker in zip(rows.items(), LINES * len(rows), MARKERS * len(rows), strict=False):
        samples = [row["prior_samples"] for row in table]
        drawn = ([row["bias_nats"] for row in table], [row["variance_nats2"] ** 0.5 for row in table], [row["ess_mean"] for row in table])
        for axes, values, what in zip(panels, drawn, ("bias {:.2f} nats", "deviation {:.2f} nats", "sample size {:.2f}"), strict=True):
            axes.plot(samples, values, color=colour, marker=marker, markersize=4, label=name)
            figure.say(axes, samples, values, [f"{name}, L = {one:,}: {what.format(y)}" for one, y in zip(samples, values, strict=True)])
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


def latent_information(rows: Mapping[str, Rows]) -> Chart:
    """Draw the KL of every latent, a row a variant; a variant's rows are those of its table `latents`."""
    figure = Chart(figsize=(8.0, 1.2 + 0.24 * len(rows)))
    axes = figure.add_subplot()
    for number, (name, table) in enumerate(rows.items()):
        for active in (True, False):
            values = [row["kl_nats"] for row in table if (row["variance_of_means"] >= ACTIVE) == active]
            colour, marker, label = (BLUE, "o", "active latent") if active else (VERMILLION, "|", "latent that is not active")
            style: dict[str, Any] = {"color": colour, "linestyle": "none", "markersize": 6, "alpha": 0.6}
            axes.plot(values, [number] * len(values), marker=marker, label=label if number == 0 else None, **style)
        told = [f"{name}, latent {row['latent'] + 1}: {row['kl_nats']:.3g} nats" for row in table]
        figure.say(axes, [row["kl_nats"] for row in table], [number] * len(table), told)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xscale("symlog", linthresh=LINEAR_BELOW)
    axes.set_xlim(0, 1.3 * max(row["kl_nats"] for table in rows.values() for row in table))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("KL of a latent (nats an image)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
