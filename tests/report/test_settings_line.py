"""A variant's settings in one line: their numbers and names in order, typed here, and no line that two settings share."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from regen.config.base import parse
from regen.params.schema import ReportConfig, ReportedVariant
from regen.report.settings import settings_line

# The numbers of every line, all of them, and the names of what was chosen, in the order in which they stand there.
LINES = {
    "uva3-vae-z20-mnist": "784-500-20 relu bernoulli adam 0.001 128 40",
    "vu4a-vae-svhn-gauss": "3072-300-16 relu gaussian 1 adam 0.005 64 50",
    "uva3-realnvp-mnist": "uniform 1e-05 RealNVP 8 one 1024-1024 relu adam 0.001 128 40 1",
    "lab1-aegmm-mnist": "784-400-2 relu bernoulli 10 adam 0.001 100 50",
    "lab1-classifier-mnist": "784-512-10 relu 0.5 adam 0.001 100 20",
    "lab1-bernvae-mnist": "784-400-20 relu bernoulli bernoulli score-function running average adam 0.001 100 50",
    "vu4a-flowvae-mnist-logdet-times-d": (
        "1024-300-300-100 leaky_relu_0.01 RealNVP 3 two 300-300 leaky_relu_0.01 bernoulli 32x32 adam 0.001 64 50"
    ),
    "ai3611-vae-z1-noise01-mnist": "1-32-64 256 1 4x4 transposed relu bernoulli 0.1 clean adam 0.001 128 30",
    "ai3611-vae-z1-kl05-mnist": "1-32-64 256 1 4x4 transposed relu bernoulli 0.5 adam 0.001 128 30",
    "davari-vae-bilinear-celeba": (
        "3-32-64-128-256 100 bilinear batch normalisation leaky_relu_0.2 relu bernoulli adam 0.0002 0.5 0.999 128 200 790"
    ),
    "ref-iwae5-bmnist": "784-200-200-50 tanh bernoulli IWAE 5 normalised weights adam 0.001 0.0001 20 121 5",
}
UVA3_GENERATOR, UVA3_SCHEDULE = (
    "100-128-256-512-1024-784 leaky_relu_0.2 batch normalisation tanh",
    "adam 0.0002 0.5 0.999 64 200 validation",
)
VU4A_SCHEDULE = "adam 0.0002 0.5 0.999 64 50"
LINES |= {
    "uva3-gan-mnist": f"{UVA3_GENERATOR} discriminator 784-512-256-1 leaky_relu_0.2 non-saturating {UVA3_SCHEDULE}",
    "ext-wgangp-mnist": f"{UVA3_GENERATOR} critic 784-512-256-1 leaky_relu_0.2 wasserstein 10 {UVA3_SCHEDULE}",
    "ext-gan-noise-mnist": f"{UVA3_GENERATOR} discriminator 784-512-256-1 leaky_relu_0.2 non-saturating noise 0.1 {UVA3_SCHEDULE}",
    "ext-gan-dropout-mnist": f"{UVA3_GENERATOR} discriminator 784-512-256-1 leaky_relu_0.2 dropout 0.3 non-saturating {UVA3_SCHEDULE}",
    "vu4a-gan-mnist": (
        f"128-256-512-3072 leaky_relu_0.2 tanh discriminator 3072-512-256-1 leaky_relu_0.2 saturating 32x32 3 {VU4A_SCHEDULE}"
    ),
    "ext-gan-1ch-mnist": f"128-256-512-784 leaky_relu_0.2 tanh discriminator 784-512-256-1 leaky_relu_0.2 saturating {VU4A_SCHEDULE}",
    "uva3-gan-mnist-saturating": f"{UVA3_GENERATOR} discriminator 784-512-256-1 leaky_relu_0.2 saturating {UVA3_SCHEDULE}",
    # Real images in [0, 1].
    "vu4a-gan-mnist-unit-range": (
        f"128-256-512-3072 leaky_relu_0.2 tanh discriminator 3072-512-256-1 leaky_relu_0.2 0 1 saturating 32x32 3 {VU4A_SCHEDULE}"
    ),
    "ext-flow-nodeq-mnist": "no 1e-05 RealNVP 4 one 256-256 relu adam 0.001 128 20 1",
    "ext-flow-uniform-mnist": "uniform 1e-05 RealNVP 4 one 256-256 relu adam 0.001 128 20 1",
    "ext-flow-learned-mnist": "learned 256 relu 1e-05 RealNVP 4 one 256-256 relu adam 0.001 128 20 1",
    "ext-dcgan-svhn": (
        "100 128-64-32-3 4x4 transposed relu batch normalisation tanh discriminator 3-32-64-128 1 leaky_relu_0.2 batch normalisation "
        f"non-saturating {VU4A_SCHEDULE}"
    ),
}
VAE, GAN = "uva3-vae-z20-mnist", "uva3-gan-mnist"
MLP = {"kind": "mlp", "hidden": [500], "activation": "relu"}
CONV = {"kind": "conv", "channels": [8, 16], "hidden": [64], "activation": "relu", "batch_norm": True}
MIRROR = {**CONV, "decoder_activation": "relu", "upsampling": {"kind": "nearest"}}
PRIOR = {"kind": "realnvp", "couplings": 3, "networks": "one", "hidden": [30], "activation": "tanh"}

Change = tuple[str, dict[str, Any]]


def words(line: str) -> list[str]:
    return re.findall(r"\w(?:[\w.-]*\w)?", line)


def numbers(of: Iterable[str]) -> list[str]:
    return [word for word in of if re.search(r"\d", word)]


def in_order(expected: list[str], line: list[str]) -> bool:
    """Say whether these words stand in a line in this order, whatever is between."""
    rest = iter(line)
    return all(word in rest for word in expected)


def changed(name: str, config: ReportConfig, *changes: Change) -> list[str]:
    """Return the words of a variant's line after changes of these sections of its settings."""
    values = config.variants[name].model_dump()
    for section, change in changes:
        if change.get("objective", {}).get("kind") in ("score_function", "gumbel_softmax"):
            values["model"]["latent"] = {"kind": "bernoulli", "dim": 20}
        values[section] |= change
    return words(settings_line(parse(ReportedVariant, values, "test")))


@pytest.mark.parametrize("name", LINES)
def test_a_line_has_the_numbers_and_names_of_its_variant_and_no_number_more(name: str, paper: ReportConfig) -> None:
    line, expected = words(settings_line(paper.variants[name])), LINES[name].split()
    assert numbers(line) == numbers(expected)
    assert in_order(expected, line), line


def test_no_two_variants_of_one_data_set_share_a_line(paper: ReportConfig) -> None:
    lines = [(variant.dataset, settings_line(variant)) for variant in paper.variants.values()]
    assert len(set(lines)) == len(paper.variants)


@pytest.mark.parametrize(
    ("section", "change", "said"),
    [
        ("model", {"likelihood": {"kind": "continuous_bernoulli"}}, "continuous bernoulli"),
        ("model", {"likelihood": {"kind": "gaussian", "scale": 0.5, "learn_scale": True}}, "gaussian learned 0.5"),
        ("model", {"likelihood": {"kind": "discretised_logistic", "scale": 0.1}}, "discretised logistic 0.1"),
        ("model", {"likelihood": {"kind": "continuous_bernoulli", "dequantised": True}}, "continuous bernoulli dequantised"),
        ("model", {"network": {**MLP, "hidden": [50], "decoder_hidden": [60, 70]}}, "784-50-20 20-60-70-784 relu"),
        ("model", {"network": {**MLP, "hidden": [8], "batch_norm": True}}, "784-8-20 relu batch normalisation"),
        ("model", {"network": MIRROR}, "1-8-16 64 20 nearest batch normalisation relu"),
        ("model", {"network": {**MIRROR, "upsampling": {"kind": "transposed", "kernel": 5}}}, "1-8-16 64 20 5x5 transposed"),
        ("model", {"prior": PRIOR}, "RealNVP 3 one 30 tanh"),
        (
            "training",
            {"objective": {"kind": "iwae", "samples": 7, "gradient": "doubly_reparameterised"}},
            "IWAE 7 doubly reparameterised",
        ),
        (
            "training",
            {"objective": {"kind": "score_function", "estimator": "leave_one_out", "samples": 4}},
            "bernoulli score-function leave one out 4",
        ),
        (
            "training",
            {"objective": {"kind": "score_function", "estimator": "as_printed", "samples": 1, "decay": 0.5}},
            "bernoulli score-function as printed 0.5",
        ),
        ("training", {"objective": {"kind": "gumbel_softmax", "temperature": 0.5}}, "bernoulli Gumbel-softmax 0.5"),
        ("training", {"objective": {"kind": "mean_squared_error"}}, "squared error"),
        ("training", {"objective": {"kind": "mean_squared_error", "kl_weight": 0.25}}, "squared error 0.25 KL"),
        ("training", {"objective": {"kind": "elbo", "samples": 10, "warm_up_epochs": 5, "free_nats_per_latent": 0.25}}, "10 0 5 0.25"),
        # Neither of two departures hides the other.
        ("training", {"objective": {"kind": "elbo", "kl_weight": 0.5, "log_det_times_dim": True}}, "KL 0.5 log-determinant"),
        ("training", {"learning_rate_drops": {"epochs": [20, 30], "factor": 0.5}}, "adam 0.001 0.5 20 30 128"),
        ("training", {"betas": [0.8, 0.99], "epsilon": 1e-5}, "adam 0.001 0.8 0.99 1e-05 128"),
        ("training", {"noise": {"scale": 0.25, "targets": "noisy"}}, "noise 0.25 noisy"),
        ("images", {"binarisation": "every_epoch"}, "binarised every epoch"),
        ("images", {"binarisation": "fixed", "size": 28}, "28x28 binarised fixed"),
        ("images", {"luminance": True}, "luminance"),
    ],
)
def test_what_may_be_chosen_is_said_with_its_numbers(section: str, change: dict[str, Any], said: str, paper: ReportConfig) -> None:
    plain, line, expected = changed(VAE, paper), changed(VAE, paper, (section, change)), said.split()
    assert in_order(expected, line) and not in_order(expected, plain), line
    # What was there already and what the change brings, and nothing else.
    assert Counter(numbers(line)) - Counter(numbers(plain)) <= Counter(numbers(expected))


def test_settings_that_differ_give_lines_that_differ(paper: ReportConfig) -> None:
    score, elbo = {"kind": "score_function", "samples": 1}, {"kind": "elbo"}
    changes: list[Change] = [
        *(("model", {"likelihood": {"kind": kind}}) for kind in ("bernoulli", "continuous_bernoulli")),
        *(
            ("model", {"likelihood": {"kind": "gaussian", "scale": 0.5, "learn_scale": learned, "dequantised": noise}})
            for learned in (False, True)
            for noise in (False, True)
        ),
        *(
            ("model", {"network": {**MLP, "batch_norm": True, "norm_place": f"{place}_activation", **own}})
            for place in ("before", "after")
            for own in ({}, {"decoder_hidden": [60]})
        ),
        *(("model", {"network": {**MIRROR, **own}}) for own in ({}, {"first_norm": False}, {"batch_norm": False}, {"hidden": []})),
        *(
            ("model", {"network": {**MIRROR, "upsampling": upsampling}})
            for upsampling in ({"kind": "bilinear"}, {"kind": "transposed", "kernel": 4}, {"kind": "transposed", "kernel": 5})
        ),
        ("model", {"network": {**MIRROR, "decoder_activation": "tanh"}}),
        *(
            ("model", {"prior": {**PRIOR, "networks": networks, "learn_gain": g}})
            for networks in ("one", "one_each")
            for g in (False, True)
        ),
        *(("training", {"objective": {**score, "estimator": name}}) for name in ("no_baseline", "running_average", "as_printed")),
        *(("training", {"objective": {**score, "estimator": "as_printed", "decay": decay}}) for decay in (0.5, None)),
        *(
            ("training", {"objective": {"kind": "iwae", "samples": samples, "gradient": gradient}})
            for samples in (5, 7)
            for gradient in ("normalised_weights", "doubly_reparameterised")
        ),
        *(("training", {"objective": {"kind": "mean_squared_error", "kl_weight": weight}}) for weight in (1, 0.5)),
        *(
            ("training", {"objective": {**elbo, **own}})
            for own in (
                *({"samples": 3}, {"warm_up_epochs": 3}, {"free_nats_per_latent": 3}, {"kl_weight": 3}, {"log_det_times_dim": True}),
                {"kl_weight": 3, "log_det_times_dim": True},
            )
        ),
        *(("training", {"noise": {"scale": scale, "targets": targets}}) for scale in (0.1, 0.2) for targets in ("clean", "noisy")),
        *(
            ("training", own)
            for own in (
                *({"betas": [0.5, 0.999]}, {"betas": [0.9, 0.99]}, {"epsilon": 1e-4}, {"clip_norm": 2.0}, {"held_out": "test"}),
                *({"on_non_finite": "stop"}, {"learning_rate": 0.01}, {"batch_size": 64}, {"epochs": 41}),
                *({"learning_rate_drops": {"epochs": [epoch], "factor": 0.5}} for epoch in (20, 30)),
            )
        ),
        *(("images", own) for own in ({"size": 16}, {"channels": 3}, {"luminance": True}, {"binarisation": "fixed"})),
        ("images", {"binarisation": "every_epoch"}),
    ]
    # The first is what the variant has already.
    lines = {" ".join(changed(VAE, paper, change)) for change in changes}
    assert " ".join(changed(VAE, paper)) in lines and len(lines) == len(changes)


@pytest.mark.parametrize(
    ("section", "network", "said"),
    [
        # A generator runs from the latents to the image.
        ("generator", MIRROR, "generator 100 64 16-8-1 nearest relu batch normalisation tanh"),
        (
            "generator",
            {**MIRROR, "hidden": [], "upsampling": {"kind": "transposed", "kernel": 5}},
            "generator 100 16-8-1 5x5 transposed relu batch normalisation tanh",
        ),
        ("discriminator", CONV, "discriminator 1-8-16 64 1 relu batch normalisation"),
    ],
)
def test_a_generator_runs_from_the_latents_to_the_image(section: str, network: dict[str, Any], said: str, paper: ReportConfig) -> None:
    line, expected = changed(GAN, paper, ("model", {section: network})), said.split()
    assert in_order(expected, line), line
    own = line[line.index(section) :]
    assert numbers(own)[: len(numbers(expected))] == numbers(expected)


def test_one_sample_is_no_plural(paper: ReportConfig) -> None:
    for samples, said in ((1, "1 sample,"), (5, "5 samples,")):
        values = paper.variants["ext-iwae-k5-mnist"].model_dump()
        values["training"]["objective"]["samples"] = samples
        assert f"IWAE bound, {said}" in settings_line(parse(ReportedVariant, values, "test"))


def test_a_schedule_that_a_preset_cuts_says_so(report_config: Callable[[str], ReportConfig], paper: ReportConfig) -> None:
    whole, cut = (words(settings_line(config.variants["uva3-vae-z2-mnist"])) for config in (paper, report_config("quick")))
    assert numbers(cut) == [*numbers(whole), "40"] and cut != whole
