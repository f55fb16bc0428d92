"""The page to look and play: its sentences are told where the numbers carry them, its charts are the numbers of the results."""

from pathlib import Path
from typing import Any

import pytest
from drawn import kinds, numbers, points
from made_up import write
from PIL import Image
from support.written import Written

from regen.params.schema import ReportConfig
from regen.report.exhibits import Exhibit, exhibits
from regen.report.pictures import Pictures
from regen.results import Results

TWO, TWENTY = "uva3-vae-z2-mnist", "uva3-vae-z20-mnist"


def shown(written: Written) -> dict[str, Exhibit]:
    pictures = Pictures(written.root, written.config.preset, written.root / "site")
    return {one.id: one for one in exhibits(written.results, pictures)}


def test_nothing_is_shown_of_results_that_are_not_there(written: Written) -> None:
    assert shown(written) == {}


def naive(written: Written, name: str, **bias: float) -> None:
    """Write the bias of the naive estimator: `n10=50.0`, in nats with ten samples."""
    written.details(name, prior_sampling=[{"prior_samples": int(key[1:]), "bias_nats": nats} for key, nats in bias.items()])


@pytest.mark.parametrize(
    ("of_two", "of_twenty", "other_of_two", "holds"),
    [
        (0.32, 10.1, 0.32, True),
        (0.34, 10.1, 0.32, False),
        (0.32, 9.9, 0.32, False),
        # Of every model with two latents, and not of their mean.
        (0.2, 10.1, 0.34, False),
    ],
)
def test_two_latents_come_within_a_third_of_a_nat_and_twenty_stay_ten_off(
    of_two: float, of_twenty: float, other_of_two: float, holds: bool, written: Written
) -> None:
    # What other numbers of samples give does not matter.
    naive(written, TWO, n1000=5.0, n10000=of_two, n100000=0.01)
    naive(written, "lab1-vae-z2-mnist", n10000=other_of_two)
    naive(written, TWENTY, n10000=9.0, n100000=of_twenty)
    text = shown(written)["naive"].text
    assert ("third of a nat" in text) == ("tens of nats" in text) == holds


def test_without_a_model_of_twenty_latents_nothing_is_said_of_them(written: Written) -> None:
    naive(written, TWO, n10000=0.1)
    assert "tens of nats" not in shown(written)["naive"].text


def test_the_naive_estimator_is_drawn_beside_the_draws_that_are_needed(written: Written) -> None:
    naive(written, TWO, n10=50.0, n100=12.0)
    written.probe("prior_cost", rows=[{"latents": 2, "samples_needed": 32, "samples_needed_closed_form": 23.6}])
    bias, needed = shown(written)["naive"].charts
    assert points(bias, "x", "y") == [(10, 50.0), (100, 12.0)]
    assert points(needed, "x", "y", "kind") == [(2, 32, "measured"), (2, 23.6, "closed form")]


def early(step: int, saturating: float, non_saturating: float, real: float, fake: float = 0.3) -> dict[str, Any]:
    norms = {"saturating_gradient_norm": saturating, "non_saturating_gradient_norm": non_saturating}
    return {"run_step": step, **norms, "probability_real": real, "probability_fake": fake}


def test_the_discriminators_output_and_the_gradients_are_drawn_from_the_first_step_on(written: Written) -> None:
    written.probe("early_gradients", rows=[early(0, 9.0, 9.0, 0.5), early(1, 0.25, 0.5, 0.75, 0.375), early(3, 0.125, 1.0, 0.875, 0.25)])
    outputs, norms = (kinds([chart]) for chart in shown(written)["discriminator"].charts)
    assert {kind[:4]: curve for kind, curve in outputs.items()} == {"D(x)": {1: 0.75, 3: 0.875}, "D(G(": {1: 0.375, 3: 0.25}}
    assert norms == {"saturating loss": {1: 0.25, 3: 0.125}, "non-saturating loss": {1: 0.5, 3: 1.0}}


def said_of_weights(written: Written, **distortions: float) -> str:
    """Return what is said of models by the weight of their KL; a smaller weight has the higher rate."""
    for rate, (name, distortion) in enumerate(distortions.items()):
        written.history(f"ai3611-vae-z1-{name}-mnist", val_kl_nats=[1.0 + rate] * 5, val_recon_nats=[distortion] * 5)
    return shown(written)["rate-distortion"].text


def test_what_is_said_of_the_kls_weight_is_what_rate_and_distortion_show(written: Written) -> None:
    # Down to weight 1 both gain, below it the distortion gains no more: the largest weight and 1 are named.
    gains_nothing = said_of_weights(written, kl10=180.0, kl2=160.0, kl1=150.0, kl05=150.0, kl01=155.0)
    assert numbers(gains_nothing) == ["10", "1"] and "improves" in gains_nothing
    gains = said_of_weights(written, kl10=180.0, kl2=160.0, kl1=150.0, kl05=149.9, kl01=140.0)
    assert numbers(gains) == [] and "improves" in gains
    # One weight below gains and the other does not, or one above loses already.
    neither = said_of_weights(written, kl10=180.0, kl2=160.0, kl1=150.0, kl05=149.9, kl01=155.0)
    assert numbers(neither) == [] and "improves" not in neither
    assert said_of_weights(written, kl10=180.0, kl2=149.0, kl1=150.0, kl05=149.9, kl01=140.0) == neither
    assert said_of_weights(written, kl10=180.0, kl2=150.0, kl1=150.0, kl05=151.0, kl01=155.0) == neither


def test_two_weights_are_no_curve(written: Written) -> None:
    for name in ("kl1", "kl2"):
        written.history(f"ai3611-vae-z1-{name}-mnist", val_kl_nats=[1.0], val_recon_nats=[150.0])
    assert "rate-distortion" not in shown(written)


def test_the_distance_goes_from_the_right_axes_to_the_wrong_ones(config: ReportConfig, root: Path) -> None:
    rows = [
        {"images": images, "reshape": how, "frechet_classifier_distance": distance}
        for images, how, distance in (("samples", "wrong", 1203.6), ("training images", "right", 3.0), ("samples", "right", 207.3))
    ]
    write(root / "results/quick/probes/reshape.json", {"rows": rows, "variants": ["vu4a-gan-mnist"]})
    found = {one.id: one for one in exhibits(Results(config, root), Pictures(root, "quick", root / "site"))}
    assert numbers(found["reshape"].text) == ["207", "1,204"]
    assert [thumbnail.source for thumbnail, _ in found["reshape"].pair] == [f"img/vu4a-gan-mnist-{how}.png" for how in ("right", "wrong")]


def test_whole_pictures_stand_beside_each_other_by_what_they_show(written: Written) -> None:
    kinds_of = {TWO: ["codes", "nearest_training"], TWENTY: ["latents_by_class"], "uva3-gan-mnist": ["nearest_training", "samples"]}
    grid = {"title": "", "left": 0, "top": 0, "tile_width": 2, "tile_height": 2, "pitch_x": 2, "pitch_y": 2}
    grids = [{**grid, "columns": 1, "rows": 1, "column_labels": [], "row_labels": []}]
    for name, drawn in kinds_of.items():
        folder = written.root / "reports" / written.config.preset / "figures" / name
        told = {"title": "", "caption": "", "description": "", "grids": grids}
        write(folder / "index.json", [{"file": f"{kind}.png", "kind": kind, **told} for kind in drawn])
        for kind in drawn:
            Image.new("L", (2, 2)).save(folder / f"{kind}.png")
    found = shown(written)
    assert {viewer.picture.path.parent.name: viewer.picture.path.stem for viewer in found["classes"].viewers} == {
        TWO: "codes",
        TWENTY: "latents_by_class",
    }
    assert [viewer.picture.path.parent.name for viewer in found["nearest"].viewers] == [TWO, "uva3-gan-mnist"]
    # They are looked at as a whole: nothing to choose a tile of.
    assert not [viewer for one in ("classes", "nearest") for viewer in found[one].viewers if viewer.picture.grids]
