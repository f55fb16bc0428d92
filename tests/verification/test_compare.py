"""Whether a run that came out differently is found: every kind of file, every kind of difference."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.reading import leaves

from regen.metrics import tolerance
from regen.verification.compare import Difference, differences, table

METRICS = {"neg_elbo_nats": 100.0, "n_images": 100, "data_source": "stand-in", "discriminator_nats": 1.0}
PICTURE = "reports/quick/figures/v/means.png"
HISTORY = "epoch,step,val_neg_elbo_nats\n1,10,200.0\n2,20,100.0\n"
DETAILS = {"rows": [{"images": "samples", "per_image": [1.0, 2.0]}]}


def tree(root: Path) -> dict[str, Path]:
    """Write a small result of every kind and return its files by name."""
    texts = {
        "results/quick/v/0/metrics.json": json.dumps(METRICS),
        "results/quick/v/0/history.csv": HISTORY,
        "results/quick/v/0/details.json": json.dumps(DETAILS),
        "results/quick/data/mnist.json": json.dumps({"mean": 0.13, "counts": {"train": 100}}),
        "reports/quick/claims.json": json.dumps([{"strength": "none", "finding": "1.5 nats"}]),
        "reports/quick/report.md": "# Report",
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    picture(root / PICTURE)
    return {name: root / name for name in (*texts, PICTURE)}


def picture(path: Path, width: int = 4, grey: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, 3), grey).save(path)


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.fixture
def trees(tmp_path: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    return tree(tmp_path / "committed"), tree(tmp_path / "got")


Trees = tuple[dict[str, Path], dict[str, Path]]
RUN = "results/quick/v/0/"


@pytest.mark.parametrize("exact", [True, False])
def test_the_same_files_do_not_differ(trees: Trees, exact: bool) -> None:
    assert differences(*trees, exact) == []


def test_one_digit_of_one_metric_is_found_on_the_same_platform(trees: Trees) -> None:
    changed(trees[1][f"{RUN}metrics.json"], neg_elbo_nats=100.00001)
    assert differences(*trees, exact=True) == [Difference(f"{RUN}metrics.json: neg_elbo_nats", "100.0", "100.00001", "equal bit for bit")]
    # Another platform may do that.
    assert differences(*trees, exact=False) == []


CORRUPT: list[tuple[str, Callable[[Path], Any], str]] = [
    ("metrics.json", lambda path: changed(path, neg_elbo_nats=101.0), "neg_elbo_nats"),
    ("metrics.json", lambda path: changed(path, neg_elbo_nats=float("nan")), "neg_elbo_nats"),
    ("metrics.json", lambda path: changed(path, neg_elbo_nats=float("inf")), "neg_elbo_nats"),
    ("metrics.json", lambda path: changed(path, neg_elbo_nats=None), "neg_elbo_nats"),
    ("metrics.json", lambda path: changed(path, discriminator_nats=1.2), "discriminator_nats"),
    ("metrics.json", lambda path: changed(path, n_images=101), "n_images"),
    ("metrics.json", lambda path: changed(path, data_source="official"), "data_source"),
    ("metrics.json", lambda path: changed(path, more=1.0), "more"),
    ("metrics.json", lambda path: path.write_text("{}"), "neg_elbo_nats"),
    ("metrics.json", lambda path: path.write_text('{"neg_elbo'), ""),
    ("history.csv", lambda path: path.write_text(HISTORY.replace("2,20,100.0", "2,20,102.0")), "val_neg_elbo_nats"),
    ("history.csv", lambda path: path.write_text(HISTORY.replace("2,20,100.0", "2,20,nan")), "val_neg_elbo_nats"),
    ("history.csv", lambda path: path.write_text(HISTORY + "3,30,100.0\n"), "rows"),
    ("history.csv", lambda path: path.write_text(HISTORY.replace("1,10,200.0", "1,10,inf")), "rows that are not finite"),
    ("history.csv", lambda path: path.write_text(HISTORY + "3,30\n"), ""),
    ("history.csv", lambda path: path.write_text(""), ""),
    ("details.json", lambda path: changed(path, rows=[]), "rows[0].images"),
    ("details.json", lambda path: changed(path, rows=[{"images": "samples", "per_image": [1.0, float("nan")]}]), "rows[0].per_image[1]"),
    ("details.json", lambda path: changed(path, rows=[{"images": "samples", "per_image": [1.0, None]}]), "rows[0].per_image[1]"),
    ("../../data/mnist.json", lambda path: changed(path, mean=0.1300001), "mean"),
    ("claims.json", lambda path: path.write_text('[{"strength": "firm", "finding": "1.5 nats"}]'), "[0].strength"),
    ("report.md", lambda path: path.write_text(""), ""),
    ("means.png", lambda path: picture(path, width=5), ""),
    ("means.png", lambda path: path.write_bytes(path.read_bytes()[:40]), ""),
    ("means.png", lambda path: path.write_text(""), ""),
]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("file", "corrupt", "metric"), CORRUPT)
def test_a_difference_is_found_and_named(trees: Trees, file: str, corrupt: Callable[[Path], Any], metric: str, exact: bool) -> None:
    path = next(path for name, path in trees[1].items() if name.endswith(file.rsplit("../", maxsplit=1)[-1]))
    corrupt(path)
    found = differences(*trees, exact)
    name = next(name for name, other in trees[1].items() if other == path)
    assert (f"{name}: {metric}" if metric else name) in {row.metric for row in found}


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("side", [0, 1])
def test_a_file_that_one_side_lacks_is_found(trees: Trees, side: int, exact: bool) -> None:
    for name in list(trees[side]):
        of = trees[side].copy()
        del of[name]
        pair = (of, trees[1]) if side == 0 else (trees[0], of)
        values = ("nothing", "a file") if side == 0 else ("a file", "nothing")
        assert differences(*pair, exact) == [Difference(name, *values, "the same files")]


def test_another_picture_is_found_on_the_same_platform(trees: Trees) -> None:
    picture(trees[1][PICTURE], grey=1)
    assert [row.metric for row in differences(*trees, exact=True)] == [PICTURE]
    assert differences(*trees, exact=False) == []


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(
    ("file", "text", "metric"), [("metrics.json", '{"nll_nats": null}', "nll_nats"), ("history.csv", "epoch,a\n1,nan\n2,1\n", "rows")]
)
def test_what_is_no_number_is_found_though_it_came_out_again(trees: Trees, file: str, text: str, metric: str, exact: bool) -> None:
    for files in trees:
        files[RUN + file].write_text(text)
    (found,) = differences(*trees, exact)
    assert found.metric.startswith(f"{RUN}{file}: {metric}") and found.tolerance == "finite"


def test_every_metric_of_the_committed_results_that_may_differ_has_a_tolerance() -> None:
    results = Path(__file__).parents[2] / "results/quick"
    files = [
        path
        for path in results.rglob("*.json")
        if path.name in ("metrics.json", "quality.json") or path.parent.name in ("data", "features")
    ]
    exact_everywhere = {"mean"}
    numbers = [(path, key, value) for path in files for key, value in leaves(json.loads(path.read_text())) if isinstance(value, float)]
    without = {key for path, key, value in numbers if not tolerance(key, value or 1.0)}
    assert len(numbers) > 1000 and {key.split(".")[-1] for key in without} <= exact_everywhere


def test_the_table_has_a_row_a_difference_and_says_how_many_of_a_file_it_leaves_out() -> None:
    rows = [Difference(f"a.json: metric {index}", "1", "2", "0.1") for index in range(5)] + [
        Difference("b.png", "these bytes", "others", "0")
    ]
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(rows, most=3).splitlines()]
    assert lines[:2] == [["metric", "committed", "got", "tolerance"], ["---"] * 4]
    assert lines[2:5] == [[f"a.json: metric {index}", "1", "2", "0.1"] for index in range(3)]
    assert lines[5] == ["a.json: and 2 more", "", "", ""] and lines[6][0] == "b.png" and len(lines) == 7
