"""Choices that do not go together are refused in one clear line, and only they are."""

from typing import Any

import pytest
from combinations import CONV, ELBO, VAE, Bad, Good, changed, refusal, variant

from regen.config.base import parse
from regen.params.schema import Params

COUPLINGS = {"kind": "realnvp", "couplings": 2, "networks": "one", "hidden": [8], "activation": "relu"}
IWAE = {"kind": "iwae", "samples": 5, "gradient": "normalised_weights"}
SCORE = {"kind": "score_function", "estimator": "running_average", "samples": 1}
NOISE = {"scale": 0.1, "targets": "clean"}
DROP = {"epochs": [1], "factor": 0.5}
FREE_BITS = {**ELBO, "samples": 10, "kl_weight": 2.0, "warm_up_epochs": 2, "free_nats_per_latent": 0.5, "log_det_times_dim": False}
GOOD: dict[str, Good] = {
    "vae": ("grey", variant(VAE, ELBO)),
    "binary": ("binary", variant(VAE, ELBO)),
    "binarised": ("grey", variant(VAE, ELBO, size=32, binarisation="every_epoch")),
    "iwae": ("grey", variant(VAE, IWAE)),
    "coins": ("grey", variant({**VAE, "latent": {"kind": "bernoulli", "dim": 4}}, SCORE)),
    "two coins": (
        "grey",
        variant({**VAE, "latent": {"kind": "bernoulli", "dim": 4}}, {**SCORE, "estimator": "leave_one_out", "samples": 2}),
    ),
    "flow prior": ("grey", variant({**VAE, "prior": COUPLINGS}, {**ELBO, "log_det_times_dim": True})),
    "flow": ("grey", variant({"family": "flow", "alpha": 1e-5, "flow": COUPLINGS}, {"kind": "nll"})),
    "autoencoder": (
        "grey",
        variant(
            {"family": "autoencoder", "network": VAE["network"], "latent_dim": 2, "likelihood": VAE["likelihood"], "components": 3},
            {"kind": "reconstruction"},
        ),
    ),
    "classifier": (
        "grey",
        variant({"family": "classifier", "network": VAE["network"], "dropout": 0.5, "classes": 10}, {"kind": "cross_entropy"}),
    ),
    "conv": ("grey", variant({**VAE, "network": CONV}, ELBO)),
}

BAD: dict[str, Bad] = {
    "IWAE with Bernoulli latents": (
        *("coins", {"training.objective": IWAE}),
        ["training.objective.kind = 'iwae'", "allowed with bernoulli latents: score_function, gumbel_softmax"],
    ),
    "elbo with Bernoulli latents": (
        *("coins", {"training.objective": ELBO}),
        ["training.objective.kind = 'elbo'", "allowed with bernoulli latents: score_function, gumbel_softmax"],
    ),
    "score function with Gaussian latents": (
        *("vae", {"training.objective": SCORE}),
        ["training.objective.kind = 'score_function'", "allowed with gaussian latents: elbo, iwae, mean_squared_error"],
    ),
    "flow prior on Bernoulli latents": (
        *("coins", {"model.prior": COUPLINGS}),
        ["model.prior.kind = 'realnvp'", "allowed with Bernoulli latents: 'standard'"],
    ),
    "odd latent size with a flow prior": ("flow prior", {"model.latent.dim": 5}, ["model.latent.dim = 5", "even"]),
    "faulty log-determinant without a flow prior": (
        *("vae", {"training.objective.log_det_times_dim": True}),
        ["training.objective.log_det_times_dim = true", "'realnvp' prior"],
    ),
    "free bits with a flow prior": (
        *("flow prior", {"training.objective": {**ELBO, "free_nats_per_latent": 0.5}}),
        ["training.objective.free_nats_per_latent = 0.5", "'standard' prior"],
    ),
    "Gumbel-softmax with Gaussian latents": (
        *("vae", {"training.objective": {"kind": "gumbel_softmax", "temperature": 0.5}}),
        ["training.objective.kind = 'gumbel_softmax'", "allowed with gaussian latents"],
    ),
    "a warm-up longer than the training": (
        *("vae", {"training.objective": {**ELBO, "warm_up_epochs": 3}}),
        ["training", "objective.warm_up_epochs = 3", "up to 'epochs' (2)"],
    ),
    "a rate that drops beside stages": (
        *(
            "vae",
            {"training.learning_rate_stages": 2, "training.epochs": 4, "training.learning_rate_drops": {"epochs": [1], "factor": 0.5}},
        ),
        ["training", "learning_rate_drops", "allowed without learning_rate_stages"],
    ),
    "a rate that drops after the end": (
        *("vae", {"training.learning_rate_drops": {"epochs": [1, 2], "factor": 0.5}}),
        ["training", "learning_rate_drops.epochs = [1, 2]", "rising, each below 'epochs' (2)"],
    ),
    "annealing of a dequantised likelihood": (
        *("vae", {"checks": ["annealed"], "model.likelihood": {"kind": "continuous_bernoulli", "dequantised": True}}),
        ["checks = ['annealed']", "dequantised"],
    ),
    "leave-one-out with one sample": (
        *("two coins", {"training.objective.samples": 1}),
        ["training.objective", "samples = 1", "'leave_one_out'", "from 2"],
    ),
    "running average with two samples": (
        *("coins", {"training.objective.samples": 2}),
        ["training.objective", "samples = 2", "'running_average'", ": 1"],
    ),
    "noise with IWAE": ("iwae", {"training.noise": NOISE}, ["training.noise", "'elbo' only", "'iwae'"]),
    "noise with score function": ("coins", {"training.noise": NOISE}, ["training.noise", "'elbo' only", "'score_function'"]),
    "noise on a flow": ("flow", {"training.noise": NOISE}, ["training.noise", "'elbo' only", "'nll'"]),
    "noise on an auto-encoder": ("autoencoder", {"training.noise": NOISE}, ["training.noise", "'elbo' only", "'reconstruction'"]),
    "noise on a classifier": ("classifier", {"training.noise": NOISE}, ["training.noise", "'elbo' only", "'cross_entropy'"]),
    "nll of latent variables": (
        *("vae", {"training.objective": {"kind": "nll"}}),
        ["training.objective.kind = 'nll'", "allowed with gaussian latents: elbo, iwae, mean_squared_error"],
    ),
    "elbo of a flow": ("flow", {"training.objective": ELBO}, ["training.objective.kind = 'elbo'", "'flow'", "allowed", ": nll"]),
    "nll of an auto-encoder": (
        *("autoencoder", {"training.objective": {"kind": "nll"}}),
        ["training.objective.kind = 'nll'", "'autoencoder'", ": reconstruction"],
    ),
    "reconstruction by a classifier": (
        *("classifier", {"training.objective": {"kind": "reconstruction"}}),
        ["training.objective.kind = 'reconstruction'", "'classifier'", ": cross_entropy"],
    ),
    "a regressor as a variant": (
        *("classifier", {"model": {"family": "regressor", "network": VAE["network"], "dropout": 0.5, "factors": 3}}),
        ["model.family = 'regressor'", "allowed under 'features' only"],
    ),
    "flow on binary images": ("flow", {"dataset": "binary"}, ["model.family = 'flow'", "grey images"]),
    "flow on binarised images": ("flow", {"images.binarisation": "fixed"}, ["model.family = 'flow'", "grey images"]),
    "flow on an odd number of values": ("flow", {"dataset": "odd"}, ["model.family = 'flow'", "even number"]),
    **{
        f"{kind} likelihood on binary images": (
            *("binary", {"model.likelihood": {"kind": kind, **scale}}),
            [f"model.likelihood.kind = '{kind}'", "allowed on binary images: 'bernoulli'"],
        )
        for kind, scale in (("gaussian", {"scale": 0.1}), ("discretised_logistic", {"scale": 0.1}), ("continuous_bernoulli", {}))
    },
    "Gaussian likelihood on binarised images": (
        *("binarised", {"model.likelihood": {"kind": "gaussian", "scale": 1.0}}),
        ["model.likelihood.kind = 'gaussian'", "allowed on binary images: 'bernoulli'"],
    ),
    "Gaussian auto-encoder of binarised images": (
        *("autoencoder", {"images.binarisation": "fixed", "model.likelihood": {"kind": "gaussian", "scale": 1.0}}),
        ["model.likelihood.kind = 'gaussian'", "allowed on binary images: 'bernoulli'"],
    ),
    **{
        f"{how} binarisation of binary images": (
            *("binary", {"images.binarisation": how}),
            [f"images.binarisation = '{how}'", "allowed on binary images: null"],
        )
        for how in ("fixed", "every_epoch")
    },
    "resized binary images": ("binary", {"images.size": 32}, ["images.size = 32", "allowed on binary images: null"]),
    "noise on binary images": ("binary", {"training.noise": NOISE}, ["training.noise", "grey images"]),
    "noise on binarised images": ("binarised", {"training.noise": NOISE}, ["training.noise", "grey images"]),
    "targets off the levels": (
        *("vae", {"training.noise": {**NOISE, "targets": "noisy"}, "model.likelihood": {"kind": "discretised_logistic", "scale": 0.1}}),
        ["training.noise.targets = 'noisy'", "discretised_logistic", "'clean'"],
    ),
    **{
        f"checks of a likelihood of a {family}": (
            *(family, {"checks": [check]}),
            [f"checks = ['{check}']", f"allowed with family '{family}': none", "no latents"],
        )
        for family, check in (("flow", "annealed"), ("autoencoder", "prior_sampling"), ("classifier", "annealed"))
    },
    "one coupling": ("flow prior", {"model.prior.couplings": 1}, ["model.prior.couplings = 1", "2"]),
    "classifier without classes": ("classifier", {"dataset": "odd"}, ["model.classes = 10", "no classes"]),
    "classifier of a wrong number": ("classifier", {"model.classes": 9}, ["model.classes = 9", "allowed on this data set: 10"]),
    # 28, 14, 7: a third halving has no whole size; resized to 24 it has, a fourth has not.
    "too many convolutions": (
        *("conv", {"model.network.channels": [4, 8, 16]}),
        ["model.network.channels = [4, 8, 16]", "28x28"],
    ),
    "too many convolutions for the width": ("conv", {"dataset": "narrow"}, ["model.network.channels = [4, 8]", "28x30"]),
    "too many convolutions for resized images": (
        *("conv", {"images.size": 24, "model.network.channels": [4, 8, 16, 32]}),
        ["model.network.channels = [4, 8, 16, 32]", "24x24"],
    ),
    # 1 + 3 + 9 + 27 + 81 = 121.
    "stages that do not fill the epochs": (
        *("vae", {"training.learning_rate_stages": 5, "training.epochs": 120}),
        ["training", "epochs = 120", "learning_rate_stages = 5: 121"],
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_goes_together_is_accepted(name: str) -> None:
    dataset, values = GOOD[name]
    accepted = parse(Params, changed(GOOD[name], {}), "params.yaml").variants[dataset]["tested"]
    assert accepted.model.family == values["model"]["family"]


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_go_together_is_one_clear_line(name: str) -> None:
    good, changes, said = BAD[name]
    line = refusal(changed(GOOD[good], changes))
    dataset = changes.get("dataset", GOOD[good][0])
    assert line.startswith(f"params.yaml: variants.{dataset}.tested") and "allowed" in line and "\n" not in line
    assert [text for text in said if text not in line] == []


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("vae", {"training.noise": NOISE}),
        ("vae", {"checks": ["annealed", "prior_sampling"]}),
        ("coins", {"checks": ["annealed"]}),
        ("vae", {"model.latent.dim": 5}),
        ("vae", {"model.likelihood": {"kind": "discretised_logistic", "scale": 0.1, "learn_scale": True}}),
        ("vae", {"training.learning_rate_stages": 5, "training.epochs": 121}),
        ("vae", {"model.likelihood": {"kind": "gaussian", "scale": 0.1, "learn_scale": True, "dequantised": True}}),
        ("vae", {"training.objective": FREE_BITS}),
        ("vae", {"training.objective": {"kind": "mean_squared_error", "kl_weight": 0.5}}),
        ("coins", {"training.objective": {"kind": "gumbel_softmax", "temperature": 0.5}}),
        ("vae", {"training.learning_rate_drops": DROP}),
        ("vae", {"model.network.decoder_hidden": [8, 9]}),
        ("flow prior", {"training.objective": IWAE}),
        ("conv", {"images.size": 24, "model.network.channels": [4, 8, 16]}),
    ],
)
def test_the_same_changes_are_accepted_where_they_fit(name: str, changes: dict[str, Any]) -> None:
    accepted = parse(Params, changed(GOOD[name], changes), "params.yaml").model_dump()["variants"][GOOD[name][0]]["tested"]
    for path, expected in changes.items():
        value = accepted
        for key in path.split("."):
            value = value[key]
        assert value == expected


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({**VAE, "family": "diffusion"}, ["'family' one of", "'vae', 'flow', 'autoencoder', 'gan', 'classifier', 'regressor'"]),
        ({key: value for key, value in VAE.items() if key != "family"}, ["model.family: missing", "vae"]),
    ],
    ids=["unknown", "missing"],
)
def test_a_family_that_is_none_is_one_clear_line(model: dict[str, Any], said: list[str]) -> None:
    line = refusal(changed(GOOD["vae"], {"model": model}))
    assert "\n" not in line and [text for text in said if text not in line] == []
