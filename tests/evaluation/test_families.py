"""The metrics of flows, auto-encoders, classifiers and the rarer latent-variable models: which there are, and what they are."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import logistic, multivariate_normal, norm
from sklearn.mixture import GaussianMixture
from support.evaluations import evaluation

from regen.config.variant import EvaluateConfig
from regen.evaluation.held_out.evaluate import evaluate
from regen.evaluation.held_out.likelihood import flow_likelihood
from regen.images.images import Images
from regen.models.build import build

# metrics.md. Every file says of what it is; what importance samples there were, where there is a likelihood of images.
ALL = {"n_images", "data_source"}
NLL = {"nll_nats", "nll_nats_low", "nll_nats_high", "nll_kind", "bits_per_dim", "importance_samples"}
LATENT = {"neg_elbo_nats", "recon_nats", "kl_nats", "mse_per_pixel", "ess_mean", "ess_min", "max_weight_mean"}
LATENT |= {"active_units", "mutual_information_nats", "aggregate_kl_nats"}
KEYS = {
    "vae": ALL | NLL | LATENT,
    "flow": ALL | NLL | {"ess_mean", "ess_min", "max_weight_mean"},
    "autoencoder": ALL | {"recon_nats", "mse_per_pixel", "gmm_log_likelihood_nats", "nll_kind"},
    "classifier": ALL | {"accuracy", "cross_entropy_nats"},
}
SHAPE = [1, 4, 4]
D = 16
ALPHA = 0.1
MLP = {"kind": "mlp", "hidden": [8], "activation": "relu"}
COUPLINGS = {"kind": "realnvp", "couplings": 2, "networks": "one", "hidden": [8], "activation": "relu"}
BERNOULLI = {"kind": "bernoulli"}
VAE = {"family": "vae", "network": MLP, "latent": {"kind": "gaussian", "dim": 2}, "prior": {"kind": "standard"}, "likelihood": BERNOULLI}
FLOW = {"family": "flow", "alpha": ALPHA, "flow": COUPLINGS}
AUTOENCODER = {"family": "autoencoder", "network": MLP, "latent_dim": 2, "likelihood": BERNOULLI, "components": 3}
CLASSIFIER = {"family": "classifier", "network": {**MLP, "hidden": [D]}, "dropout": 0.5, "classes": 3}
MODELS: dict[str, dict[str, Any]] = {
    "flow": FLOW,
    "autoencoder": AUTOENCODER,
    "classifier": CLASSIFIER,
    "bernoulli latents": {**VAE, "latent": {"kind": "bernoulli", "dim": 4}},
    "flow prior": {**VAE, "prior": COUPLINGS},
    "continuous bernoulli": {**VAE, "likelihood": {"kind": "continuous_bernoulli"}},
    "dequantised": {**VAE, "likelihood": {"kind": "continuous_bernoulli", "dequantised": True}},
    "learned gaussian": {**VAE, "likelihood": {"kind": "gaussian", "scale": 0.5, "learn_scale": True}},
    "discretised logistic": {**VAE, "likelihood": {"kind": "discretised_logistic", "scale": 0.1, "learn_scale": True}},
}


def config(model: dict[str, Any], samples: tuple[int, ...] = (1, 20)) -> EvaluateConfig:
    return evaluation(model, SHAPE, likelihood=[{"importance_samples": list(samples), "n_images": None}])


def untrained(settings: EvaluateConfig, images: dict[str, Images]) -> Any:
    torch.manual_seed(5)
    model = build(settings.model, settings.shape).eval()
    if hasattr(model, "fit_codes"):
        model.fit_codes(images["train"].images, 7)
    return model


@torch.no_grad()
def codes(model: Any, images: Images) -> torch.Tensor:
    made: torch.Tensor = model.encoder(images.images.float() / 255)
    return made


def pixels(images: Images) -> np.ndarray:
    return images.images.numpy().reshape(len(images), D).astype(np.float64) / 255


@pytest.fixture
def images() -> dict[str, Images]:
    generator = torch.Generator().manual_seed(1)

    def grey(count: int) -> Images:
        values = torch.randint(0, 256, (count, *SHAPE), generator=generator, dtype=torch.int16).to(torch.uint8)
        return Images(values, torch.arange(count) % 3)

    return {"train": grey(90), "validation": grey(20), "test": grey(40)}


@pytest.mark.parametrize("name", MODELS)
def test_the_keys_are_those_that_are_defined_for_the_family(name: str, images: dict[str, Images]) -> None:
    settings = config(MODELS[name])
    metrics, details = evaluate(settings, 0, untrained(settings, images), images)

    assert set(metrics) == KEYS[MODELS[name]["family"]]
    assert all(isinstance(value, int | float | str) for value in metrics.values())
    assert (metrics["n_images"], metrics["data_source"]) == (40, "stand-in")
    assert [(row["split"], row["n_images"]) for row in details["splits"]] == [("train", 90), ("validation", 20), ("test", 40)]


@pytest.mark.parametrize("name", MODELS)
def test_evaluations_repeat(name: str, images: dict[str, Images]) -> None:
    settings = config(MODELS[name])
    model = untrained(settings, images)
    torch.manual_seed(1)
    first = evaluate(settings, 0, model, images)
    torch.manual_seed(2)
    assert evaluate(settings, 0, model, images) == first


def unchanging(settings: EvaluateConfig) -> Any:
    model = untrained(settings, {})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    return model


def test_a_flow_without_a_change_has_the_likelihood_of_quadrature(images: dict[str, Images]) -> None:
    settings = config(FLOW)
    metrics, details = evaluate(settings, 0, unchanging(settings), images)

    def nats(v: float, level: int, power: int) -> float:
        """Return -log of (1/256) N(logit(s)) (1 - alpha) / (s (1 - s)) at s = alpha/2 + (1 - alpha) (level + v) / 256."""
        s = ALPHA / 2 + (1 - ALPHA) * (level + v) / 256
        log_density = norm.logpdf(logit(s)) + math.log(1 - ALPHA) - math.log(s * (1 - s))
        return float(math.log(256) - log_density) ** power

    levels = images["test"].images.flatten().tolist()
    moments = {level: [quad(nats, 0, 1, args=(level, power))[0] for power in (1, 2)] for level in set(levels)}
    expected = sum(moments[level][0] for level in levels) / 40
    error = math.sqrt(sum(moments[level][1] - moments[level][0] ** 2 for level in levels)) / 40
    # 1e-5 of the value is what single precision leaves of sixteen sums.
    first, *_, last = details["likelihood"]
    assert abs(first["nll_nats"] - expected) < 4 * error + 1e-5 * expected
    assert metrics["bits_per_dim"] == pytest.approx(metrics["nll_nats"] / (D * math.log(2)), rel=1e-12)
    assert (metrics["nll_kind"], metrics["importance_samples"]) == ("probability", last["importance_samples"])
    assert metrics["nll_nats"] == last["nll_nats"] < first["nll_nats"]
    assert metrics["nll_nats_low"] < metrics["nll_nats"] < metrics["nll_nats_high"]
    assert first["importance_samples"] == 1 and {row["n_images"] for row in details["likelihood"]} == {40}


def test_more_dequantisations_come_near_the_probability_of_the_levels() -> None:
    # A narrow tail and dark levels: there the density changes much within a level.
    alpha, count = 0.01, 400
    settings = config({**FLOW, "alpha": alpha})
    images = torch.randint(1, 9, (count, *SHAPE), generator=torch.Generator().manual_seed(2), dtype=torch.int16).to(torch.uint8)
    split = Images(images, torch.arange(count) % 3)
    first, last = flow_likelihood(settings, 0, unchanging(settings), {"test": split})[1]["likelihood"]

    levels = images.numpy().reshape(count, D)
    edges = alpha / 2 + (1 - alpha) * np.arange(257) / 256
    mass = np.diff(norm.cdf(logit(edges)))
    exact = -np.log(mass)[levels].sum(1).mean()
    # The density relative to the level's mass, at 1000 points of every level.
    s = edges[:-1, None] + (1 - alpha) / 256 * (np.arange(1000) + 0.5) / 1000
    weight = norm.pdf(logit(s)) * (1 - alpha) / (256 * s * (1 - s)) / mass[:, None]
    one, spread = (values[levels].sum(1).mean() for values in (-np.log(weight).mean(1), np.log(weight).var(1)))
    # Twenty draws of an image: their mean's variance, and half of it is the log's bias.
    variance = (np.prod((weight**2).mean(1)[levels], axis=1) - 1).mean() / 20
    error = math.sqrt(variance / count)
    assert abs(first["nll_nats"] - exact - one) < 4 * math.sqrt(spread / (20 * count))
    assert abs(last["nll_nats"] - exact - variance / 2) < 4 * error
    assert exact - 4 * error < last["nll_nats"] < exact + (first["nll_nats"] - exact) / 4


def test_a_flow_is_taken_at_no_more_than_fifty_dequantisations(images: dict[str, Images]) -> None:
    settings = config(FLOW, (1, 50, 51, 500))
    metrics, details = flow_likelihood(settings, 0, untrained(settings, images), images)
    assert [row["importance_samples"] for row in details["likelihood"]] == [1, 50]
    assert metrics["importance_samples"] == details["per_image"][0]["importance_samples"] == 50
    assert metrics["nll_nats"] == details["likelihood"][1]["nll_nats"]


def test_what_is_said_of_codes_is_what_scikit_learn_and_scipy_say(images: dict[str, Images]) -> None:
    settings = config(AUTOENCODER)
    model = untrained(settings, images)
    metrics, details = evaluate(settings, 0, model, images)
    values = {split: codes(model, one).double().numpy() for split, one in images.items()}
    mixture = GaussianMixture(3, random_state=7, max_iter=1000).fit(values["train"])
    # scikit-learn adds 1e-6 to the variances.
    gaussian = multivariate_normal(values["train"].mean(0), np.cov(values["train"].T, bias=True) + 1e-6 * np.eye(2))

    assert metrics["gmm_log_likelihood_nats"] == pytest.approx(mixture.score(values["test"]), rel=1e-9)
    assert metrics["nll_kind"] == "not defined"
    for row in details["codes"]:
        held = values[row["split"]]
        assert row["n_images"] == len(held)
        assert row["mixture_log_likelihood_nats"] == pytest.approx(mixture.score(held), rel=1e-9)
        assert row["gaussian_log_likelihood_nats"] == pytest.approx(gaussian.logpdf(held).mean(), rel=1e-6)
        assert row["standard_log_likelihood_nats"] == pytest.approx(norm.logpdf(held).sum(1).mean(), rel=1e-6)
    assert [row["split"] for row in details["codes"]] == ["train", "validation", "test"]


def test_an_auto_encoders_reconstruction_is_the_cross_entropy(images: dict[str, Images]) -> None:
    settings = config(AUTOENCODER)
    model = untrained(settings, images)
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.zero_()
        list(model.decoder.parameters())[-1].copy_(torch.linspace(-2, 2, D))
    metrics, _ = evaluate(settings, 0, model, images)
    x, p = pixels(images["test"]), expit(np.linspace(-2, 2, D))

    assert metrics["recon_nats"] == pytest.approx(-(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(1).mean(), rel=1e-6)
    assert metrics["mse_per_pixel"] == pytest.approx(((x - p) ** 2).mean(), rel=1e-6)


def test_confusion_and_accuracy_are_those_counted_by_hand() -> None:
    settings = config(CLASSIFIER)
    model = build(settings.model, SHAPE)
    with torch.no_grad():
        first, last = model.network[0], model.network[-1]
        # Logit c is ten times pixel c.
        first.weight.copy_(torch.eye(D))
        last.weight.copy_(10 * torch.eye(3, D))
        first.bias.zero_()
        last.bias.zero_()
    true, predicted = [0, 0, 0, 1, 1, 2, 2, 2], [0, 0, 2, 1, 1, 0, 0, 2]
    pixels = torch.zeros(8, D, dtype=torch.uint8)
    pixels[torch.arange(8), torch.tensor(predicted)] = 255
    split = Images(pixels.view(8, *SHAPE), torch.tensor(true))
    metrics, details = evaluate(settings, 0, model, {"train": split, "validation": split, "test": split})

    # A row a true class, a column a predicted one; 5 of 8 are right, whatever dropout does in training.
    assert details["confusion"] == [[2, 0, 1], [0, 2, 0], [2, 0, 1]]
    assert metrics["accuracy"] == 5 / 8
    # log(e^10 + 2) nats, of which a right answer gives 10 back.
    assert metrics["cross_entropy_nats"] == pytest.approx(math.log(math.exp(10) + 2) - 10 * 5 / 8, rel=1e-5)


def constant(model: dict[str, Any], images: dict[str, Images]) -> dict[str, Any]:
    """Return the metrics at weights of zero but the decoder's last: q(z | x) = p(z), and p(x | z) is the same for every z."""
    settings = config(model)
    made = build(settings.model, SHAPE).eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if not name.endswith("log_scale"):
                parameter.zero_()
        made.decoder.network[-2].bias.copy_(torch.linspace(-2, 2, D))
    return evaluate(settings, 0, made, images)[0]


P = expit(np.linspace(-2, 2, D))


def continuous_bernoulli(x: np.ndarray) -> np.ndarray:
    # log C(p) = log(2 artanh(1 - 2p) / (1 - 2p)); D log 256 as for every density.
    normaliser = np.log(2 * np.arctanh(1 - 2 * P) / (1 - 2 * P))
    nats: np.ndarray = math.log(256) - (x * np.log(P) + (1 - x) * np.log(1 - P) + normaliser)
    return nats


def discretised_logistic(x: np.ndarray) -> np.ndarray:
    upper = np.where(x == 1, 1, logistic.cdf(x + 0.5 / 255, P, 0.1))
    lower = np.where(x == 0, 0, logistic.cdf(x - 0.5 / 255, P, 0.1))
    nats: np.ndarray = -np.log(upper - lower)
    return nats


@pytest.mark.parametrize(
    ("name", "nats", "kind"),
    [
        ("bernoulli latents", lambda x: -(x * np.log(P) + (1 - x) * np.log(1 - P)), "unnormalised"),
        ("flow prior", lambda x: -(x * np.log(P) + (1 - x) * np.log(1 - P)), "unnormalised"),
        ("continuous bernoulli", continuous_bernoulli, "density"),
        ("learned gaussian", lambda x: math.log(256) - norm.logpdf(x, P, 0.5), "density"),
        ("discretised logistic", discretised_logistic, "probability"),
    ],
)
def test_a_model_that_ignores_its_latents_has_the_likelihood_of_its_pixels(
    name: str, nats: Any, kind: str, images: dict[str, Images]
) -> None:
    metrics = constant(MODELS[name], images)
    expected = nats(pixels(images["test"])).sum(1).mean()
    assert metrics["nll_kind"] == kind
    assert metrics["nll_nats"] == pytest.approx(expected, rel=1e-5)
    assert metrics["kl_nats"] == pytest.approx(0, abs=1e-5)
    assert (metrics["ess_mean"], metrics["max_weight_mean"]) == pytest.approx((20, 1 / 20), rel=1e-4)
    # -ELBO is as the reports write it: without the D log 256 of a density.
    assert metrics["neg_elbo_nats"] == pytest.approx(expected - (D * math.log(256) if kind == "density" else 0), rel=1e-5)


def test_a_dequantised_density_has_the_probability_of_its_levels(images: dict[str, Images]) -> None:
    metrics = constant(MODELS["dequantised"], images)
    # The distribution function of a continuous Bernoulli of logit l is (exp(l x) - 1) / (exp(l) - 1).
    logits, edges = np.linspace(-2, 2, D), np.round(255 * pixels(images["test"]))[..., None] + [0, 1]
    below = np.expm1(logits[:, None] * edges / 256) / np.expm1(logits)[:, None]
    expected = -np.log(np.diff(below)[..., 0]).sum(1).mean()
    assert metrics["nll_kind"] == "probability"
    # Within a level the density changes by 1 %: one draw of sixteen values is off by 0.01 nats, 40 images by 0.0015.
    assert metrics["nll_nats"] == pytest.approx(expected, abs=0.006)
    assert metrics["neg_elbo_nats"] == pytest.approx(expected, abs=0.006)
    assert metrics["bits_per_dim"] == pytest.approx(metrics["nll_nats"] / (D * math.log(2)), rel=1e-12)
