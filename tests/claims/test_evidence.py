"""What a check reads, and how it is told what is not there."""

import math

import pytest
from written import Written

from regen.claims.evidence import Missing

VAE = "vu4a-vae-mnist"


def test_files_of_all_configured_seeds_are_read(written: Written) -> None:
    for seed in (0, 1, 5):  # 5 is no configured seed
        written.history(VAE, seed, train_neg_elbo_nats=[3.0, 2.0 + seed])
        written.metrics(VAE, seed, nll_nats=90.0 + seed, data_source="official")
        written.splits(VAE, seed, train={"recon_nats": 70.0 + seed})
        written.frechet(VAE, seed, samples=5.0 + seed, epoch_25=8.0)
    evidence = written.evidence
    assert evidence.column(VAE, "train_neg_elbo_nats") == {0: [3.0, 2.0], 1: [3.0, 3.0]}
    assert list(evidence.history(VAE)[0]["epoch"]) == [1, 2]
    assert evidence.value(VAE, "nll_nats") == {0: 90.0, 1: 91.0}
    assert evidence.split(VAE, "recon_nats", "train") == {0: 70.0, 1: 71.0}
    assert evidence.measure(VAE, "samples", "frechet_classifier_distance") == {0: 5.0, 1: 6.0}
    assert evidence.row(VAE, "epoch 25")[1]["frechet_classifier_distance"] == 8.0


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda evidence: evidence.history(VAE), f"{VAE} has no history.csv"),
        (lambda evidence: evidence.row(VAE, "samples"), f"{VAE} has no quality_details.json"),
        (lambda evidence: evidence.probe("linear_probe"), "the result of the probe linear_probe is not there"),
        (lambda evidence: evidence.card("mnist"), "the data card of mnist is not there"),
        (lambda evidence: evidence.metrics("vu4a-vae-lsun"), "vu4a-vae-lsun is not in params.yaml"),
    ],
)
def test_what_is_not_there_is_named(written: Written, read, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Missing, match=says):
        read(written.evidence)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "many", True])
def test_what_is_no_number_is_missing(written: Written, value: object) -> None:
    written.metrics(VAE, nll_nats=value)
    with pytest.raises(Missing, match=f"metrics.json of {VAE}, seed 0, has no number 'nll_nats'"):
        written.evidence.value(VAE, "nll_nats")


def test_a_column_that_is_not_finite_everywhere_is_missing(written: Written) -> None:
    written.history(VAE, val_recon_nats=[1.0, math.nan])
    with pytest.raises(Missing, match=r"'val_recon_nats' .* is not finite in every epoch"):
        written.evidence.column(VAE, "val_recon_nats")
    with pytest.raises(Missing, match="no column 'val_kl_nats'"):
        written.evidence.column(VAE, "val_kl_nats")


def test_rows_that_lack_an_image_set_or_a_measure_are_missing(written: Written) -> None:
    written.frechet(VAE, samples=5.0)
    with pytest.raises(Missing, match="have none of 'epoch 25'"):
        written.evidence.row(VAE, "epoch 25")
    with pytest.raises(Missing, match="no number 'laplacian_variance'"):
        written.evidence.measure(VAE, "samples", "laplacian_variance")


def test_the_floor_is_that_of_the_images_as_the_variant_sees_them(written: Written) -> None:
    rows = [
        {"size": [1, size, size], "split": split, "floor_nats": size + offset, "mean_image_nats": 200.0}
        for size in (28, 32)
        for split, offset in (("train", 0.0), ("test", 0.5))
    ]
    written.card("mnist", floors=rows)
    assert written.evidence.floor("vu4a-flowvae-mnist", "test") == {"floor_nats": 32.5, "mean_image_nats": 200.0}
    assert written.evidence.floor(VAE, "train")["floor_nats"] == 28.0
    with pytest.raises(Missing, match="no entropy floor of its validation images at 1x28x28"):
        written.evidence.floor(VAE, "validation")
