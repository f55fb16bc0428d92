"""The catalogue of metrics."""

import pytest

from regen.metrics import METRICS, metric, tolerance


def test_tolerances_are_absolute_and_relative_and_nothing_for_what_is_not_listed() -> None:
    assert tolerance("neg_elbo_nats", -200.0) == pytest.approx(1.0)
    assert tolerance("val_neg_elbo_nats", 200.0) == pytest.approx(1.0)
    # A metric of the last training epoch may have a tolerance of its own.
    assert tolerance("train_neg_elbo_nats", 200.0) == pytest.approx(20.0)
    assert tolerance("frechet_classifier_distance_draws", 2.0) == pytest.approx(1.01)
    # Of a table, the place in it does not matter.
    assert tolerance("floor[0].blockiness", 2.0) == tolerance("blockiness", 2.0) > 0
    assert tolerance("class_counts[3]", 8.0) == 20
    assert tolerance("epoch", 40) == 0 and tolerance("unheard_of", 1e9) == 0


def test_a_split_is_part_of_the_label_and_an_entry_of_its_own_changes_the_tolerance_alone() -> None:
    assert (
        metric("train_neg_elbo_nats").label == "training -ELBO" and metric("train_neg_elbo_nats").format == metric("neg_elbo_nats").format
    )
    assert metric("val_nll_nats").unit == "nats" and "val_nll_nats" not in METRICS
    with pytest.raises(KeyError):
        metric("val_unheard_of")


def test_every_metric_has_a_label_of_its_own_and_a_format_that_works() -> None:
    labels = [entry.label for entry in METRICS.values() if entry.name not in ("generator", "top_class")]
    assert all(labels) and len(labels) == len(set(labels))
    assert all(entry.text(1.5) and entry.text(None) == "-" and entry.text(float("inf")) == "not finite" for entry in METRICS.values())
