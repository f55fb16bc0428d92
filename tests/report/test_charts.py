"""Charts: one specification, a still picture that is the same bytes everywhere and one for the browser."""

import json
import re
from xml.etree import ElementTree

import pytest

from regen.report import charts
from regen.report.charts import Chart, bars, dots, heatmap, interactive, labelled, lines, scatter, static

ROWS = [
    {"label": "a <b>", "value": 2.0, "kind": "x", "text": "2", "low": 1.0, "high": 3.0},
    {"label": "c", "value": 8.0, "kind": "y", "text": "8"},
]
POINTS = [{"x": x, "y": 2.0**x, "kind": kind, "name": f"{kind}{x}"} for kind in ("p", "q") for x in (1, 2, 3)]
SPECS = {
    "bars": bars([{"label": "down", "value": -3.0, "text": "-3"}, {"label": "up", "value": 5.0, "text": "5"}], "nats"),
    "dots": dots(ROWS, "nats"),
    "lines": lines(POINTS, "epoch", "nats", log_y=True),
    "ordinal": lines([{**row, "x": f"epoch {row['x']}"} for row in POINTS], "", "nats", ordinal=["epoch 1", "epoch 2", "epoch 3"]),
    "scatter": scatter(POINTS, "minutes", "nats"),
    "labelled": labelled(POINTS[:3], "rate", "distortion"),
    "heatmap": heatmap([{"x": "0", "y": "1", "value": 0.5, "text": "7"}], "predicted", "true"),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_still_picture_is_well_formed_described_and_asks_for_nothing(name: str) -> None:
    chart = Chart(SPECS[name], 'Bars: "a" < b')
    page, file = static(chart), static(chart, standalone=True)
    assert page == static(chart)
    drawn = ElementTree.fromstring(page)
    assert (drawn.get("role"), drawn.get("aria-label")) == ("img", 'Bars: "a" < b')
    assert set(re.findall(r"https?://[^\"]+", page + file)) == {"http://www.w3.org/2000/svg"}
    # In a page colours are the page's, so that they follow light and dark; a file has its own.
    assert "var(--" in page and "var(--" not in file and 'fill="#fff"' in file
    ElementTree.fromstring(file)


def test_every_value_and_label_is_drawn() -> None:
    texts = {element.text for element in ElementTree.fromstring(static(Chart(SPECS["dots"], ""))).iter() if element.text}
    assert {"a <b>", "c", "nats", "x", "y"} <= texts
    assert {"-3", "5", "down", "up"} <= {element.text for element in ElementTree.fromstring(static(Chart(SPECS["bars"], ""))).iter()}


def test_bars_that_would_stand_on_one_another_are_an_error() -> None:
    with pytest.raises(RuntimeError, match="one label: up, down, up"):
        bars([{"label": label, "value": 1.0, "text": "1"} for label in ("up", "down", "up")], "nats")


def test_the_browsers_specification_has_the_data_and_cannot_leave_its_script() -> None:
    text = str(interactive(Chart(dots([{**ROWS[0], "label": "</script>"}, ROWS[1]], "nats"), "")))
    assert "<" not in text
    spec = json.loads(text)
    assert [row["label"] for row in spec["data"]["values"]] == ["</script>", "c"] and spec["width"] == "container"


def test_points_that_are_only_there_to_be_pointed_at_are_not_in_the_still_picture() -> None:
    with_, without = (static(Chart(lines(POINTS, "x", "y", points=points), "")) for points in (True, False))
    assert len(without) < len(with_)
    assert "tooltip" in str(interactive(Chart(lines(POINTS, "x", "y", points=False), "")))


@pytest.mark.parametrize(
    ("values", "ticks"),
    [((3.0, 40.0), [5, 10, 20]), ((100.0, 120.0), [100]), ((0.02, 5000.0), [0.01, 0.1, 1, 10, 100, 1000, 10000])],
)
def test_logarithmic_axes_have_round_ticks_within_their_ends(values: tuple[float, float], ticks: list[float]) -> None:
    made = charts._logarithmic(list(values), "x")
    low, high = made["scale"]["domain"]
    assert low < values[0] and high > values[1]
    assert made["axis"]["values"] == pytest.approx(ticks)


def test_the_bundle_of_the_library_defines_one_name_and_is_the_same_every_time() -> None:
    bundle = charts.vega_bundle()
    assert "window.vegaEmbed" in bundle and bundle == charts.vega_bundle() and len(bundle) < 1_200_000
