"""The static site of a preset, and the report in short: every page made from the results, the verdicts and the pictures."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from statistics import fmean
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from latex2mathml.converter import convert
from markupsafe import Markup

from regen.claims.answers import Answer, read_answers
from regen.claims.errata import RANKS
from regen.claims.study import STUDIES
from regen.common.errors import UserError
from regen.common.files import write_text
from regen.params.figures import ReportFigure
from regen.params.schema import ReportConfig, ReportedVariant
from regen.report.cards import Figures, cards
from regen.report.charts import interactive, static, vega_bundle
from regen.report.exhibits import Viewer, exhibits
from regen.report.findings import Finding, findings
from regen.report.lessons import lessons
from regen.report.likelihoods import Likelihood, held_against
from regen.report.models import groups, table
from regen.report.names import DATASETS, counted, explained, rounded
from regen.report.notebook import cells
from regen.report.pictures import Grid, Pictures
from regen.report.published import read_published
from regen.report.readings import readings
from regen.report.settings import settings_line
from regen.report.verdicts import OUTCOMES, STRENGTHS, Verdicts, reason
from regen.results import Missing, Results

__all__ = ["write_report"]

PAGES = (
    ("index.html#findings", "Findings"),
    ("index.html#claims", "Claims"),
    ("models.html", "Models"),
    ("use.html", "Use the models"),
    ("look.html", "Look"),
    ("lessons.html", "Lessons"),
    ("errata.html", "Errata"),
    ("how.html", "How it was made"),
)


def write_report(config: ReportConfig, root: Path) -> None:
    """Write reports/<preset>/site/ and reports/<preset>/report.md.

    Raises
    ------
    UserError
        If no variant has any result, or a file is malformed.
    """
    Site(config, root).write()


class Site:
    """What the pages share."""

    def __init__(self, config: ReportConfig, root: Path) -> None:
        self.config = config
        self.folder = root / "reports" / config.preset
        self.site = self.folder / "site"
        self.results = Results(config, root)
        if not any(self.results.metrics(name) or self.results.histories(name) for name in config.variants):
            where = root / "results" / config.preset
            raise UserError(f"{where}: expected the results of a variant, got none; run 'dvc repro' to make them")
        self.pictures = Pictures(root, config.preset, self.site)
        self.verdicts = Verdicts(root, config.preset)
        self.figures = Figures(self.results, self.pictures)
        self.answers = {report: read_answers(STUDIES / report) for report in self.verdicts.reports}
        self.standin = any(variant.data_source == "stand-in" for variant in config.variants.values())
        self.specifications: dict[str, int] = {}
        """Of the charts on the page that is being written, each once, in the order in which they come."""
        self.environment = self._environment()

    def write(self) -> None:
        """Write every page and what lies beside them; what an earlier run left behind is deleted."""
        self._clean()
        found = findings(self.results, self.pictures, self.verdicts)
        strengths = [self._strength(one) for one in found]
        self._page("index.html", findings=found, strengths=strengths, **self._front())
        for report in self.verdicts.reports:
            self._page("report.html", f"{report}.html", **self._report(report))
        made = groups(self.results, self.pictures)
        published = held_against(self.results, {one.variant: one for group in made for _, _, own, _ in group.kinds for one in own})
        self._page(
            "models.html",
            groups=made,
            titles={name: variant.title for name, variant in self.config.variants.items()},
            published=published,
            further=[one for one in read_published() if one not in [row["published"] for row in published]],
        )
        self._page("use.html", cells=list(cells()))
        self._page("look.html", exhibits=exhibits(self.results, self.pictures))
        errata = self.verdicts.errata
        self._page("errata.html", errata=errata, ranks=RANKS, reports=self.verdicts.reports, sources=self.config.reports)
        taught = [
            (lesson, shown, self.verdicts.erratum(lesson.erratum)) for lesson, shown in lessons(self.results, self.pictures, self.verdicts)
        ]
        self._page("lessons.html", lessons=taught, answers=self.answers, answered=self._answered())
        self._page("how.html", data=self._data(), about_strengths=STRENGTHS)
        templates = files("regen.report") / "templates"
        for name in ("site.css", "site.js"):
            write_text(self.site / name, (templates / name).read_text(encoding="utf-8"))
        write_text(self.site / "models.csv", table(self.results))
        write_text(self.site / "vega" / "vega.js", vega_bundle())
        write_text(self.site / "vega" / "LICENSE.txt", (templates / "vega-license.txt").read_text(encoding="utf-8"))
        self._short(found, strengths)

    def _answered(self) -> Mapping[str, list[tuple[str, str]]]:
        """Return the erratum -> the worked answers that name it, each with its report."""
        found: dict[str, list[tuple[str, str]]] = {}
        for report, answers in self.answers.items():
            for answer in answers:
                for name in answer.errata:
                    found.setdefault(name, []).append((report, answer.id))
        return found

    def _clean(self) -> None:
        for path in sorted(self.site.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def _page(self, template: str, file: str = "", **context: Any) -> None:
        shared = {"pages": PAGES, "here": file or template, "preset": self.config.preset, "standin": self.standin}
        self.specifications.clear()
        text = self.environment.get_template(f"{template}.j2").render(**shared, **context)
        write_text(self.site / (file or template), re.sub(r"\n\s*\n+", "\n", _minus(text)))

    def _environment(self) -> Environment:
        environment = Environment(
            loader=PackageLoader("regen.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        still: dict[int, tuple[Any, Markup]] = {}

        def drawn(chart: Any) -> Markup:
            """Return a chart's still picture; one that several pages show is drawn once."""
            # With the chart itself: of one that is gone another may have the identity.
            if id(chart) not in still:
                still[id(chart)] = chart, Markup(static(chart))
            return still[id(chart)][1]

        def numbered(chart: Any) -> int:
            """Return a chart's place among the specifications of the page; a chart that the page shows twice has one."""
            return self.specifications.setdefault(interactive(chart), len(self.specifications))

        filters: dict[str, Callable[..., Any]] = {
            "static": drawn,
            "numbered": numbered,
            "explained": explained,
            "counted": counted,
            "slug": lambda text: text.replace(" ", "-"),
            "grids": _grids,
            "mean": lambda values: f"{fmean(values):.6g}" if values else "",
            "data_set": lambda name: DATASETS.get(name, name),
            "digits": rounded,
            "best": _best,
            "capitalize_first": lambda text: text[0].upper() + text[1:],
            "mathml": _mathml,
            "address": self._address,
            "figure_title": lambda name: self.figures.title(name) if name in self.figures.by_anchor else name.replace("-", " "),
            "reason": reason,
        }
        environment.filters |= filters
        environment.globals["specifications"] = lambda: Markup(f"[{','.join(self.specifications)}]")
        return environment

    def _address(self, name: str) -> str:
        """Return where a claim or a figure stands; the front page for one of a report that is not shown."""
        claim = self.verdicts.claim(name)
        if claim is not None:
            return f"{claim['report']}.html#{name}"
        return f"{self.figures.report_of(name)}.html#{name}" if name in self.figures.by_anchor else "index.html"

    def _strength(self, finding: Finding) -> str:
        """Return the weakest strength of the claims behind a finding, and why; of one without claims its tag."""
        claims = [claim for name in finding.claims if (claim := self.verdicts.claim(name)) is not None]
        if not claims:
            return finding.tag
        weakest = max(claims, key=lambda claim: list(STRENGTHS).index(claim["strength"]))
        why = (finding.tag or reason(weakest)) if weakest["strength"] != "firm" else ""
        return f"{weakest['strength']}: {why}" if why else str(weakest["strength"])

    def _front(self) -> Mapping[str, Any]:
        wall = [
            {
                "report": report,
                "page": f"{report}.html",
                "short": self.config.reports[report].about.rstrip("."),
                "claims": [(claim, OUTCOMES[claim["outcome"]]) for claim in self.verdicts.of(report)],
            }
            for report in self.verdicts.reports
        ]
        trained = sum(bool(self.results.histories(name)) for name in self.config.variants)
        return {
            "counts": self.verdicts.counts,
            "chance": self.verdicts.chance,
            "models": trained,
            "errata": len(self.verdicts.errata),
            "wall": wall,
            "reports": self.verdicts.reports,
            "outcomes": OUTCOMES,
            "about_strengths": STRENGTHS,
        }

    def _report(self, report: str) -> Mapping[str, Any]:
        source = self.config.reports[report]
        shown = [
            (
                anchor,
                self.figures.title(anchor),
                " ".join(filter(None, (figure.note, self._epochs(figure)))),
                self.figures.charts(anchor),
                [Viewer(picture, picture.title) for picture in self.figures.drawn(anchor)],
            )
            for anchor, figure in sorted(self.figures.of[report], key=lambda one: one[1].number is None)
        ]
        own = {name: variant for name, variant in self.config.variants.items() if variant.report == report}
        return {
            "report": report,
            "source": source,
            "cards": cards(self.figures, self.verdicts.of(report)),
            "outcomes": OUTCOMES,
            "readings": readings(self.results, report),
            "figures": shown,
            "answers": [(answer, *self._linked(answer)) for answer in self.answers[report]],
            "settings": [(name, variant.title, settings_line(variant), _assumed(variant)) for name, variant in own.items()],
            "errata": len(self.verdicts.errata_of(report)),
        }

    def _epochs(self, figure: ReportFigure) -> str:
        """Return for how many epochs the models of a figure were trained, if one was cut short; stand-ins, which all are, are left out."""
        trained: dict[str, list[str]] = {}
        for name in figure.variants:
            variant = self.config.variants[name]
            if variant.data_source != "stand-in" and self.results.histories(name):
                ran, declared = self.results.epochs(name), variant.training.epochs
                trained.setdefault(f"{ran:,} of {declared:,}" if ran < declared else f"{ran:,}", []).append(name)
        if not any(" of " in epochs for epochs in trained):
            return ""
        return "Epochs: " + "; ".join(f"{epochs} ({', '.join(names)})" for epochs, names in trained.items()) + "."

    def _linked(self, answer: Answer) -> tuple[list[str], list[Any]]:
        """Return the errata of an answer that are known, and of its claims those that anything was measured for."""
        claims = [claim for name in answer.claims if (claim := self.verdicts.claim(name)) is not None and claim["tests"]]
        return [name for name in answer.errata if self.verdicts.erratum(name) is not None], claims

    def _data(self) -> list[Any]:
        cards = []
        for dataset in dict.fromkeys(variant.dataset for variant in self.config.variants.values()):
            try:
                cards.append(self.results.card(dataset))
            except Missing:
                continue
        return cards

    def _short(self, found: list[Finding], strengths: list[str]) -> None:
        """Write report.md: the findings, with their pictures as files, and the verdict of every claim."""
        shown = []
        for index, (finding, strength) in enumerate(zip(found, strengths, strict=True), 1):
            files = [(f"site/{one.source}", one.description) for one, _ in finding.pair]
            if finding.chart is not None:
                write_text(self.site / "img" / f"finding-{index}.svg", static(finding.chart, standalone=True))
                files = [(f"site/img/finding-{index}.svg", finding.chart.description)]
            shown.append((finding, strength, files))
        text = self.environment.get_template("report.md.j2").render(
            preset=self.config.preset,
            standin=self.standin,
            findings=shown,
            sources=self.config.reports,
            verdicts=self.verdicts,
            outcomes=OUTCOMES,
        )
        write_text(self.folder / "report.md", _minus(text))


def _mathml(latex: str) -> Markup:
    """Return a formula as MathML in display style, with a thin space around the name of a logarithm."""
    text = convert(latex).replace('display="inline"', 'displaystyle="true"')
    # Without an index: a space within <msub> would be one part too many.
    name, space = r"(?<!<msub>)<mi>(?:log|ln)</mi>", '<mspace width="0.17em"/>'
    text = re.sub(rf"(?<=</mi>|</mn>)(?={name})|(?<=</msub>)(?={name})", space, text)
    return Markup(re.sub(rf"({name})(?=<m(?:i|n|sub|sup|subsup|frac|style)\b)", rf"\1{space}", text))


def _minus(text: str) -> str:
    """Return text with the minus sign before the quantities that are often written with a hyphen."""
    return re.sub(r"(?<![\w-])-(?=log p\(|ELBO)", "−", text)


def _grids(grids: list[Grid]) -> str:
    return json.dumps([asdict(grid) for grid in grids], separators=(",", ":"), ensure_ascii=False)


def _best(one: Likelihood) -> str:
    """Return a likelihood with the digits that its error leaves."""
    return rounded(one.best, one.error)


def _assumed(variant: ReportedVariant) -> str:
    """Return what was chosen where the report leaves it open; of a whole section the kind alone."""
    settings = variant.model_dump()

    def value(key: str) -> str:
        found: Any = settings
        for part in key.split("."):
            found = found[part]
        if isinstance(found, dict):
            return str(found.get("kind", ""))
        return ("-".join(map(str, found)) or "none") if isinstance(found, list) else str(found)

    return ", ".join(f"{key.rsplit('.', 1)[-1].replace('_', ' ')} {value(key)}".strip() for key in variant.assumed)
