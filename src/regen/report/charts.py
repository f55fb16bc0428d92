"""Charts in Vega-Lite: one specification is drawn as SVG when the site is built, and again by the reader's browser."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from textwrap import wrap
from typing import Any

import vl_convert
from markupsafe import Markup

__all__ = ["Chart", "Row", "bars", "dots", "heatmap", "interactive", "labelled", "lines", "scatter", "static", "vega_bundle"]

Row = Mapping[str, Any]
Spec = dict[str, Any]

VEGA_LITE = "6.4"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Shipped with the converter, so that texts are measured alike on every machine; the others have the same widths."""

SHEET = (files("regen.report") / "templates/site.css").read_text(encoding="utf-8")
COLOURS = {f"var({name})": colour for name, colour in re.findall(r"(--\w+):(#\w+)", SHEET.partition("}")[0])}
"""The page's colours in its light theme: a file of its own has them instead of their names."""

SERIES = [f"var(--c{index})" for index in range(1, 7)]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
LONGEST = 44
"""Letters of a row's name that fit on one line."""

DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3]]

CONFIG: Spec = {
    "font": FONT,
    "aria": False,
    "background": None,
    "view": {"stroke": None},
    "axis": {
        **{"labelColor": "var(--soft)", "titleColor": "var(--soft)", "gridColor": "var(--line)", "tickColor": "var(--line)"},
        **{"domainColor": "var(--line)", "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 240},
    },
    "legend": {
        **{"labelColor": "var(--ink)", "titleColor": "var(--soft)", "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
        **{"orient": "top", "labelLimit": 320, "columns": 2, "symbolSize": 90, "symbolOpacity": 1},
    },
    "header": {"labelColor": "var(--ink)", "titleColor": "var(--soft)", "labelFontSize": 12},
    "text": {"color": "var(--ink)", "fontSize": 12},
}


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification, what it shows in words, and the files that its numbers come from."""

    spec: Spec
    description: str
    source: str = ""
    live: bool = field(default=False)
    """Whether the browser draws it again, with tooltips and what else it can be asked."""
    title: str = ""
    """Above the chart, where nothing else beside it says what it is."""


def static(chart: Chart, standalone: bool = False) -> str:
    """Return the chart as SVG; in a page its colours follow the page's, `standalone` it has its own and a white ground."""
    spec = {**_whole(chart), "config": CONFIG}
    if "params" in spec:
        spec["params"] = [{"name": one["name"], "value": one["value"]} for one in spec["params"]]
    if "layer" in spec:
        # What is only there to be pointed at.
        spec["layer"] = [layer for layer in spec["layer"] if layer["mark"].get("opacity") != 0]
    svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    assert size is not None
    # What remains of interaction and of metadata in Vega's output says nothing in a still picture, nor does what holds anyway; the font is
    # named once, and a tenth of a pixel is enough.
    svg = re.sub(r' (?:pointer-events|aria-\w+|role|class|xmlns:xlink|version|font-family)="[^"]*"', "", svg)
    svg = re.sub(r' (?:(?:fill-)?opacity|stroke-width)="1"| [xy]2="0"| font-weight="normal"| font-size="12px"', "", svg)
    svg = svg.replace(' transform="translate(0,0)"', "")
    svg = re.sub(r' (?:d|transform)="[^"]*"', lambda place: re.sub(r"(\.\d)\d+", r"\1", place[0]), svg)
    svg = svg.replace("<svg", f'<svg font-family="{FONT}" font-size="12px"', 1)
    svg = re.sub(r'<path d=""[^>]*/>|<path d="M0,0h0v0h0Z"/>', "", svg)
    for _ in range(4):
        svg = re.sub(r"<g(?: [^>]*)?></g>|<g(?: [^>]*)?/>", "", svg)
    if standalone:
        for name, colour in COLOURS.items():
            svg = svg.replace(name, colour)
        ground = f'<rect width="{size[1]}" height="{size[2]}" fill="#fff"/>'
        return svg.replace(">", f">{ground}", 1) + "\n"
    label = Markup.escape(chart.description)
    # Within HTML the element says it all.
    return svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1).replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def interactive(chart: Chart) -> Markup:
    """Return the specification for the browser, as JSON that may stand in a script element."""
    spec = {**_whole(chart), "width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}
    return Markup(json.dumps(spec, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c"))


def vega_bundle() -> str:
    """Return Vega, Vega-Lite and vega-embed as one script that defines `vegaEmbed`, and the `chartConfig` of all charts."""
    own = f"window.vegaEmbed = vegaEmbed; window.chartConfig = {json.dumps(CONFIG)};"
    return vl_convert.javascript_bundle(own, vl_version=VEGA_LITE)


def _whole(chart: Chart) -> Spec:
    return {"width": 420, "padding": 4, **chart.spec}


def _order(rows: Iterable[Row], key: str) -> list[Any]:
    return list(dict.fromkeys(row[key] for row in rows))


def _linear(values: Sequence[float], title: str, zero: bool, room: float, **axis: Any) -> Spec:
    """Return scale and axis of values, with room beyond the largest as a share of the range."""
    low, high = min(values), max(values)
    low, high = (min(low, 0.0), max(high, 0.0)) if zero else (low, high)
    span = (high - low) or abs(high) or 1.0
    ends = [0.0 if zero and low == 0 else low - 1.4 * room * span, 0.0 if zero and high == 0 else high + room * span]
    scale = {"domain": ends, "nice": False, "zero": False}
    return {"type": "quantitative", "scale": scale, "axis": {"title": title or None, "tickCount": 5, **axis}}


def _logarithmic(values: Sequence[float], title: str, **axis: Any) -> Spec:
    """Return scale and axis with ticks at 1, 2 and 5 times the powers of ten, at the powers alone where these would be many."""
    low, high = min(values), max(values)
    low, high = low * (low / high) ** 0.06 / 1.05, high * (high / low) ** 0.06 * 1.05
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{digit}e{power}") for power in decades for digit in (1, 2, 5)]
    shown = [tick for tick in ticks if low <= tick <= high]
    if len(shown) > 7:
        shown = [tick for tick in (float(f"1e{power}") for power in decades) if low <= tick <= high]
    if len(shown) > 7:
        shown = shown[:: math.ceil(len(shown) / 7)]
    form = "~s" if high >= 1e6 else ",~g"
    scale = {"type": "log", "domain": [low, high], "nice": False}
    return {"type": "quantitative", "scale": scale, "axis": {"title": title or None, "values": shown, "format": form, **axis}}


def _scaled(rows: Sequence[Row], keys: Sequence[str], title: str, log: bool, zero: bool = False, room: float = 0.06, **axis: Any) -> Spec:
    values = [float(row[key]) for row in rows for key in keys if row.get(key) is not None]
    return _logarithmic(values, title, **axis) if log else _linear(values, title, zero, room, **axis)


def _series(rows: Sequence[Row]) -> tuple[Spec, Spec]:
    """Return colour and shape of the kinds of rows, with a legend where there are several."""
    kinds = _order(rows, "kind")
    shown = {"title": None} if len(kinds) > 1 else None
    channel = {"field": "kind", "type": "nominal"}
    colours, shapes = ([palette[index % len(palette)] for index in range(len(kinds))] for palette in (SERIES, SHAPES))
    return (
        {**channel, "scale": {"domain": kinds, "range": colours}, "legend": shown},
        {**channel, "scale": {"domain": kinds, "range": shapes}, "legend": shown},
    )


def _names(rows: Sequence[Row]) -> Spec:
    """Return the channel of a row's label; names that are too long for the margin break."""
    axis: Spec = {"title": None, "ticks": False, "domain": False, "labelPadding": 8, "labelLimit": 300}
    long = {label: wrap(label, max(len(label) // 2 + 8, 20)) for label in _order(rows, "label") if len(label) > LONGEST}
    if long:
        axis["labelExpr"] = f"{json.dumps(long, ensure_ascii=False)}[datum.label] || datum.label"
    return {"field": "label", "type": "nominal", "sort": _order(rows, "label"), "axis": axis}


def bars(rows: Sequence[Row], title: str) -> Spec:
    """Return horizontal bars with their values; rows have label, value, text, and `tone`, a colour of the page.

    Raises
    ------
    RuntimeError
        If two rows have one label: their bars would stand on one another.
    """
    if len(_order(rows, "label")) < len(rows):
        raise RuntimeError(f"bars with one label: {', '.join(str(row['label']) for row in rows)}")
    values = [{"tone": "var(--c1)", **row} for row in rows]
    x = {"field": "value", **_scaled(values, ["value"], title, log=False, zero=True, room=0.25, grid=False, labels=False, ticks=False)}
    bar = {"x": x, "color": {"field": "tone", "type": "nominal", "scale": None}}
    sides = {"right" if row["value"] < 0 else "left" for row in values}

    def label(align: str) -> Spec:
        """Return texts that stand at the end of their bar, of negative values at its left."""
        test = "datum.value < 0" if align == "right" else "datum.value >= 0"
        return {"transform": [{"filter": test}], "mark": {"type": "text", "align": align, "dx": -6 if align == "right" else 6}}

    return {
        "width": 230,
        "height": 30 * len(_order(values, "label")),
        "data": {"values": values},
        "encoding": {"y": _names(values)},
        "layer": [
            {"mark": {"type": "bar", "height": 18}, "encoding": bar},
            *({**label(side), "encoding": {"x": x, "text": {"field": "text"}}} for side in ("left", "right") if side in sides),
        ],
    }


def dots(rows: Sequence[Row], title: str, log: bool = False, width: int = 320, zero: bool = False, percent: bool = False) -> Spec:
    """Return a dot plot, a line a label; rows have label, value, text, `kind` (a series), and `low` and `high` where a range is known."""
    form: Spec = {"format": ".0%"} if percent else {}
    scale = _scaled(rows, ["value", "low", "high"], title, log, zero, **form)
    colour, shape = _series(rows)
    shown = [{"field": key, "type": "nominal", "title": name} for key, name in (("label", "row"), ("kind", "which"), ("text", "value"))]
    layers: list[Spec] = []
    if any(row.get("low") is not None for row in rows):
        ends = {"x": {**scale, "field": "low"}, "x2": {"field": "high"}, "color": colour}
        mark = {"type": "rule", "strokeWidth": 2, "opacity": 0.55}
        layers.append({"transform": [{"filter": "isValid(datum.low)"}], "mark": mark, "encoding": ends})
    point = {"x": {**scale, "field": "value"}, "color": colour, "shape": shape, "tooltip": shown}
    layers.append({"mark": {"type": "point", "filled": True, "size": 75, "opacity": 1}, "encoding": point})
    names = _names(rows)
    names["axis"] = {**names["axis"], "grid": True}
    step = 32 if "labelExpr" in names["axis"] else 26
    height = step * len(_order(rows, "label"))
    return {"width": width, "height": height, "data": {"values": list(rows)}, "encoding": {"y": names}, "layer": layers}


def lines(
    rows: Sequence[Row],
    x: str,
    y: str,
    log_x: bool = False,
    log_y: bool = False,
    points: bool = True,
    ordinal: Sequence[str] = (),
    height: int = 230,
) -> Spec:
    """Return curves; rows have x, y, kind, and `low` and `high` where a range is known; `ordinal`: the order of x where it is no number."""
    colour, shape = _series(rows)
    across: Spec = {"field": "x", "type": "ordinal", "sort": list(ordinal), "axis": {"title": x or None, "labelAngle": 0, "grid": False}}
    if not ordinal:
        across = {"field": "x", **_scaled(rows, ["x"], x, log_x, room=0.02)}
    up = _scaled(rows, ["y", "low", "high"], y, log_y)
    shown = [
        {"field": "kind", "type": "nominal", "title": "curve"},
        {"field": "x", "type": "ordinal" if ordinal else "quantitative", "title": x or "when"},
        {"field": "y", "type": "quantitative", "title": y, "format": ".4~g"},
    ]
    layers: list[Spec] = []
    if any(row.get("low") is not None for row in rows):
        band = {"y": {**up, "field": "low"}, "y2": {"field": "high"}, "color": colour}
        layers.append({"mark": {"type": "area", "opacity": 0.18}, "encoding": band})
    curve = {"y": {**up, "field": "y"}, "color": colour}
    for index, kind in enumerate(_order(rows, "kind")):
        own = [{"filter": {"field": "kind", "equal": kind}}]
        mark: Spec = {"type": "line", "strokeWidth": 2, "strokeDash": DASHES[index % len(DASHES)]}
        layers.append({"transform": own, "mark": mark, "encoding": curve})
    dot: Spec = {"y": {**up, "field": "y"}, "color": colour, "tooltip": shown}
    if points:
        dot["shape"] = shape
    layers.append({"mark": {"type": "point", "filled": True, "size": 50, "opacity": 1 if points else 0}, "encoding": dot})
    return {"height": height, "data": {"values": list(rows)}, "encoding": {"x": across}, "layer": layers}


def labelled(rows: Sequence[Row], x: str, y: str) -> Spec:
    """Return points on a line in the order of x, each with its name beside it; rows have x, y, name."""
    across = {"field": "x", **_scaled(rows, ["x"], x, log=False, room=0.12)}
    up = {"field": "y", **_scaled(rows, ["y"], y, log=False)}
    return {
        "height": 260,
        "data": {"values": list(rows)},
        "encoding": {"x": across, "y": up},
        "layer": [
            {"mark": {"type": "line", "point": {"filled": True, "size": 75, "color": "var(--c1)"}, "color": "var(--c1)"}},
            # Above and below by turns: neighbours may lie close.
            *(
                {
                    "transform": [{"filter": {"field": "name", "oneOf": [row["name"] for row in rows[first::2]]}}],
                    "mark": {"type": "text", "align": "left", "dx": 6, "dy": shift},
                    "encoding": {"text": {"field": "name"}},
                }
                for first, shift in ((0, -11), (1, 13))
            ),
        ],
    }


def scatter(rows: Sequence[Row], x: str, y: str, log_x: bool = False, log_y: bool = False) -> Spec:
    """Return points with names; rows have x, y, kind, name. The browser's chart can show one kind alone."""
    colour, shape = _series(rows)
    kinds = _order(rows, "kind")
    choice = {"input": "select", "name": "Show ", "options": ["all", *kinds]}
    shown = [
        {"field": "name", "type": "nominal", "title": "model"},
        {"field": "x", "type": "quantitative", "title": x, "format": ".4~g"},
        {"field": "y", "type": "quantitative", "title": y, "format": ".4~g"},
    ]
    return {
        "height": 300,
        "data": {"values": list(rows)},
        **({"params": [{"name": "shown", "value": "all", "bind": choice}]} if len(kinds) > 1 else {}),
        "mark": {"type": "point", "filled": True, "size": 90},
        "encoding": {
            **{"x": {"field": "x", **_scaled(rows, ["x"], x, log_x)}, "y": {"field": "y", **_scaled(rows, ["y"], y, log_y)}},
            **{"color": colour, "shape": shape, "tooltip": shown},
            **(
                {"opacity": {"condition": {"test": "shown === 'all' || datum.kind === shown", "value": 1}, "value": 0.1}}
                if len(kinds) > 1
                else {}
            ),
        },
    }


def heatmap(rows: Sequence[Row], x: str, y: str) -> Spec:
    """Return a matrix of shares with a text in every cell; rows have x, y, value, text."""
    places = {
        "x": {"field": "x", "type": "ordinal", "axis": {"title": x, "labelAngle": 0, "orient": "top"}},
        "y": {"field": "y", "type": "ordinal", "axis": {"title": y}},
    }
    opacity = {"field": "value", "type": "quantitative", "scale": {"domain": [0, 1], "range": [0, 0.75]}, "legend": None}
    return {
        "width": {"step": 36},
        "height": {"step": 26},
        "data": {"values": list(rows)},
        "encoding": places,
        "layer": [
            {"mark": {"type": "rect", "color": "var(--c1)"}, "encoding": {"opacity": opacity}},
            {"mark": {"type": "text", "fontSize": 11}, "encoding": {"text": {"field": "text"}}},
        ],
    }
