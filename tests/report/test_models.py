"""The gallery of models: every column of a made-up model, its place among the others, the charts beside it, and the table as CSV."""

import csv
import io
from typing import Any

import pytest
from drawn import numbers, points, scale
from made_up import seeds
from support.written import Written

from regen.report.models import Floor, Group, groups, table
from regen.report.pictures import Pictures

PLANE, VAE, LAB, GAN = "uva3-vae-z2-mnist", "uva3-vae-z20-mnist", "lab1-vae-mnist", "uva3-gan-mnist"
RESIZED, FAULTY, CLASSIFIER = "vu4a-flowvae-mnist", "vu4a-flowvae-mnist-logdet-times-d", "lab1-classifier-mnist"
DISTANCE = "frechet_classifier_distance"


def shown(written: Written) -> dict[str, Group]:
    return {group.id: group for group in groups(written.results, Pictures(written.root, written.config.preset, written.root / "site"))}


def nll(written: Written, name: str, nats: float, seed: int = 0, **more: Any) -> None:
    """Write -log p(x) of 50 samples with an interval of 2 nats to both sides, a nat of which is 0.002 bits a dimension."""
    interval = {"nll_nats_low": nats - 2, "nll_nats_high": nats + 2, "bits_per_dim": 0.002 * nats}
    about = {"nll_kind": "unnormalised", "importance_samples": 50, "n_images": 40}
    written.metrics(name, seed, nll_nats=nats, **interval, **about, **more)


def samples(written: Written, name: str, distance: float) -> None:
    written.rows(name, {"samples": {DISTANCE: distance, "recall": 0.5}})
    written.quality(name, **{DISTANCE: distance})


def costs(written: Written, seconds: dict[str, float]) -> None:
    """Write what the stages took of a processor, `{"uva3-vae-z2-mnist/0/train": 600.0}`, on a machine that was busy with other things."""
    written.json(
        "provenance.json", {stage: {"device": "cpu", "cpu_seconds": value, "seconds": 3 * value} for stage, value in seconds.items()}
    )


def test_every_column_of_a_model_is_the_mean_of_its_own_seeds(written: Written) -> None:
    made = Written(seeds(written.config, PLANE), written.root)
    for seed, (distance, recall, epochs, nats) in enumerate(((50.0, 0.25, 40, 100.0), (60.0, 0.75, 30, 103.0))):
        made.rows(PLANE, {"samples": {DISTANCE: distance, "recall": recall}, "test images": {DISTANCE: 1.0, "recall": 1.0}}, seed)
        made.history(PLANE, seed, val_neg_elbo_nats=[1.0] * epochs)
        nll(made, PLANE, nats, seed)
        # 500 samples take half a nat off, the quadrature 4 nats more.
        rows = [{"importance_samples": k, "n_images": 40, "nll_nats": nats - less} for k, less in ((50, 0.0), (500, 0.5))]
        check = {"estimate": "quadrature", "n_images": 20, "difference_nats": 4.0, "difference_standard_error_nats": 0.3}
        made.details(PLANE, seed, likelihood=rows, checks=[check])
    # Twelve minutes of training; what a stage behind it took is none of it, nor is what another variant took.
    costs(made, {f"{PLANE}/0/train": 600.0, f"{PLANE}/1/train": 840.0, f"{PLANE}/0/evaluate": 9000.0, f"{VAE}/0/train": 60.0})
    ((group_id, group),) = shown(made).items()
    assert group_id == "mnist-28"
    (one,) = group.models
    assert (one.variant, one.title, one.report, one.seeds) == (PLANE, made.config.variants[PLANE].title, "uva3", 2)
    assert (one.distances, one.distance, one.distance_range, one.recall) == ([50.0, 60.0], "55", "50 to 60", 0.5)
    assert (one.seconds, one.cost, one.epochs, one.faulty) == (720.0, "12 min", "30 of 40 epochs", False)
    likelihood = one.likelihood
    # 101.5 - 0.5 - 4
    assert likelihood is not None and (likelihood.by, likelihood.best) == ("quadrature", pytest.approx(97.0))
    assert likelihood.bits == pytest.approx(0.002 * 97.0)


def test_models_stand_by_their_distance_those_without_one_last_and_classifiers_nowhere(written: Written) -> None:
    for name, distance in ((VAE, 30.0), (GAN, 10.0), (PLANE, 20.0)):
        samples(written, name, distance)
    nll(written, LAB, 90.0)
    written.history(LAB, val_neg_elbo_nats=[1.0] * written.config.variants[LAB].training.epochs)
    written.metrics(CLASSIFIER, accuracy=0.98)
    (group,) = shown(written).values()
    assert [one.variant for one in group.models] == [GAN, PLANE, VAE, LAB]
    last = group.models[-1]
    assert (last.distances, last.distance, last.recall, last.seconds, last.cost) == ([], "", None, None, "")
    # All of its epochs ran.
    assert last.epochs == f"{written.config.variants[LAB].training.epochs} epochs"


def test_a_fault_that_was_put_in_is_marked_and_sizes_stand_apart(written: Written) -> None:
    for name in (PLANE, GAN, RESIZED, FAULTY):
        written.quality(name, **{DISTANCE: 1.0})
    found = {name: {one.variant: one.faulty for one in group.models} for name, group in shown(written).items()}
    assert found == {"mnist-28": {PLANE: False, GAN: False}, "mnist-32": {RESIZED: False, FAULTY: True}}


def test_the_floor_is_of_training_images_of_the_same_size(written: Written) -> None:
    for name in (PLANE, RESIZED):
        written.quality(name, **{DISTANCE: 1.0})
    written.json("features/mnist.json", {"floor": [{"images": "other", DISTANCE: 9.0}, {"images": "training images", DISTANCE: 3.25}]})
    rows = [
        {"images": images, "reshape": how, DISTANCE: value}
        for images, how, value in (("training images", "wrong", 800.0), ("samples", "right", 200.0), ("training images", "right", 5.5))
    ]
    written.probe("reshape", rows=rows, variants=["vu4a-gan-mnist"])
    found = {name: group.floor for name, group in shown(written).items()}
    assert found == {"mnist-28": Floor("training images", 3.25), "mnist-32": Floor("training images brought to 32×32 and back", 5.5)}
    # A probe of another data set says nothing of these images.
    written.probe("reshape", rows=rows, variants=["vu4a-gan-svhn"])
    assert shown(written)["mnist-32"].floor is None


def test_likelihoods_are_drawn_after_all_samples_and_exact_ones_with_the_error_of_their_estimate(written: Written) -> None:
    nll(written, PLANE, 100.0)
    rows = [{"importance_samples": k, "n_images": 40, "nll_nats": nats} for k, nats in ((50, 100.0), (500, 98.0))]
    check = {"estimate": "quadrature", "n_images": 20, "difference_nats": 3.0, "difference_standard_error_nats": 0.5}
    written.details(PLANE, likelihood=rows, checks=[check])
    nll(written, GAN, 300.0)
    (chart,) = shown(written)["mnist-28"].charts
    exact, sampled, other = points(chart, "value", "low", "high")
    # 98 - 3 within 1.96 standard errors; 98 within the two nats of the images.
    assert exact == (95.0, pytest.approx(94.02), pytest.approx(95.98))
    assert sampled == (98.0, 96.0, 100.0) and other == (300.0, 298.0, 302.0)
    (first,), (second,), _ = points(chart, "text")
    assert numbers(first) == ["95.0"] and "quadrature" in first and numbers(second) == ["98.00", "500"]
    assert scale(chart, "x") == "log"
    assert [one.variant for one in shown(written)["mnist-28"].kinds[0][2]] == [PLANE, GAN]


def test_quality_likelihood_and_minutes_are_drawn_against_each_other_where_three_models_have_both(written: Written) -> None:
    models = ((PLANE, 100.0, 40.0, 600.0), (VAE, 90.0, 60.0, 1200.0), (LAB, 80.0, 50.0, 1800.0))
    for name, nats, distance, _ in models:
        nll(written, name, nats)
        samples(written, name, distance)
    costs(written, {f"{name}/0/train": seconds for name, *_, seconds in models})
    _, against, quality, likelihood = shown(written)["mnist-28"].charts
    assert sorted(points(against, "x", "y")) == [(80.0, 50.0), (90.0, 60.0), (100.0, 40.0)]
    assert sorted(points(quality, "x", "y")) == [(10.0, 40.0), (20.0, 60.0), (30.0, 50.0)]
    assert sorted(points(likelihood, "x", "y")) == [(10.0, 100.0), (20.0, 90.0), (30.0, 80.0)]
    # With two trainings that were timed there is no cost to draw.
    costs(written, {f"{name}/0/train": 60.0 for name in (PLANE, VAE)})
    assert len(shown(written)["mnist-28"].charts) == 2


def test_what_the_clock_alone_measured_or_a_gpu_did_is_no_cost(written: Written) -> None:
    made = Written(seeds(written.config, PLANE), written.root)
    for name in (PLANE, VAE, LAB):
        made.quality(name, **{DISTANCE: 1.0})
    clock, gpu = {"device": "cpu", "seconds": 900.0}, {"device": "cuda", "seconds": 30.0, "cpu_seconds": 40.0}
    processor = {"device": "cpu", "seconds": 900.0, "cpu_seconds": 240.0}
    made.json("provenance.json", {f"{PLANE}/0/train": clock, f"{PLANE}/1/train": processor, f"{VAE}/0/train": clock, f"{LAB}/0/train": gpu})
    (group,) = shown(made).values()
    assert {one.variant: one.seconds for one in group.models} == {PLANE: 240.0, VAE: None, LAB: None}


def test_a_group_says_where_training_sets_differ_and_where_features_are_random(written: Written) -> None:
    card = {"description": "digits", "counts": {"train": 500, "validation": 100, "test": 200}}
    written.json("data/mnist.json", card)
    for name in (PLANE, VAE):
        written.quality(name, **{DISTANCE: 1.0})
    written.json("features/mnist.json", {"labels": "classes"})
    (alike,) = shown(written).values()
    assert alike.notes == ["digits"] and [one.images for one in alike.models] == [500, 500]
    # The report's GAN holds out the test set, and trains on the validation images too.
    written.quality(GAN, **{DISTANCE: 2.0})
    written.json("features/mnist.json", {"labels": "nothing"})
    (group,) = shown(written).values()
    assert [one.images for one in group.models] == [500, 500, 600]
    _, random, sizes = group.notes
    assert "random weights" in random and numbers(sizes) == ["500", "600"]
    written.history(GAN, train_discriminator_loss=[1.0] * 3)
    (group,) = shown(written).values()
    assert {one.variant: one.epochs for one in group.models}[GAN] == f"3 of {written.config.variants[GAN].training.epochs} epochs"
    assert group.notes[1:3] == [random, sizes] and ["fewer epochs" in note for note in group.notes] == [False, False, False, True]


def test_the_table_has_a_row_a_seed_with_what_evaluation_and_quality_measured(written: Written) -> None:
    made = Written(seeds(written.config, PLANE), written.root)
    nll(made, PLANE, 100.0, 0)
    nll(made, PLANE, 103.0, 1, neg_elbo_nats=110.0)
    made.quality(PLANE, 1, **{DISTANCE: 50.0, "recall": 0.25})
    made.quality(GAN, **{DISTANCE: 60.0})
    made.quality("vu4a-gan-svhn", **{DISTANCE: 70.0})
    written_rows = list(csv.DictReader(io.StringIO(table(made.results))))
    first, second, gan, svhn = written_rows
    assert [(row["variant"], row["seed"]) for row in written_rows] == [(PLANE, "0"), (PLANE, "1"), (GAN, "0"), ("vu4a-gan-svhn", "0")]
    assert (second["nll_nats"], second["nll_nats_low"], second["neg_elbo_nats"], second[DISTANCE], second["recall"]) == (
        *("103.0", "101.0", "110.0", "50.0", "0.25"),
    )
    # What a run does not have is empty, and what none has is no column.
    assert (first["nll_nats"], first["neg_elbo_nats"], first[DISTANCE]) == ("100.0", "", "")
    assert (gan["nll_nats"], gan["nll_kind"], gan[DISTANCE], gan["data"], gan["size"]) == ("", "", "60.0", "MNIST", "28×28")
    assert (svhn["data"], svhn["size"], first["nll_kind"]) == ("SVHN (grey crops)", "32×32", "unnormalised")
    assert "accuracy" not in first
