"""What the report says of models that have no ELBO, no likelihood or no importance weights."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from forms import Page, both, chapters, of, only, tables
from measured import likelihood, measure, started

from regen.params.schema import ReportConfig

ReportOf = Callable[..., ReportConfig]
Make = Callable[..., Path]
NO_FIGURES = "No figure: nothing was run yet."


def columns(found: list[list[list[str]]], variant: str) -> list[str]:
    """Return the headings of the first table that has a row of this variant and columns of metrics."""
    (table,) = [table for table in found if any(row[0] == variant for row in table) and table[0][:3] == ["variant", "data", "seeds"]]
    return table[0][3:]


@pytest.mark.parametrize(
    ("name", "expected", "row"),
    [
        ("lab1-classifier-mnist", ["cross-entropy (nats)", "accuracy"], ["0.3457", "0.8900"]),
        (
            "lab1-aegmm-mnist",
            ["reconstruction (nats)", "squared error a pixel", "log p(code), mixture (nats)"],
            ["100.25", "0.01235", "-3.386"],
        ),
        (
            "uva3-gan-mnist",
            ["discriminator's loss (nats)", "test images judged real", "generated images judged generated"],
            ["1.375", "0.875", "0.625"],
        ),
        # A critic's scores are neither probabilities nor nats.
        ("ext-wgangp-mnist", ["critic on generated minus on test images"], ["-2.125"]),
        # A flow's numbers are those of its likelihood.
        ("uva3-realnvp-mnist", [], []),
        (
            "vu4a-vae-mnist",
            ["-ELBO (nats)", "reconstruction (nats)", "KL (nats)", "squared error a pixel"],
            ["123.46", "100.25", "23.21", "0.01235"],
        ),
    ],
)
def test_columns_that_no_variant_of_a_chapter_has_are_left_out(
    name: str, expected: list[str], row: list[str], report_config: ReportOf, make: Make
) -> None:
    config = only(report_config("quick"), name)
    text, page = both(config, make(config))
    for found in (tables(text), Page(page).tables):
        assert columns(found, name) == expected
        assert [name, "mnist, stand-in", "1", *row] in [line for table in found for line in table]


def test_where_nothing_was_run_every_column_stands(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(report_config("quick"), "lab1-classifier-mnist")
    text, page = both(config, started(tmp_path, config, "lab1-classifier-mnist"))
    for found in (tables(text), Page(page).tables):
        assert len(columns(found, "lab1-classifier-mnist")) == 13
        assert ["lab1-classifier-mnist", "mnist, stand-in", "0", *["no result"] * 13] in [line for table in found for line in table]


def test_what_was_not_run_does_not_decide_the_columns(report_config: ReportOf, make: Make) -> None:
    config = only(report_config("quick"), "lab1-classifier-mnist", "lab1-vae-mnist")
    text, _ = both(config, make(config, without=("lab1-vae-mnist",)))
    assert columns(tables(text), "lab1-classifier-mnist") == ["cross-entropy (nats)", "accuracy"]
    assert "| `lab1-vae-mnist` | mnist, stand-in | 0 | no result | no result |" in text


def test_a_metric_that_is_null_keeps_its_column(report_config: ReportOf, make: Make) -> None:
    config = only(report_config("quick"), "lab1-classifier-mnist")
    root = make(config)
    path = root / "results/quick/lab1-classifier-mnist/0/metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "accuracy": None}))
    text, _ = both(config, root)
    assert "| `lab1-classifier-mnist` | mnist, stand-in | 1 | 0.3457 | not defined |" in text


def test_a_model_without_likelihood_has_no_row_among_the_likelihoods(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    text, page = both(config, make(config))
    for found in (tables(text), Page(page).tables):
        for heading in ("K = 1", "95 % from"):
            rows = {row[0] for table in of(found, heading) for row in table[1:]}
            assert {"lab1-aegmm-mnist", "lab1-classifier-mnist"}.isdisjoint(rows) and {"lab1-vae-mnist", "uva3-realnvp-mnist"} <= rows
        metrics = {row[0]: row[3:] for table in of(found, "accuracy") for row in table}
        assert metrics["lab1-aegmm-mnist"] == ["not defined", "100.25", "not defined", "0.01235", "-3.386", "not defined", "not defined"]
        assert metrics["lab1-classifier-mnist"] == [*["not defined"] * 5, "0.3457", "0.8900"]
        assert metrics["lab1-vae-mnist"][4:] == ["not defined"] * 3


def test_a_chapter_without_likelihoods_says_so(report_config: ReportOf, make: Make) -> None:
    config = only(report_config("quick"), "lab1-classifier-mnist", "lab1-aegmm-mnist")
    text, page = both(config, make(config))
    # Figures were drawn, so something was run: only what has a likelihood was not.
    for part in (chapters(text)["lab1"], Page(page).sections["lab1"]):
        assert "No likelihood: nothing that has one was run yet." in part and NO_FIGURES not in part


def test_a_flow_has_one_row_without_effective_samples(report_config: ReportOf, make: Make) -> None:
    config = only(report_config("quick", seeds=2), "uva3-realnvp-mnist", "uva3-vae-z2-mnist")
    text, page = both(config, make(config))
    for found in (tables(text), Page(page).tables):
        # A probability of grey images beside an unnormalised cross-entropy: two tables. 118.875 and 10 above it, in the mean 123.875.
        flow, vae = of(found, "K = 1")
        assert flow == [["variant", "seeds", "n", "K = 1"], ["uva3-realnvp-mnist", "2", "100", "123.88"]]
        weights = ["effective samples, mean", "worst", "largest weight, mean"]
        assert vae == [
            ["variant", "seeds", "n", "K = 1", "K = 50", *weights],
            ["uva3-vae-z2-mnist", "2", "100", "124.88", "119.88", "12.3", "1.5", "0.300"],
        ]
    assert "#### mnist (stand-in), probability\n\n-log p(x) is that of a probability of the images' discrete values." in text


def test_every_set_of_images_is_a_row_and_every_number_of_samples_a_column(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(report_config("paper", seeds=2), "lab1-vae-mnist", "lab1-vae-z2-mnist")
    # As text 2,000 stands between 1 and 5, and 1,000 images above 10,000.
    few, many = {1: 130.5, 5: 120.25, 50: 115.5, 2000: 110.75}, {1: 131.5, 5: 121.25}
    weights = {"ess_mean": 40.5, "ess_min": 2.5, "max_weight_mean": 0.125}
    for seed, shift in enumerate((0, 0.5)):
        rows = [likelihood(nll + shift, importance_samples=k, n_images=1000, ess_mean=k / 2) for k, nll in few.items()]
        rows += [likelihood(nll + shift, importance_samples=k, n_images=10000, **weights) for k, nll in many.items()]
        measure(tmp_path, config, "lab1-vae-mnist", likelihood(121.25 + shift), seed=seed, likelihood=rows)
    measure(tmp_path, config, "lab1-vae-z2-mnist", likelihood(140), likelihood=[likelihood(140, importance_samples=50, **weights)])
    text, page = both(config, tmp_path)
    for found in (tables(text), Page(page).tables):
        (table,) = of(found, "K = 2,000")
        numbers = ["K = 1", "K = 5", "K = 50", "K = 2,000"]
        assert table == [
            ["variant", "seeds", "n", *numbers, "effective samples, mean", "worst", "largest weight, mean"],
            ["lab1-vae-mnist", "2", "10,000", "131.75", "121.50", "", "", "40.5", "2.5", "0.125"],
            ["lab1-vae-z2-mnist", "1", "10,000", "", "", "140.00", "", "40.5", "2.5", "0.125"],
            # The weights are those of the largest K of the row.
            ["lab1-vae-mnist", "2", "1,000", "130.75", "120.50", "115.75", "111.00", "1000.0", "", ""],
        ]


@pytest.mark.parametrize(("low", "listed"), [(95.5, False), (95.25, True)])
def test_an_interval_that_few_images_make_wide_is_told(low: float, listed: bool, report_config: ReportOf, tmp_path: Path) -> None:
    config = only(report_config("paper"), "lab1-vae-mnist")
    # From 95.5 to 107.5 is 12 nats, three times the 4 at the largest K.
    first = likelihood(101.25, importance_samples=1, nll_nats_low=low, nll_nats_high=107.5)
    measure(tmp_path, config, "lab1-vae-mnist", likelihood(100), likelihood=[first, likelihood(100, importance_samples=500)])
    text, _ = both(config, tmp_path)
    assert ("three times as wide" in text) == listed
    assert (f"- `lab1-vae-mnist`: 101.25 nats ({low:.2f} to 107.50), n = 10,000." in text) == listed


@pytest.mark.parametrize("failed", [0, 1])
def test_a_seed_without_finite_weights_does_not_decide_the_kind(failed: int, report_config: ReportOf, make: Make) -> None:
    config = only(report_config("quick", seeds=2), "lab1-vae-mnist")
    root = make(config)
    folder = root / "results/quick/lab1-vae-mnist" / str(failed)
    (folder / "metrics.json").write_text(json.dumps({"n_images": 100, "nll_kind": "not defined", "weights": "not finite"}))
    (folder / "details.json").write_text("{}")
    text, page = both(config, root)
    # The other seed's 118.875, or 10 above it.
    expected = ["lab1-vae-mnist", "1", "100", f"{118.875 + 10 * (1 - failed):.2f}"]
    for found in (tables(text), Page(page).tables):
        assert [row[:4] for table in of(found, "K = 1") for row in table[1:]] == [expected]
    titles = re.findall(r"^#### (mnist.*)$", text, flags=re.M)
    assert titles == re.findall(r"<h4>(mnist.*?)</h4>", page) == ["mnist (stand-in), unnormalised"]


@pytest.mark.parametrize(
    ("images", "heading"),
    [
        ({"size": 32}, "mnist, 32x32 (stand-in), unnormalised"),
        ({"binarisation": "fixed"}, "mnist, binarised (stand-in), unnormalised"),
        ({"size": 16, "binarisation": "every_epoch"}, "mnist, 16x16, binarised (stand-in), unnormalised"),
    ],
)
def test_likelihoods_of_images_prepared_otherwise_stand_in_another_table(
    images: dict[str, object], heading: str, report_config: ReportOf, make: Make
) -> None:
    config = only(report_config("quick"), "lab1-vae-mnist", "lab1-vae-z2-mnist")
    first, second = config.variants.values()
    prepared = second.model_copy(update={"images": second.images.model_copy(update=images)})
    config = config.model_copy(update={"variants": {"lab1-vae-mnist": first, "lab1-vae-z2-mnist": prepared}})
    text, page = both(config, make(config))

    for found in (tables(text), Page(page).tables):
        for column in ("K = 1", "95 % from"):
            rows = [{row[0] for row in table[1:]} for table in of(found, column)]
            assert sorted(map(sorted, rows)) == [["lab1-vae-mnist"], ["lab1-vae-z2-mnist"]]
    for title in (heading, "mnist (stand-in), unnormalised"):
        assert f"\n#### {title}\n" in text and f"<h4>{title}</h4>" in page
        assert f"\n### {title}\n" in text and f"<h3>{title}</h3>" in page


def test_readings_of_metrics_are_of_the_test_images(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    text, page = both(config, make(config))
    for found in (tables(text), Page(page).tables):
        rows = [row for table in found for row in table if row[-1] == "0.016665"]
        # 118.875 / 7133 = 0.01666549...
        assert [row[-4:] for row in rows] == [["test images", "1", "118.88", "0.016665"]] * 2
