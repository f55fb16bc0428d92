"""Charts of the reports' figures: curves, snapshots, measures, classes, latents and estimates, point by point."""

import math
from typing import Any

import pytest
from drawn import kinds, numbers, points, rows, scale
from made_up import seeds
from support.written import Written

from regen.params.figures import ReportFigure
from regen.report.charts import Chart
from regen.report.plots import plots

VAE, PLANE, GAN, CRITIC = "uva3-vae-z20-mnist", "uva3-vae-z2-mnist", "uva3-gan-mnist", "ext-wgangp-mnist"
HEAVY, LIGHT, IWAE = "ai3611-vae-z1-kl10-mnist", "ai3611-vae-z1-kl05-mnist", "davari-iwae5-deconv-celeba"


def drawn(written: Written, chart: dict[str, Any], *names: str) -> list[Chart]:
    return plots(written.results, ReportFigure(number=None, title="Made up", chart=chart, variants=list(names)))


def by_variant(written: Written, chart: Chart, *names: str) -> dict[str, dict[Any, float]]:
    """Return the variant -> x -> y; its curve has its title."""
    found = kinds([chart])
    assert set(found) <= {written.config.variants[name].title for name in names}
    return {name: found[title] for name in names if (title := written.config.variants[name].title) in found}


def test_an_objective_that_was_not_recorded_is_made_of_its_terms_at_its_own_weight(written: Written) -> None:
    for name, recon, kl in ((HEAVY, [100.0, 90.0], [2.0, 4.0]), (LIGHT, [80.0, 70.0], [20.0, 30.0])):
        terms = {f"{split}_{key}": values for split in ("train", "val") for key, values in (("recon_nats", recon), ("kl_nats", kl))}
        written.history(name, **terms | {"val_recon_nats": [value + 1 for value in recon]})
    training, validation = drawn(written, {"kind": "history", "columns": ["train_objective_nats", "val_objective_nats"]}, HEAVY, LIGHT)
    # 100 + 10 * 2, 90 + 10 * 4; 80 + 20 / 2, 70 + 30 / 2; a nat more in validation.
    assert by_variant(written, training, HEAVY, LIGHT) == {HEAVY: {1: 120.0, 2: 130.0}, LIGHT: {1: 90.0, 2: 85.0}}
    assert by_variant(written, validation, HEAVY, LIGHT) == {HEAVY: {1: 121.0, 2: 131.0}, LIGHT: {1: 91.0, 2: 86.0}}


def test_a_recorded_objective_is_drawn_as_it_is_and_no_other_is_made_up(written: Written) -> None:
    faulty, terms = "vu4a-flowvae-mnist-logdet-times-d", {"train_recon_nats": [100.0], "train_kl_nats": [2.0]}
    written.history(HEAVY, train_objective_nats=[77.0], **terms)
    # The bound of an IWAE is not the sum of these terms, nor is a loss with the log-determinant counted once a latent.
    written.history(IWAE, **terms)
    written.history(faulty, **terms)
    (chart,) = drawn(written, {"kind": "history", "columns": ["train_objective_nats"]}, HEAVY, IWAE, faulty)
    assert by_variant(written, chart, HEAVY, IWAE, faulty) == {HEAVY: {1: 77.0}}
    drawn_alone, _, absent = chart.title.partition(";")
    assert written.config.variants[HEAVY].title in drawn_alone
    assert all(written.config.variants[name].title in absent for name in (IWAE, faulty))


def test_a_curve_is_the_mean_over_seeds_with_their_range_where_there_are_several(written: Written) -> None:
    several = Written(seeds(written.config, VAE), written.root)
    nan = math.nan
    several.history(VAE, 0, val_neg_elbo_nats=[10.0, 20.0, nan, 5.0])
    several.history(VAE, 1, val_neg_elbo_nats=[14.0, 21.0, 3.0])
    several.history(VAE, 2, val_neg_elbo_nats=[18.0, 25.0, 4.0])
    (chart,) = drawn(several, {"kind": "history", "columns": ["val_neg_elbo_nats"]}, VAE)
    # An epoch that is not finite in a seed has no mean; the last was reached by one seed alone.
    assert points(chart, "x", "y", "low", "high") == [(1, 14.0, 10.0, 18.0), (2, 22.0, 20.0, 25.0), (4, 5.0, None, None)]


def test_a_long_history_is_thinned_and_keeps_its_last_epoch(written: Written) -> None:
    written.history(VAE, val_neg_elbo_nats=[1000.0 - epoch for epoch in range(1, 252)])
    (whole,) = drawn(written, {"kind": "history", "columns": ["val_neg_elbo_nats"]}, VAE)
    # 251 epochs at 100 points: every third, and the last.
    assert points(whole, "x", "y") == [(epoch, 1000.0 - epoch) for epoch in (*range(1, 251, 3), 251)]
    (beginning,) = drawn(written, {"kind": "history", "columns": ["val_neg_elbo_nats"], "epochs": 7}, VAE)
    assert points(beginning, "x", "y") == [(1, 999.0), (4, 996.0), (7, 993.0)]


@pytest.mark.parametrize(("epochs", "light", "heavy"), [(None, [20.0], [19.0, 22.0, 25.0]), (2, [15.0], [13.0, 17.0, 21.0])])
def test_the_means_over_the_epochs_stand_beside_the_curves_of_validation(
    epochs: int | None, light: list[float], heavy: list[float], written: Written
) -> None:
    several = Written(seeds(written.config, HEAVY), written.root)
    several.history(LIGHT, val_objective_nats=[10.0, 20.0, 30.0])
    # At its weight of ten 12, 14, 31 and 16, 26, 33 nats: of the seeds the mean, the smaller and the larger.
    several.history(HEAVY, 0, val_recon_nats=[2.0, 4.0, 1.0], val_kl_nats=[1.0, 1.0, 3.0])
    several.history(HEAVY, 1, val_recon_nats=[6.0, 6.0, 3.0], val_kl_nats=[1.0, 2.0, 3.0])
    chosen = {"kind": "history", "columns": ["val_objective_nats"], "epochs": epochs}
    curves, means = drawn(several, {**chosen, "mean": True}, LIGHT, HEAVY)
    (without,) = drawn(several, chosen, LIGHT, HEAVY)
    assert curves == without
    rows = {row["label"]: [row[key] for key in ("low", "value", "high") if key in row] for row in means.spec["data"]["values"]}
    assert rows == {several.config.variants[name].title: pytest.approx(values) for name, values in ((LIGHT, light), (HEAVY, heavy))}


@pytest.mark.parametrize(("last", "axis"), [(10.0, "linear"), (9.9, "log")])
def test_an_axis_is_logarithmic_where_values_differ_by_more_than_ten(last: float, axis: str, written: Written) -> None:
    written.history(VAE, val_neg_elbo_nats=[100.0, last])
    (chart,) = drawn(written, {"kind": "history", "columns": ["val_neg_elbo_nats"]}, VAE)
    assert scale(chart, "y") == axis


def test_losses_of_a_vae_are_of_its_own_split(written: Written) -> None:
    written.history(HEAVY, train_neg_elbo_nats=[9.0, 8.0], val_neg_elbo_nats=[7.0, 6.0], train_objective_nats=[5.0, 4.0])
    bound, objective = drawn(written, {"kind": "losses"}, HEAVY)
    assert kinds([bound]) == {"training": {1: 9.0, 2: 8.0}, "validation": {1: 7.0, 2: 6.0}}
    assert kinds([objective]) == {"training": {1: 5.0, 2: 4.0}}


def test_losses_of_a_gan_are_of_their_own_player_and_shares_of_their_own_images(written: Written) -> None:
    written.history(GAN, train_discriminator_nats=[1.0], train_generator_nats=[2.0], train_accuracy_real=[0.75], train_accuracy_fake=[0.25])
    losses, shares = drawn(written, {"kind": "losses"}, GAN)
    assert kinds([losses]) == {"discriminator": {1: 1.0}, "generator": {1: 2.0}}
    assert kinds([shares]) == {"real images": {1: 0.75}, "generated images": {1: 0.25}}


def test_losses_of_a_critic_are_its_own_and_so_are_its_scores(written: Written) -> None:
    written.history(CRITIC, train_critic=[-3.0], train_generator=[2.0], train_score_real=[4.0], train_score_fake=[-1.0])
    losses, scores = drawn(written, {"kind": "losses"}, CRITIC)
    assert kinds([losses]) == {"critic": {1: -3.0}, "generator": {1: 2.0}}
    assert kinds([scores]) == {"real images": {1: 4.0}, "generated images": {1: -1.0}}


DISTANCE = "frechet_classifier_distance"


def distances(**by_moment: float) -> dict[str, dict[str, float]]:
    return {moment.replace("_", " "): {DISTANCE: value} for moment, value in by_moment.items()}


def test_snapshots_stand_in_the_order_of_training_and_the_last_epoch_once(written: Written) -> None:
    # VAE's 40 epochs are over, the GAN's 200 are not: its end of training is a moment of its own.
    written.rows(VAE, distances(samples=51.0, epoch_40=50.0, epoch_5=70.0, before_training=900.0, test_images=0.0))
    written.rows(GAN, distances(samples=20.0, epoch_100=30.0, epoch_5=75.0))
    (chart,) = drawn(written, {"kind": "snapshots", "measure": DISTANCE}, VAE, GAN)
    found = by_variant(written, chart, VAE, GAN)
    assert list(found[VAE].items()) == [("before training", 900.0), ("epoch 5", 70.0), ("epoch 40", 50.0)]
    assert list(found[GAN].items()) == [("epoch 5", 75.0), ("epoch 100", 30.0), ("end of training", 20.0)]
    assert chart.spec["encoding"]["x"]["sort"] == ["before training", "epoch 5", "epoch 40", "epoch 100", "end of training"]


def test_snapshots_of_a_schedule_that_was_cut_stand_at_the_epochs_that_were_run(written: Written) -> None:
    # 10 of the 200 epochs: what the report calls epoch 50 was taken after a quarter of them.
    written.history(IWAE, val_neg_elbo_nats=[1.0] * 10)
    written.rows(IWAE, distances(before_training=9.0, epoch_1=8.0, epoch_50=7.0, epoch_200=6.0, samples=6.0))
    # A run that ended early took its snapshots where its own schedule has them.
    written.history(VAE, val_neg_elbo_nats=[1.0] * 8)
    written.rows(VAE, distances(epoch_5=5.0))
    (chart,) = drawn(written, {"kind": "snapshots", "measure": DISTANCE}, IWAE, VAE)
    assert by_variant(written, chart, IWAE, VAE) == {
        IWAE: {"before training": 9.0, "epoch 0.05": 8.0, "epoch 2.5": 7.0, "epoch 10": 6.0},
        VAE: {"epoch 5": 5.0},
    }
    assert chart.spec["encoding"]["x"]["sort"] == ["before training", "epoch 0.05", "epoch 2.5", "epoch 5", "epoch 10"]


def test_variants_that_have_nothing_of_a_measure_are_named(written: Written) -> None:
    written.quality(VAE, **{DISTANCE: 40.0})
    written.rows(VAE, distances(epoch_5=70.0))
    whole, part = ({"kind": "measure", "measures": [DISTANCE]}, {"kind": "snapshots", "measure": DISTANCE})
    for chosen in (whole, part):
        (chart,) = drawn(written, chosen, VAE, GAN)
        assert written.config.variants[GAN].title in chart.title and written.config.variants[VAE].title not in chart.title
        (chart,) = drawn(written, chosen, VAE)
        assert chart.title == ""


def test_snapshots_of_reconstructions_are_not_those_of_samples(written: Written) -> None:
    found = distances(samples=51.0, epoch_5=70.0, reconstructions=11.0)
    written.rows(VAE, {**found, "reconstructions, epoch 5": {DISTANCE: 12.0}})
    (chart,) = drawn(written, {"kind": "snapshots", "measure": DISTANCE, "images": "reconstructions"}, VAE)
    assert by_variant(written, chart, VAE) == {VAE: {"epoch 5": 12.0, "end of training": 11.0}}


def test_measures_are_means_over_seeds_and_no_two_sizes_share_a_chart(written: Written) -> None:
    several = Written(seeds(written.config, VAE), written.root)
    for seed, value in enumerate((40.0, 50.0, 75.0)):
        several.quality(VAE, seed, **{DISTANCE: value})
    several.quality("vu4a-gan-mnist", **{DISTANCE: 90.0})
    several.quality(GAN, **{DISTANCE: 60.0})
    small, large = drawn(several, {"kind": "measure", "measures": [DISTANCE]}, VAE, "vu4a-gan-mnist", GAN)
    title = {name: several.config.variants[name].title for name in (VAE, GAN, "vu4a-gan-mnist")}
    assert points(small, "label", "value", "low", "high", "text") == [
        (title[VAE], 55.0, 40.0, 75.0, "55"),
        (title[GAN], 60.0, None, None, "60"),
    ]
    assert points(large, "label", "value") == [(title["vu4a-gan-mnist"], 90.0)]


def test_measures_of_images_are_of_the_rows_that_are_asked_for(written: Written) -> None:
    measured = ("samples", 0.25), ("reconstructions", 0.5), ("test images", 0.75)
    written.rows(VAE, {images: {"checkerboard_energy": value} for images, value in measured})
    chosen = {"kind": "measure", "measures": ["checkerboard_energy"], "images": ["samples", "reconstructions"]}
    (chart,) = drawn(written, chosen, VAE)
    assert points(chart, "kind", "value") == [("samples", 0.25), ("reconstructions", 0.5)]


def test_shares_of_classes_are_of_all_samples_of_a_seed(written: Written) -> None:
    several = Written(seeds(written.config, GAN), written.root)
    test_images = {"class_counts": [1, 1, 2]}
    several.rows(GAN, {"samples": {"class_counts": [6, 2, 0]}, "test images": test_images}, 0)
    several.rows(GAN, {"samples": {"class_counts": [1, 0, 1]}, "test images": test_images}, 1)
    (chart,) = drawn(several, {"kind": "classes"}, GAN)
    shares = [tuple(row.get(key) for key in ("label", "value", "low", "high")) for row in rows(chart.spec) if row["kind"] != "test images"]
    # 6/8 and 1/2, 2/8 and 0, 0 and 1/2.
    assert shares == [("0", 0.625, 0.5, 0.75), ("1", 0.125, 0.0, 0.25), ("2", 0.25, 0.0, 0.5)]
    assert kinds([chart], "label", "value")["test images"] == {"0": 0.25, "1": 0.25, "2": 0.5}


def test_a_confusion_matrix_has_a_row_a_true_class_and_shares_of_it(written: Written) -> None:
    written.details("lab1-classifier-mnist", confusion=[[6, 2], [3, 1]])
    (chart,) = drawn(written, {"kind": "confusion"}, "lab1-classifier-mnist")
    # "x" is the predicted class, "y" the true one: of eight zeros two are taken for ones, of four ones three for zeros.
    cells = {(y, x): (value, text) for x, y, value, text in points(chart, "x", "y", "value", "text")}
    assert cells == {("0", "0"): (0.75, "6"), ("0", "1"): (0.25, "2"), ("1", "0"): (0.75, "3"), ("1", "1"): (0.25, "1")}
    # 6 + 1 of 12.
    assert numbers(chart.description) == ["7", "12"]
    assert [chart.spec["encoding"][channel]["axis"]["title"].split()[0] for channel in ("x", "y")] == ["Predicted", "True"]


def test_the_naive_estimators_bias_is_the_mean_over_seeds_where_it_is_positive(written: Written) -> None:
    several = Written(seeds(written.config, PLANE), written.root)
    for seed, bias in enumerate(([50.0, 2.0, 0.25], [40.0, 1.0, -0.5])):
        several.details(PLANE, seed, prior_sampling=[{"prior_samples": 10**k, "bias_nats": nats} for k, nats in enumerate(bias, 1)])
    (chart,) = drawn(several, {"kind": "prior_sampling"}, PLANE, VAE)
    # 0.25 - 0.5 has no place on a logarithmic axis.
    assert by_variant(several, chart, PLANE, VAE) == {PLANE: {10: 45.0, 100: 1.5}}
    assert (scale(chart, "x"), scale(chart, "y")) == ("log", "log")


def test_latents_stand_by_their_kl_largest_first(written: Written) -> None:
    written.details(VAE, latents=[{"kl_nats": value} for value in (0.5, 0.00009, 3.0, 0.0, 1.5)])
    (chart,) = drawn(written, {"kind": "latents"}, VAE)
    assert points(chart, "x", "y") == [(1, 3.0), (2, 1.5), (3, 0.5)]


@pytest.mark.parametrize(
    "chart",
    [
        *({"kind": kind} for kind in ("losses", "prior_sampling", "latents", "classes", "confusion")),
        {"kind": "history", "columns": ["val_neg_elbo_nats"]},
        {"kind": "snapshots", "measure": DISTANCE},
        {"kind": "measure", "measures": [DISTANCE]},
    ],
    ids=lambda chart: chart["kind"],
)
def test_nothing_is_drawn_of_results_that_are_not_there(chart: dict[str, Any], written: Written) -> None:
    assert drawn(written, chart, VAE) == []
