"""What checks read of a variant, one number a seed."""

import math

import pytest
from support.written import Written

from regen.claims.reads import at, by_seed, drop_share, excess, late, nll, of_real
from regen.claims.reported import Reading
from regen.common.errors import UserError
from regen.config.base import parse
from regen.results import Missing

A, B = "uva3-vae-z2-mnist", "lab1-vae-z2-mnist"


def test_curves(written: Written) -> None:
    written.history(A, val_neg_elbo_nats=[100.0, 60.0, 40.0, 30.0, 20.0, 25.0, 35.0])
    results = written.results
    assert late(results, "val_neg_elbo_nats")(A) == {0: 30.0} and late(results, "val_neg_elbo_nats", upto=2)(A) == {0: 80.0}
    assert at(results, "val_neg_elbo_nats", 3)(A) == {0: 40.0}
    # Of the drop from 100 to 20 three quarters are reached by epoch 3, and what rises later does not count.
    assert drop_share(results, "val_neg_elbo_nats", 3)(A) == {0: 75.0} and drop_share(results, "val_neg_elbo_nats", 7)(A) == {0: 100.0}
    # From epoch 2 on it is a drop from 60 to 20, half of which is reached by epoch 3.
    assert drop_share(results, "val_neg_elbo_nats", 3, start=2)(A) == {0: 50.0}
    for read in (at(results, "val_neg_elbo_nats", 8), drop_share(results, "val_neg_elbo_nats", 9, start=8)):
        with pytest.raises(Missing, match="has no epoch 8"):
            read(A)


def test_losses_between_floor_and_mean_image_and_measures_over_real_images(written: Written) -> None:
    floor = {"size": [1, 28, 28], "split": "validation", "floor_nats": 50.0, "mean_image_nats": 250.0}
    written.card("mnist", [floor])
    # The test images' mean, which one draw can spoil, is not read.
    written.metrics(A, neg_elbo_nats=900.0)
    written.details(A, splits=[{"split": "validation", "neg_elbo_nats": 100.0}, {"split": "test", "neg_elbo_nats": 900.0}])
    written.rows(A, {"samples": {"laplacian_variance": 0.25}, "test images": {"laplacian_variance": 0.5}})
    assert excess(written.results)(A) == {0: 0.25} and of_real(written.results, "laplacian_variance")(A) == {0: 0.5}


@pytest.mark.parametrize(("counts", "exact"), [((100, 100), True), ((100, 50), False)])
def test_likelihoods_of_few_latents_are_exact_where_both_have_it_of_as_many_images(
    written: Written, counts: tuple[int, int], exact: bool
) -> None:
    # Where it is not exact, it is of the most samples that were drawn: ten times as many lower it by 0.5 on the same images.
    rows = [{"importance_samples": samples, "n_images": 10, "nll_nats": nats} for samples, nats in ((500, 158.0), (5000, 157.5))]
    for variant, count in zip((A, B), counts, strict=True):
        written.metrics(variant, nll_nats=160.0, importance_samples=500)
        written.details(variant, checks=[{"estimate": "quadrature", "nll_nats": 155.0, "n_images": count}], likelihood=rows)
    assert nll(written.results, A, B)(A) == {0: 155.0 if exact else 159.5}


@pytest.mark.parametrize(
    ("reading", "value"),
    [
        ({"of": "train_kl_nats", "at": "last"}, 3.0),
        ({"of": "train_kl_nats", "at": "min"}, 1.0),
        ({"of": {"train_kl_nats": 2.0, "train_recon_nats": 1.0}, "at": 20, "plus": 0.5}, 12.5),
        ({"of": "recon_nats", "split": "train", "per": "dimension"}, 1.0),
        ({"of": "nll_nats", "per": "bits per dimension"}, 2.0),
        ({"of": "nll_nats", "without_one_over_k": True}, 784 * 2 * math.log(2) - math.log(500)),
        ({"of": "nll_nats", "most_samples": True}, 784 * 2 * math.log(2) - 0.5),
    ],
)
def test_readings(written: Written, reading: dict[str, object], value: float) -> None:
    # A run of 2 epochs for 40: the report's epoch 20 is the first.
    written.history(A, train_kl_nats=[1.0, 3.0], train_recon_nats=[10.0, 20.0])
    # Of 1,000 of the images more samples were drawn; 50 samples were drawn of no image that has 500.
    nats = {(500, 1000): 99.5, (5000, 1000): 99.0, (500, 10000): 100.0, (50, 20): 7.0}
    rows = [{"importance_samples": samples, "n_images": images, "nll_nats": value} for (samples, images), value in nats.items()]
    written.details(A, splits=[{"split": "train", "recon_nats": 784.0}], likelihood=rows)
    written.metrics(A, nll_nats=784 * 2 * math.log(2), importance_samples=500)
    parsed = parse(Reading, {"label": "x", "variant": A, **reading}, "reported.yaml")
    assert by_seed(written.results, parsed) == {0: pytest.approx(value)}


def test_a_reading_is_of_one_place(written: Written) -> None:
    with pytest.raises(UserError, match="'at', 'split' or neither"):
        parse(Reading, {"label": "x", "variant": A, "of": "kl_nats", "at": 1, "split": "train"}, "reported.yaml")
    with pytest.raises(UserError, match="of 'nll_nats' alone"):
        parse(Reading, {"label": "x", "variant": A, "of": "kl_nats", "most_samples": True}, "reported.yaml")
