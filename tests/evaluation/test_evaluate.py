"""All metrics of a model whose likelihood is known in closed form: its decoder ignores z and its q is the prior."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap
from support.evaluations import evaluation

from regen.common.errors import UserError
from regen.common.files import write_tensors
from regen.config.variant import EvaluateConfig
from regen.evaluation.held_out.bootstrap import bootstrap_interval
from regen.evaluation.held_out.evaluate import evaluate
from regen.evaluation.restore import restore
from regen.images.images import Images
from regen.models.build import build
from regen.models.vae import LatentVariableModel

# docs/metrics.md: what applies to a latent-variable model; the bound's parts, likelihood, weights and latents, and what they are of.
KEYS = {
    *("neg_elbo_nats", "recon_nats", "kl_nats", "mse_per_pixel"),
    *("nll_nats", "nll_nats_low", "nll_nats_high", "nll_kind", "bits_per_dim"),
    *("ess_mean", "ess_min", "max_weight_mean"),
    *("active_units", "mutual_information_nats", "aggregate_kl_nats"),
    *("n_images", "importance_samples", "data_source"),
}
SHAPE = [1, 4, 4]
D = 16
SCALE = 0.5


def config(
    likelihood: dict[str, Any], values: str = "grey", protocol: tuple[tuple[list[int], int | None], ...] = (([1, 50], None),)
) -> Any:
    model = {
        "family": "vae",
        "network": {"kind": "mlp", "hidden": [8], "activation": "relu"},
        "latent": {"kind": "gaussian", "dim": 2},
        "prior": {"kind": "standard"},
        "likelihood": likelihood,
    }
    return evaluation(model, SHAPE, values=values, likelihood=[{"importance_samples": k, "n_images": n} for k, n in protocol])


def constant_model(settings: EvaluateConfig) -> LatentVariableModel:
    """Return a model with weights of zero: q(z | x) = N(0, I) = p(z), and p(x | z) is the same for every z."""
    model = build(settings.model, settings.shape)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        list(model.decoder.parameters())[-1].copy_(torch.linspace(-2, 2, D))
    return model.eval()


PROBABILITY = 1 / (1 + np.exp(-np.linspace(-2, 2, D)))


@pytest.fixture
def images() -> dict[str, Images]:
    generator = torch.Generator().manual_seed(1)
    counts = {"train": 30, "validation": 20, "test": 40}
    return {
        split: Images(torch.randint(0, 256, (count, *SHAPE), generator=generator, dtype=torch.int16).to(torch.uint8), torch.zeros(count, 0))
        for split, count in counts.items()
    }


def pixels(images: Images) -> np.ndarray:
    return images.images.numpy().reshape(len(images), D).astype(np.float64) / 255


def cross_entropy(x: np.ndarray) -> np.ndarray:
    return -(x * np.log(PROBABILITY) + (1 - x) * np.log(1 - PROBABILITY)).sum(1)


def gaussian_nats(x: np.ndarray) -> np.ndarray:
    return ((x - PROBABILITY) ** 2 / (2 * SCALE**2) + math.log(SCALE) + 0.5 * math.log(2 * math.pi)).sum(1)


GAUSSIAN = {"kind": "gaussian", "scale": SCALE}
BERNOULLI = {"kind": "bernoulli"}


@pytest.mark.parametrize("likelihood", [BERNOULLI, GAUSSIAN])
def test_the_keys_are_those_that_are_defined(likelihood: dict[str, Any], images: dict[str, Images]) -> None:
    metrics, details = evaluate(config(likelihood), 0, constant_model(config(likelihood)), images)

    assert set(metrics) == KEYS
    assert all(isinstance(value, int | float | str) for value in metrics.values())
    assert [(row["split"], row["n_images"]) for row in details["splits"]] == [("train", 30), ("validation", 20), ("test", 40)]
    assert [(row["importance_samples"], row["n_images"]) for row in details["likelihood"]] == [(1, 40), (50, 40)]


def test_a_gaussian_gets_d_log_256_in_its_likelihood_alone(images: dict[str, Images]) -> None:
    metrics, details = evaluate(config(GAUSSIAN), 0, constant_model(config(GAUSSIAN)), images)
    expected = gaussian_nats(pixels(images["test"])).mean()

    assert metrics["nll_kind"] == "density"
    # 16 log 256 = 88.7228
    assert metrics["nll_nats"] == pytest.approx(expected + 88.7228, abs=1e-3)
    assert metrics["bits_per_dim"] == pytest.approx((expected + D * math.log(256)) / (D * math.log(2)), rel=1e-6)
    assert metrics["neg_elbo_nats"] == pytest.approx(expected, rel=1e-6)
    assert [row["nll_nats"] for row in details["likelihood"]] == pytest.approx([expected + D * math.log(256)] * 2, rel=1e-6)


@pytest.mark.parametrize(("values", "kind"), [("grey", "unnormalised"), ("binary", "probability")])
def test_a_bernoulli_is_the_cross_entropy(values: str, kind: str, images: dict[str, Images]) -> None:
    if values == "binary":
        images = {split: Images((block.images > 127).to(torch.uint8) * 255, block.labels) for split, block in images.items()}
    settings = config(BERNOULLI, values)
    metrics, details = evaluate(settings, 0, constant_model(settings), images)
    expected = {split: cross_entropy(pixels(block)).mean() for split, block in images.items()}

    assert (metrics["nll_kind"], metrics["data_source"]) == (kind, "stand-in")
    assert metrics["nll_nats"] == pytest.approx(expected["test"], rel=1e-6)
    assert metrics["bits_per_dim"] == pytest.approx(expected["test"] / (16 * math.log(2)), rel=1e-6)
    assert (metrics["recon_nats"], metrics["kl_nats"]) == pytest.approx((expected["test"], 0), rel=1e-6)
    assert {row["split"]: row["neg_elbo_nats"] for row in details["splits"]} == pytest.approx(expected, rel=1e-6)
    squared = ((pixels(images["test"]) - PROBABILITY) ** 2).mean()
    assert metrics["mse_per_pixel"] == pytest.approx(squared, rel=1e-6)


def test_the_last_protocol_is_the_headline_and_the_largest_k_gives_the_weights(images: dict[str, Images]) -> None:
    settings = config(BERNOULLI, protocol=(([8, 64], 10), ([2, 4], None)))
    metrics, details = evaluate(settings, 0, constant_model(settings), images)
    expected = cross_entropy(pixels(images["test"]))

    assert (metrics["importance_samples"], metrics["n_images"]) == (4, 40)
    assert metrics["nll_nats"] == pytest.approx(expected.mean(), rel=1e-6)
    assert metrics["ess_mean"] == pytest.approx(64, rel=1e-4)
    rows = [(row["importance_samples"], row["n_images"]) for row in details["likelihood"]]
    assert rows == [(8, 10), (64, 10), (2, 40), (4, 40)]
    assert [(row["importance_samples"], row["n_images"]) for row in details["per_image"]] == [(64, 10), (4, 40)]
    # Ten different images behind one entry, and all, in their order, behind the other: six digits of each.
    few, every = (np.array(row["nll_nats"]) for row in details["per_image"])
    np.testing.assert_allclose(every, expected, rtol=1e-5)
    positions = [int(np.abs(expected - value).argmin()) for value in few]
    assert len(set(positions)) == 10 and positions != list(range(10))
    np.testing.assert_allclose(few, expected[positions], rtol=1e-5)
    for row in details["likelihood"][:2]:
        assert row["nll_nats"] == pytest.approx(expected[positions].mean(), rel=1e-6)
    np.testing.assert_allclose(details["per_image"][0]["ess"], 64, rtol=1e-4)
    np.testing.assert_allclose(details["per_image"][0]["max_weight"], 1 / 64, rtol=1e-4)


def test_evaluations_repeat_and_differ_by_seed(images: dict[str, Images]) -> None:
    settings = config(BERNOULLI)
    torch.manual_seed(5)
    model = build(settings.model, settings.shape).eval()

    first = evaluate(settings, 0, model, images)
    torch.manual_seed(99)
    assert evaluate(settings, 0, model, images) == first
    assert evaluate(settings, 1, model, images)[0]["nll_nats"] != first[0]["nll_nats"]
    # -ELBO lies above -log p(x) as 50 samples see it.
    assert first[0]["nll_nats_low"] < first[0]["nll_nats"] < first[0]["nll_nats_high"]
    assert first[0]["nll_nats"] < first[0]["neg_elbo_nats"]
    # The scalars are the means (and one the least) of the values an image.
    metrics, (each,) = first[0], first[1]["per_image"]
    assert metrics["nll_nats"] == pytest.approx(np.mean(each["nll_nats"]), rel=1e-5)
    assert (metrics["ess_mean"], metrics["ess_min"]) == pytest.approx((np.mean(each["ess"]), min(each["ess"])), rel=1e-5)
    assert metrics["max_weight_mean"] == pytest.approx(np.mean(each["max_weight"]), rel=1e-5)
    assert metrics["ess_min"] < metrics["ess_mean"] < 50


def test_the_interval_is_that_of_scipy() -> None:
    values = torch.from_numpy(np.random.default_rng(4).exponential(90, 777)).float()
    settings = {"n_resamples": 2000, "batch": 100, "method": "percentile"}
    interval = bootstrap((values.numpy(),), np.mean, **settings, rng=np.random.default_rng(11)).confidence_interval
    assert bootstrap_interval(values, seed=11) == pytest.approx((interval.low, interval.high), rel=1e-6)


def test_restore_gives_the_model_back(tmp_path: Path) -> None:
    settings = config(BERNOULLI)
    torch.manual_seed(5)
    model = build(settings.model, settings.shape).eval()
    write_tensors(tmp_path / "a.safetensors", model.state_dict(), {"epoch": 3})
    restored, note = restore(settings.model, SHAPE, tmp_path / "a.safetensors")

    assert note == {"epoch": 3} and not restored.training
    x = torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(restored.encoder(x).mean, model.encoder(x).mean)


@pytest.mark.parametrize("other", ["hidden", "latent", "missing", "unknown", "file"])
def test_restore_refuses_other_weights_in_one_line(tmp_path: Path, other: str) -> None:
    path, settings = tmp_path / "final.safetensors", config(BERNOULLI)
    model = settings.model.model_dump()
    if other == "hidden":
        model["network"]["hidden"] = [9]
    if other == "latent":
        model["latent"]["dim"] = 3
    weights = build(type(settings.model).model_validate(model), SHAPE).state_dict()
    if other == "missing":
        weights.popitem()
    if other == "unknown":
        weights["extra.weight"] = torch.zeros(1)
    if other != "file":
        write_tensors(path, weights)
    with pytest.raises(UserError) as caught:
        restore(settings.model, SHAPE, path)
    message = str(caught.value)
    assert "\n" not in message and "final.safetensors" in message and "expected" in message and "dvc repro" in message
