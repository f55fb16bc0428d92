"""The report where results are missing as a whole, broken or of another form: what is there stands in it all the same."""

from collections.abc import Callable
from pathlib import Path

import pytest
from forms import Page, both, chapters, tables
from measured import started

from regen.common.errors import UserError
from regen.params.schema import ReportConfig
from regen.report.assemble import assemble

ReportOf = Callable[..., ReportConfig]
Make = Callable[..., Path]


def test_one_result_is_a_report(report_config: ReportOf, tmp_path: Path) -> None:
    config = report_config("quick")
    text, page = both(config, started(tmp_path, config, "lab1-vae-mnist"))
    assert text.count("no result") == page.count("no result") > 0
    assert len(Page(page).tables) == len(tables(text))
    assert "reports/quick/claims.json: expected a JSON file, got nothing there" in chapters(text)["Verdicts"]


@pytest.mark.parametrize(("preset", "command"), [("quick", "'dvc repro'"), ("paper", "'make paper'")])
def test_what_is_missing_is_made_by_the_command_of_its_preset(preset: str, command: str, report_config: ReportOf, tmp_path: Path) -> None:
    config = report_config(preset)
    text, _ = both(config, started(tmp_path, config, "lab1-vae-mnist"))
    assert f"got nothing there; run {command} to make it" in text and text.count("; run '") == text.count(f"; run {command}")


def test_without_any_result_there_is_no_report(report_config: ReportOf, tmp_path: Path) -> None:
    # A folder that a run left empty is no result.
    (tmp_path / "results/quick/lab1-vae-mnist/0").mkdir(parents=True)
    with pytest.raises(UserError) as caught:
        assemble(report_config("quick"), tmp_path)
    assert "results/quick: expected the results of a variant, got none" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("results/quick/lab1-vae-mnist/0/metrics.json", '{"nll_nats": '),
        ("results/quick/uva3-vae-z20-mnist/0/history.csv", ""),
        ("results/quick/vu4a-vae-mnist/0/details.json", "x"),
        ("results/quick/data/mnist.json", "{"),
        ("reports/quick/figures/uva3-vae-z2-mnist/index.json", "["),
        ("reports/quick/figures/charts/all/index.json", "{}}"),
        ("reports/quick/claims.json", "?"),
    ],
)
def test_a_broken_file_is_named_where_it_is_missed(path: str, content: str, report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    root = make(config)
    whole = len(tables(both(config, root)[0]))
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content)
    for form in both(config, root):
        assert f"{path}: expected" in form and str(root) not in form
    # Everything else is there; one table may have lost its only row, or have a row of unknown kind.
    assert abs(len(tables(both(config, root)[0])) - whole) <= 1


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("results/quick/lab1-vae-mnist/0/metrics.json", '{"nll_nats": "many", "nll_kind": null}'),
        ("results/quick/lab1-vae-mnist/0/metrics.json", '["nll_nats"]'),
        ("results/quick/lab1-vae-mnist/0/details.json", '{"likelihood": [{"n_images": 5}], "splits": 3, "checks": [[]]}'),
        ("results/quick/lab1-vae-mnist/0/history.csv", "epoch,train_neg_elbo_nats\n1,none\n"),
        ("results/quick/lab1-vae-mnist/0/quality_details.json", '{"rows": [{"images": "samples", "frechet_classifier_distance": "?"}, 4]}'),
        ("results/quick/features/mnist.json", '{"floor": 1}'),
        ("results/quick/data/mnist.json", '{"dataset": "mnist"}'),
        ("reports/quick/figures/lab1-vae-mnist/index.json", '[{"kind": "means"}, 3]'),
        ("reports/quick/figures/lab1-vae-mnist/means.png", "no PNG"),
        ("reports/quick/claims.json", '[{"id": "lab1-3", "report": "lab1", "numbers": 7}, null]'),
    ],
)
def test_a_file_of_another_form_stops_nothing(path: str, content: str, report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    root = make(config)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content)
    text, page = both(config, root)
    assert set(config.reports) <= set(chapters(text)) and Page(page).tables
