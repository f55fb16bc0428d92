"""The site as a whole: every link leads somewhere, nothing is asked of a network, what is in the files is on the pages."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from made_up import GAN, PLANE, VAE, samples, write, write_everything
from support.written import Written

from regen.claims.answers import read_answers
from regen.claims.errata import read_errata
from regen.claims.study import STUDIES
from regen.common.errors import UserError
from regen.params.reports import TAKEN, folders
from regen.params.schema import ReportConfig
from regen.report.lessons import DRAWN, read_lessons
from regen.report.site import _assumed, _mathml, write_report
from regen.report.verdicts import reason

ROOT = Path(__file__).parents[2]
VOID = {"meta", "link", "img", "br", "hr", "input"}
PAGES = {"uva3.html", "vu4a.html", *(f"{name}.html" for name in TAKEN)}


class Page(HTMLParser):
    """Elements with their attributes, and the whole text; fails on tags that do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == [], path

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def ids(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.elements if "id" in attributes}

    def links(self) -> list[str]:
        return [attributes[key] for _, attributes in self.elements for key in ("href", "src") if key in attributes]


def check(folder: Path) -> dict[str, Page]:
    """Check what holds of any site, and return its pages."""
    pages = {path.name: Page(path) for path in folder.glob("*.html")}
    for name, page in pages.items():
        identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(identifiers) == len(set(identifiers)), name
        for link in page.links():
            if link == "data:,":
                continue
            file, _, anchor = unquote(link).partition("#")
            assert not file.startswith(("http", "/", "file:")), (name, link)
            assert (folder / file).exists() if file else True, (name, link)
            assert not anchor or anchor in (pages[file] if file else page).ids, (name, link)
        for tag, attributes in page.elements:
            if tag == "img":
                assert attributes["alt"].strip() and attributes["loading"] == "lazy", (name, attributes)
                assert int(attributes["width"]) > 0 and int(attributes["height"]) > 0
            if tag == "svg":
                assert attributes["role"] == "img" and attributes["aria-label"].strip(), name
    return pages


@pytest.fixture
def site(config: ReportConfig, root: Path) -> Path:
    write_report(config, root)
    return root / "reports/quick/site"


def test_the_site_is_whole(site: Path) -> None:
    pages = check(site)
    assert set(pages) == PAGES
    # Every claim has a tile on the wall and a card; every erratum its place; formulas are typeset.
    claims = {"vu4a-1": "vu4a", "uva3-1": "uva3", "uva3-2": "uva3", "uva3-7": "uva3", "uva3-8": "uva3"}
    assert {f"{report}.html#{name}" for name, report in claims.items()} <= set(pages["index.html"].links())
    assert "Two reports, run again" in pages["index.html"].text
    assert all(name in pages[f"{report}.html"].ids for name, report in claims.items())
    assert {"erratum-vu4a-1a", "erratum-uva3-2b", "erratum-uva3-6c"} <= pages["errata.html"].ids
    assert [tag for tag, _ in pages["errata.html"].elements].count("math") == 2
    assert {"uva3-2b", "uva3-6c"} <= pages["lessons.html"].ids
    assert "Claim uva3-1 < all | others." in pages["uva3.html"].text
    assert "0.69 nats (0.62 to 0.77; 3 seeds)" in pages["uva3.html"].text
    assert "stand-in" not in pages["models.html"].text


def test_worked_answers_are_on_their_reports_page_and_linked_to_what_is_there(site: Path) -> None:
    page, lessons = Page(site / "uva3.html"), Page(site / "lessons.html")
    answers = read_answers(STUDIES / "uva3")
    assert {answer.id for answer in answers} <= page.ids and "#questions" in page.links()
    formulas = sum(bool(step.formula) for answer in answers for step in answer.answer)
    assert [tag for tag, _ in page.elements].count("math") == formulas > len(answers)
    # Of the errata these are known here, and of the claims that answers name one was measured.
    own = page.text.partition("Questions and answers")[2].partition("Settings and assumptions")[0]
    assert set(re.findall(r"erratum (uva3-\w+)", own)) == {"uva3-2b", "uva3-6c"}
    assert [said.partition(".")[2].split(",")[0].split()[-1] for said in own.split("In this project")[1:]] == ["uva3-1"]
    assert {"uva3.html#questions", "uva3.html#uva3-q2", "uva3.html#uva3-q9"} <= set(lessons.links())


def test_formulas_typeset_whole() -> None:
    parts = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
    formulas = [step.formula for folder in folders(STUDIES).values() for one in read_answers(folder) for step in one.answer if step.formula]
    for one in (one for folder in folders(STUDIES).values() for one in read_errata(folder) if one.formulas):
        formulas += [formula for formula in (one.formulas.printed, one.formulas.correct) if formula]
    for formula in formulas:
        tree = ElementTree.fromstring(str(_mathml(formula)))
        for element in tree.iter():
            name = element.tag.rpartition("}")[2]
            assert len(element) == parts.get(name, len(element)), formula
    assert "<mi>log</mi><mspace" in _mathml(r"\log p") and "mspace" not in _mathml(r"\log_2 e+\log(1-D)")


def test_a_chart_that_a_page_shows_twice_has_its_numbers_once(site: Path) -> None:
    page = Page(site / "uva3.html")
    (text,) = re.findall(r'<script id="charts" type="application/json">(.*)</script>', (site / "uva3.html").read_text(encoding="utf-8"))
    numbers = [int(attributes["data-chart"]) for tag, attributes in page.elements if tag == "figure" and "data-chart" in attributes]
    found = json.loads(text)
    assert sorted(set(numbers)) == list(range(len(found))) and len(numbers) > len(found) > 0
    assert len({json.dumps(one) for one in found}) == len(found)


def test_stand_ins_say_so_on_every_page(standins: ReportConfig, root: Path) -> None:
    write_report(standins, root)
    for name, page in check(root / "reports/quick/site").items():
        assert "no number on this page means anything" in page.text, name
    assert "no number here means anything" in (root / "reports/quick/report.md").read_text()


def test_the_short_report_fits_and_its_links_lead_somewhere(site: Path) -> None:
    text = (site.parent / "report.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert "| [uva3-1](site/uva3.html#uva3-1) | Claim uva3-1 < all \\| others. | ✓ reproduced | firm | So it is. |" in text
    for link in re.findall(r'\]\(([^)]+)\)|src="([^"]+)"', text):
        assert (site.parent / "".join(link).partition("#")[0]).exists(), link


def test_the_same_files_give_the_same_bytes_and_what_was_there_before_goes(config: ReportConfig, site: Path, tmp_path: Path) -> None:
    def content(folder: Path) -> dict[str, bytes]:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = content(site)
    write(site / "old.html", "<p>old")
    write(site / "img/old.png", "old")
    write_report(config, site.parents[2])
    assert content(site) == first
    other = write_everything(tmp_path / "elsewhere", config)
    write_report(config, other)
    assert content(other / "reports/quick/site") == first


def test_images_of_different_sizes_never_share_a_table(config: ReportConfig, root: Path) -> None:
    write_report(config, root)
    text = (root / "reports/quick/site/models.html").read_text(encoding="utf-8")
    groups = {part.partition('"')[0]: part for part in text.split('<section id="')[1:]}
    assert {"mnist-28", "mnist-32"} <= set(groups)
    assert "vu4a-gan-mnist" in groups["mnist-32"] and VAE not in groups["mnist-32"]
    assert VAE in groups["mnist-28"] and "vu4a-gan-mnist" not in groups["mnist-28"]


def test_all_numbers_are_in_the_csv(site: Path) -> None:
    with (site / "models.csv").open(encoding="utf-8", newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["variant"] == GAN)
    assert row["frechet_classifier_distance"] == "50.0" and row["seed"] == "0"


def test_what_is_missing_costs_its_own_place_alone(config: ReportConfig, tmp_path: Path) -> None:
    whole = write_everything(tmp_path / "whole", config)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "README.md").write_text("# regen\n", encoding="utf-8")
    write(bare / "reports/quick/claims.json", (whole / "reports/quick/claims.json").read_text())
    with pytest.raises(UserError, match="expected the results of a variant, got none; run 'dvc repro'"):
        write_report(config, bare)
    Written(config, bare).history(PLANE, train_neg_elbo_nats=[3.0, 2.0], val_neg_elbo_nats=[3.0, 2.0])
    write_report(config, bare)
    assert set(check(bare / "reports/quick/site")) == PAGES


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("reports/quick/claims.json", "[]", "expected claims, errata and their counts"),
        (f"results/quick/{VAE}/0/metrics.json", '{"a": [1]}', "expected one flat object"),
        (f"results/quick/{VAE}/0/history.csv", "a\n", "expected a"),
        (f"reports/quick/figures/{PLANE}/index.json", '[{"file": "manifold.png"}]', "expected the index of pictures"),
    ],
)
def test_a_malformed_file_ends_in_one_line_that_names_it(file: str, text: str, message: str, config: ReportConfig, root: Path) -> None:
    write(root / file, text)
    with pytest.raises(UserError, match=message) as caught:
        write_report(config, root)
    assert file.rsplit("/", 1)[1] in str(caught.value) and "\n" not in str(caught.value)


def test_a_changed_number_is_on_the_page(config: ReportConfig, site: Path) -> None:
    root = site.parents[2]
    Written(config, root).rows(GAN, {"samples": samples(1234.5)})
    write_report(config, root)
    assert "1,234" in Page(site / "models.html").text


def test_a_figure_says_for_how_many_epochs_its_models_were_trained_where_one_was_cut(
    config: ReportConfig, standins: ReportConfig, site: Path
) -> None:
    names, page = ("vu4a-gan-mnist", "vu4a-vae-mnist"), site / "vu4a.html"

    def written(config: ReportConfig, *missing: int) -> str:
        for name, fewer in zip(names, missing, strict=True):
            losses = [1.0] * (config.variants[name].training.epochs - fewer)
            Written(config, site.parents[2]).history(name, val_neg_elbo_nats=losses)
        write_report(config, site.parents[2])
        return Page(page).text

    whole, other = (config.variants[name].training.epochs for name in names)
    assert "Epochs: " not in written(config, 0, 0)
    assert f"Epochs: {whole} ({names[0]}); {other - 3} of {other} ({names[1]})." in written(config, 0, 3)
    assert "Epochs: " not in written(standins, 0, 3)


def test_lessons_are_ten_and_each_has_a_drawing() -> None:
    lessons = read_lessons()
    assert len({lesson.erratum for lesson in lessons}) == 10 and {lesson.picture for lesson in lessons} == set(DRAWN)


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_the_site_that_is_there_is_whole_and_light(preset: str) -> None:
    folder = ROOT / "reports" / preset
    if not (folder / "site/index.html").exists():
        pytest.skip(f"no reports/{preset}/site; run make report")
    pages = check(folder / "site")
    assert set(pages) >= PAGES
    assert len((folder / "report.md").read_text(encoding="utf-8").splitlines()) <= 300
    index = (folder / "site/index.html").stat().st_size + sum((folder / "site" / name).stat().st_size for name in ("site.css", "site.js"))
    shown = {link for link in pages["index.html"].links() if link.endswith(".png")}
    assert index + sum((folder / "site" / link).stat().st_size for link in shown) < 1_500_000
    # Quick's is not in git.
    assert preset == "quick" or sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 25_000_000


def test_what_was_chosen_is_said_where_it_is_an_empty_list(paper: ReportConfig) -> None:
    assert "hidden none," in _assumed(paper.variants["davari-vae-deconv-celeba"])


@pytest.mark.parametrize(
    ("reasons", "own", "said"),
    [
        # What runs are short of stands alone, and goes first; what is of a part alone keeps its name.
        (["hair: between the ends", "hair: 10 of 200 epochs"], ["10 of 200 epochs"], "10 of 200 epochs"),
        (["hair: not measured"], [], "hair: not measured"),
        (["1 seed", "within the error"], ["1 seed"], "1 seed"),
        ([], [], ""),
    ],
)
def test_a_badge_says_what_its_part_is_not_measured_of(reasons: list[str], own: list[str], said: str) -> None:
    assert reason({"reasons": reasons, "parts": [{"part": "hair", "reasons": own}, {"part": "pose", "reasons": []}]}) == said
