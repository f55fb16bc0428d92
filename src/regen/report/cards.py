"""A claim as a card: what the report says, what came out, one chart or picture, and folded below the tests."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regen.params.figures import ReportFigure, anchors
from regen.report.charts import Chart, bars
from regen.report.names import rounded
from regen.report.pictures import Picture, Pictures, Thumbnail
from regen.report.plots import plots
from regen.report.verdicts import OUTCOMES
from regen.results import Results

__all__ = ["Card", "Figures", "cards"]

Table = Mapping[str, Any]

PARTS = {"likelihoods": ("models.html#likelihoods", "likelihoods of all models"), "samples": ("models.html", "samples of all models")}
EXPLANATIONS = {"holds": "✓", "does not hold": "✗", "possible": "◐", "untested": "?"}


@dataclass(frozen=True)
class Card:
    """One claim with what is shown of it; `tests` are rows of asked, measured, expected, holds."""

    claim: Table
    sign: str
    explanation_sign: str
    charts: list[Chart]
    pictures: list[Picture]
    thumbnails: tuple[tuple[Thumbnail, str], ...]
    tests: list[tuple[str, str, str, str]]
    links: list[tuple[str, str]]

    @property
    def id(self) -> str:
        """The claim's name, the card's anchor."""
        name: str = self.claim["id"]
        return name

    @property
    def ran(self) -> set[str]:
        """The variants and probes that the claim was judged on."""
        seeds = {name for name, found in self.claim["seeds"].items() if found}
        return seeds.union(*(test["variants"] for test in self.claim["tests"]))


class Figures:
    """The figures of all reports by anchor: charts made of the results, pictures that were drawn."""

    def __init__(self, results: Results, pictures: Pictures) -> None:
        self.results = results
        self.pictures = pictures
        reports = results.config.reports
        named = {name: list(zip(anchors(name, one.figures), one.figures, strict=True)) for name, one in reports.items()}
        self.by_anchor: dict[str, ReportFigure] = {anchor: figure for own in named.values() for anchor, figure in own}
        self.of = named
        self._charts: dict[str, list[Chart]] = {}

    def charts(self, anchor: str) -> list[Chart]:
        """Return the charts of a figure; none of one that shows pictures, or that there is not."""
        if anchor not in self._charts:
            self._charts[anchor] = plots(self.results, self.by_anchor[anchor]) if anchor in self.by_anchor else []
        return self._charts[anchor]

    def drawn(self, anchor: str) -> list[Picture]:
        """Return the pictures of a figure that were drawn."""
        figure = self.by_anchor.get(anchor)
        if figure is None:
            return []
        found = [self.pictures.find(name, kind) for name in figure.variants for kind in figure.pictures]
        return [picture for picture in found if picture is not None]

    def report_of(self, anchor: str) -> str:
        """Return the report whose figure it is."""
        return next(report for report, own in self.of.items() if anchor in dict(own))

    def title(self, anchor: str) -> str:
        """Return a figure's number in the report and its title."""
        figure = self.by_anchor[anchor]
        return f"{figure.number}: {figure.title}" if figure.number else figure.title


def cards(figures: Figures, claims: list[Table]) -> list[Card]:
    """Return the cards of a report's claims; a chart that one card has shown already is a link in the next."""
    shown: dict[str, str] = {}
    return [_card(figures, claim, shown) for claim in claims]


def _card(figures: Figures, claim: Table, shown: dict[str, str]) -> Card:
    own = [anchor for anchor in claim["figures"] if anchor in figures.by_anchor]
    charts, drawn, used = _picture(figures, claim, own, shown)
    links = [(f"{figures.report_of(anchor)}.html#{anchor}", figures.title(anchor)) for anchor in own if anchor != used]
    links += [PARTS[part] for part in claim["figures"] if part in PARTS]
    explanation = claim.get("explanation")
    return Card(
        claim=claim,
        sign=OUTCOMES[claim["outcome"]],
        explanation_sign=EXPLANATIONS[explanation["verdict"]] if explanation else "",
        charts=charts,
        pictures=drawn,
        thumbnails=() if charts or drawn else _thumbnails(figures, claim),
        tests=[_test(test) for test in claim["tests"]],
        links=links,
    )


def _picture(figures: Figures, claim: Table, own: list[str], shown: dict[str, str]) -> tuple[list[Chart], list[Picture], str]:
    """Return the first figure that no card above has shown, charts before pictures; else a bar chart of the claim's own numbers."""
    for anchor in own:
        if anchor not in shown and (charts := figures.charts(anchor)):
            shown[anchor] = claim["id"]
            return charts[:2], [], anchor
    if chart := _numbers(claim):
        return [chart], [], ""
    for anchor in own:
        if anchor not in shown and (drawn := figures.drawn(anchor)):
            shown[anchor] = claim["id"]
            return [], drawn[:2], anchor
    return [], [], ""


def _thumbnails(figures: Figures, claim: Table) -> tuple[tuple[Thumbnail, str], ...]:
    """Return samples of the first three of a claim's models that have any."""
    titles = {name: variant.title for name, variant in figures.results.config.variants.items() if name in claim["variants"]}
    found = ((figures.pictures.thumbnail(name, title), title) for name, title in titles.items())
    return tuple((one, title) for one, title in found if one is not None)[:3]


def _numbers(claim: Table) -> Chart | None:
    """Return bars of the numbers of the claim that share a unit, if there are two to six of them and none is negative."""
    numbers = [one for one in claim["numbers"] if isinstance(one["value"], int | float)]
    units = [one["unit"] for one in numbers]
    unit = max(dict.fromkeys(units), key=units.count, default=None)
    same = [one for one in numbers if one["unit"] == unit]
    if not 2 <= len(same) <= 6 or any(one["value"] < 0 for one in same) or not any(one["value"] for one in same):
        return None
    rows = [{"label": one["label"], "value": one["value"], "text": one["text"]} for one in same]
    return Chart(bars(rows, str(unit or "")), f"Bars ({unit or 'no unit'}): " + ", ".join(f"{row['label']} {row['text']}" for row in rows))


def _test(test: Table) -> tuple[str, str, str, str]:
    """Return what was asked, measured with its interval, expected, and whether it holds."""
    holds = {True: "yes", False: "no", None: "undecided"}[test["holds"]]
    asked = f"{test['part']}: {test['asked']}" if test["part"] else str(test["asked"])
    return asked, _measured(test), _expected(str(test["expected"]), str(test["unit"] or "")), holds


def _expected(said: str, unit: str) -> str:
    """Write what was expected with its unit; where yes and no have thresholds of their own, both."""
    unit = f" {unit}" if unit else ""
    if near := re.fullmatch(r"(\S+) within (\S+) to (\S+) %", said):
        return f"{float(near[1]):,g}{unit}, within {near[2]} % (no beyond {near[3]} %)"
    if cut := re.fullmatch(r"(above|below) (\S+) to (\S+)", said):
        yes, no, other = (cut[3], cut[2], "below") if cut[1] == "above" else (cut[2], cut[3], "above")
        return f"{cut[1]} {yes}{unit} (no {other} {no}{unit})"
    return f"{said}{unit}"


def _measured(test: Table) -> str:
    value, low, high = test["measured"], test["low"], test["high"]
    if value is None:
        return "not measured"
    if not isinstance(value, int | float):
        return str(value)
    unit = f" {test['unit']}" if test["unit"] else ""
    if low is None or high is None:
        return f"{rounded(value, 0)}{unit}"
    error = (high - low) / 4
    return f"{rounded(value, error)}{unit} ({rounded(low, error)} to {rounded(high, error)}; {test['error']})"
