"""The numbers that the reports print, and where this reproduction reads its own."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.evaluation.held_out.evaluate import evaluate
from regen.images.batches import to_unit_interval
from regen.images.images import Images
from regen.models.build import build
from regen.params.resolve import resolve
from regen.params.schema import Params, PresetFile, ReportConfig
from regen.report.reported import Reading, read_reported, reproduced
from regen.training.objectives import objective_of
from regen.training.terms import mean_terms

LEDGER = read_reported()

# As the reports print them: report, number, how many readings.
PRINTED = [
    *(("uva3", 170), ("uva3", 110), ("uva3", 100), ("vu4a", 0.00849), ("vu4a", 0.00855), ("vu4a", 1911.26), ("vu4a", 1911.91)),
    *(("davari", 7133), ("davari", 2.51)),
]


def test_the_numbers_are_the_reports() -> None:
    assert [(row.report, row.value) for row in LEDGER] == PRINTED


@pytest.mark.parametrize(("value", "epoch"), [(170, 1), (110, 5), (100, 40)])
def test_uva3_is_read_at_its_epochs_from_both_data_and_both_splits(value: float, epoch: int) -> None:
    (row,) = [row for row in LEDGER if row.value == value]
    assert {(reading.variant, reading.column, reading.at) for reading in row.readings} == {
        (variant, f"{split}_neg_elbo_nats", epoch)
        for variant in ("uva3-vae-z20-mnist", "uva3-vae-z20-bmnist")
        for split in ("train", "val")
    }
    assert {reading.divide_by for reading in row.readings} == {1}


def test_vu4a_is_read_under_every_reduction() -> None:
    by_value = {row.value: row.readings for row in LEDGER}

    for value in (0.00849, 0.00855):
        assert {reading.variant for reading in by_value[value]} == {"vu4a-vae-mnist", "vu4a-vae-mnist-gauss"}
        per_pixel = [reading.divide_by for reading in by_value[value] if "cross-entropy" in reading.label]
        assert per_pixel == [28 * 28, 28 * 28]
    # 0.00849 is of training at the final epoch, 0.00855 the lowest of validation; likewise on SVHN.
    assert {reading.split for reading in by_value[0.00849]} == {"train"}
    assert {(reading.column or "").split("_")[0] for reading in by_value[0.00855]} == {"val"}
    assert {reading.at for reading in by_value[0.00855]} == {"min"}
    assert [reading.column for reading in by_value[1911.26]] == ["train_neg_elbo_nats"] * 2
    assert [reading.column for reading in by_value[1911.91]] == ["val_neg_elbo_nats"] * 2
    assert {reading.variant for reading in by_value[1911.26]} == {"vu4a-vae-svhn", "vu4a-vae-svhn-gauss"}


def test_davari_is_read_as_nats_and_as_bits_of_both_models() -> None:
    by_value = {row.value: row.readings for row in LEDGER}
    nats, bits = by_value[7133], by_value[2.51]

    assert {reading.metric for reading in nats + bits} == {"nll_nats"}
    models = {"davari-vae-deconv-celeba", "davari-iwae5-deconv-celeba"}
    assert {(reading.variant, reading.divide_by) for reading in nats} == {(model, 1) for model in models}
    # "Bits per pixel": of 64 x 64 positions the report's own 7133 nats are 2.51, of all 12,288 values a third of that.
    positions = {reading.variant: reading.divide_by for reading in bits if "position" in reading.label}
    values = {reading.variant: reading.divide_by for reading in bits if "dimension" in reading.label}
    assert set(positions) == set(values) == models and len(bits) == 4
    for model in models:
        assert positions[model] == pytest.approx(64 * 64 * math.log(2), rel=1e-9)
        assert values[model] == pytest.approx(3 * 64 * 64 * math.log(2), rel=1e-9)
        assert round(7133 / positions[model], 2) == 2.51


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
            if reading.metric is not None:
                assert reading.metric in scalars
            else:
                assert reading.column in columns if reading.column else reading.key in written


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
    reading = Reading(label="x", variant="uva3-vae-z20-mnist", column="train_neg_elbo_nats", at=at)
    result = reproduced(config, reading, root)

    # The column starts at 500 and falls by 1 an epoch.
    assert result == {"seeds": 1, "epoch": epoch, "mean": 500 - epoch, "low": 500 - epoch, "high": 500 - epoch}


def test_seeds_are_a_mean_and_a_range(report_config: Callable[..., ReportConfig], make: Callable[..., Path]) -> None:
    config = report_config("quick", seeds=3)
    root = make(config, epochs=8, figures=False)

    def read(**where: object) -> dict[str, object]:
        return reproduced(config, Reading.model_validate({"label": "x", "variant": "vu4a-vae-mnist", **where}), root)

    # Histories start at 500, 510 and 520 and fall by 1 in each of 8 epochs; val_neg_elbo_nats is the fourth column, 3,000 up.
    assert read(column="train_neg_elbo_nats", at="min") == {"seeds": 3, "epoch": None, "mean": 502, "low": 492, "high": 512}
    assert read(column="train_neg_elbo_nats", at="last")["mean"] == 502
    assert read(column="val_neg_elbo_nats", at="min")["mean"] == 3502
    # The metrics' likelihood is 118.875 at every seed.
    assert read(metric="nll_nats") == {"seeds": 3, "epoch": None, "mean": 118.875, "low": 118.875, "high": 118.875}
    assert read(metric="nll_nats", divide_by=2.5)["mean"] == pytest.approx(47.55)
    # Tables say 0.5, 1.5 and 2.5.
    values = read(split="train", key="recon_nats", divide_by=10)
    assert (values["mean"], values["low"], values["high"]) == pytest.approx((0.15, 0.05, 0.25))


def test_seeds_that_are_no_longer_asked_for_are_not_read(report_config: Callable[..., ReportConfig], make: Callable[..., Path]) -> None:
    root = make(report_config("quick", seeds=3), figures=False)
    reading = Reading(label="x", variant="vu4a-vae-mnist", split="train", key="recon_nats")
    assert reproduced(report_config("quick", seeds=1), reading, root)["mean"] == 0.5
    assert reproduced(report_config("quick", seeds=5), reading, root)["seeds"] == 3


def test_results_that_a_removed_variant_left_behind_are_not_read(
    report_config: Callable[..., ReportConfig], make: Callable[..., Path]
) -> None:
    config = report_config("quick")
    root = make(config, figures=False)
    fewer = {name: variant for name, variant in config.variants.items() if name != "vu4a-vae-mnist"}
    for where in ({"column": "train_neg_elbo_nats", "at": 1}, {"split": "train", "key": "recon_nats"}):
        reading = Reading.model_validate({"label": "x", "variant": "vu4a-vae-mnist", **where})
        assert reproduced(config, reading, root)["seeds"] == 1
        assert reproduced(config.model_copy(update={"variants": fewer}), reading, root)["seeds"] == 0


def test_without_results_there_is_no_number(report_config: Callable[..., ReportConfig], tmp_path: Path) -> None:
    config = report_config("quick")
    for row in LEDGER:
        for reading in row.readings:
            assert reproduced(config, reading, tmp_path) == {"seeds": 0, "epoch": None, "mean": None, "low": None, "high": None}


@pytest.mark.parametrize(
    "where",
    [
        {},
        *({"column": "a"}, {"at": 1}, {"split": "train"}, {"key": "a"}, {"column": "a", "at": 1, "split": "train", "key": "a"}),
        # Half of one place beside the whole of another would be read, or not, by accident.
        *({"metric": "a", "column": "a"}, {"metric": "a", "split": "train", "key": "a"}, {"column": "a", "at": 1, "key": "a"}),
    ],
)
def test_a_reading_is_of_one_place(where: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="one of 'column' and 'at', 'split' and 'key', 'metric'"):
        Reading.model_validate({"label": "x", "variant": "a", **where})
