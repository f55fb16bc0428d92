"""Charts over several variants: what they draw, where their points lie, and what they say where results are missing or broken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from regen.config.base import parse
from regen.figures.charts import render
from regen.figures.charts.chart import Chart, labels
from regen.figures.charts.history import draw_history
from regen.figures.charts.measures import draw_classes, draw_measures, draw_snapshots
from regen.figures.charts.render import render_charts
from regen.figures.charts.tables import MEASURES, reference
from regen.figures.style import apply_style, save
from regen.params.figures import Measured, ReportFigure, anchors, charts_of
from regen.params.schema import ReportConfig

VAE, IWAE, KL2, GAN = "davari-vae-deconv-celeba", "davari-iwae5-deconv-celeba", "ai3611-vae-z1-kl2-mnist", "uva3-gan-mnist"
HEAD = "epoch,step,train_neg_elbo_nats,train_recon_nats,train_kl_nats,val_neg_elbo_nats,val_recon_nats,val_kl_nats"
ROWS = "1,8,300,290,10,310,300,10\n2,16,200,180,20,205,185,20\n3,24,150,120,30,160,130,30\n"


@pytest.fixture(scope="module")
def config(small: Callable[..., ReportConfig]) -> ReportConfig:
    return small(VAE, IWAE, KL2, GAN)


def figure(*variants: str, **chart: Any) -> ReportFigure:
    return parse(ReportFigure, {"number": "Figure 4", "title": "A chart", "variants": list(variants), "chart": chart}, "test")


def write(
    root: Path, name: str, seed: int = 0, history: str | None = None, rows: list[dict[str, Any]] | None = None, **scalars: Any
) -> None:
    folder = root / f"results/quick/{name}/{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(scalars))
    if history is not None:
        (folder / "history.csv").write_text(history)
    if rows is not None:
        (folder / "quality_details.json").write_text(json.dumps({"rows": rows}))


def lines(chart: Chart, panel: int = 0) -> dict[str, list[float]]:
    """Return the values of the labelled lines of a panel."""
    return {str(line.get_label()): list(line.get_ydata()) for line in chart.axes[panel].lines if not str(line.get_label()).startswith("_")}


def test_a_point_lies_on_its_line_in_the_png(tmp_path: Path) -> None:
    apply_style()
    chart = Chart(figsize=(5, 4))
    axes = chart.add_subplot()
    x, y = [1.0, 2.0, 4.0], [10.0, 30.0, 20.0]
    axes.plot(x, y, "s", color="#ff0000", markersize=9)
    chart.say(axes, x, y, ["a", "b", "c"])
    chart.say(axes, [3.0], [float("nan")], ["nowhere"])
    save(chart, tmp_path / "chart.png")
    points = chart.points()

    assert [point["text"] for point in points] == ["a", "b", "c"]
    with Image.open(tmp_path / "chart.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert all(pixels[round(point["y"]), round(point["x"])].tolist() == [255, 0, 0] for point in points)
    # On linear axes pixels are in proportion to values, and y runs downwards.
    across, down = ([point[key] for point in points] for key in ("x", "y"))
    assert (across[2] - across[0]) / (across[1] - across[0]) == pytest.approx(3, abs=0.01)
    assert (down[0] - down[2]) / (down[0] - down[1]) == pytest.approx(0.5, abs=0.01) and down[1] < down[2] < down[0]


def test_of_long_lines_the_last_points_are_kept() -> None:
    chart = Chart()
    axes = chart.add_subplot()
    for name in ("a", "b"):
        chart.say(axes, range(1, 501), range(500), [f"{name} {epoch}" for epoch in range(1, 501)])
    FigureCanvasAgg(chart).draw()
    texts = [point["text"] for point in chart.points()]
    assert len(texts) <= 400 and {"a 500", "b 500"} <= set(texts) and len(texts) == 2 * len([text for text in texts if text[0] == "a"])


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["vu4a-vae-mnist", "vu4a-vae-mnist-gauss", "ext-vae-matched-mnist"], ["vae", "vae-gauss", "vae-matched"]),
        ([VAE, IWAE], ["vae", "iwae5"]),
        (["ai3611-vae-z1-mnist", KL2], ["z1", "z1-kl2"]),
        (["vu4a-vae-mnist", "vu4a-vae-svhn"], ["mnist", "svhn"]),
        (["a-vae", "b-vae"], ["a", "b"]),
        ([GAN], [GAN]),
    ],
)
def test_labels_are_what_tells_variants_apart(names: list[str], short: list[str]) -> None:
    assert labels(names) == dict(zip(names, short, strict=True))


def test_a_history_has_a_panel_a_column_and_a_line_a_variant(config: ReportConfig, tmp_path: Path) -> None:
    write(tmp_path, VAE, history=f"{HEAD}\n{ROWS}")
    write(tmp_path, VAE, seed=2, history=f"{HEAD}\n{ROWS.replace('160,', '170,')}")
    objective = "".join(f"{line},{value}\n" for line, value in zip(ROWS.splitlines(), (280, 190, 140), strict=True))
    write(tmp_path, IWAE, history=f"{HEAD},train_objective_nats\n{objective}")
    drawn = draw_history(
        config, figure(VAE, IWAE, kind="history", columns=["train_objective_nats", "val_neg_elbo_nats"], mean=True), tmp_path
    )

    assert drawn is not None and drawn.variants == [VAE, IWAE]
    # Of a VAE the objective is the -ELBO, which has no column of its own; of an IWAE it is its bound.
    assert {name: values for name, values in lines(drawn.chart, 0).items() if "mean" not in name} == {
        "vae": [300, 200, 150],
        "iwae5": [280, 190, 140],
    }
    assert lines(drawn.chart, 1)["vae"] == [310, 205, 165] and lines(drawn.chart, 1)["iwae5"] == [310, 205, 160]
    # (310 + 205 + 165) / 3
    assert lines(drawn.chart, 1)["vae, mean over epochs"] == pytest.approx([680 / 3] * 2)
    assert (
        "vae 165.0 (mean over epochs 226.7)" in drawn.caption and "3 of 200 epochs." in drawn.caption and "1 to 2 seeds." in drawn.caption
    )
    assert [axes.get_title() for axes in drawn.chart.axes] == ["training", "validation"]
    FigureCanvasAgg(drawn.chart).draw()
    assert "epoch 3, vae: 165.0 nats (160.0 to 170.0)" in {point["text"] for point in drawn.chart.points()}


def test_a_loss_is_drawn_at_its_own_weight_and_up_to_an_epoch(config: ReportConfig, tmp_path: Path) -> None:
    write(tmp_path, KL2, history=f"{HEAD}\n{ROWS}")
    drawn = draw_history(config, figure(KL2, kind="history", columns=["train_recon_nats", "val_objective_nats"], epochs=2), tmp_path)
    # One variant: one panel. 300 + 2 * 10, 185 + 2 * 20.
    assert drawn is not None and lines(drawn.chart) == {"training": [290, 180], "validation": [320, 225]}
    assert "2 epochs." in drawn.caption and drawn.chart.axes[0].get_xlabel() == "epoch"
    assert draw_history(config, figure(VAE, kind="history", columns=["val_recon_nats"]), tmp_path) is None


def test_snapshots_are_drawn_in_the_order_of_training(config: ReportConfig, tmp_path: Path) -> None:
    values = {"samples": 20.0, "step 111,000": 30.0, "before training": 900.0, "step 2,000": 400.0, "draws": 5.0}
    values |= {"reconstructions": 7.0, "reconstructions, step 2,000": 70.0, "binarised test images": 1.0}
    write(tmp_path, GAN, rows=[{"images": images, "frechet_classifier_distance": value} for images, value in values.items()])
    drawn = draw_snapshots(config, figure(GAN, kind="snapshots", measure="frechet_classifier_distance"), tmp_path)
    assert drawn is not None and lines(drawn.chart) == {GAN: [900, 400, 30, 20]}
    ticks = [label.get_text().replace("\n", " ") for label in drawn.chart.axes[0].get_xticklabels()]
    assert ticks == ["before training", "step 2,000", "step 111,000", "end of training"]
    others = draw_snapshots(
        config, figure(GAN, kind="snapshots", measure="frechet_classifier_distance", images="reconstructions"), tmp_path
    )
    assert others is not None and lines(others.chart) == {GAN: [70, 7]}


def test_a_snapshot_at_the_last_epoch_is_the_end(config: ReportConfig, tmp_path: Path) -> None:
    epochs = config.variants[KL2].training.epochs
    write(tmp_path, KL2, rows=[{"images": images, "precision": 0.5} for images in ("epoch 1", f"epoch {epochs}", "samples")])
    drawn = draw_snapshots(config, figure(KL2, kind="snapshots", measure="precision"), tmp_path)
    assert drawn is not None and len(lines(drawn.chart)[KL2]) == 2


def test_moments_of_a_training_that_was_cut_short_are_said_to_be_shares_of_it(config: ReportConfig, tmp_path: Path) -> None:
    spec = figure(KL2, kind="snapshots", measure="precision")
    rows = [{"images": images, "precision": 0.5} for images in ("before training", "samples")]
    for length, said in ((3, True), (config.variants[KL2].training.epochs, False)):
        write(tmp_path, KL2, rows=rows, history="\n".join(["epoch,val_kl_nats", *(f"{epoch},1.0" for epoch in range(1, length + 1))]))
        drawn = draw_snapshots(config, spec, tmp_path)
        assert drawn is not None and ("Run: 3 of 30 epochs; each moment is at its share of the steps." in drawn.caption) == said


def test_real_images_are_those_that_a_model_saw(small: Callable[..., ReportConfig], tmp_path: Path) -> None:
    small_images, resized = "vu4a-vae-mnist", "vu4a-gan-mnist"
    config = small(small_images, resized)
    space = tmp_path / "results/quick/features/mnist.json"
    space.parent.mkdir(parents=True)
    rows = [{"images": "training images", "frechet_classifier_distance": 3.5}, {"images": "test images", "laplacian_variance": 0.1875}]
    space.write_text(json.dumps({"floor": rows}))
    for name, sharpness in ((small_images, 0.1875), (resized, 0.0625)):
        write(
            tmp_path,
            name,
            rows=[
                {"images": "samples", "laplacian_variance": 0.5, "frechet_classifier_distance": 9.0},
                {"images": "test images", "laplacian_variance": sharpness},
            ],
        )
    sharpness, distance = "laplacian_variance", "frechet_classifier_distance"
    assert reference(tmp_path, config, small_images, sharpness) == ("test images", 0.1875)
    assert reference(tmp_path, config, resized, sharpness) == ("test images", 0.0625)
    # The distance of training images is known at the size of the data set.
    assert reference(tmp_path, config, small_images, distance) == ("training images", 3.5)
    assert reference(tmp_path, config, resized, distance) is None
    # In its own row, and as a line of its own.
    measured = draw_measures(config, figure(resized, small_images, kind="measure", measures=[sharpness], images=["samples"]), tmp_path)
    assert measured is not None
    places = [
        (list(line.get_xdata()), list(line.get_ydata())) for line in measured.chart.axes[0].lines if line.get_label() == "test images"
    ]
    assert places == [([0.0625] * 2, [-0.5, 0.5]), ([0.1875] * 2, [0.5, 1.5])]
    drawn = draw_snapshots(config, figure(resized, small_images, kind="snapshots", measure=distance), tmp_path)
    assert drawn is not None and lines(drawn.chart)["training images, for vae"] == [3.5, 3.5]


def test_measures_are_dots_with_the_range_over_seeds(config: ReportConfig, tmp_path: Path) -> None:
    write(tmp_path, VAE, nll_nats=10.0)
    write(tmp_path, VAE, seed=2, nll_nats=14.0)
    drawn = draw_measures(config, figure(VAE, IWAE, kind="measure", measures=["nll_nats", "precision"]), tmp_path)
    assert drawn is not None and drawn.variants == [VAE] and f"Not measured: {IWAE}." in drawn.caption
    spread, dot = drawn.chart.axes[0].lines
    assert (list(spread.get_xdata()), list(dot.get_xdata())) == ([10, 14], [12]) and len(drawn.chart.axes) == 1
    FigureCanvasAgg(drawn.chart).draw()
    assert [point["text"] for point in drawn.chart.points()] == ["vae: 12.0 nats (10.0 to 14.0)"]


def test_classes_are_shares_beside_those_of_the_test_images(config: ReportConfig, tmp_path: Path) -> None:
    counts = {"samples": [30, 10, 0, 0], "test images": [5, 5, 5, 5]}
    write(tmp_path, GAN, rows=[{"images": images, "class_counts": values} for images, values in counts.items()])
    drawn = draw_classes(config, figure(GAN, kind="classes"), tmp_path)
    assert drawn is not None and f"{GAN} 0 (75.0%)" in drawn.caption
    axes = drawn.chart.axes[0]
    assert [bar.get_height() for bar in axes.patches] == [0.75, 0.25, 0, 0] and list(axes.lines[0].get_ydata()) == [0.25] * 4


def test_charts_of_the_reports_are_named_by_their_anchors(config: ReportConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [figure(VAE, kind="losses"), figure(VAE, kind="history", columns=["val_recon_nats"]), figure(GAN, kind="classes")]
    shown = [shown[0], *(one.model_copy(update={"number": None}) for one in shown[1:])]
    names = anchors("davari", shown)
    assert names == ["davari-figure-4", "davari-added-1", "davari-added-2"]
    assert [charts_of(*pair) for pair in zip(names, shown, strict=True)] == [[f"losses-{VAE}"], ["davari-added-1"], ["davari-added-2"]]
    reports = {**config.reports, "davari": config.reports["davari"].model_copy(update={"figures": shown})}
    write(tmp_path, VAE, history=f"{HEAD}\n{ROWS}")
    write(tmp_path, GAN, rows=[{"images": "samples", "class_counts": "many"}])
    saved: list[str] = []
    monkeypatch.setattr(render, "save", lambda chart, path: (saved.append(path.name), FigureCanvasAgg(chart).draw()))
    render_charts(config.model_copy(update={"reports": reports}), "davari", tmp_path)
    entries = {entry["name"]: entry for entry in json.loads((tmp_path / "reports/quick/figures/charts/davari/index.json").read_text())}
    assert list(entries) == [f"losses-{VAE}", "davari-added-1", "davari-added-2"]
    assert saved == [f"losses-{VAE}.png", "davari-added-1.png"]
    # A broken file is said at its place, and stops no other chart.
    assert GAN in entries["davari-added-2"]["problem"] and "file" not in entries["davari-added-2"]


def test_every_measure_has_a_name() -> None:
    assert set(MEASURES) == set(Measured.__args__)
