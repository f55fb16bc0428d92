"""What a reading makes of the files of a variant: hand-computed sums, reductions and refusals."""

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from forms import only

from regen.claims.reported import Reading, reproduced
from regen.common.errors import UserError
from regen.config.base import parse
from regen.params.schema import ReportConfig

ReportOf = Callable[..., ReportConfig]

VARIANT = "davari-vae-deconv-celeba"
"""Its images are 3x64x64: 12,288 values at 4,096 positions."""

NOTHING = {"seeds": 0, "epoch": None, "mean": None, "low": None, "high": None}


def place(root: Path, seed: int) -> Path:
    folder = root / "results/quick" / VARIANT / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def measure(root: Path, seed: int, **metrics: Any) -> None:
    (place(root, seed) / "metrics.json").write_text(json.dumps(metrics))


def tabulate(root: Path, seed: int, **splits: dict[str, Any]) -> None:
    rows = [{"split": split, **terms} for split, terms in splits.items()]
    (place(root, seed) / "details.json").write_text(json.dumps({"splits": rows}))


def record(root: Path, seed: int, **columns: Sequence[float]) -> None:
    with (place(root, seed) / "history.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *columns])
        writer.writerows([[epoch, *row] for epoch, row in enumerate(zip(*columns.values(), strict=True), 1)])


def read(config: ReportConfig, root: Path, **where: Any) -> dict[str, Any]:
    result: dict[str, Any] = reproduced(config, parse(Reading, {"label": "x", "variant": VARIANT, **where}, "test"), root)
    return result


@pytest.fixture
def config(report_config: ReportOf) -> ReportConfig:
    found = only(report_config("quick", seeds=3), VARIANT)
    assert found.variants[VARIANT].shape == [3, 64, 64]
    return found


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"of": "nll_nats"}, 7140.6),
        ({"of": {"nll_nats": 1}}, 7140.6),
        ({"of": {"nll_nats": 0.5}}, 3570.3),
        # 2 x 7140.6 - 3 x 40.
        ({"of": {"nll_nats": 2, "kl_nats": -3}}, 14161.2),
        ({"of": "nll_nats", "plus": -140.6}, 7000),
        ({"of": {"kl_nats": 0.25}, "plus": 1.5}, 11.5),
        ({"of": "nll_nats", "per": "dimension"}, 7140.6 / 12288),
        ({"of": "nll_nats", "per": "bits a dimension"}, 7140.6 / 8517.392555753533),
        ({"of": "nll_nats", "per": "bits a position"}, 7140.6 / 2839.130851917844),
        # What is added is divided too: (40 + 12,248) / 12,288.
        ({"of": "kl_nats", "plus": 12248, "per": "dimension"}, 1),
        # log 2000 = 7.600902...
        ({"of": "nll_nats", "without_one_over_k": True}, 7132.999097540458),
        # 7132.9991 / (4,096 log 2): 2.51, as printed.
        ({"of": "nll_nats", "without_one_over_k": True, "per": "bits a position"}, 2.5123882),
        ({"of": "nll_nats", "without_one_over_k": True, "per": "bits a dimension"}, 0.8374627),
    ],
)
def test_a_metric_is_summed_and_divided(where: dict[str, Any], expected: float, config: ReportConfig, tmp_path: Path) -> None:
    measure(tmp_path, 0, nll_nats=7140.6, kl_nats=40, importance_samples=2000)
    result = read(config, tmp_path, **where)
    assert (result["seeds"], result["epoch"]) == (1, None)
    assert [result[key] for key in ("mean", "low", "high")] == pytest.approx([expected] * 3, rel=1e-7)


def test_the_constants_are_those_of_the_images() -> None:
    reductions = [("dimension", 12288), ("bits a dimension", 12288 * math.log(2)), ("bits a position", 4096 * math.log(2)), (None, 1)]
    for per, parts in reductions:
        assert parse(Reading, {"label": "x", "variant": "a", "of": "b", "per": per}, "test").parts([3, 64, 64]) == pytest.approx(parts)
    # Height and width that differ: 2 x 5 positions of 3 values.
    assert Reading(label="x", variant="a", of={"b": 1.0}, per="dimension").parts([3, 2, 5]) == 30
    assert Reading(label="x", variant="a", of={"b": 1.0}, per="bits a position").parts([3, 2, 5]) == pytest.approx(6.931471805599453)


def test_every_seed_leaves_out_its_own_number_of_samples(config: ReportConfig, tmp_path: Path) -> None:
    measure(tmp_path, 0, nll_nats=100 + math.log(50), importance_samples=50)
    measure(tmp_path, 1, nll_nats=104 + math.log(2000), importance_samples=2000)
    result = read(config, tmp_path, of="nll_nats", without_one_over_k=True)
    assert result == {"seeds": 2, "epoch": None, "mean": pytest.approx(102), "low": pytest.approx(100), "high": pytest.approx(104)}


def test_the_lowest_of_a_sum_is_no_sum_of_the_lowest(config: ReportConfig, tmp_path: Path) -> None:
    record(tmp_path, 0, val_mse_per_pixel=[0.5, 0.25, 0.125], val_kl_nats=[1, 2, 10])
    # 2 x 0.5 + 1 = 2, 2 x 0.25 + 2 = 2.5, 2 x 0.125 + 10 = 10.25; the lowest of each would give 1.25.
    where: dict[str, Any] = {"of": {"val_mse_per_pixel": 2, "val_kl_nats": 1}}
    assert read(config, tmp_path, **where, at="min")["mean"] == 2
    assert read(config, tmp_path, **where, at="last")["mean"] == 10.25
    assert read(config, tmp_path, **where, at="min", plus=0.5, per="dimension")["mean"] == pytest.approx(2.5 / 12288)
    # Of a run as long as the report's, the second of 200 epochs is the second.
    epochs = config.variants[VARIANT].training.epochs
    record(tmp_path, 0, val_mse_per_pixel=[0.5, 0.25, *[0.125] * (epochs - 2)], val_kl_nats=[1, 2, *[10] * (epochs - 2)])
    assert read(config, tmp_path, **where, at=2) == {"seeds": 1, "epoch": 2, "mean": 2.5, "low": 2.5, "high": 2.5}


def test_means_over_a_split_are_of_that_split(config: ReportConfig, tmp_path: Path) -> None:
    for seed in range(2):
        terms = {"mse_per_pixel": 0.25 + seed, "kl_nats": 10.0}
        tabulate(tmp_path, seed, train=terms, test={"mse_per_pixel": 2.0, "kl_nats": 3 + seed})
    assert read(config, tmp_path, of={"mse_per_pixel": 4, "kl_nats": 1}, split="train") == {
        **{"seeds": 2, "epoch": None},
        **{"mean": 13, "low": 11, "high": 15},
    }
    assert read(config, tmp_path, of={"mse_per_pixel": 4, "kl_nats": 1}, split="test", plus=-0.5)["mean"] == 11
    assert read(config, tmp_path, of="kl_nats", split="validation") == NOTHING


def test_what_a_seed_does_not_have_is_not_read(config: ReportConfig, tmp_path: Path) -> None:
    # Of weights that are not finite nothing is defined; a value that is not finite is null in a file.
    measure(tmp_path, 0, nll_kind="not defined", weights="not finite")
    measure(tmp_path, 1, nll_nats=200, kl_nats=None, importance_samples=5)
    measure(tmp_path, 2, nll_nats=300, kl_nats=30, importance_samples=5)
    assert read(config, tmp_path, of="nll_nats") == {"seeds": 2, "epoch": None, "mean": 250, "low": 200, "high": 300}
    # A sum needs all its parts.
    assert read(config, tmp_path, of={"nll_nats": 1, "kl_nats": 1})["mean"] == 330
    assert read(config, tmp_path, of={"nll_nats": 1, "kl_nats": 1})["seeds"] == 1
    assert read(config, tmp_path, of="mse_per_pixel") == NOTHING
    tabulate(tmp_path, 0, test={"kl_nats": None, "mse_per_pixel": 1.0})
    tabulate(tmp_path, 1, test={"kl_nats": 4.0})
    (place(tmp_path, 2) / "details.json").write_text("{}")
    assert read(config, tmp_path, of="kl_nats", split="test") == {"seeds": 1, "epoch": None, "mean": 4, "low": 4, "high": 4}
    assert read(config, tmp_path, of={"kl_nats": 1, "mse_per_pixel": 1}, split="test") == NOTHING


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"of": "a", "at": 1, "split": "train"}, "allowed: 'at', 'split' or neither"),
        ({"of": "a", "at": "min", "split": "test"}, "allowed: 'at', 'split' or neither"),
        ({"of": "a", "at": "last", "without_one_over_k": True}, "allowed with 'without_one_over_k': neither 'at' nor 'split'"),
        ({"of": "a", "split": "test", "without_one_over_k": True}, "allowed with 'without_one_over_k': neither 'at' nor 'split'"),
        ({}, "of: missing"),
        ({"of": {}}, "of = {}"),
        ({"of": {"a": "b"}}, 'of.a = "b": allowed: a valid number'),
        ({"of": ["a"]}, 'of = ["a"]'),
        ({"of": "a", "at": 0}, "at"),
        ({"of": "a", "at": "max"}, "at"),
        ({"of": "a", "split": "val"}, "split = \"val\": allowed: 'train', 'validation' or 'test'"),
        ({"of": "a", "per": "bits"}, "per = \"bits\": allowed: 'dimension', 'bits a dimension' or 'bits a position'"),
        ({"of": "a", "divide_by": 784}, "divide_by = 784: unknown key"),
    ],
)
def test_a_reading_of_no_place_is_refused_in_one_line(where: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(Reading, {"label": "x", "variant": "a", **where}, "reported.yaml")
    message = str(caught.value)
    assert message.startswith("reported.yaml: ") and said in message and "\n" not in message
