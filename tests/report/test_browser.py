"""The page in a real browser: whole without scripts, usable by keyboard, readable by everybody, silent towards the network."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from forms import only
from judged import BEFORE, SAMPLES, describe, judge
from measured import LATENTS, likelihood, measure
from PIL import Image

from regen.params.figures import ReportFigure
from regen.params.schema import ReportConfig
from regen.report.assemble import assemble
from regen.report.html import html

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e .[dev]")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python: pip install -e .[dev]")

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no browser: apt-get install chromium")

ROOT = Path(__file__).parents[2]
FIRST, SECOND = "uva3-vae-z2-mnist", "lab1-vae-mnist"
COLOURS = [[(200, 0, 0), (0, 200, 0), (0, 0, 200)], [(200, 200, 0), (0, 200, 200), (200, 0, 200)]]
"""The tiles of the made-up pictures, row by row: 10 pixels wide, 2 apart, from (4, 6)."""

CLAIM = {
    "kind": "trend",
    "test": "a share",
    "reported": None,
    "variants": [FIRST],
    "why": "So it is.",
    "seeds": 1,
    "shown": ["uva3-figure-4"],
}
POINTS = [{"x": 20, "y": 30, "text": "epoch 1: 105.2 nats"}, {"x": 180, "y": 90, "text": "epoch 2: 101.0 nats"}]


def tiles(path: Path) -> None:
    image = Image.new("RGB", (44, 34), "white")
    for down, row in enumerate(COLOURS):
        for across, colour in enumerate(row):
            image.paste(colour, (4 + 12 * across, 6 + 12 * down, 14 + 12 * across, 16 + 12 * down))
    path.parent.mkdir(parents=True)
    image.save(path)


def grid(columns: int, rows: int) -> dict[str, Any]:
    place = {"left": 4, "top": 6, "tile_width": 10, "tile_height": 10, "pitch_x": 12, "pitch_y": 12, "columns": columns, "rows": rows}
    return {
        **place,
        "title": "",
        "column_labels": [f"z1 = {index}" for index in range(columns)],
        "row_labels": [f"z2 = {index}" for index in range(rows)],
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page_file(report_config: Callable[..., ReportConfig], tmp_path: Path) -> Path:
    """Return a page with everything that a page may have, small."""
    config = only(report_config("quick"), FIRST, SECOND)
    figures = [
        ReportFigure(number="Figure 4", title="Manifold", pictures=["manifold"], variants=[FIRST]),
        ReportFigure(number=None, title="Losses", chart={"kind": "losses"}, variants=[FIRST]),
    ]
    reports = {
        "uva3": config.reports["uva3"].model_copy(update={"figures": figures}),
        "lab1": config.reports["lab1"].model_copy(update={"figures": []}),
    }
    config = config.model_copy(update={"reports": reports})
    space = {"active_units": 1, "kl_nats": 3.5, "mutual_information_nats": 2.25, "aggregate_kl_nats": 1.25}
    measure(tmp_path, config, FIRST, likelihood(110.5) | space, latents=LATENTS, splits=[{"split": "test", "n_images": 100}])
    measure(tmp_path, config, SECOND, likelihood(9.75))
    describe(tmp_path)
    judge(tmp_path, FIRST, [SAMPLES, BEFORE])
    judge(tmp_path, SECOND, [{**SAMPLES, "frechet_classifier_distance": 95.5}, BEFORE])
    folder = tmp_path / "reports/quick"
    verdicts = ["reproduced", "not reproduced", "partly", "not judged", "open"]
    claims = [
        {**CLAIM, "id": f"uva3-{index}", "report": "uva3", "statement": f"Claim {index} < 9 | *", "verdict": word, "numbers": []}
        for index, word in enumerate(verdicts)
    ]
    tiles(folder / "figures" / FIRST / "manifold.png")
    entry = {
        "file": "manifold.png",
        "kind": "manifold",
        "title": "Manifold",
        "caption": "Tiles.",
        "description": "Six tiles.",
        "grids": [grid(3, 2)],
    }
    (folder / "figures" / FIRST / "index.json").write_text(json.dumps([entry]))
    (folder / "figures/charts/uva3").mkdir(parents=True)
    Image.new("RGB", (200, 120), "white").save(folder / "figures/charts/uva3/losses.png")
    chart = {
        "file": "losses.png",
        "name": f"losses-{FIRST}",
        "title": "Losses",
        "caption": "",
        "description": "Two points.",
        "variants": [FIRST],
        "points": POINTS,
    }
    (folder / "figures/charts/uva3/index.json").write_text(json.dumps([chart]))
    (folder / "claims.json").write_text(json.dumps(claims))
    (folder / "report.html").write_text(html(assemble(config, tmp_path), folder))
    return folder / "report.html"


class Opened:
    """A page in a browser, with what it said and what it asked for."""

    def __init__(self, browser: Any, file: Path, **how: Any) -> None:
        self.page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **how})
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def outside(self) -> list[str]:
        return [url for url in self.asked[1:] if not url.startswith("data:")]

    def violations(self, **options: Any) -> list[tuple[str, str]]:
        found = axe.Axe().run(self.page, options=options).response["violations"]
        return [(one["id"], node["html"]) for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_passes_the_checker(scheme: str, width: int, browser: Any, page_file: Path) -> None:
    opened = Opened(browser, page_file, color_scheme=scheme, viewport={"width": width, "height": 800})
    for details in opened.page.query_selector_all("details"):
        details.evaluate("one => one.open = true")
    assert opened.violations() == []
    assert opened.said == [] and opened.outside() == []
    # Nothing is wider than the screen: tables scroll inside their box.
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert (
        opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
        == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 26)"}[scheme]
    )
    opened.page.close()


def column(page: Any, table: str, heading: str) -> list[str]:
    """Return the cells of a column, from the top."""
    found: list[str] = page.evaluate(
        """([label, heading]) => {
          const table = document.querySelector(`[aria-label="${label}"] table`);
          const index = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === heading);
          return [...table.rows].slice(1).map((row) => row.cells[index].textContent);
        }""",
        [table, heading],
    )
    return found


def test_tables_sort_by_value_and_by_keyboard(browser: Any, page_file: Path) -> None:
    page = Opened(browser, page_file).page
    label, heading = "Sample quality of all models on mnist", "Frechet distance"
    assert column(page, label, heading) == ["377.62", "95.5", "0.0078125"]
    button = page.locator(f'[aria-label="{label}"] th button', has_text=heading)
    button.focus()
    page.keyboard.press("Enter")
    # As text 377.62 stands above 95.5. The floor stays below.
    assert column(page, label, heading) == ["95.5", "377.62", "0.0078125"]
    assert button.evaluate("one => one.parentElement.getAttribute('aria-sort')") == "ascending"
    page.keyboard.press("Space")
    assert column(page, label, heading) == ["377.62", "95.5", "0.0078125"]
    assert button.evaluate("one => one.parentElement.getAttribute('aria-sort')") == "descending"
    statement = page.locator('[aria-label="All claims"] th button', has_text="statement")
    for _ in range(2):
        statement.click()
    assert column(page, "All claims", "statement") == [f"Claim {index} < 9 | *" for index in (4, 3, 2, 1, 0)]
    page.close()


def colour(page: Any) -> tuple[int, ...]:
    """Return the colour in the middle of the enlarged tile."""
    return tuple(page.evaluate("[...document.querySelector('.viewer canvas').getContext('2d').getImageData(5, 5, 1, 1).data].slice(0, 3)"))


def test_a_tile_is_chosen_by_slider_keyboard_and_pointer(browser: Any, page_file: Path) -> None:
    page = Opened(browser, page_file).page
    picture = page.locator("[data-grids]")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('[data-grids] img').complete")
    across, down = page.locator(".viewer input").all()
    across.fill("2")
    assert colour(page) == COLOURS[0][2]
    down.fill("1")
    assert colour(page) == COLOURS[1][2] and page.locator(".viewer .said").text_content() == "z2 = 1, z1 = 2"
    picture.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert colour(page) == COLOURS[0][1] and (across.input_value(), down.input_value()) == ("1", "0")
    box = picture.locator("img").bounding_box()
    # The middle of the tile at the left of the second row lies at (9, 23) of 44 x 34 pixels.
    page.mouse.move(box["x"] + box["width"] * 9 / 44, box["y"] + box["height"] * 23 / 34)
    assert colour(page) == COLOURS[1][0] and across.get_attribute("aria-valuetext") == "z1 = 0"
    # Beyond the tiles nothing is chosen, and the arrow keys end at the edge.
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    page.keyboard.press("ArrowLeft")
    assert colour(page) == COLOURS[1][0]
    page.close()


def test_a_chart_says_the_value_under_the_pointer(browser: Any, page_file: Path) -> None:
    page = Opened(browser, page_file).page
    chart = page.locator("[data-points]")
    chart.scroll_into_view_if_needed()
    said = page.locator("[data-points] + .said")
    assert said.text_content() == "" and said.get_attribute("aria-live") == "polite"
    box = chart.locator("img").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.85, box["y"] + box["height"] * 0.7)
    assert said.text_content() == POINTS[1]["text"]
    chart.focus()
    page.keyboard.press("ArrowLeft")
    assert said.text_content() == POINTS[0]["text"]
    mark = page.locator(".mark.round").bounding_box()
    middle = (mark["x"] + mark["width"] / 2 - box["x"], mark["y"] + mark["height"] / 2 - box["y"])
    assert middle == pytest.approx((box["width"] * 20 / 200, box["height"] * 30 / 120), abs=1.5)
    page.close()


def test_without_scripts_the_page_is_whole_and_has_no_dead_controls(browser: Any, page_file: Path) -> None:
    opened = Opened(browser, page_file, java_script_enabled=False)
    page = opened.page
    assert page.locator("button, input, canvas").count() == 0
    assert page.locator("img").count() == 2 and page.locator("table").count() > 8
    assert page.locator("#uva3-0").text_content() == "uva3-0: Claim 0 < 9 | *"
    assert opened.said == [] and opened.outside() == []
    page.close()


def test_verdicts_are_told_by_words_and_shapes(browser: Any, page_file: Path) -> None:
    page = Opened(browser, page_file).page
    cells = column(page, "All claims", "verdict")
    assert len({cell[0] for cell in cells}) == 5
    assert [cell.split(" ", 1)[1] for cell in cells] == ["reproduced", "not reproduced", "partly", "not judged", "open"]
    page.locator('[aria-label="All claims"] a', has_text="uva3-2").click()
    assert page.evaluate("location.hash") == "#uva3-2" and page.locator("#uva3-2").is_visible()
    page.close()


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_the_committed_page_is_silent_and_described(preset: str, browser: Any) -> None:
    file = ROOT / "reports" / preset / "report.html"
    if not file.exists() or "data-points" not in file.read_text(encoding="utf-8"):
        pytest.skip(f"no page with charts in reports/{preset}; run make report")
    opened = Opened(browser, file)
    assert opened.said == [] and opened.outside() == []
    assert opened.page.evaluate("[...document.images].filter((image) => !image.alt.trim()).length") == 0
    dead = "[...document.querySelectorAll('a[href^=\"#\"]')].filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash)"
    assert opened.page.evaluate(dead) == []
    # Contrast is checked above on a small page with the same style; here it takes minutes.
    assert opened.violations(rules={"color-contrast": {"enabled": False}}) == []
    opened.page.close()
