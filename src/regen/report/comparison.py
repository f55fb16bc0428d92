"""What compares the models of all reports, as sections: likelihoods, what confirms them, latent spaces."""

from typing import Any

from regen.report import tables, words
from regen.report.document import Block, Code, Column, Listing, Paragraph, Section, Table, Text
from regen.report.likelihoods import checks, few_weights, fixed_scale, held_against, latents, likelihoods, prior_sampling, without
from regen.report.pictures import Pictures
from regen.report.reading import Results

__all__ = ["confirmed", "likelihood_section"]

NOT_RUN = "No likelihood: nothing that has one was run yet."


def likelihood_section(results: Results) -> Section:
    """Return the likelihoods of all models, a table for each data and kind."""
    blocks: list[Block] = [Paragraph(words.PROTOCOL)]
    found = likelihoods(results)
    blocks += [_likelihoods(results, table) for table in found] or [Paragraph(NOT_RUN)]
    if reasons := without(results):
        blocks += [Paragraph("Without a likelihood:"), Listing([[Code(name), f": {why}."] for name, why in reasons.items()])]
    blocks += [*_above(results), *_single_draws(results), *_held_against(results)]
    return Section("Likelihoods", [*blocks, *results.notices()], id="likelihoods", short="likelihoods")


def _likelihoods(results: Results, table: dict[str, Any]) -> Section:
    """Return one table of likelihoods, and what is published beside it."""
    rows, steps = table["rows"], table["steps"]
    name = f"{table['data']} ({table['data_source']})"
    kind = str(table["nll_kind"])
    unlike = len({row["epochs"] for row in rows}) > 1
    body = [
        [
            Code(str(row["variant"])),
            *tables.cells(row, tables.COMPARED),
            *(tables.written(row["step"].get(label), "{:+.2f}") for label in steps),
            *([tables.written(row["epochs"], "{:,}")] if unlike else []),
        ]
        for row in rows
    ]
    columns = [*tables.columns("variant", fields=tables.COMPARED), *map(Column, [*steps, *(["epochs"] if unlike else [])])]
    said = [f"-log p(x) is {words.KINDS.get(kind, 'of unknown kind')}."]
    if kind == "density":
        said += [words.FIXED_SCALE.format(scale=scale, bits=bits) for scale, bits in fixed_scale(results, rows).items()]
    blocks: list[Block] = [Paragraph(" ".join(said)), Table(f"Likelihoods on {name}, {kind}", columns, body, sortable=True)]
    if published := table["published"]:
        fields = (("nll_nats", "nats", "{:.2f}"), ("bits_per_dim", "bits a dimension", "{:.3f}"))
        columns = [*tables.columns("model", fields=fields), *tables.columns("protocol", "source")]
        printed = [[row["model"], *tables.cells(row, fields), row["protocol"], f"{row['source']} ({row['known']})"] for row in published]
        blocks += [Paragraph(f"Published, each under its own protocol. {words.KNOWN}")]
        blocks += [Table(f"Published likelihoods on {table['data']}", columns, printed, sortable=True)]
    return Section(f"{name}, {kind}", blocks)


def _above(results: Results) -> list[Block]:
    """Return how far the protocol's estimate lies above a second one, exact where there is such; nothing without any."""
    # What is exact comes last.
    nearest = {row["variant"]: row for row in checks(results) if row.get("difference_nats") is not None}
    items: list[Text] = [
        [Code(name), f": {row['difference_nats']:+.2f} nats against {row['estimate']}, on {row['n_images']:,.0f} images."]
        for name, row in nearest.items()
    ]
    return [Paragraph(words.ABOVE), Listing(items)] if items else []


def _single_draws(results: Results) -> list[Block]:
    """Return which estimates rest on single importance samples; nothing where none does."""
    items: list[Text] = [
        [Code(row["variant"]), f": {row['ess_mean']:.2f} of {row['importance_samples']:,.0f}, on {row['n_images']:,.0f} images."]
        for row in few_weights(results)
    ]
    return [Paragraph(words.FEW_WEIGHTS), Listing(items)] if items else []


def _held_against(results: Results) -> list[Block]:
    """Return how far the variants nearest to published models come out from them; nothing where none was run on the official data."""
    rows = held_against(results)
    if not rows:
        return []
    columns = [
        *[Column(heading, numeric=False) for heading in ("variant", "quantity")],
        *[Column(heading) for heading in ("here", "published", "above it by")],
        *[Column(heading, numeric=False) for heading in ("measured at", "model", "source", "what differs")],
    ]
    body = [
        [
            Code(row["variant"]),
            row["quantity"],
            *(tables.written(row[key], row["form"]) for key in ("here", "published", "difference")),
            *(row[key] for key in ("measured_at", "model", "source", "differs")),
        ]
        for row in rows
    ]
    table = Table("Held against what is published", columns, body, sortable=True)
    return [Section("Held against what is published", [Paragraph(words.KNOWN), table])]


def confirmed(results: Results, pictures: Pictures) -> Section | None:
    """Return what confirms the likelihoods and what the latents carry; None where nothing was measured."""
    blocks: list[Block] = []
    if rows := checks(results):
        table = tables.grid("Second estimates of the likelihood", tables.CHECKS, rows)
        blocks.append(Section("Estimated again", [Paragraph(words.CHECKS), table]))
    if rows := prior_sampling(results):
        note: list[Block] = results.attempt("prior_sampling", lambda: [Paragraph(words.PRIOR.format(**rows[0]))], [])
        table = tables.grid("The naive estimator", tables.PRIOR_SAMPLING, rows)
        blocks.append(Section("By sampling the prior", [*note, table]))
    if rows := latents(results):
        blocks.append(Section("Latent spaces", [Paragraph(words.LATENTS), tables.grid("Latent spaces", tables.LATENTS, rows)]))
    blocks += [*results.notices(), *pictures.of_all()]
    return Section("Behind the likelihoods", blocks, id="checks", short="checks") if blocks else None
