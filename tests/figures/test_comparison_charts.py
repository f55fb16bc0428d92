"""The figures that compare variants draw what details.json says, and nothing where it says nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from regen.figures.charts import render
from regen.figures.charts.comparison import latent_information, naive_estimator
from regen.figures.charts.render import render_charts
from regen.figures.style import apply_style
from regen.params.figures import ALL
from regen.params.schema import ReportConfig

Row = dict[str, Any]

Z20, Z2, FLOW = "uva3-vae-z20-mnist", "uva3-vae-z2-mnist", "vu4a-flowvae-mnist"


def draws(bias: float, variance: float, ess: float) -> list[Row]:
    """Return rows of the naive estimator for 10, 100 and 1,000 draws: from these values down, and the sample size up."""
    return [
        {"prior_samples": 10 ** (level + 1), "bias_nats": bias / 2**level, "variance_nats2": variance / 4**level, "ess_mean": ess + level}
        for level in range(3)
    ]


def space(*latents: tuple[float, float]) -> list[Row]:
    """Return rows of latents from their KL and the variance of their posterior means."""
    return [{"latent": number, "kl_nats": kl, "variance_of_means": variance} for number, (kl, variance) in enumerate(latents)]


NAIVE = {Z20: draws(64.5, 16.0, 1.25), Z2: draws(-0.25, 4.0, 2.5)}
SPACES = {
    # 0.01 is active, what lies below is not.
    Z20: space((3.5, 0.75), (0.0, 0.0), (0.25, 0.01), (0.125, 0.0099)),
    Z2: space((1.5, 1.0), (2.5, 0.5)),
    FLOW: space(
        (0.001, 0.0),
    ),
}


def write(root: Path, name: str, seed: int = 0, **tables: list[Row]) -> Path:
    folder = root / f"results/quick/{name}/{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "details.json").write_text(json.dumps(tables))
    return root


def index(root: Path) -> list[Row]:
    entries: list[Row] = json.loads((root / "reports/quick/figures/charts/all/index.json").read_text())
    return entries


def panels(figure: Figure) -> list[Any]:
    """Return the axes of a figure as they are when it is drawn."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return list(figure.axes)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """Return the figures that are written, by file, as they are written."""
    seen: dict[str, Figure] = {}
    monkeypatch.setattr(render, "save", lambda figure, path: (seen.__setitem__(path.name, figure), panels(figure)))
    return seen


@pytest.fixture(scope="module")
def config(small: Callable[..., ReportConfig]) -> ReportConfig:
    return small(Z20, Z2, FLOW, "uva3-realnvp-mnist", "uva3-gan-mnist")


def test_every_panel_of_the_naive_estimator_has_a_line_a_variant() -> None:
    apply_style()
    figure = naive_estimator(NAIVE)
    bias, deviation, ess = three = panels(figure)
    # The line at 0 is no variant's.
    assert [line.get_label() for line in bias.lines[:2]] == [Z20, Z2] and list(bias.lines[2].get_ydata()) == [0, 0]
    assert [len(axes.lines) for axes in three] == [3, 2, 2]
    assert all(list(line.get_xdata()) == [10, 100, 1000] for axes in three for line in axes.lines[:2])
    assert [list(line.get_ydata()) for line in bias.lines[:2]] == [[64.5, 32.25, 16.125], [-0.25, -0.125, -0.0625]]
    # The roots of 16, 4 and 1, and of 4, 1 and 1/4.
    assert [list(line.get_ydata()) for line in deviation.lines] == [[4, 2, 1], [2, 1, 0.5]]
    assert [list(line.get_ydata()) for line in ess.lines] == [[1.25, 2.25, 3.25], [2.5, 3.5, 4.5]]
    assert [axes.get_xscale() for axes in three] == ["log"] * 3
    # A bias may be negative, the others may not.
    assert [axes.get_yscale() for axes in three] == ["symlog", "log", "log"]
    assert [axes.get_xlabel() for axes in three] == ["prior samples L"] * 3
    labels = ["bias (nats an image)", "standard deviation (nats)", "effective sample size"]
    assert [axes.get_ylabel() for axes in three] == labels
    # A variant has one look in all panels, and no two have the same colour or marker.
    looks = [[(line.get_color(), line.get_marker()) for line in axes.lines[:2]] for axes in three]
    assert looks[0] == looks[1] == looks[2] and all(len(set(part)) == 2 for part in zip(*looks[0], strict=True))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [Z20, Z2]


def test_no_point_lies_on_the_edge_of_its_panel() -> None:
    apply_style()
    # A large bias beside a small negative one; KLs over five orders of magnitude.
    naive = naive_estimator({Z20: draws(1600.0, 250000.0, 1.25), Z2: NAIVE[Z2]})
    latents = latent_information({Z20: space((12.9, 0.5), (0.001, 0.0)), Z2: space((0.01, 0.5))})
    for figure, along in ((naive, 1), (latents, 0)):
        for axes in panels(figure):
            low, high = (axes.get_window_extent().get_points()[end][along] for end in (0, 1))
            lines = [line for line in axes.lines if line.get_marker() != "None"]
            places = [axes.transData.transform(point)[along] for line in lines for point in line.get_xydata()]
            # A dot is 5 points wide: 8 pixels at 110 dots an inch.
            assert len(places) >= 3 and min(places) > low + 4 and max(places) < high - 4


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_legend_lies_beside_the_panels(count: int) -> None:
    apply_style()
    figure = naive_estimator({f"ai3611-vae-z2-kl{number:02d}-mnist": NAIVE[Z20] for number in range(count)})
    drawn = panels(figure)
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert len(legend.get_texts()) == count
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    assert all(axes.get_tightbbox().y1 <= box.y0 and axes.get_window_extent().height > 100 for axes in drawn)


def test_a_latent_is_a_dot_where_it_is_active_and_else_a_stroke() -> None:
    apply_style()
    (axes,) = panels(latent_information(SPACES))
    marks = [(line.get_marker(), list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines]
    assert [(x, y) for marker, x, y in marks if marker == "o"] == [([3.5, 0.25], [0, 0]), ([1.5, 2.5], [1, 1]), ([], [])]
    assert [(x, y) for marker, x, y in marks if marker == "|"] == [([0.0, 0.125], [0, 0]), ([], []), ([0.001], [2])]
    # No lines between them; a colour each, and a name each.
    colours = {"o": "#0072b2", "|": "#d55e00"}
    assert {(line.get_linestyle(), line.get_marker(), to_hex(line.get_color())) for line in axes.lines} == {
        ("None", marker, colour) for marker, colour in colours.items()
    }
    (legend,) = axes.figure.legends
    assert [label.get_text() for label in legend.get_texts()] == ["active latent", "latent that is not active"]
    assert [label.get_text() for label in axes.get_yticklabels()] == [Z20, Z2, FLOW] and list(axes.get_yticks()) == [0, 1, 2]
    # The first variant stands on top, as in the table.
    assert axes.get_ylim() == (2.5, -0.5)
    low, high = axes.get_xlim()
    assert low == 0 and high > 3.5 and axes.get_xscale() == "symlog" and axes.get_xlabel() == "KL of a latent (nats an image)"


def test_many_variants_make_a_taller_figure() -> None:
    heights = [latent_information({str(number): SPACES[Z2] for number in range(count)}).get_figheight() for count in (1, 2, 30)]
    assert heights[1] - heights[0] == pytest.approx((heights[2] - heights[0]) / 29) and heights[1] > heights[0]


def test_figures_are_of_the_tables_of_all_variants(config: ReportConfig, drawn: dict[str, Figure], tmp_path: Path) -> None:
    write(tmp_path, Z20, prior_sampling=NAIVE[Z20], latents=SPACES[Z20])
    write(tmp_path, Z2, latents=SPACES[Z2])
    # A prior that is a flow has no KL a latent; a variant or a seed that is not asked for is not read.
    write(tmp_path, FLOW, latents=[{key: value for key, value in row.items() if key != "kl_nats"} for row in SPACES[FLOW]])
    write(tmp_path, "lab1-vae-mnist", prior_sampling=NAIVE[Z2], latents=SPACES[Z2])
    write(tmp_path, Z20, seed=1, prior_sampling=draws(1, 1, 1))
    write(tmp_path, "uva3-gan-mnist", splits=[])
    render_charts(config, ALL, tmp_path)
    naive, latents = index(tmp_path)

    assert list(drawn) == [naive["file"], latents["file"]] == ["prior_sampling.png", "latents.png"]
    assert (naive["variants"], latents["variants"]) == ([Z20], [Z20, Z2])
    assert [entry["title"] for entry in (naive, latents)] == ["Likelihood by sampling the prior", "Information in every latent"]
    assert "Active: the variance of its posterior mean is 0.01 or more." in latents["caption"]
    assert latents["description"] == "Dot plot, a row a variant (2), a dot a latent, against the KL in nats."
    assert naive["description"].startswith("Three line charts against the number of prior samples L")
    assert all(set(entry) == {"file", "name", "title", "caption", "description", "variants", "points"} for entry in (naive, latents))
    assert list(panels(drawn["prior_sampling.png"])[0].lines[0].get_ydata()) == [64.5, 32.25, 16.125]
    assert [label.get_text() for label in panels(drawn["latents.png"])[0].get_yticklabels()] == [Z20, Z2]


def test_seeds_are_a_mean(config: ReportConfig, drawn: dict[str, Figure], tmp_path: Path) -> None:
    write(tmp_path, Z2, prior_sampling=draws(8, 2, 1), latents=space((1.0, 0.5), (0.5, 0.0)))
    write(tmp_path, Z2, seed=2, prior_sampling=draws(16, 6, 2), latents=space((2.0, 0.5), (0.25, 0.0)))
    render_charts(config, ALL, tmp_path)
    bias, deviation, ess = panels(drawn["prior_sampling.png"])
    # (8 + 16) / 2; the root of (2 + 6) / 2; (1 + 2) / 2.
    assert [float(axes.lines[0].get_ydata()[0]) for axes in (bias, deviation, ess)] == [12, 2, 1.5]
    (active, idle) = panels(drawn["latents.png"])[0].lines
    assert (list(active.get_xdata()), list(idle.get_xdata())) == ([1.5], [0.375])


@pytest.mark.parametrize("tables", [{}, {"prior_sampling": NAIVE[Z20]}, {"latents": SPACES[Z20]}])
def test_a_figure_that_nothing_is_known_of_is_left_out(tables: dict[str, list[Row]], config: ReportConfig, tmp_path: Path) -> None:
    write(tmp_path, Z20, 0, splits=[], **tables)
    render_charts(config, ALL, tmp_path)
    files = sorted(path.name for path in (tmp_path / "reports/quick/figures/charts/all").glob("*.png"))
    assert files == [entry["file"] for entry in index(tmp_path)] == [f"{name}.png" for name in tables]


def test_without_results_there_is_an_empty_index_and_no_file(config: ReportConfig, tmp_path: Path) -> None:
    render_charts(config, ALL, tmp_path)
    assert index(tmp_path) == []
    assert [path.name for path in (tmp_path / "reports/quick/figures/charts/all").iterdir()] == ["index.json"]


def test_the_same_tables_give_the_same_bytes_anywhere(config: ReportConfig, tmp_path: Path) -> None:
    made = []
    for number, folder in enumerate(("first", "second")):
        torch.manual_seed(number)
        for name in (Z20, Z2):
            write(tmp_path / folder, name, prior_sampling=NAIVE[name], latents=SPACES[name])
        render_charts(config, ALL, tmp_path / folder)
        figures = tmp_path / folder / "reports/quick/figures"
        made.append({str(path.relative_to(figures)): path.read_bytes() for path in figures.rglob("*") if path.is_file()})
    assert made[0] == made[1]
    assert sorted(made[0]) == ["charts/all/index.json", "charts/all/latents.png", "charts/all/prior_sampling.png"]
    for name in ("latents", "prior_sampling"):
        with Image.open(figures / f"charts/all/{name}.png") as image:
            # In colour, for only that tells the lines apart.
            assert (image.format, image.mode) == ("PNG", "RGB") and min(image.size) > 100
    assert b"atplotlib" not in made[0]["charts/all/latents.png"]


@pytest.mark.parametrize(
    ("content", "said"), [("[", "expected JSON"), ('{"latents": [{"kl_nats": 1.5}]}', "malformed, got 'KeyError"), ("[]", "malformed")]
)
def test_a_broken_table_is_a_problem_of_its_chart_alone(content: str, said: str, config: ReportConfig, tmp_path: Path) -> None:
    write(tmp_path, Z20, latents=SPACES[Z20])
    (tmp_path / f"results/quick/{Z20}/0/details.json").write_text(content)
    (tmp_path / f"results/quick/{Z2}/0").mkdir(parents=True)
    (tmp_path / f"results/quick/{Z2}/0/history.csv").write_text("epoch,train_neg_elbo_nats,val_neg_elbo_nats\n1,200,190\n")
    render_charts(config, ALL, tmp_path)
    entries = {entry["name"]: entry for entry in index(tmp_path)}
    assert said in entries["latents"]["problem"] and "\n" not in entries["latents"]["problem"]
    assert set(entries["latents"]) == {"name", "title", "problem", "variants"}
    render_charts(config, "uva3", tmp_path)
    assert (tmp_path / f"reports/quick/figures/charts/uva3/losses-{Z2}.png").exists()
    assert not (tmp_path / "reports/quick/figures/charts/all/latents.png").exists()
