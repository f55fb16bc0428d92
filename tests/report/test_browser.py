"""The site in a real browser: whole without scripts, usable by keyboard, readable by everybody, silent towards the network."""

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from made_up import TILES, official, small_config, write_everything
from PIL import Image

from regen.params.schema import Params
from regen.report.site import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e .[dev]")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python: pip install -e .[dev]")

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no browser: apt-get install chromium")

ROOT = Path(__file__).parents[2]
PAGES = ("index", "uva3", "models", "use", "look", "lessons", "errata", "how")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = official(small_config(params))
    root = write_everything(tmp_path_factory.mktemp("site"), config)
    write_report(config, root)
    return root / "reports/quick/site"


class Opened:
    """A page in a browser, with what it said and what it asked for."""

    def __init__(self, browser: Any, file: Path, **how: Any) -> None:
        self.page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **how})
        self.said: list[str] = []
        self.asked: list[str] = []
        self.folder = file.parents[1].as_uri()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("requestfailed", lambda request: self.said.append(request.url))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def outside(self) -> list[str]:
        return [url for url in self.asked if not url.startswith((self.folder, "data:"))]

    def settle(self) -> None:
        """Open what is folded, scroll through the page, and wait until every chart was drawn again."""
        self.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        height = self.page.evaluate("document.documentElement.scrollHeight")
        for top in range(0, height, 700):
            self.page.evaluate(f"scrollTo({{top: {top}, behavior: 'instant'}})")
            self.page.wait_for_timeout(20)
        if self.page.viewport_size["width"] > 1000:
            self.page.wait_for_function("!document.querySelector('[data-chart]') || document.querySelectorAll('.plot.live svg').length > 0")
        self.page.wait_for_timeout(150)

    def violations(self) -> list[tuple[str, str]]:
        # Without `preload` the checker does not fetch the style sheet again, which a page from the disk may not.
        found = axe.Axe().run(self.page, options={"preload": False}).response["violations"]
        return [(one["id"], node["html"][:200]) for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_passes_the_checker(name: str, width: int, scheme: str, browser: Any, site: Path) -> None:
    opened = Opened(browser, site / f"{name}.html", color_scheme=scheme, viewport={"width": width, "height": 800})
    opened.settle()
    assert opened.violations() == []
    assert opened.said == [] and opened.outside() == []
    # Nothing makes the page wider than the screen: tables scroll inside their box.
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    ground = {"light": "rgb(253, 253, 251)", "dark": "rgb(22, 22, 20)"}[scheme]
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    opened.page.close()


def column(page: Any, region: str, place: int) -> list[str]:
    """Return the first text of the cells of a column, from the top."""
    script = """([label, place]) => {
      const table = document.querySelector(`[aria-label="${label}"] table`);
      return [...table.tBodies[0].rows].map((row) => row.cells[place].firstChild.textContent);
    }"""
    found: list[str] = page.evaluate(script, [region, place])
    return found


def test_the_gallery_sorts_by_value_and_by_keyboard_and_shows_one_family(browser: Any, site: Path) -> None:
    page = Opened(browser, site / "models.html").page
    region = "Models on MNIST at 28×28"
    assert column(page, region, 2) == ["25", "35", "40", "45", "50", "55", "60"]
    button = page.locator(f'[aria-label="{region}"] th button', has_text="distance")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert column(page, region, 2) == ["60", "55", "50", "45", "40", "35", "25"]
    assert button.evaluate("(one) => one.parentElement.ariaSort") == "descending"
    page.locator("#filter select").select_option("GAN")
    shown = page.locator(f'[aria-label="{region}"] tbody tr:visible')
    assert shown.count() == 4 and all("GAN" in text for text in shown.all_inner_texts())
    page.close()


def colour(page: Any, canvas: str) -> tuple[int, ...]:
    """Return the colour in the middle of a canvas, as it is seen."""
    with Image.open(BytesIO(page.locator(canvas).first.screenshot())) as image:
        seen: tuple[int, ...] = image.convert("RGB").getpixel((image.width // 2, image.height // 2))  # type: ignore[assignment]
    return seen


def test_sliders_choose_the_tile_that_is_really_shown(browser: Any, site: Path) -> None:
    page = Opened(browser, site / "look.html").page
    plane = page.locator("#manifold")
    plane.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#manifold img').naturalWidth > 0")
    across, down = plane.locator("input").all()
    for row, colours in enumerate(TILES):
        for place, expected in enumerate(colours):
            across.fill(str(place))
            down.fill(str(row))
            assert colour(page, "#manifold canvas") == expected
            assert plane.locator("output").inner_text() == f"z2 = {row}, z1 = {place}"
    across.focus()
    page.keyboard.press("ArrowLeft")
    assert colour(page, "#manifold canvas") == TILES[1][1] and across.evaluate("(one) => one.ariaValueText") == "z1 = 1"
    page.close()


def test_training_over_time_shows_the_moment_and_the_model_that_are_chosen(browser: Any, site: Path) -> None:
    page = Opened(browser, site / "look.html").page
    training = page.locator("#training")
    page.wait_for_function("document.querySelector('#training img').naturalWidth > 0")
    slider = training.locator("input:visible")
    assert colour(page, "#training canvas") == (90, 10, 10) and training.locator("output:visible").inner_text() == "epoch 50"
    slider.fill("0")
    assert colour(page, "#training canvas") == (10, 10, 10) and training.locator("output:visible").inner_text() == "before training"
    assert training.locator("details[open]").count() == 1
    training.locator("select").select_option("1")
    assert training.locator("details[open] summary").evaluate("(one) => one.textContent") != ""
    assert training.locator("details").nth(1).evaluate("(one) => one.open") and not training.locator("details").nth(0).evaluate(
        "(one) => one.open"
    )
    page.close()


def test_a_chart_is_drawn_again_from_the_same_numbers(browser: Any, site: Path) -> None:
    opened = Opened(browser, site / "uva3.html")
    page = opened.page
    assert "vega.js" not in " ".join(opened.asked)
    chart = page.locator("#uva3-1 .chart").first
    still = chart.locator("svg").get_attribute("aria-label")
    chart.scroll_into_view_if_needed()
    page.wait_for_selector("#uva3-1 .plot.live svg")
    assert chart.locator("svg").get_attribute("aria-label") == still and "vega.js" in " ".join(opened.asked)
    # Three of the four epochs are labelled, and the largest value of training lies at the top of both.
    chart.locator("svg").hover(position={"x": 60, "y": 60})
    assert opened.said == [] and opened.outside() == []
    page.close()


def test_tiles_of_the_wall_say_their_claim_by_keyboard_and_lead_to_it(browser: Any, site: Path) -> None:
    page = Opened(browser, site / "index.html").page
    tile = page.locator('a.tile[href="uva3.html#uva3-2"]')
    tip = tile.locator(".tip")
    assert not tip.is_visible()
    tile.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert tip.is_visible() and "Claim uva3-2 < all | others." in tip.inner_text() and "not reproduced" in tip.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/uva3.html#uva3-2")
    assert page.locator("#uva3-2").is_visible()
    page.close()


def test_a_link_to_a_folded_figure_opens_it(browser: Any, site: Path) -> None:
    page = Opened(browser, site / "uva3.html").page
    assert not page.locator("#uva3-figure-4").evaluate("(one) => one.open")
    page.evaluate("location.hash = '#uva3-figure-4'")
    page.wait_for_function("document.getElementById('uva3-figure-4').open")
    page.close()


def test_a_worked_answer_unfolds_by_keyboard_without_scripts_and_is_printed_unfolded(browser: Any, site: Path) -> None:
    page = Opened(browser, site / "uva3.html", java_script_enabled=False).page
    formula, summary = page.locator("#uva3-q1 math").first, page.locator("#uva3-q1 summary")
    assert not formula.is_visible()
    page.emulate_media(media="print")
    assert formula.is_visible()
    page.emulate_media(media="screen")
    summary.focus()
    page.keyboard.press("Enter")
    assert formula.is_visible()
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_keyboard_reaches_every_control(name: str, browser: Any, site: Path) -> None:
    page = Opened(browser, site / f"{name}.html").page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    controls = (
        "[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex]')].filter((one) => one.checkVisibility())"
    )
    assert page.evaluate(f"{controls}.filter((one) => one.tabIndex < 0).map((one) => one.outerHTML)") == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_a_page_is_whole_and_has_no_dead_controls(name: str, browser: Any, site: Path) -> None:
    opened = Opened(browser, site / f"{name}.html", java_script_enabled=False)
    page = opened.page
    assert page.locator("button, input, canvas, select").count() == 0
    charts = page.locator(".chart")
    assert charts.count() == page.locator(".chart svg").count()
    assert opened.said == [] and opened.outside() == []
    page.close()


def test_on_a_phone_a_chart_is_no_larger_than_it_was_drawn(browser: Any, site: Path) -> None:
    page = Opened(browser, site / "uva3.html", viewport={"width": 390, "height": 800}).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    both = "[one.getBoundingClientRect().width, Number(one.getAttribute('width'))]"
    widths = page.evaluate(f"[...document.querySelectorAll('.chart .plot svg')].map((one) => {both})")
    assert any(drawn < 480 for _, drawn in widths) and all(shown <= drawn + 1 for shown, drawn in widths), widths
    page.close()


def test_a_page_prints(browser: Any, site: Path) -> None:
    page = Opened(browser, site / "uva3.html", color_scheme="dark").page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible() and page.locator("#uva3-1 .statement").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf()) > 10_000
    page.close()


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_the_site_that_is_there_is_silent_and_fits_a_phone(preset: str, browser: Any) -> None:
    folder = ROOT / "reports" / preset / "site"
    if not folder.exists():
        pytest.skip(f"no reports/{preset}/site; run make report")
    for path in sorted(folder.glob("*.html")):
        opened = Opened(browser, path, viewport={"width": 390, "height": 800})
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 390, path.name
        assert opened.said == [] and opened.outside() == [], path.name
        opened.page.close()
