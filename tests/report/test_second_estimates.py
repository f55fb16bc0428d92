"""The comparison's tables of second estimates, of the naive estimator and of latent spaces, its figures, and the page as a whole."""

import base64
import itertools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from forms import Page, both, only, tables
from judged import shown
from measured import CHECKS, LATENTS, PRIOR, Row, alone, likelihood, measure, section, titled
from PIL import Image

from regen.common.files import write_json
from regen.evaluation.held_out.evaluate import evaluate
from regen.images.images import Images
from regen.models.build import build
from regen.params.schema import ReportConfig

ReportOf = Callable[..., ReportConfig]
Make = Callable[..., Path]

CHECKED, NAIVE, FLOW = "uva3-vae-z2-mnist", "uva3-vae-z20-mnist", "vu4a-flowvae-mnist"
TITLES = ("Estimated again", "By sampling the prior", "Latent spaces")
SPACE: Row = {"active_units": 1, "kl_nats": 3.5, "mutual_information_nats": 2.25, "aggregate_kl_nats": 1.25, "n_images": 100}


def test_every_estimate_is_a_row(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    measure(tmp_path, config, CHECKED, likelihood(100), checks=CHECKS)
    measure(tmp_path, config, FLOW, likelihood(100), checks=[CHECKS[0], {**CHECKS[2], "estimate": "enumeration", "nll_nats": 7.5}])
    # The protocol's own estimate confirms nothing where it stands alone.
    measure(tmp_path, config, NAIVE, likelihood(100), checks=CHECKS[:1])
    ((heading, *rows),) = titled(config, tmp_path)["Estimated again"]
    assert heading == [
        *("variant", "data", "seeds", "estimate", "latents an image", "chains", "temperatures", "-log p(x) (nats)"),
        *("by q minus this (nats)", "standard error", "largest of an image", "error of the grid, at most"),
    ]
    assert rows == [
        [CHECKED, "mnist", "1", "importance sampling", "5,000", "", "", "100.25", "", "", "", ""],
        [CHECKED, "mnist", "1", "annealed importance sampling", "", "4", "1,000", "100.50", "-0.250", "0.125", "1.75", ""],
        [CHECKED, "mnist", "1", "quadrature", "1,048,576", "", "", "99.75", "0.500", "0.062", "6.25", "0.0015"],
        [FLOW, "mnist, 32x32", "1", "importance sampling", "5,000", "", "", "100.25", "", "", "", ""],
        [FLOW, "mnist, 32x32", "1", "enumeration", "1,048,576", "", "", "7.50", "0.500", "0.062", "6.25", "0.0015"],
    ]
    assert all("Where the protocol's value lies above them, q misses" in form.replace("&#39;", "'") for form in section(config, tmp_path))
    # The quadrature is nearer to exact than the annealing.
    assert f"`{CHECKED}`: +0.50 nats against quadrature, on 20 images." in both(config, tmp_path)[0]


def test_estimates_are_means_over_the_seeds_that_have_them(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick", seeds=3))
    measure(tmp_path, config, CHECKED, likelihood(100), checks=[CHECKS[0], CHECKS[2]])
    second = {**CHECKS[2], "nll_nats": 101.25, "difference_nats": -0.25, "largest_difference_nats": 2.25}
    measure(tmp_path, config, CHECKED, likelihood(100), seed=1, checks=[second, {**CHECKS[0], "nll_nats": 101.25}])
    measure(tmp_path, config, CHECKED, {"nll_kind": "not defined", "weights": "not finite"}, seed=2)
    (rows,) = shown(config, tmp_path, "estimate")
    # Rows are told apart by what they are, not by where they stand; of no annealing there is no column.
    assert "chains" not in rows[0] and "temperatures" not in rows[0]
    keys = ("seeds", "estimate", "-log p(x) (nats)", "by q minus this (nats)", "largest of an image")
    assert [[row[key] for key in keys] for row in rows] == [
        ["2", "importance sampling", "100.75", "", ""],
        ["2", "quadrature", "100.50", "0.125", "4.25"],
    ]


def test_the_naive_estimator_is_a_row_for_every_number_of_draws(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick", seeds=2))
    measure(tmp_path, config, CHECKED, likelihood(100), prior_sampling=PRIOR)
    measure(tmp_path, config, NAIVE, likelihood(100), prior_sampling=[{**PRIOR[0], "truth": "importance sampling"}])
    measure(tmp_path, config, NAIVE, likelihood(100), seed=1, prior_sampling=[{**PRIOR[0], "bias_nats": 51.0, "ess_min": 1.5}])
    ((heading, *rows),) = titled(config, tmp_path)["By sampling the prior"]
    assert heading == [
        *("variant", "latents", "L", "estimates", "-log p(x) (nats)", "bias (nats)", "variance (nats^2)"),
        *("effective samples, mean", "worst", "held against"),
    ]
    # 1,234.5 and a quarter and a sixteenth of it, to four digits; 50.5 and 51 in the mean.
    assert rows == [
        [NAIVE, "20", "10", "100,000", "150.25", "50.750", "1234", "1.25", "1.25", "importance sampling"],
        [CHECKED, "2", "10", "100,000", "150.25", "50.500", "1234", "1.25", "1.00", "quadrature"],
        [CHECKED, "2", "100", "10,000", "149.25", "49.500", "308.6", "2.25", "2.00", "quadrature"],
        [CHECKED, "2", "1,000", "1,000", "148.25", "48.500", "77.16", "3.25", "3.00", "quadrature"],
    ]
    assert all("over L draws from the prior, on 20 test images." in form for form in section(config, tmp_path))


def test_a_latent_space_is_a_row(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    measure(tmp_path, config, CHECKED, likelihood(100) | SPACE, latents=LATENTS, splits=[{"split": "test", "n_images": 100}])
    # A flow as the prior does not split the KL into one a latent.
    flow = [{key: value for key, value in row.items() if key != "kl_nats"} for row in LATENTS]
    metrics = likelihood(100) | SPACE | {"n_images": 10000, "active_units": 12}
    measure(tmp_path, config, FLOW, metrics, latents=flow, splits=[{"split": "test", "n_images": 10000}])
    ((heading, *rows),) = titled(config, tmp_path)["Latent spaces"]
    assert heading == [
        *("variant", "data", "seeds", "latents", "active", "KL(q(z given x), p(z)) (nats)", "of one latent, least", "most"),
        *("I(x; z) (nats)", "log n", "KL(q(z), p(z)) (nats)", "state"),
    ]
    # log 100 = 4.605..., log 10,000 = 9.210...
    assert rows == [
        [CHECKED, "mnist (stand-in)", "1", "2", "1", "3.50", "0.062", "3.25", "2.25", "4.61", "1.25", ""],
        [FLOW, "mnist, 32x32 (stand-in)", "1", "100", "12", "3.50", "", "", "2.25", "9.21", "1.25", ""],
    ]


@pytest.mark.parametrize(("nats", "state"), [(4.40, ""), (4.41, "I(x; z) at its limit"), (4.61, "I(x; z) at its limit")])
def test_information_that_can_be_no_more_is_said_to_be_at_its_limit(
    nats: float, state: str, report_config: ReportOf, tmp_path: Path
) -> None:
    config = alone(report_config("quick"))
    # log 100 = 4.605...
    metrics = likelihood(100) | SPACE | {"active_units": 5, "mutual_information_nats": nats}
    measure(tmp_path, config, CHECKED, metrics, latents=LATENTS, splits=[{"split": "test", "n_images": 100}])
    ((row,),) = shown(config, tmp_path, "log n")
    assert (row["I(x; z) (nats)"], row["log n"], row["state"]) == (f"{nats:.2f}", "4.61", state)


@pytest.mark.parametrize(
    ("spaces", "state"),
    [
        ([(0, 3.5)], "collapsed"),
        ([(0, 0.0)], "collapsed"),
        ([(1, 0.0999)], "collapsed"),
        ([(20, -0.001)], "collapsed"),
        ([(1, 0.1)], ""),
        ([(1, 0.1001)], ""),
        ([(20, 3.5)], ""),
        # Of two seeds the mean counts: half an active latent, 0.125 and 0.0625 nats.
        ([(0, 1.0), (1, 2.0)], ""),
        ([(0, 1.0), (0, 2.0)], "collapsed"),
        ([(2, 0.0), (2, 0.25)], ""),
        ([(2, 0.0), (2, 0.125)], "collapsed"),
    ],
)
def test_a_latent_space_is_called_collapsed_where_it_is(
    spaces: list[tuple[int, float]], state: str, report_config: ReportOf, tmp_path: Path
) -> None:
    config = alone(report_config("quick", seeds=2))
    for seed, (active, information) in enumerate(spaces):
        metrics = likelihood(100) | SPACE | {"active_units": active, "mutual_information_nats": information}
        measure(tmp_path, config, CHECKED, metrics, seed=seed, latents=LATENTS)
    ((row,),) = shown(config, tmp_path, "log n")
    assert (row["seeds"], row["variant"], row["state"]) == (str(len(spaces)), CHECKED, state)
    # What is below 0 by chance is not minus nothing.
    assert "-0.00" not in row["I(x; z) (nats)"]
    # The note tells what it is and is the only other place that names it.
    assert [form.lower().count("collapsed") for form in section(config, tmp_path)] == [1 + bool(state)] * 2


def test_estimates_that_nothing_confirms_have_no_table(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    measure(tmp_path, config, CHECKED, likelihood(100), checks=CHECKS[:1])
    assert "Estimated again" not in titled(config, tmp_path)


@pytest.mark.parametrize("kept", [(), *((title,) for title in TITLES)])
def test_a_table_that_nothing_has_is_left_out(kept: tuple[str, ...], report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    metrics, found = likelihood(100), dict(zip(TITLES, ("checks", "prior_sampling", "latents"), strict=True))
    rows = {found[title]: {"checks": CHECKS, "prior_sampling": PRIOR, "latents": LATENTS}[found[title]] for title in kept}
    measure(tmp_path, config, CHECKED, metrics | (SPACE if "Latent spaces" in kept else {}), 0, **rows)
    assert list(titled(config, tmp_path)) == ["mnist (stand-in), unnormalised", *kept]
    # Nor is there a note of what is left out.
    notes = ("The importance weights above come from q.", "log p(x) estimated as the log of the mean", "A latent is active where")
    for form in section(config, tmp_path):
        assert tuple(title for title, note in zip(TITLES, notes, strict=True) if note in form) == kept


@pytest.fixture
def full(report_config: ReportOf, make: Make) -> tuple[ReportConfig, Path]:
    """Return a configuration and results in which the comparison has all that it may have, chapters, and two figures."""
    names = (
        CHECKED,
        NAIVE,
        FLOW,
        "vu4a-vae-mnist-gauss",
        "uva3-realnvp-mnist",
        "uva3-gan-mnist",
        "lab1-classifier-mnist",
        "ref-vae-bmnist",
    )
    config = only(report_config("quick"), *names)
    official = config.variants["ref-vae-bmnist"].model_copy(update={"data_source": "official"})
    reports = {variant.report: config.reports[variant.report] for variant in config.variants.values()}
    config = config.model_copy(update={"variants": {**config.variants, "ref-vae-bmnist": official}, "reports": reports})
    root = make(config)
    for name in (CHECKED, NAIVE, FLOW):
        path = root / f"results/quick/{name}/0"
        details = json.loads((path / "details.json").read_text()) | {"checks": CHECKS, "prior_sampling": PRIOR, "latents": LATENTS}
        (path / "details.json").write_text(json.dumps(details))
        (path / "metrics.json").write_text(json.dumps(json.loads((path / "metrics.json").read_text()) | SPACE))
    folder = root / "reports/quick/figures/charts/all"
    folder.mkdir(parents=True)
    names = ("prior_sampling", "latents")
    texts = {"title": "A & B", "description": 'The "naive" one.', "variants": [CHECKED, NAIVE]}
    entries = [{"file": f"{name}.png", "name": name, **texts, "caption": f"Of <{name}>."} for name in names]
    (folder / "index.json").write_text(json.dumps(entries))
    for grey, name in enumerate(names):
        Image.new("L", (5, 2), grey).save(folder / f"{name}.png")
    return config, root


def test_figures_stand_with_their_captions(full: tuple[ReportConfig, Path]) -> None:
    text, page = section(*full)
    for name in ("prior_sampling", "latents"):
        assert f'![The "naive" one.](figures/charts/all/{name}.png)\n\n**A & B.** Of \\<{name}>.\n' in text
        assert f"<figcaption><strong>A &amp; B.</strong> Of &lt;{name}&gt;.</figcaption>" in page
    # A chapter may show them too.
    images = [values for tag, values in Page(page).elements if tag == "img" and values["alt"] == 'The "naive" one.']
    drawn = [(full[1] / "reports/quick/figures/charts/all" / file).read_bytes() for file in ("prior_sampling.png", "latents.png")]
    assert [base64.b64decode(values["src"].removeprefix("data:image/png;base64,")) for values in images] == drawn
    assert {values["alt"] for values in images} == {'The "naive" one.'}


def test_every_table_of_the_page_is_in_a_labelled_region(full: tuple[ReportConfig, Path]) -> None:
    source = both(*full)[1]
    page = Page(source)
    before = [page.elements[index - 1] for index, (tag, _) in enumerate(page.elements) if tag == "table"]
    assert len(before) == len(page.tables) > 15
    # It scrolls where it is wider than the screen, by the keyboard too; no two regions are called the same.
    assert all(tag == "div" and values["role"] == "region" and values["tabindex"] == "0" for tag, values in before)
    labels = [values["aria-label"] for _, values in before]
    assert all(labels) and len(set(labels)) == len(labels)
    assert {"Second estimates of the likelihood", "The naive estimator", "Latent spaces"} <= set(labels)
    images = [values for tag, values in page.elements if tag == "img"]
    assert len(images) >= 2 and all(values["alt"] and values["src"].startswith("data:image/") for values in images)
    assert not re.search(r"https?://|url\(|@import|<script ", source)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[:2] == [1, 2] and all(after - above <= 1 for above, after in itertools.pairwise(levels))


def test_every_table_of_the_text_is_one(full: tuple[ReportConfig, Path]) -> None:
    text, page = both(*full)
    found = tables(text)
    assert [[row for row in table if set(row) != {"---"}] for table in found if table[0][0] in ("variant", "model")] == [
        table for table in Page(page).tables if table[0][0] in ("variant", "model")
    ]
    for table in found:
        assert {len(row) for row in table} == {len(table[0])} and len(table) > 2
        assert [set(row) == {"---"} for row in table] == [False, True, *[False] * (len(table) - 2)]
    # A table that does not follow an empty line is no table, and neither is a line that a table swallows.
    assert re.findall(r"^[^|\n].*\n\|", text, flags=re.M) == re.findall(r"^\|.*\n[^|\n]", text, flags=re.M) == []
    # A heading and an image likewise begin a paragraph of their own.
    assert re.findall(r"^.+\n(?:#|!\[).*", text, flags=re.M) == []


@pytest.mark.parametrize(("name", "measured"), [(CHECKED, 12), ("lab1-bernvae-mnist", 12), (CHECKED, 5)])
def test_what_the_evaluation_writes_is_read(
    name: str, measured: int, resolved: Callable[[str], dict[str, Any]], report_config: ReportOf, tmp_path: Path
) -> None:
    config = only(alone(report_config("quick")), name)
    settings = resolved("quick")[f"{name}.evaluate.json"]
    small = settings.model.model_copy(update={"network": settings.model.network.model_copy(update={"hidden": [4]})})
    few = {"n_images": 6, "sum_over": 64, "chains": 2, "temperatures": 2, "prior_samples": 100}
    # Latents are of all 12 test images, however many of them the likelihood is of.
    protocol = [settings.likelihood[0].model_copy(update={"n_images": measured})]
    settings = settings.model_copy(update={"model": small, "checks": settings.checks.model_copy(update=few), "likelihood": protocol})
    torch.manual_seed(0)
    model = build(small, settings.shape).eval()
    images = Images(torch.randint(0, 256, (12, 1, 28, 28), dtype=torch.int16).to(torch.uint8), torch.zeros(12))
    scalars, details = evaluate(settings, 0, model, dict.fromkeys(("train", "validation", "test"), images))
    for file, content in (("metrics", scalars), ("details", details)):
        write_json(tmp_path / f"results/quick/{name}/0/{file}.json", content)

    ((row,),) = shown(config, tmp_path, "95 % from")
    assert [row[key] for key in ("K", "n", "-log p(x) (nats)")] == ["50", str(measured), f"{scalars['nll_nats']:.2f}"]
    (estimates,) = shown(config, tmp_path, "estimate")
    second = "quadrature" if name == CHECKED else "annealed importance sampling"
    assert [line["estimate"] for line in estimates] == ["importance sampling", second]
    assert [line["-log p(x) (nats)"] for line in estimates] == [f"{check['nll_nats']:.2f}" for check in details["checks"]]
    # Every column has a value somewhere: no key is written that is read under another name.
    columns = {"latents an image", *(("error of the grid, at most",) if name == CHECKED else ("chains", "temperatures"))}
    shared = {"variant", "data", "seeds", "estimate", "-log p(x) (nats)", "by q minus this (nats)", "standard error", "largest of an image"}
    assert set(estimates[0]) == columns | shared
    assert all(any(line[column] for line in estimates) for column in estimates[0])
    ((space,),) = shown(config, tmp_path, "log n")
    assert space["I(x; z) (nats)"] == f"{scalars['mutual_information_nats']:.2f}" and space["log n"] == f"{math.log(12):.2f}"
    assert space["most"] == f"{max(latent['kl_nats'] for latent in details['latents']):.2f}"
    assert all(space[column] for column in space if column != "state")
    naive = shown(config, tmp_path, "held against")
    assert [[line["L"] for line in table] for table in naive] == ([["10"]] if name == CHECKED else [])
    assert all(all(line.values()) and line["held against"] == "quadrature" for table in naive for line in table)
