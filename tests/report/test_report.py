"""The report from made-up results: what stands in the files stands in it, and nothing else."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from forms import Page, both, chapters, family_of, of, seen, tables

from regen.claims.reported import read_reported
from regen.params.schema import ReportConfig

NOTICE = "Stand-in data."

ReportOf = Callable[..., ReportConfig]
Make = Callable[..., Path]

SHARED = ["-ELBO (nats)", "reconstruction (nats)", "KL (nats)", "squared error a pixel"]
PLAYERS = ["discriminator's loss (nats)", "test images judged real", "generated images judged generated"]
HEADINGS = {
    "vu4a": [*SHARED, *PLAYERS],
    "lab1": [*SHARED, "log p(code), mixture (nats)", "cross-entropy (nats)", "accuracy"],
    "uva3": [*SHARED, *PLAYERS, "critic on generated minus on test images"],
}
"""Columns of a chapter's metrics; those that are not listed have none but a VAE's."""

CELLS = {
    "vae": dict(zip(SHARED[1:], ["100.25", "23.21", "0.01235"], strict=True)),
    "flow": {},
    "autoencoder": {"reconstruction (nats)": "100.25", "squared error a pixel": "0.01235", "log p(code), mixture (nats)": "-3.386"},
    "gan": dict(zip(PLAYERS, ["1.375", "0.875", "0.625"], strict=True)),
    "critic": {"critic on generated minus on test images": "-2.125"},
    "classifier": {"cross-entropy (nats)": "0.3457", "accuracy": "0.8900"},
}


def test_every_metric_stands_in_both_forms(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    text, page = both(config, make(config))
    expected = {}
    for number, (name, variant) in enumerate(config.variants.items()):
        cells = CELLS[family_of(variant)]
        cells = {"-ELBO (nats)": f"{123.456 + number:.2f}", **cells} if variant.model.family == "vae" else cells
        row = [cells.get(heading, "not defined") for heading in HEADINGS.get(variant.report, SHARED)]
        expected[name] = [f"{variant.dataset}, stand-in", "1", *row]
    for found in (Page(page).tables, tables(text)):
        assert {row[0]: row[1:] for table in of(found, "KL (nats)") for row in table[1:]} == expected
        for table in of(found, "KL (nats)"):
            assert table[0] == ["variant", "data", "seeds", *HEADINGS.get(config.variants[table[1][0]].report, SHARED)]
        (cards,) = of(found, "what it is")
        assert ["mnist", "stand-in", "made-up mnist", "1000", "200", "100", "1x28x28", "0.13", "generated"] in cards


def test_likelihoods_of_different_kind_or_data_never_share_a_table(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick", seeds=2)
    text, page = both(config, make(config))
    numbers = {name: number for number, name in enumerate(config.variants)}

    def what(name: str) -> tuple[str, int | None, str]:
        variant = config.variants[name]
        return variant.dataset, variant.images.size, "flow" if variant.model.family == "flow" else variant.model.likelihood.kind

    families = {name: variant.model.family for name, variant in config.variants.items()}
    for found in (Page(page).tables, tables(text)):
        for heading in ("K = 1", "95 % from"):
            # What has no likelihood has no row: in its chapter, and among all models.
            likelihoods = of(found, heading)
            assert all(len({what(row[0]) for row in table[1:]}) == 1 for table in likelihoods)
            names = [row[0] for table in likelihoods for row in table[1:]]
            assert Counter(names) == Counter(name for name, family in families.items() if family in ("vae", "flow"))
        for table in of(found, "K = 1"):
            flow = families[table[1][0]] == "flow"
            weights = [] if flow else ["effective samples, mean", "worst", "largest weight, mean"]
            assert table[0] == ["variant", "seeds", "n", "K = 1", *([] if flow else ["K = 50"]), *weights]
            for name, *row in table[1:]:
                # The mean of two seeds, 10 apart; 50 samples are 5 below one, and the weights are theirs; a flow's is exact.
                value = 118.875 + numbers[name] + 5
                rest = [] if flow else [f"{value - 5:.2f}", "12.3", "1.5", "0.300"]
                assert row == ["2", "100", f"{value:.2f}", *rest]
    headings = ("mnist (stand-in), unnormalised", "mnist (stand-in), density", "binarized_mnist (stand-in), probability")
    for heading in (*headings, "mnist (stand-in), probability", "mnist, 32x32 (stand-in), unnormalised"):
        assert f"\n#### {heading}\n" in text and f"<h4>{heading}</h4>" in page
        assert f"\n### {heading}\n" in text and f"<h3>{heading}</h3>" in page


def test_a_changed_number_changes_its_line_alone(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    root = make(config)
    before = both(config, root)
    path = root / "results/quick/lab1-vae-mnist/0/metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "kl_nats": 987.654}))
    after = both(config, root)

    for old, new in zip(before, after, strict=True):
        changed = [(a, b) for a, b in zip(old.splitlines(), new.splitlines(), strict=True) if a != b]
        assert len(changed) == 1
        assert "lab1-vae-mnist" in changed[0][0] and "23.21" in changed[0][0] and "987.65" in changed[0][1]


def test_reported_and_reproduced_stand_side_by_side(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick", seeds=2)
    text, page = both(config, make(config, epochs=8))
    (rows,) = [table for table in tables(chapters(text)["uva3"]) if "reproduced" in table[0]]

    # Histories start at 500 and 510 and fall by 1 an epoch; 504 / 170 = 2.9647.
    assert rows[2] == [
        'Negative ELBO after epoch 1 ("about 170")',
        *("170", "nats", "grey, training, running mean", "epoch 1", "2", "504 (499 to 509)", "2.9647"),
    ]
    # After epoch 40, the last of 8: 497 / 100.
    assert rows[10][4:] == ["epoch 8", "2", "497 (492 to 502)", "4.97"]
    by_label = [row[-5:] for table in Page(page).tables for row in table if "read at" not in row]
    assert ["grey, training, running mean", "epoch 1", "2", "504 (499 to 509)", "2.9647"] in by_label
    # As printed, to the last digit.
    for printed in ("0.00849", "0.00855", "1911.26", "1911.91"):
        assert f"| {printed} |" in chapters(text)["vu4a"] and f">{printed}<" in page


def test_a_stand_in_is_called_one_in_every_chapter(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    text, page = both(config, make(config))
    sections = Page(page).sections

    assert set(chapters(text)) == {*config.reports, "Verdicts", "Likelihoods", "Sample quality", "Errata", "Data", "How it was made"}
    assert set(sections) == {*config.reports, "verdicts", "likelihoods", "samples", "errata", "data", "made", "header"}
    assert all(NOTICE in chapters(text)[report] and NOTICE in sections[report] for report in config.reports)
    assert NOTICE in text.partition("## ")[0] and NOTICE in sections["header"]


def test_real_data_carry_no_notice(report_config: ReportOf, make: Make) -> None:
    config = report_config("paper")
    text, page = both(config, make(config, epochs=40))
    assert NOTICE not in text and NOTICE not in page and "cut short" not in text + page
    # What is no official data is named for what it is.
    assert "svhn, grey" in text and "svhn, grey" in page


def test_notes_of_a_report_stand_in_its_chapter(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    text, page = both(config, make(config))
    for report, source in config.reports.items():
        assert all(note in seen(chapters(text)[report]) and note in Page(page).sections[report] for note in source.notes)


def test_assumptions_are_named(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    for form in both(config, make(config)):
        lines = re.sub(r"<[^>]+>", "", form).splitlines()
        (line,) = [line for line in lines if "mlp 784-300-16" in line and "bernoulli likelihood" in line]
        assert "Assumed here" in line and "latent.dim 16" in line and "likelihood bernoulli" in line
        assert "adam 0.005, batch 64, 50 epochs" in line


def test_the_page_is_self_contained(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    source = both(config, make(config))[1]
    page = Page(source)
    images = [values for tag, values in page.elements if tag == "img"]

    # What a figure lists is embedded, what none lists is a link.
    listed = [
        name for report in config.reports.values() for figure in report.figures for name in figure.variants if "means" in figure.pictures
    ]
    links = {values["href"] for tag, values in page.elements if tag == "a" and values.get("href", "").startswith("figures/")}
    assert len(images) == len(listed) > 0
    assert links == {f"figures/{name}/means.png" for name in config.variants.keys() - set(listed)}
    for values in images:
        assert values["src"].startswith("data:image/png;base64,") and values["alt"] == 'A "grid" of tiles.'
    ids = [values["id"] for _, values in page.elements if "id" in values]
    assert len(set(ids)) == len(ids)
    for tag, values in page.elements:
        assert tag not in ("iframe", "object", *config.variants) and not (tag == "script" and values)
        for key in ("src", "href"):
            # Links lead into the page, to the tests of the repository and to how the page was made.
            assert values.get(key, "data:").startswith(("data:", "#", "../../tests/", "made.", "figures/"))
            if values.get(key, "").startswith("#"):
                assert values[key][1:] in ids
    assert not re.search(r"@import|url\(|https?://", source)


def test_headings_descend_without_a_gap(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    levels = [int(tag[1]) for tag, _ in Page(both(config, make(config))[1]).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_tables_are_well_formed(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    text, page = both(config, make(config, without=("lab1-vae-mnist",)))

    found = (tables(text), Page(page).tables)
    # Metrics of every report, printed numbers of those that print some, and the data.
    assert [len(of(one, "KL (nats)")) for one in found] == [len(config.reports)] * 2
    assert [len(of(one, "reproduced")) for one in found] == [len({row.report for row in read_reported()})] * 2
    assert len(found[0]) == len(found[1])
    for table in tables(text):
        assert {len(row) for row in table} == {len(table[0])}
        assert set(table[1]) == {"---"}
        assert len(table) > 2
    # A table that does not follow an empty line is no table.
    assert re.findall(r"^[^|\n].*\n\|", text, flags=re.M) == []


def test_what_has_no_result_says_so(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    missing = ("vu4a-vae-svhn", *(name for name, variant in config.variants.items() if variant.report == "lab1"))
    text, page = both(config, make(config, without=missing))
    for found in (Page(page).tables, tables(text)):
        rows = {row[0]: row[1:] for table in of(found, "KL (nats)") for row in table}
        assert rows["vu4a-vae-svhn"] == ["svhn, stand-in", "0", *["no result"] * len(HEADINGS["vu4a"])]
        assert "no result" not in rows["vu4a-vae-mnist"]
    (svhn,) = [row for table in tables(text) for row in table if "training, lowest" in row[0]]
    assert svhn[-3:] == ["0", "no result", ""]
    missing_picture = "reports/quick/figures/vu4a-vae-svhn/index.json: expected a JSON file, got nothing there"
    assert missing_picture in chapters(text)["vu4a"] and missing_picture in Page(page).sections["vu4a"]


def test_an_undefined_metric_is_not_a_number(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    root = make(config)
    path = root / "results/quick/lab1-vae-mnist/0/metrics.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "mse_per_pixel": None}))
    rows = {row[0]: row for table in of(tables(both(config, root)[0]), "KL (nats)") for row in table}
    column = rows["variant"].index("squared error a pixel")
    assert (rows["lab1-vae-mnist"][column], rows["lab1-vae-z2-mnist"][column]) == ("not defined", "0.01235")


def test_the_same_files_give_the_same_bytes_anywhere(report_config: ReportOf, make: Make) -> None:
    config = report_config("quick")
    root = make(config)
    moved = root.rename(root.with_name("elsewhere"))
    first = both(config, moved)
    assert both(config, moved) == first
    assert str(moved) not in "".join(first) and str(root) not in "".join(first)
