"""The findings of the front page: each a sentence that its numbers carry; where they do not, it is not told."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import log
from statistics import fmean
from typing import Any

from regen.claims.interval import Z, spread
from regen.claims.reads import most_samples
from regen.report.charts import Chart, bars, dots
from regen.report.likelihoods import Likelihood, data_of, likelihoods
from regen.report.models import floor
from regen.report.names import counted, data_label
from regen.report.pictures import Pictures, Thumbnail
from regen.report.reshape import reshaped
from regen.report.verdicts import Verdicts
from regen.results import Missing, Results

__all__ = ["Finding", "better_prior", "findings", "negative_loss"]

DISTANCE = "frechet_classifier_distance"
SHOWN = 6
ANNEALED = "annealed importance sampling"


@dataclass(frozen=True)
class Finding:
    """A title and a text with numbers, one picture (a chart, or thumbnails with captions), and the claims that it rests on.

    `tag` says what the text rests on, in the place of the claims' own reason.
    """

    kicker: str
    title: str
    text: str
    claims: list[str]
    chart: Chart | None = None
    pair: tuple[tuple[Thumbnail, str], ...] = ()
    link: str = ""
    tag: str = ""


Make = Callable[[Results, Pictures, Verdicts], Finding | None]


def findings(results: Results, pictures: Pictures, verdicts: Verdicts) -> list[Finding]:
    """Return the findings that the results carry, by how much they would change a reader's mind; at most six, none of stand-in images."""
    if any(variant.data_source == "stand-in" for variant in results.config.variants.values()):
        return []
    return list(_held(results, pictures, verdicts))[:SHOWN]


def _held(results: Results, pictures: Pictures, verdicts: Verdicts) -> Iterator[Finding]:
    for make in RANKED:
        try:
            found = make(results, pictures, verdicts)
        except Missing:
            continue
        if found is not None:
            yield found


def _distances(results: Results, name: str, images: str = "samples") -> dict[int, float]:
    return results.measure(name, images, DISTANCE)


def _gan_had_learned(results: Results, pictures: Pictures, verdicts: Verdicts) -> Finding | None:
    probe = {(row["images"], row["reshape"]): row[DISTANCE] for row in results.probe("reshape")["rows"]}
    right, wrong = probe["samples", "right"], probe["samples", "wrong"]
    first, last = (fmean(_distances(results, "vu4a-gan-mnist", f"epoch {epoch}").values()) for epoch in (1, 50))
    if not (last < first / 2 and wrong > 2 * right):
        return None
    pair = reshaped(pictures, "vu4a-gan-mnist")
    return Finding(
        kicker="GANs",
        title="Run again, the GAN learns. The report's pictures may have been plotted wrongly.",
        text=f"The report says its digits never improve. Run again they do: the distance to real digits falls from {first:,.0f} after one "
        f"epoch to {last:,.0f} after fifty. Reading the same images with the axes in the wrong order takes it back to {wrong:,.0f}.",
        claims=["vu4a-10", "vu4a-14"],
        pair=pair,
        link="look.html#reshape" if pair else "vu4a.html#vu4a-10",
    )


MANY_ONES = 0.15
"""Share of 1s beyond which they are too many; of real digits it is 0.11."""

REMEDIES = {"ext-gan-noise-mnist": "input noise", "ext-wgangp-mnist": "Wasserstein loss", "ext-gan-dropout-mnist": "dropout"}

OWN_LOSS = "uva3-gan-mnist-saturating"
"""The GAN with the report's own loss and order of layers; the remedies were tried on the other."""

MOMENTS = {"step 111,000": "at step 111,000", "samples": "at the end"}
"""Samples of which the remedies are compared: those of the report's last figure before the end, and those of the trained model."""


def _remedies(results: Results, pictures: Pictures, verdicts: Verdicts) -> Finding | None:
    runs = {name: [_distances(results, name, images) for images in MOMENTS] for name in ("uva3-gan-mnist", *REMEDIES)}
    seeds = set.intersection(*(set(values) for both in runs.values() for values in both))
    if not seeds:
        return None
    values = {name: [fmean(own[seed] for seed in seeds) for own in both] for name, both in runs.items()}
    plain = values.pop("uva3-gan-mnist")
    nearer = {
        name: [when for when, own, without in zip(MOMENTS.values(), both, plain, strict=True) if own < without]
        for name, both in values.items()
    }
    best = min(values, key=lambda name: values[name][-1])
    if any(values[best][moment] > both[moment] for both in (plain, *values.values()) for moment in range(len(MOMENTS))):
        return None
    with_remedy = {name: f"with {'the ' if 'Wasserstein' in said else ''}{said}" for name, said in REMEDIES.items()}
    all_seeds = runs["uva3-gan-mnist"]
    more = len(all_seeds[-1]) > len(seeds)
    mean = f" ({_both([fmean(own.values()) for own in all_seeds])} in the mean of {_seeds(len(all_seeds[-1]))})" if more else ""
    where = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, sorted(seeds)))}"
    text = f"Distance of samples to real digits in {where}, {' and '.join(MOMENTS.values())}: {_both(plain)} without a remedy{mean}, "
    text += ", ".join(
        f"{_both(both)} {with_remedy[name]}"
        + ("" if len(nearer[name]) == len(MOMENTS) else f" (nearer {nearer[name][0]} alone)" if nearer[name] else " (never nearer)")
        for name, both in values.items()
    )
    bare = [{"label": "no remedy", "value": plain[-1], "text": f"{plain[-1]:.0f}", "tone": "var(--grey)"}]
    real = floor(results, data_of(results.config.variants["uva3-gan-mnist"]), ["uva3-gan-mnist"])
    text += f"; real training images have {real.value:.1f}" if real is not None else ""
    if results.quality_details(OWN_LOSS):
        own = [_distances(results, OWN_LOSS, images) for images in MOMENTS]
        reached = [fmean(values.values()) for values in own]
        text += f". The GAN with the report's own loss and order of layers reaches {_both(reached)} without any"
        bare.append({"label": "no remedy, report's own loss", "value": reached[-1], "text": f"{reached[-1]:.0f}", "tone": "var(--grey)"})
    ones = {name: _share_of_ones(results, name, seeds) for name in runs}
    surplus = ones.pop("uva3-gan-mnist")
    if surplus > MANY_ONES and min(ones.values()) < MANY_ONES:
        text += f". At the end {surplus:.0%} of the digits are 1s without a remedy, " + ", ".join(
            f"{with_remedy[name]} {'still ' if share > MANY_ONES else ''}{share:.0%}" for name, share in ones.items()
        )
    rows = [*bare, *({"label": REMEDIES[name], "value": both[-1], "text": f"{both[-1]:.0f}"} for name, both in values.items())]
    return Finding(
        kicker="GANs",
        title=f"Of three remedies that the report only conjectured, {REMEDIES[best]} brings the GAN's samples nearest to real digits.",
        text=f"{text}.".replace("%", " %"),
        claims=["uva3-7"],
        chart=Chart(
            bars(rows, "Fréchet distance to test images, at the end"), "Bars: " + ", ".join(f"{row['label']} {row['text']}" for row in rows)
        ),
        link="uva3.html#uva3-7",
        tag=f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''} each",
    )


def _both(values: Sequence[float]) -> str:
    return " and ".join(f"{value:.0f}" for value in values)


def _share_of_ones(results: Results, name: str, seeds: Collection[int]) -> float:
    shares = []
    for run in (run for seed, run in results.quality_details(name).items() if seed in seeds):
        counts = next((row["class_counts"] for row in run.get("rows", []) if row["images"] == "samples"), None)
        if counts is not None:
            shares.append(counts[1] / sum(counts))
    if not shares:
        raise Missing(f"{name} has no classes of samples")
    return fmean(shares)


def better_prior(results: Results, pictures: Pictures, verdicts: Verdicts) -> Finding | None:
    """Return the finding about the matched pair of priors; None where the numbers do not carry it."""
    gaussian, flow = "ext-vae-matched-mnist", "vu4a-flowvae-mnist"
    distance = {name: fmean(_distances(results, name).values()) for name in (gaussian, flow)}
    if not distance[flow] < 0.7 * distance[gaussian]:
        return None
    real = floor(results, data_of(results.config.variants[flow]), [flow])
    text = f"With the same encoder and decoder the flow takes the distance of samples from {distance[gaussian]:.0f} to {distance[flow]:.0f}"
    text += f" (real training images: {real.value:.0f})" if real is not None else ""
    less = ""
    with suppress(Missing):
        recall = {name: fmean(results.measure(name, "samples", "recall").values()) for name in (gaussian, flow)}
        first, second = (f"{recall[name]:.2f}" for name in (flow, gaussian))
        how = "equal" if first == second else "lower" if recall[flow] < recall[gaussian] else "higher"
        less = " and less varied" if how == "lower" else ""
        text += f"; recall is {how}, {first} against {second}"
    thumbnails = [pictures.thumbnail(name, title) for name, title in ((gaussian, "the Gaussian prior"), (flow, "the flow prior"))]
    captions = [f"{what} prior, distance {distance[name]:.0f}" for what, name in (("Gaussian", gaussian), ("flow", flow))]
    return Finding(
        kicker="Priors",
        title=f"The flow prior's samples are nearer{less}; an unequal comparison of losses hid it.",
        text=f"{text}. {_likelihood_of_priors(results, flow, gaussian)}".strip(),
        claims=["vu4a-8"],
        pair=tuple((one, caption) for one, caption in zip(thumbnails, captions, strict=True) if one is not None),
        link="vu4a.html#vu4a-8",
    )


def _seeds(count: int) -> str:
    return f"{counted(count)} seed{'s' if count != 1 else ''}"


def _likelihood_of_priors(results: Results, flow: str, gaussian: str) -> str:
    """Say how the likelihoods differ, and whether the seeds settle it; nothing where one has none."""
    try:
        found = spread(results, most_samples(results), flow, gaussian)
    except Missing:
        return ""
    settled = found.half is not None and found.above(0) is not None
    open_yet = "" if settled else f", which {_seeds(found.seeds)} do{'' if found.seeds > 1 else 'es'} not settle"
    return f"In −log p(x) of grey values it is {abs(found.mean):.1f} nats {'lower' if found.mean < 0 else 'higher'}{open_yet}."


def _few_latents(results: Results, pictures: Pictures, verdicts: Verdicts) -> Finding | None:
    found = {name: one for name, one in likelihoods(results).items() if one.exact is not None}
    shown = {name: one for name, one in found.items() if results.config.variants[name].training.noise is None}
    exact = {name: one for name, one in shown.items() if _latents(results, name) <= 2 and one.by != ANNEALED}
    few = [one for name, one in exact.items() if _weight(results, name) <= 1]
    heavier = {_weight(results, name): _gap(one) for name, one in exact.items() if _weight(results, name) > 1}
    gaps = [_gap(one) for one in few]
    if len(gaps) < 2 or min(gaps) < 1 or any((one.exact or 0.0) > one.low + one.step for one in few):
        return None
    rows = _gap_rows(results, shown)
    return Finding(
        kicker="Likelihoods",
        title=f"With one or two latents, the usual estimate is off by {min(gaps):.0f} to {max(gaps):.0f} nats.",
        text=f"Importance sampling with {few[0].most_samples:,} draws from the encoder gives a −log p(x) that much above the exact value. "
        "Its 95 % interval does not show it: the encoder gives almost no draws to some latents that explain the image, so the draws miss "
        f"them and agree with each other.{_heavier(heavier)}{_twenty_latents(results, shown)}",
        claims=[],
        chart=Chart(
            dots(rows, "nats above the exact value", zero=True, width=190),
            "Dots: importance sampling above the exact value, " + ", ".join(f"{row['label']} {row['text']}" for row in rows),
        ),
        link="models.html#likelihoods",
        tag=f"exact values on {min(one.checked for one in few)} images",
    )


def _heavier(gaps: Mapping[float, float]) -> str:
    """Say by how much the estimate is off where the KL has more weight than in the ELBO, which keeps the encoder wide."""
    if not gaps:
        return ""
    weights, nats = (_listed(ways) for ways in zip(*((f"{weight:g}", f"{gap:.1f}") for weight, gap in sorted(gaps.items())), strict=True))
    return f" With the KL weighted by {weights} it is off by {nats}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _latents(results: Results, name: str) -> int:
    model: Any = results.config.variants[name].model
    dim: int = model.latent.dim
    return dim


def _weight(results: Results, name: str) -> float:
    objective: Any = results.config.variants[name].training.objective
    return float(getattr(objective, "kl_weight", 1))


def _twenty_latents(results: Results, found: Mapping[str, Likelihood]) -> str:
    """Say what annealed importance sampling finds, where that is beyond its error; as it lies above -log p(x), at least so much is off."""
    name = next((name for name, one in found.items() if one.by == ANNEALED and _latents(results, name) == 20), None)
    if name is None or _gap(found[name]) < Z * found[name].exact_error:
        return ""
    data, gap = data_label(results.config.variants[name]), _gap(found[name])
    return f" With twenty Gaussian latents, on {data}, annealed importance sampling finds the estimate off by at least {gap:.1f} nats."


def _gap(one: Likelihood) -> float:
    return one.value + one.step - (one.exact or 0.0)


def _gap_rows(results: Results, found: Mapping[str, Likelihood]) -> list[Mapping[str, Any]]:
    """Return a row for each number and kind of latents and weight of the KL: the mean gap of its models and their range.

    Gaps to an annealed estimate have rows of their own, with the name of the data: the gap to the exact value is at least as wide.
    """
    groups: dict[tuple[int, bool, float, str], list[float]] = {}
    for name, one in found.items():
        model: Any = results.config.variants[name].model
        annealed = data_label(results.config.variants[name]) if one.by == ANNEALED else ""
        key = (model.latent.dim, model.latent.kind == "gaussian", -_weight(results, name), annealed)
        groups.setdefault(key, []).append(_gap(one))
    rows: list[Mapping[str, Any]] = []
    for (dim, gaussian, weight, annealed), gaps in sorted(groups.items()):
        label = f"{dim} {'' if gaussian else 'binary '}latent{'s' * (dim > 1)}" + ("" if weight == -1 else f", KL × {-weight:g}")
        label, least = (f"{label}, {annealed}", "at least ") if annealed else (label, "")
        ends = {"low": min(gaps), "high": max(gaps)} if len(gaps) > 1 else {}
        rows.append({"label": label, "value": fmean(gaps), "kind": "gap", "text": f"{least}{fmean(gaps):.1f} nats", **ends})
    return rows


def negative_loss(results: Results, pictures: Pictures, verdicts: Verdicts) -> Finding | None:
    """Return the finding about the deliberate fault; None where the numbers do not carry it."""
    right, fault = "vu4a-flowvae-mnist", "vu4a-flowvae-mnist-logdet-times-d"
    lowest = min(min(values) for values in results.column(right, "train_neg_elbo_nats").values())
    faulty = results.column(fault, "train_objective_nats").values()
    wrong, first = min(map(min, faulty)), max(values[0] for values in faulty)
    if not (lowest > 0 > wrong):
        return None
    rows = [
        {"label": "correct", "value": lowest, "text": f"{lowest:,.0f}"},
        {"label": "with the fault", "value": wrong, "text": f"{wrong:,.0f}".replace("-", "−"), "tone": "var(--c2)"},
    ]
    return Finding(
        kicker="Errors",
        title="A loss below zero: a log-determinant counted a hundred times would do it.",
        text="The flow-prior VAE's negative loss cannot happen with a Bernoulli likelihood: run again, its lowest is "
        f"{lowest:.0f} nats. With that one fault put in on purpose it falls to {rows[1]['text']}."
        + (" It is negative from the first epoch on; the report calls its own also much higher than the VAE's." if first < 0 else ""),
        claims=["vu4a-6"],
        chart=Chart(bars(rows, "lowest training loss (nats)"), f"Bars: correct {rows[0]['text']}, with the fault {rows[1]['text']}"),
        link="vu4a.html#vu4a-6",
    )


def _units(results: Results, pictures: Pictures, verdicts: Verdicts) -> Finding | None:
    name = "davari-vae-deconv-celeba"
    reported, per_position = (verdicts.reported("davari-8", key) for key in ("nll_nats", "bits_per_pixel"))
    shape = results.variant(name).shape
    positions, dimensions = shape[1] * shape[2], shape[0] * shape[1] * shape[2]
    printed, usual = reported / positions / log(2), reported / dimensions / log(2)
    here = fmean(results.value(name, "bits_per_dim").values())
    if abs(printed - per_position) > 0.005 or not here < 2 * usual:
        return None
    epochs, declared = results.epochs(name), results.variant(name).training.epochs
    rows = [
        {"label": "as printed", "value": printed, "text": f"{printed:.2f}", "tone": "var(--grey)"},
        {"label": "per dimension", "value": usual, "text": f"{usual:.2f}"},
        {"label": "run again", "value": here, "text": f"{here:.2f}"},
    ]
    short = f" for {epochs} of {declared} epochs" if epochs < declared else f" for {epochs} epochs"
    return Finding(
        kicker="Units",
        title=f"{printed:.2f} bits per pixel are {usual:.2f} bits per dimension, as others count.",
        text=f"The report divides {reported:,.0f} nats by pixel positions; a colour image has three values at each. Per dimension, as the "
        f"literature counts, that is {usual:.2f} bits; run again{short}, and read as a cross-entropy, it is {here:.2f}. Neither is a code "
        "length of 8-bit images.",
        claims=["davari-8"],
        tag=_seeds(len(results.value(name, "bits_per_dim"))),
        chart=Chart(bars(rows, "bits"), "Bars: " + ", ".join(f"{row['label']} {row['text']}" for row in rows)),
        link="davari.html#davari-8",
    )


def _mixture(results: Results, pictures: Pictures, verdicts: Verdicts) -> Finding | None:
    code, vae = "lab1-aegmm-mnist", "lab1-vae-z2-mnist"
    first, second = _distances(results, code), _distances(results, vae)
    if not max(first.values()) < min(second.values()):
        return None
    here, there = fmean(first.values()), fmean(second.values())
    thumbnails = [pictures.thumbnail(name, title) for name, title in ((code, "the auto-encoder with a mixture"), (vae, "the VAE"))]
    captions = [f"auto-encoder and mixture, {here:.0f}", f"VAE, {there:.0f}"]
    return Finding(
        kicker="Auto-encoders",
        title="An auto-encoder with a mixture over its codes samples better than the VAE.",
        text=f"With two codes or latents each, the distance of samples to real digits is {here:.0f} for the auto-encoder with a Gaussian "
        f"mixture and {there:.0f} for the VAE; every one of {len(first)} seeds agrees.",
        claims=["lab1-1", "uva3-10"],
        pair=tuple((one, caption) for one, caption in zip(thumbnails, captions, strict=True) if one is not None),
        link="lab1.html#lab1-1",
    )


RANKED: tuple[Make, ...] = (_remedies, _gan_had_learned, better_prior, _few_latents, negative_loss, _units, _mixture)
