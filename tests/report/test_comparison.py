"""The comparison of all models: their likelihoods side by side."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from forms import Page, both, of, only, tables
from judged import shown
from measured import Row, alone, changed, likelihood, measure, section, started, titled

from regen.params.schema import ReportConfig

ReportOf = Callable[..., ReportConfig]
Make = Callable[..., Path]

COLUMNS = ["variant", "seeds", "K", "n", "-log p(x) (nats)", "95 % from", "to", "bits a dimension"]
FIRST, SECOND, THIRD = "lab1-vae-mnist", "uva3-vae-z20-mnist", "lab1-bernvae-mnist"
"""Three variants of different reports, with a Bernoulli likelihood on the same grey images."""

STEP = "step from K = 500 to 5,000, n = 1,000"

NOT_RUN = "No likelihood: nothing that has one was run yet."
NOT_FINITE: Row = {"n_images": 100, "nll_kind": "not defined", "weights": "not finite"}


def test_rows_rise_and_every_number_stands_below_its_heading(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    measure(tmp_path, config, FIRST, likelihood(101.25, importance_samples=50, bits_per_dim=0.25))
    measure(tmp_path, config, SECOND, likelihood(9.5, nll_nats_low=-3.25, n_images=100))
    measure(tmp_path, config, THIRD, likelihood(100.75))
    # By number: as text 100.75 and 101.25 stand above 9.5.
    assert titled(config, tmp_path)["mnist (stand-in), unnormalised"] == [
        [
            COLUMNS,
            [SECOND, "1", "5,000", "100", "9.50", "-3.25", "12.00", "0.2188"],
            [THIRD, "1", "5,000", "10,000", "100.75", "99.25", "103.25", "0.2188"],
            [FIRST, "1", "50", "10,000", "101.25", "99.75", "103.75", "0.2500"],
        ]
    ]
    for form in section(config, tmp_path):
        assert "the mean over n of them of -log (1/K sum of K importance weights)" in form
        assert "Intervals are 95 % bootstrap intervals over images; seeds are averaged." in form


def test_seeds_are_a_mean_and_what_is_not_finite_is_none_of_them(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(alone(report_config("quick", seeds=4)), FIRST, SECOND)
    measure(tmp_path, config, FIRST, NOT_FINITE)
    measure(tmp_path, config, FIRST, likelihood(100), seed=1)
    measure(tmp_path, config, FIRST, likelihood(101, nll_nats_low=97.5, bits_per_dim=0.15625), seed=2)
    measure(tmp_path, config, SECOND, likelihood(100.25), seed=3)
    # (98.5 + 97.5) / 2, (102.5 + 103.5) / 2 and (0.21875 + 0.15625) / 2; the mean of 100.5 stands below the other's 100.25.
    assert titled(config, tmp_path) == {
        "mnist (stand-in), unnormalised": [
            [
                COLUMNS,
                [SECOND, "1", "5,000", "10,000", "100.25", "98.75", "102.75", "0.2188"],
                [FIRST, "2", "5,000", "10,000", "100.50", "98.00", "103.00", "0.1875"],
            ]
        ]
    }
    assert all("Without a likelihood" not in form for form in section(config, tmp_path))


def test_no_two_kinds_preparations_or_sources_share_a_table(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    # A prior that is a flow, resized images, other sources: what stands in the configuration decides, and the kind of metrics.json.
    config = changed(config, "lab1-vae-z2-mnist", images={"size": 16, "binarisation": "every_epoch"})
    config = changed(config, THIRD, images={"binarisation": "fixed"})
    config = changed(config, "uva3-vae-z2-mnist", data_source="official")
    config = changed(config, "ai3611-vae-z2-mnist", data_source="official")
    expected = {
        "binarized_mnist (stand-in), probability": ["ref-vae-bmnist"],
        "mnist (official), probability": ["ai3611-vae-z2-mnist"],
        "mnist (official), unnormalised": ["uva3-vae-z2-mnist"],
        "mnist (stand-in), density": ["vu4a-vae-mnist-gauss"],
        "mnist (stand-in), probability": ["uva3-realnvp-mnist"],
        "mnist (stand-in), unnormalised": [FIRST, SECOND],
        "mnist, 16x16, binarised (stand-in), unnormalised": ["lab1-vae-z2-mnist"],
        "mnist, 32x32 (stand-in), unnormalised": ["vu4a-flowvae-mnist"],
        "mnist, binarised (stand-in), unnormalised": [THIRD],
        "svhn (stand-in), density": ["vu4a-vae-svhn-gauss"],
        "svhn (stand-in), unnormalised": ["vu4a-vae-svhn"],
    }
    # Written in another order than that of the tables; all values are the same.
    for title, names in reversed(expected.items()):
        for name in names:
            measure(tmp_path, config, name, likelihood(100, nll_kind=title.split(", ")[-1]))
    found = titled(config, tmp_path)
    assert list(found) == list(expected)
    for title, names in expected.items():
        assert sorted(row[0] for row in found[title][0][1:]) == sorted(names)
    means = {
        "probability": "-log p(x) is that of a probability of the images' discrete values.",
        "density": "-log p(x) is that of a density; D log 256 is added",
        "unnormalised": "-log p(x) is a Bernoulli cross-entropy on grey values, which is no likelihood",
    }
    text, page = section(config, tmp_path)
    for title in expected:
        said = means[title.split(", ")[-1]]
        assert f"### {title}\n\n{said}" in text and f"<h3>{title}</h3>\n<p>{said}" in page.replace("&#39;", "'")
        assert f'aria-label="Likelihoods on {title}"' in page


def test_what_a_fixed_scale_costs_stands_above_the_densities(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    fixed, named = "vu4a-vae-mnist-gauss", "costs {:.3f} bits a dimension"
    measure(tmp_path, config, fixed, likelihood(5000, nll_kind="density"))
    # A Gaussian is densest at its mean; a level of 8 bits is 1/256 wide.
    bits = 8 - torch.distributions.Normal(0.5, 1.0).log_prob(torch.tensor(0.5)).item() / math.log(2)
    assert round(bits, 3) == 9.326
    for form in section(config, tmp_path):
        assert f"standard deviation sigma of 1 {named.format(bits)}" in form
    # A learned scale costs what it will; a cross-entropy has none.
    model: Any = config.variants[fixed].model
    learned = model.model_copy(update={"likelihood": model.likelihood.model_copy(update={"learn_scale": True})})
    assert all("standard deviation" not in form for form in section(changed(config, fixed, model=learned), tmp_path))
    measure(tmp_path, config, fixed, likelihood(5000))
    assert all("standard deviation" not in form for form in section(config, tmp_path))


def test_estimates_that_rest_on_single_draws_are_listed(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    for name, largest in ((FIRST, 1.99), (SECOND, 2.0)):
        # The largest K decides; a flow has one exact value.
        rows = [likelihood(100, importance_samples=k, ess_mean=ess) for k, ess in ((1, 1.0), (500, largest), (50, 1.5))]
        measure(tmp_path, config, name, likelihood(100), likelihood=rows)
    measure(tmp_path, config, "uva3-realnvp-mnist", likelihood(100), likelihood=[likelihood(100, importance_samples=1)])
    text, _ = section(config, tmp_path)
    assert text.count("effective samples at the largest K") == 1 and f"- `{FIRST}`: 1.99 of 500, on 10,000 images." in text
    assert f"- `{SECOND}`: " not in text and "- `uva3-realnvp-mnist`: " not in text


def test_the_other_entry_of_the_protocol_has_a_column(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("paper"))
    flow = "uva3-realnvp-mnist"
    assert [entry.model_dump() for entry in config.variants[FIRST].likelihood] == [
        {"importance_samples": [1, 5, 50, 500, 2000, 5000], "n_images": 1000},
        {"importance_samples": [1, 5, 50, 500], "n_images": None},
    ]
    # The largest K of the entry alone, and on its images alone: 500 on 1,000 and 5,000 on 10,000 are others.
    falling = ((1, 110.0), (5, 108.0), (50, 105.0), (500, 103.5), (2000, 100.0), (5000, 99.25))
    few = [likelihood(nll, importance_samples=k, n_images=1000) for k, nll in falling]
    many = [likelihood(nll, importance_samples=k) for k, nll in ((500, 102.75), (5000, 88.5))]
    measure(tmp_path, config, FIRST, likelihood(102.75, importance_samples=500), likelihood=few + many)
    again = [likelihood(nll + 0.5, importance_samples=k, n_images=1000) for k, nll in falling[:-1]]
    again.append(likelihood(99.25, importance_samples=5000, n_images=1000))
    measure(tmp_path, config, FIRST, likelihood(102.75, importance_samples=500), seed=1, likelihood=again)
    # A run without all of the entry's K was made under another protocol, on other images for all we know.
    measure(tmp_path, config, SECOND, likelihood(103), likelihood=[likelihood(103), likelihood(98, importance_samples=5000, n_images=1000)])
    measure(tmp_path, config, flow, likelihood(100.5, importance_samples=1, nll_kind="probability"), likelihood=[likelihood(100.5)])
    found = shown(alone(report_config("paper", seeds=2)), tmp_path, "95 % from")
    assert [[(row["variant"], row.get(STEP)) for row in table] for table in found] == [
        [(flow, None)],
        # From 103.5 and 104 to 99.25: the mean of -4.25 and -4.75.
        [(FIRST, "-4.50"), (SECOND, "")],
    ]
    # The last entry is the headline: it has no column of its own, and neither has any that was not measured.
    assert list(found[1][0]) == [*COLUMNS, STEP] and list(found[0][0]) == COLUMNS
    two: Row = {"likelihood": [*config.variants[FIRST].likelihood[:1], *config.variants[FIRST].likelihood]}
    assert list(shown(changed(config, FIRST, **two), tmp_path, "95 % from")[1][0]) == [*COLUMNS, STEP]


def test_a_protocol_of_one_entry_has_no_other_column(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("paper"))
    name = "davari-vae-deconv-celeba"
    rows = [likelihood(7140.6, importance_samples=k, n_images=200) for k in (500, 2000)]
    measure(tmp_path, config, name, likelihood(7140.6, importance_samples=2000, n_images=200), likelihood=rows)
    assert titled(config, tmp_path)["celeba (subset), unnormalised"][0][0] == COLUMNS


def test_a_variant_without_likelihood_is_listed_with_its_reason(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick", seeds=2))
    reasons: dict[str, tuple[str, Row]] = {
        "lab1-aegmm-mnist": ("its density is of codes, not of images", {"gmm_log_likelihood_nats": -3.5, "nll_kind": "not defined"}),
        "lab1-classifier-mnist": ("it gives classes, not images", {"accuracy": 0.5, "cross_entropy_nats": 0.25}),
        "uva3-gan-mnist": ("it can be sampled from, no more", {"accuracy_real": 0.5, "discriminator_nats": 1.25}),
        "ext-wgangp-mnist": ("it can be sampled from, no more", {"critic": -2.5}),
        "lab1-vae-mnist": ("its weights are not finite", NOT_FINITE),
        # Whatever it would be otherwise.
        "ext-gan-noise-mnist": ("its weights are not finite", NOT_FINITE),
    }
    for name, (_, metrics) in reasons.items():
        measure(tmp_path, config, name, metrics, seed=1)
    measure(tmp_path, config, SECOND, likelihood(100))
    text, page = section(config, tmp_path)
    expected = {name: reason for name, (reason, _) in reasons.items()}
    assert dict(re.findall(r"^- `(.+)`: (.+)\.$", text, flags=re.M)) == expected
    assert dict(re.findall(r"<li><code>(.+)</code>: (.+)\.</li>", page)) == expected
    assert "\nWithout a likelihood:\n" in text and "<p>Without a likelihood:</p>" in page
    assert [row["variant"] for table in shown(config, tmp_path, "95 % from") for row in table] == [SECOND]


def test_where_all_have_a_likelihood_none_is_listed_without(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("quick"))
    measure(tmp_path, config, FIRST, likelihood(100))
    # What was not run is not listed either.
    for form in section(config, tmp_path):
        assert "Without a likelihood" not in form and "uva3-gan-mnist" not in form and NOT_RUN not in form


def test_without_a_likelihood_the_comparison_says_so(report_config: ReportOf, tmp_path: Path) -> None:
    config = report_config("quick")
    started(tmp_path, config, FIRST)
    text, page = section(config, tmp_path)
    assert NOT_RUN in text and f"<p>{NOT_RUN}</p>" in page
    assert tables(text) == [] and "<table" not in page and "<img" not in page and "![" not in text
    for heading in ("Without a likelihood", "Estimated again", "By sampling the prior", "Latent spaces", "Published"):
        assert heading not in text and heading not in page
    # It says so once more in every chapter.
    assert [form.count(NOT_RUN) for form in both(config, tmp_path)] == [1 + len(config.reports)] * 2


def test_every_variant_has_a_row_or_a_reason(report_config: ReportOf, make: Make) -> None:
    config = alone(report_config("quick"))
    root = make(config)
    text, page = section(config, root)
    rows = [row[0] for table in of(tables(text), "95 % from") for row in table[1:]]
    listed = re.findall(r"^- `(.+)`: ", text, flags=re.M)
    assert sorted(rows + listed) == sorted(config.variants)
    assert sorted(re.findall(r'<tr><th scope="row"><code>([^<]+)</code></th>', page)) == sorted(rows)
    assert {config.variants[name].model.family for name in rows} == {"vae", "flow"}
    assert {config.variants[name].model.family for name in listed} == {"autoencoder", "gan", "classifier"}


@pytest.mark.parametrize("file", ["metrics.json", "details.json"])
def test_a_broken_file_costs_its_own_row(file: str, report_config: ReportOf, tmp_path: Path) -> None:
    config = only(alone(report_config("quick", seeds=2)), FIRST, SECOND)
    for seed in range(2):
        measure(tmp_path, config, FIRST, likelihood(100 + seed), seed=seed)
        measure(tmp_path, config, SECOND, likelihood(200 + seed), seed=seed)
    path = f"results/quick/{FIRST}/1/{file}"
    (tmp_path / path).write_text("{")
    for form in section(config, tmp_path):
        assert f"{path}: expected JSON, got" in form
    ((_, first, second),) = titled(config, tmp_path)["mnist (stand-in), unnormalised"]
    # The other seed stays, and so does the other variant: (200 + 201) / 2.
    assert first[:2] == [FIRST, "1" if file == "metrics.json" else "2"]
    assert (second[0], second[1], second[4]) == (SECOND, "2", "200.50")


def test_the_contents_lead_to_the_comparison(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(report_config("quick"), FIRST)
    text, page = both(config, started(tmp_path, config, FIRST))
    assert "- [Likelihoods](#likelihoods)\n" in text and '\n<a id="likelihoods"></a>\n\n## Likelihoods\n' in text
    assert '<a href="#likelihoods">likelihoods</a>' in page
    assert text.index("\n## Likelihoods\n") < min(text.index(f"\n## {report}: ") for report in config.reports)
    assert [values["id"] for tag, values in Page(page).elements if tag == "section"] == [
        *("verdicts", "likelihoods", "samples", *config.reports, "errata", "data", "made"),
    ]
