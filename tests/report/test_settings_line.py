"""A variant's settings in one line: written out here, from the variants of params.yaml and from what may be put in their place."""

from collections.abc import Callable
from typing import Any

import pytest

from regen.config.base import parse
from regen.params.schema import ReportConfig, ReportedVariant
from regen.report.settings import settings_line

LINES = {
    "uva3-vae-z20-mnist": "mlp 784-500-20 and its mirror, relu; bernoulli likelihood; adam 0.001, batch 128, 40 epochs",
    "vu4a-vae-svhn-gauss": "mlp 3072-300-16 and its mirror, relu; gaussian likelihood, scale 1; adam 0.005, batch 64, 50 epochs",
    "uva3-realnvp-mnist": (
        "uniform dequantisation, logit with alpha 1e-05; "
        "RealNVP, 8 couplings, one network a coupling, 1024-1024 relu, in checkerboard order; "
        "adam 0.001, batch 128, 40 epochs, gradient norm at most 1"
    ),
    "lab1-aegmm-mnist": (
        "mlp 784-400-2 and its mirror, relu; bernoulli likelihood; mixture of 10 Gaussians; adam 0.001, batch 100, 50 epochs"
    ),
    "lab1-classifier-mnist": "mlp 784-512-10, relu, dropout 0.5; adam 0.001, batch 100, 20 epochs",
    "lab1-bernvae-mnist": (
        "mlp 784-400-20 and its mirror, relu; bernoulli latents; bernoulli likelihood; "
        "score-function gradient, running average; adam 0.001, batch 100, 50 epochs"
    ),
    "vu4a-flowvae-mnist-logdet-times-d": (
        "mlp 1024-300-300-100 and its mirror, leaky_relu_0.01; "
        "prior RealNVP, 3 couplings, two networks a coupling, 300-300 leaky_relu_0.01; bernoulli likelihood; "
        "log-determinant counted once a latent (a fault, on purpose); images resized to 32x32; adam 0.001, batch 64, 50 epochs"
    ),
    "ai3611-vae-z1-noise01-mnist": (
        "conv 1-32-64 channels, then 256, 1 code and its mirror with 4x4 transposed convolutions, relu; bernoulli likelihood; "
        "white noise of 0.1 on the input, clean targets; adam 0.001, batch 128, 30 epochs"
    ),
    "ai3611-vae-z1-kl05-mnist": (
        "conv 1-32-64 channels, then 256, 1 code and its mirror with 4x4 transposed convolutions, relu; bernoulli likelihood; "
        "KL weight 0.5; adam 0.001, batch 128, 30 epochs"
    ),
    "davari-vae-bilinear-celeba": (
        "conv 3-32-64-128-256 channels, 100 codes and its mirror with bilinear upsampling, batch normalisation, "
        "leaky_relu_0.2, decoder relu; bernoulli likelihood; adam 0.0002, betas 0.5 and 0.999, batch 128, 200 epochs, "
        "cut to at most 790 steps"
    ),
    "ref-iwae5-bmnist": (
        "mlp 784-200-200-50 and its mirror, tanh; bernoulli likelihood; IWAE bound, 5 samples, gradient by normalised weights; "
        "adam 0.001, epsilon 0.0001, batch 20, 121 epochs in 5 stages of falling rate"
    ),
}
UVA3_GENERATOR = "generator mlp 100-128-256-512-1024-784, leaky_relu_0.2, batch normalisation, tanh"
UVA3_SCHEDULE = "adam 0.0002, betas 0.5 and 0.999, batch 64, 200 epochs, the validation images trained on too"
VU4A_SCHEDULE = "adam 0.0002, betas 0.5 and 0.999, batch 64, 50 epochs"
LINES |= {
    "uva3-gan-mnist": f"{UVA3_GENERATOR}; discriminator mlp 784-512-256-1, leaky_relu_0.2; non-saturating loss; {UVA3_SCHEDULE}",
    "ext-wgangp-mnist": (
        f"{UVA3_GENERATOR}; critic mlp 784-512-256-1, leaky_relu_0.2; wasserstein loss, gradient penalty 10; {UVA3_SCHEDULE}"
    ),
    "ext-gan-noise-mnist": (
        f"{UVA3_GENERATOR}; discriminator mlp 784-512-256-1, leaky_relu_0.2; non-saturating loss; instance noise of 0.1; {UVA3_SCHEDULE}"
    ),
    "ext-gan-dropout-mnist": (
        f"{UVA3_GENERATOR}; discriminator mlp 784-512-256-1, leaky_relu_0.2, dropout 0.3; non-saturating loss; {UVA3_SCHEDULE}"
    ),
    "vu4a-gan-mnist": (
        "generator mlp 128-256-512-3072, leaky_relu_0.2, tanh; discriminator mlp 3072-512-256-1, leaky_relu_0.2; saturating loss; "
        f"images resized to 32x32; repeated to 3 channels; {VU4A_SCHEDULE}"
    ),
    "ext-gan-1ch-mnist": (
        "generator mlp 128-256-512-784, leaky_relu_0.2, tanh; discriminator mlp 784-512-256-1, leaky_relu_0.2; saturating loss; "
        f"{VU4A_SCHEDULE}"
    ),
    "uva3-gan-mnist-saturating": (
        f"{UVA3_GENERATOR.replace('normalisation', 'normalisation behind it')}; discriminator mlp 784-512-256-1, leaky_relu_0.2; "
        f"saturating loss; {UVA3_SCHEDULE}"
    ),
    "vu4a-gan-mnist-unit-range": (
        "generator mlp 128-256-512-3072, leaky_relu_0.2, tanh; discriminator mlp 3072-512-256-1, leaky_relu_0.2; real images in [0, 1]; "
        f"saturating loss; images resized to 32x32; repeated to 3 channels; {VU4A_SCHEDULE}"
    ),
    **{
        f"ext-flow-{name}-mnist": (
            f"{words}, logit with alpha 1e-05; RealNVP, 4 couplings, one network a coupling, 256-256 relu, gain learned, "
            "in checkerboard order; adam 0.001, batch 128, 20 epochs, gradient norm at most 1, ends where a number is not finite"
        )
        for name, words in (
            ("nodeq", "no dequantisation"),
            ("uniform", "uniform dequantisation"),
            ("learned", "learned dequantisation (256 relu)"),
        )
    },
    "ext-dcgan-svhn": (
        "generator 100 latents, conv 128-64-32-3 channels, 4x4 transposed, relu, batch normalisation, tanh; "
        "discriminator conv 3-32-64-128 channels, 1 out, leaky_relu_0.2, batch normalisation but behind the first; "
        f"non-saturating loss; {VU4A_SCHEDULE}"
    ),
}
LATENTS = {"kind": "bernoulli", "dim": 8}


@pytest.mark.parametrize("name", LINES)
def test_a_variant_is_described_as_it_is_configured(name: str, report_config: Callable[..., ReportConfig]) -> None:
    assert settings_line(report_config("paper").variants[name]) == LINES[name]


def test_no_two_variants_of_one_data_set_share_a_line(report_config: Callable[..., ReportConfig]) -> None:
    variants = report_config("paper").variants
    lines = [(variant.dataset, settings_line(variant)) for variant in variants.values()]
    assert len(set(lines)) == len(variants)


@pytest.mark.parametrize(
    ("section", "change", "said"),
    [
        ("model", {"likelihood": {"kind": "continuous_bernoulli"}}, "; continuous bernoulli likelihood; "),
        (
            "model",
            {"likelihood": {"kind": "gaussian", "scale": 0.5, "learn_scale": True}},
            "; gaussian likelihood, scale learned from 0.5; ",
        ),
        ("model", {"likelihood": {"kind": "discretised_logistic", "scale": 0.1}}, "; discretised logistic likelihood, scale 0.1; "),
        (
            "training",
            {"objective": {"kind": "iwae", "samples": 7, "gradient": "doubly_reparameterised"}},
            "; IWAE bound, 7 samples, gradient by doubly reparameterised; ",
        ),
        (
            "training",
            {"objective": {"kind": "score_function", "estimator": "leave_one_out", "samples": 4}},
            "; score-function gradient, leave one out of 4 samples; ",
        ),
        (
            "training",
            {"objective": {"kind": "score_function", "estimator": "as_printed", "samples": 1, "decay": 0.5}},
            "; score-function gradient, as printed, decay 0.5; ",
        ),
        (
            "training",
            {"objective": {"kind": "score_function", "estimator": "as_printed", "samples": 1, "decay": None}},
            "; score-function gradient, as printed, average of all earlier steps; ",
        ),
        ("training", {"objective": {"kind": "gumbel_softmax", "temperature": 0.5}}, "; Gumbel-softmax, temperature 0.5; "),
        ("training", {"objective": {"kind": "mean_squared_error"}}, "; squared error a pixel + KL a latent; "),
        (
            "training",
            {"objective": {"kind": "elbo", "samples": 10, "warm_up_epochs": 5, "free_nats_per_latent": 0.25}},
            "; 10 samples of q an image; KL weight rising from 0 over 5 epochs; free bits, 0.25 nats per latent; ",
        ),
        (
            "training",
            {"learning_rate_drops": {"epochs": [20, 30], "factor": 0.5}},
            "; adam 0.001, times 0.5 after epochs 20 and 30, batch 128, 40 epochs",
        ),
        (
            "model",
            {"likelihood": {"kind": "continuous_bernoulli", "dequantised": True}},
            "; continuous bernoulli likelihood, dequantised; ",
        ),
        (
            "model",
            {"network": {"kind": "mlp", "hidden": [50], "activation": "relu", "decoder_hidden": [60, 70]}},
            "mlp 784-50-20 and 20-60-70-784, relu; ",
        ),
        # Neither of two departures hides the other.
        (
            "training",
            {"objective": {"kind": "elbo", "kl_weight": 0.5, "log_det_times_dim": True}},
            "; KL weight 0.5; log-determinant counted once a latent (a fault, on purpose); ",
        ),
        ("training", {"noise": {"scale": 0.25, "targets": "noisy"}}, "; white noise of 0.25 on the input, noisy targets; "),
        ("images", {"binarisation": "every_epoch"}, "; images binarised (every epoch); "),
        ("images", {"size": 16, "binarisation": "fixed"}, "; images resized to 16x16; images binarised (fixed); "),
        ("training", {"betas": [0.8, 0.99], "epsilon": 1e-5}, "; adam 0.001, betas 0.8 and 0.99, epsilon 1e-05, batch 128, 40 epochs"),
    ],
)
def test_what_may_be_chosen_is_said(section: str, change: dict[str, Any], said: str, report_config: Callable[..., ReportConfig]) -> None:
    values = report_config("paper").variants["uva3-vae-z20-mnist"].model_dump()
    if change.get("objective", {}).get("kind") in ("score_function", "gumbel_softmax"):
        values["model"]["latent"] = LATENTS
    values[section] |= change
    assert said in settings_line(parse(ReportedVariant, values, "test")) + "; "


CONV = {"kind": "conv", "channels": [8, 16], "hidden": [64], "activation": "relu", "batch_norm": True}
MIRROR = {**CONV, "decoder_activation": "relu", "upsampling": {"kind": "nearest"}}


@pytest.mark.parametrize(
    ("name", "section", "network", "said"),
    [
        (
            "uva3-vae-z20-mnist",
            "network",
            {"kind": "mlp", "hidden": [8], "activation": "relu", "batch_norm": True},
            "mlp 784-8-20 and its mirror, relu, batch normalisation; ",
        ),
        (
            "uva3-vae-z20-mnist",
            "network",
            {**MIRROR, "first_norm": False},
            "20 codes and its mirror with nearest upsampling, batch normalisation but behind the first, relu; ",
        ),
        # A generator runs from the latents to the image.
        (
            "uva3-gan-mnist",
            "generator",
            MIRROR,
            "generator 100 latents, then 64, conv 16-8-1 channels, nearest, relu, batch normalisation, tanh; ",
        ),
        (
            "uva3-gan-mnist",
            "generator",
            {**MIRROR, "hidden": [], "upsampling": {"kind": "transposed", "kernel": 5}},
            "generator 100 latents, conv 16-8-1 channels, 5x5 transposed, relu, batch normalisation, tanh; ",
        ),
        ("uva3-gan-mnist", "discriminator", CONV, "discriminator conv 1-8-16 channels, then 64, 1 out, relu, batch normalisation; "),
    ],
)
def test_what_a_network_may_have_is_said(
    name: str, section: str, network: dict[str, Any], said: str, report_config: Callable[..., ReportConfig]
) -> None:
    values = report_config("paper").variants[name].model_dump()
    values["model"][section] = network
    assert said in settings_line(parse(ReportedVariant, values, "test"))


def test_a_schedule_that_a_preset_cuts_says_so(report_config: Callable[..., ReportConfig]) -> None:
    assert settings_line(report_config("quick").variants["uva3-vae-z2-mnist"]).endswith(", 40 epochs, cut to at most 40 steps")
