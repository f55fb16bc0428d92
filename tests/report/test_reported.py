"""The numbers that the reports print, and where this reproduction reads its own."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.distributions import Normal

from regen.claims.reported import Reading, read_reported, reproduced
from regen.evaluation.held_out.evaluate import evaluate
from regen.images.batches import to_unit_interval
from regen.images.images import Images
from regen.models.build import build
from regen.params.resolve import resolve
from regen.params.schema import Params, PresetFile, ReportConfig
from regen.training.objectives import objective_of
from regen.training.terms import mean_terms

LEDGER = read_reported()
BY_VALUE = {row.value: row.readings for row in LEDGER}

# As the reports print them: report, number, how many readings.
PRINTED = [
    *(("uva3", 170, 4), ("uva3", 110, 4), ("uva3", 100, 4), ("vu4a", 0.00849, 11), ("vu4a", 0.00855, 11)),
    *(("vu4a", 1911.26, 4), ("vu4a", 1911.91, 7), ("davari", 7133, 6), ("davari", 2.51, 8)),
]

MSE, KL, RECON, STATED = 0.0123, 25.5, 76.25, 730.5
"""Made-up terms of an image: squared error a pixel, KL, cross-entropy, and -ELBO under the stated Gaussian."""

MNIST = {
    ("vu4a-vae-mnist", "squared error a pixel, Bernoulli likelihood"): MSE,
    ("vu4a-vae-mnist", "half the squared error a pixel, Bernoulli likelihood"): MSE / 2,
    ("vu4a-vae-mnist-gauss", "squared error a pixel, stated Gaussian likelihood"): MSE,
    ("vu4a-vae-mnist-gauss", "half the squared error a pixel, stated Gaussian likelihood"): MSE / 2,
    ("vu4a-vae-mnist", "squared error a pixel + KL a latent, Bernoulli likelihood"): MSE + KL / 16,
    ("vu4a-vae-mnist-gauss", "squared error a pixel + KL a latent, stated Gaussian likelihood"): MSE + KL / 16,
    ("vu4a-vae-mnist", "cross-entropy a pixel"): RECON / (28 * 28),
    ("vu4a-vae-mnist", "(cross-entropy + KL) a pixel"): (RECON + KL) / (28 * 28),
    ("vu4a-vae-mnist", "cross-entropy + KL, nats an image"): RECON + KL,
    ("vu4a-vae-mnist-gauss", "stated loss, nats an image"): STATED,
    # Half the sum of squares: -log N(x; mean, 1) but for (D / 2) log 2 pi.
    ("vu4a-vae-mnist-gauss", "stated loss without its constant, a pixel"): (28 * 28 * MSE / 2 + KL) / (28 * 28),
}
SVHN = {
    ("vu4a-vae-svhn", "cross-entropy + KL"): RECON + KL,
    ("vu4a-vae-svhn", "cross-entropy alone"): RECON,
    ("vu4a-vae-svhn", "(cross-entropy + KL) a dimension"): (RECON + KL) / (3 * 32 * 32),
    ("vu4a-vae-svhn-gauss", "stated loss, Gaussian likelihood"): STATED,
}
SVHN_SQUARES = {
    ("vu4a-vae-svhn-gauss", "stated loss without its constant"): 3 * 32 * 32 * MSE / 2 + KL,
    ("vu4a-vae-svhn-gauss", "squared error + KL"): 3 * 32 * 32 * MSE + KL,
    ("vu4a-vae-svhn-gauss", "squared error a dimension"): MSE,
}
EXPECTED = {
    0.00849: ("", None, "train", MNIST),
    0.00855: ("val_", "min", None, MNIST),
    1911.26: ("train_", "min", None, SVHN),
    1911.91: ("val_", "min", None, SVHN | SVHN_SQUARES),
}
"""Of each number of vu4a: 0.00849 is of training at the final epoch, the others the lowest; what stands below each reading's label."""


def test_the_numbers_are_the_reports() -> None:
    assert [(row.report, row.value, len(row.readings)) for row in LEDGER] == PRINTED


@pytest.mark.parametrize(("value", "epoch"), [(170, 1), (110, 5), (100, 40)])
def test_uva3_is_read_at_its_epochs_from_both_data_and_both_splits(value: float, epoch: int) -> None:
    whole = {"split": None, "plus": 0, "per": None, "without_one_over_k": False}
    assert [reading.model_dump(exclude={"label"}) for reading in BY_VALUE[value]] == [
        {"variant": variant, "of": {f"{split}_neg_elbo_nats": 1}, "at": epoch, **whole}
        for variant in ("uva3-vae-z20-mnist", "uva3-vae-z20-bmnist")
        for split in ("train", "val")
    ]


@pytest.mark.parametrize("value", EXPECTED)
def test_vu4a_is_read_under_every_reduction(value: float, report_config: Callable[..., ReportConfig]) -> None:
    prefix, at, split, expected = EXPECTED[value]
    variants = report_config("paper").variants
    assert variants["vu4a-vae-mnist"].model_dump()["model"]["latent"]["dim"] == 16
    found = {}
    for reading in BY_VALUE[value]:
        assert (reading.at, reading.split) == (at, split)
        stated = reading.variant.endswith("-gauss")
        terms = {"mse_per_pixel": MSE, "kl_nats": KL, "neg_elbo_nats": STATED if stated else RECON + KL}
        terms |= {"recon_nats": STATED - KL if stated else RECON}
        row = {f"{prefix}{name}": number for name, number in terms.items()}
        found[reading.variant, reading.label] = reading.value(row) / reading.parts(variants[reading.variant].shape)
    assert found == pytest.approx(expected, rel=1e-12)


def test_davari_is_read_as_nats_and_as_bits_of_both_models(report_config: Callable[..., ReportConfig]) -> None:
    nats, bits = BY_VALUE[7133], BY_VALUE[2.51]
    models = {"VAE": "davari-vae-deconv-celeba", "IWAE": "davari-iwae5-deconv-celeba"}
    shape = report_config("paper").variants[models["VAE"]].shape
    assert shape == [3, 64, 64]
    assert all(reading.variant == models[reading.label.partition(",")[0]] for reading in nats + bits)
    assert all(reading.without_one_over_k == ("without the 1/K" in reading.label) for reading in nats + bits)
    likelihoods = [reading for reading in nats + bits if reading.of == {"nll_nats": 1}]
    assert all(reading.at is None and reading.split is None and reading.plus == 0 for reading in likelihoods)
    assert {(reading.variant, reading.without_one_over_k) for reading in nats if reading in likelihoods} == {
        (model, without) for model in models.values() for without in (False, True)
    }
    # "Bits per pixel": of 64 x 64 positions the report's own 7133 nats are 2.51, of all 12,288 values a third of that.
    read = {(reading.variant, reading.without_one_over_k, 7133 / reading.parts(shape)) for reading in bits}
    assert len(read) == len(bits) == 8 and all(reading in likelihoods for reading in bits)
    for reading in bits:
        positions = 4096 if "a position (64 x 64)" in reading.label else 12288
        assert ("a dimension (3 x 64 x 64)" in reading.label) == (positions == 12288)
        assert reading.parts(shape) == pytest.approx(positions * math.log(2), rel=1e-12)
        assert f"{7133 / reading.parts(shape):.2f}" == ("2.51" if positions == 4096 else "0.84")
    squares = [reading for reading in nats if reading not in likelihoods]
    assert [(reading.variant, reading.split, reading.per) for reading in squares] == [(model, "test", None) for model in models.values()]


def test_davari_is_read_under_a_gaussian_of_variance_one_half() -> None:
    normal: Any = Normal(torch.zeros(12288, dtype=torch.float64), math.sqrt(0.5))
    x = torch.linspace(-1, 1, 12288, dtype=torch.float64)
    expected = KL - normal.log_prob(x).sum().item()
    for reading in (reading for reading in BY_VALUE[7133] if reading.split == "test"):
        assert reading.value({"mse_per_pixel": x.square().mean().item(), "kl_nats": KL}) == pytest.approx(expected, abs=1e-6)


def test_every_variant_and_column_exists(params: Params, report_config: Callable[..., ReportConfig]) -> None:
    """Train and evaluate a variant for one step: what is named must be what these write."""
    variants = report_config("paper").variants
    variant = variants["vu4a-vae-mnist"]
    model = build(variant.model, variant.shape)
    images = Images(torch.zeros(4, 1, 28, 28, dtype=torch.uint8), torch.zeros(4, 0))
    written = mean_terms(model, images)
    _, recorded = objective_of(variant.training)(model, to_unit_interval(images.images), images.labels)
    columns = {f"train_{name}" for name in recorded} | {f"val_{name}" for name in written}
    chosen = PresetFile(preset="quick", root=".", file="preset.yaml", seeds={dataset: [0] for dataset in params.variants})
    settings: Any = resolve(params, chosen)["vu4a-vae-mnist.evaluate.json"]
    scalars, _ = evaluate(settings, 0, model, dict.fromkeys(("train", "validation", "test"), images))

    for row in LEDGER:
        for reading in row.readings:
            assert variants[reading.variant].report == row.report
            assert variants[reading.variant].model.family == "vae"
            allowed = columns if reading.at is not None else set(written) if reading.split is not None else set(scalars)
            assert set(reading.of) <= allowed
            assert not reading.without_one_over_k or {"nll_nats", "importance_samples"} <= set(scalars)
            # What is read at an epoch is read at one that the report has.
            assert not isinstance(reading.at, int) or reading.at <= variants[reading.variant].training.epochs


@pytest.mark.parametrize(
    ("epochs", "at", "epoch"),
    # The report trains 40 epochs. Shortened to 8, epoch 5 is the first, 25 the fifth; never epoch 0, never beyond the end.
    [(40, 1, 1), (40, 5, 5), (40, 40, 40), (8, 1, 1), (8, 5, 1), (8, 25, 5), (8, 40, 8), (20, 5, 2), (3, 25, 2), (1, 1, 1), (1, 40, 1)],
)
def test_epochs_keep_their_fraction_of_a_shortened_run(
    epochs: int, at: int, epoch: int, report_config: Callable[..., ReportConfig], make: Callable[..., Path]
) -> None:
    config = report_config("quick")
    root = make(config, epochs=epochs, figures=False)
    reading = Reading(label="x", variant="uva3-vae-z20-mnist", of={"train_neg_elbo_nats": 1.0}, at=at)
    result = reproduced(config, reading, root)

    # The column starts at 500 and falls by 1 an epoch.
    assert result == {"seeds": 1, "epoch": epoch, "mean": 500 - epoch, "low": 500 - epoch, "high": 500 - epoch}


def test_seeds_are_a_mean_and_a_range(report_config: Callable[..., ReportConfig], make: Callable[..., Path]) -> None:
    config = report_config("quick", seeds=3)
    root = make(config, epochs=8, figures=False)

    def read(**where: object) -> dict[str, object]:
        return reproduced(config, Reading.model_validate({"label": "x", "variant": "vu4a-vae-mnist", **where}), root)

    # Histories start at 500, 510 and 520 and fall by 1 in each of 8 epochs; val_neg_elbo_nats is the fourth column, 3,000 up.
    assert read(of="train_neg_elbo_nats", at="min") == {"seeds": 3, "epoch": None, "mean": 502, "low": 492, "high": 512}
    assert read(of="train_neg_elbo_nats", at="last")["mean"] == 502
    assert read(of="val_neg_elbo_nats", at="min")["mean"] == 3502
    # The metrics' likelihood is 118.875 at every seed.
    assert read(of="nll_nats") == {"seeds": 3, "epoch": None, "mean": 118.875, "low": 118.875, "high": 118.875}
    assert read(of={"nll_nats": 0.4})["mean"] == pytest.approx(47.55)
    # Tables say 0.5, 1.5 and 2.5.
    values = read(split="train", of={"recon_nats": 0.1})
    assert (values["mean"], values["low"], values["high"]) == pytest.approx((0.15, 0.05, 0.25))


def test_seeds_that_are_no_longer_asked_for_are_not_read(report_config: Callable[..., ReportConfig], make: Callable[..., Path]) -> None:
    root = make(report_config("quick", seeds=3), figures=False)
    reading = Reading(label="x", variant="vu4a-vae-mnist", split="train", of={"recon_nats": 1.0})
    assert reproduced(report_config("quick", seeds=1), reading, root)["mean"] == 0.5
    assert reproduced(report_config("quick", seeds=5), reading, root)["seeds"] == 3


def test_results_that_a_removed_variant_left_behind_are_not_read(
    report_config: Callable[..., ReportConfig], make: Callable[..., Path]
) -> None:
    config = report_config("quick")
    root = make(config, figures=False)
    fewer = {name: variant for name, variant in config.variants.items() if name != "vu4a-vae-mnist"}
    for where in ({"of": "train_neg_elbo_nats", "at": 1}, {"of": "recon_nats", "split": "train"}):
        reading = Reading.model_validate({"label": "x", "variant": "vu4a-vae-mnist", **where})
        assert reproduced(config, reading, root)["seeds"] == 1
        assert reproduced(config.model_copy(update={"variants": fewer}), reading, root)["seeds"] == 0


def test_without_results_there_is_no_number(report_config: Callable[..., ReportConfig], tmp_path: Path) -> None:
    config = report_config("quick")
    for row in LEDGER:
        for reading in row.readings:
            assert reproduced(config, reading, tmp_path) == {"seeds": 0, "epoch": None, "mean": None, "low": None, "high": None}
