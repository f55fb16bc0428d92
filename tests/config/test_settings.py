"""Every variant of params.yaml against the settings and the layers of its report; what is not listed has its default."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from regen.config.model import Model
from regen.config.training import Training
from regen.models.build import build
from regen.params.schema import Params

Resolved = Callable[[str], dict[str, Any]]
MODEL: TypeAdapter[Any] = TypeAdapter(Model)

STANDARD = {"kind": "standard"}
BERNOULLI = {"kind": "bernoulli"}
UNIT_GAUSSIAN = {"kind": "gaussian", "scale": 1.0}
ELBO: dict[str, Any] = {"kind": "elbo", "kl_weight": 1.0}
IWAE_5 = {"kind": "iwae", "samples": 5, "gradient": "normalised_weights"}
SCORE_FUNCTION = {"kind": "score_function", "estimator": "running_average", "samples": 1, "decay": 0.9}
LEAKY, SLOPE_02 = "leaky_relu_0.01", "leaky_relu_0.2"
FLOW_PRIOR = {"kind": "realnvp", "couplings": 3, "networks": "one_each", "hidden": [300, 300], "activation": LEAKY}
PIXELS = {"mnist": 28 * 28, "binarized_mnist": 28 * 28, "svhn": 3 * 32 * 32, "celeba": 3 * 64 * 64}
PIXELS |= {"svhn_colour": 3 * 32 * 32, "celeba32": 3 * 32 * 32}


def mlp(hidden: int | list[int], activation: str = "relu") -> dict[str, Any]:
    sizes = hidden if isinstance(hidden, list) else [hidden]
    return {"kind": "mlp", "hidden": sizes, "activation": activation}


def vae(network: dict[str, Any], dim: int, likelihood: Any = BERNOULLI, prior: Any = STANDARD, latent: str = "gaussian") -> Any:
    return {"family": "vae", "network": network, "latent": {"kind": latent, "dim": dim}, "prior": prior, "likelihood": likelihood}


def dcgan(upsampling: dict[str, Any]) -> dict[str, Any]:
    """Return davari's networks: four stride-2 convolutions from 32 channels on, no linear layer but the last."""
    activations = {"activation": "leaky_relu_0.2", "decoder_activation": "relu", "batch_norm": True, "first_norm": True}
    return {"kind": "conv", "channels": [32, 64, 128, 256], "hidden": [], **activations, "upsampling": upsampling}


def kernel(size: int) -> dict[str, Any]:
    return {"kind": "transposed", "kernel": size}


AI3611 = {"kind": "conv", "channels": [32, 64], "hidden": [256], "activation": "relu", "decoder_activation": "relu"}
AI3611 |= {"batch_norm": False, "first_norm": True, "upsampling": kernel(4)}
AUTOENCODER = {"family": "autoencoder", "network": mlp(400), "latent_dim": 2, "likelihood": BERNOULLI, "components": 10}
CLASSIFIER = {"family": "classifier", "network": mlp(512), "dropout": 0.5, "classes": 10}
# 4 x 2 couplings.
SMALL_FLOW = {"kind": "realnvp", "couplings": 4, "networks": "one", "hidden": [256, 256], "activation": "relu", "learn_gain": True}
LEARNED_NOISE = {"kind": "learned", "hidden": [256], "activation": "relu"}
PIXEL_FLOW = {"kind": "realnvp", "couplings": 8, "networks": "one", "hidden": [1024, 1024], "activation": "relu"}


def schedule(rate: float, batch: int, epochs: int, objective: dict[str, Any] = ELBO, **more: Any) -> dict[str, Any]:
    """Return a training section as the reports leave it: Adam with its own defaults unless they say otherwise."""
    given = {"optimizer": "adam", "learning_rate": rate, "batch_size": batch, "epochs": epochs, "objective": objective}
    return {**given, **more}


UVA3, LAB1, VU4A = schedule(0.001, 128, 40), schedule(0.001, 100, 50), schedule(0.005, 64, 50)
COLOUR_SVHN, COLOUR_CELEBA = schedule(0.001, 64, 200), schedule(0.001, 64, 50)
VU4A_FLOW = {**VU4A, "learning_rate": 0.001}
LONG, SHORT = schedule(0.001, 128, 100), schedule(0.001, 128, 30)
TWENTY = schedule(0.001, 100, 20)
DAVARI = schedule(0.0002, 128, 200, betas=[0.5, 0.999])
# Five of Burda's stages: 1 + 3 + 9 + 27 + 81 epochs; the first rate is 1e-4 round(10^1, 1).
BURDA = schedule(0.001, 20, 121, learning_rate_stages=5, epsilon=1e-4)


# Both GANs: Adam at 2e-4 with betas 0.5 and 0.999, batches of 64; uva3's 200 epochs on all 60,000 images.
VU4A_GAN = schedule(0.0002, 64, 50, betas=[0.5, 0.999])
UVA3_GAN = schedule(0.0002, 64, 200, betas=[0.5, 0.999], held_out="test", snapshot_steps=[0, 2_000, 111_000, 184_000])
NARROW, WIDE = mlp([512, 256], SLOPE_02), {**mlp([1024, 512, 256, 128], SLOPE_02), "batch_norm": True}
DCGAN = {**dcgan(kernel(4)), "channels": [32, 64, 128]}
DCGAN_DISCRIMINATOR = {**{key: DCGAN[key] for key in ("kind", "channels", "hidden", "activation", "batch_norm")}, "first_norm": False}


def gan(dim: int, generator: dict[str, Any], discriminator: dict[str, Any], dropout: float = 0.0, output: str = "probability") -> Any:
    networks = {"generator": generator, "discriminator": discriminator}
    return {"family": "gan", "latent_dim": dim, **networks, "dropout": dropout, "output": output}


def against(schedule: dict[str, Any], loss: str, penalty: float | None = None, noise: float | None = None) -> dict[str, Any]:
    """Return a schedule with an adversarial objective."""
    return {**schedule, "objective": {"kind": "adversarial", "loss": loss, "gradient_penalty": penalty, "instance_noise": noise}}


def elbo(schedule: dict[str, Any], **choices: Any) -> dict[str, Any]:
    """Return a schedule whose -ELBO has these choices."""
    return {**schedule, "objective": {**ELBO, **choices}}


def weighted(kl_weight: float) -> dict[str, Any]:
    return elbo(SHORT, kl_weight=kl_weight)


# From the reports: report, data set, model, training, epochs of the figures' snapshots.
BEGINNING = {"epochs": 3, "snapshot_steps": [0, 1, 3, 10, 30, 100, 300, 1000, 2000]}

EXPECTED: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], set[int]]] = {
    "uva3-vae-z20-mnist": ("uva3", "mnist", vae(mlp(500), 20), UVA3, {0, 1, 25, 40}),
    "uva3-vae-z2-mnist": ("uva3", "mnist", vae(mlp(500), 2), UVA3, {40}),
    "uva3-vae-z20-bmnist": ("uva3", "binarized_mnist", vae(mlp(500), 20), UVA3, {0, 1, 25, 40}),
    "uva3-realnvp-mnist": (
        *("uva3", "mnist", {"family": "flow", "alpha": 1e-5, "flow": PIXEL_FLOW}),
        *({**UVA3, "objective": {"kind": "nll"}, "clip_norm": 1.0}, set()),
    ),
    "lab1-vae-mnist": ("lab1", "mnist", vae(mlp(400), 20), LAB1, {50}),
    "lab1-vae-z2-mnist": ("lab1", "mnist", vae(mlp(400), 2), LAB1, {50}),
    "lab1-vae-gauss-mnist": ("lab1", "mnist", vae(mlp(400), 20, UNIT_GAUSSIAN), LAB1, set()),
    "lab1-bernvae-mnist": ("lab1", "mnist", vae(mlp(400), 20, latent="bernoulli"), {**LAB1, "objective": SCORE_FUNCTION}, set()),
    "lab1-aegmm-mnist": ("lab1", "mnist", AUTOENCODER, {**LAB1, "objective": {"kind": "reconstruction"}}, set()),
    "lab1-classifier-mnist": ("lab1", "mnist", CLASSIFIER, schedule(0.001, 100, 20, {"kind": "cross_entropy"}), set()),
    "vu4a-vae-mnist": ("vu4a", "mnist", vae(mlp(300), 16), VU4A, {0, 25, 50}),
    "vu4a-vae-svhn": ("vu4a", "svhn", vae(mlp(300), 16), VU4A, {0, 25, 50}),
    "vu4a-vae-mnist-gauss": ("vu4a", "mnist", vae(mlp(300), 16, UNIT_GAUSSIAN), VU4A, {50}),
    "vu4a-vae-svhn-gauss": ("vu4a", "svhn", vae(mlp(300), 16, UNIT_GAUSSIAN), VU4A, {50}),
    **{
        f"vu4a-flowvae-{name}": ("vu4a", name, vae(mlp([300, 300], LEAKY), 100, prior=FLOW_PRIOR), VU4A_FLOW, {1, 25, 50})
        for name in ("mnist", "svhn")
    },
    "vu4a-flowvae-mnist-logdet-times-d": (
        *("vu4a", "mnist", vae(mlp([300, 300], LEAKY), 100, prior=FLOW_PRIOR)),
        *({**VU4A_FLOW, "objective": {**ELBO, "log_det_times_dim": True}}, set()),
    ),
    **{f"ext-vae-matched-{name}": ("vu4a", name, vae(mlp([300, 300], LEAKY), 100), VU4A_FLOW, set()) for name in ("mnist", "svhn")},
    "ai3611-vae-z1-mnist": ("ai3611", "mnist", vae(AI3611, 1), LONG, {100}),
    "ai3611-vae-z2-mnist": ("ai3611", "mnist", vae(AI3611, 2), LONG, {100}),
    "ai3611-vae-z20-mnist": ("ai3611", "mnist", vae(AI3611, 20), SHORT, set()),
    "ai3611-bernvae-mnist": ("ai3611", "mnist", vae(AI3611, 20, latent="bernoulli"), {**SHORT, "objective": SCORE_FUNCTION}, set()),
    "ai3611-vae-z1-noise-mnist": (*("ai3611", "mnist", vae(AI3611, 1), {**SHORT, "noise": {"scale": 0.001, "targets": "noisy"}}, set()),),
    "ai3611-vae-z1-noise01-mnist": ("ai3611", "mnist", vae(AI3611, 1), {**SHORT, "noise": {"scale": 0.1, "targets": "clean"}}, set()),
    "ai3611-vae-z1-kl01-mnist": ("ai3611", "mnist", vae(AI3611, 1), weighted(0.1), set()),
    "ai3611-vae-z1-kl05-mnist": ("ai3611", "mnist", vae(AI3611, 1), weighted(0.5), set()),
    "ai3611-vae-z1-kl2-mnist": ("ai3611", "mnist", vae(AI3611, 1), weighted(2.0), set()),
    "ai3611-vae-z1-kl10-mnist": ("ai3611", "mnist", vae(AI3611, 1), weighted(10.0), set()),
    "davari-vae-deconv-celeba": ("davari", "celeba", vae(dcgan(kernel(4)), 100), DAVARI, {200}),
    "ext-vae-deconv-short-celeba": ("davari", "celeba", vae(dcgan(kernel(4)), 100), DAVARI, {200}),
    "davari-vae-deconv5-celeba": ("davari", "celeba", vae(dcgan(kernel(5)), 100), DAVARI, {200}),
    "davari-vae-nearest-celeba": ("davari", "celeba", vae(dcgan({"kind": "nearest"}), 100), DAVARI, {200}),
    "davari-vae-bilinear-celeba": ("davari", "celeba", vae(dcgan({"kind": "bilinear"}), 100), DAVARI, {200}),
    "davari-iwae5-deconv-celeba": ("davari", "celeba", vae(dcgan(kernel(4)), 100), {**DAVARI, "objective": IWAE_5}, {200}),
    **{
        f"vu4a-gan-{name}{ending}": ("vu4a", name, gan(128, NARROW, NARROW), against(VU4A_GAN, loss), {1, 25, 50})
        for name in ("mnist", "svhn")
        for ending, loss in (("", "saturating"), ("-nonsat", "non_saturating"))
    },
    "ext-gan-1ch-mnist": ("vu4a", "mnist", gan(128, NARROW, NARROW), against(VU4A_GAN, "saturating"), set()),
    "ext-dcgan-svhn": ("vu4a", "svhn", gan(100, DCGAN, DCGAN_DISCRIMINATOR), against(VU4A_GAN, "non_saturating"), set()),
    "uva3-gan-mnist": ("uva3", "mnist", gan(100, WIDE, NARROW), against(UVA3_GAN, "non_saturating"), set()),
    "uva3-gan-mnist-early": ("uva3", "mnist", gan(100, WIDE, NARROW), against({**UVA3_GAN, **BEGINNING}, "non_saturating"), set()),
    "ext-wgangp-mnist": ("uva3", "mnist", gan(100, WIDE, NARROW, output="score"), against(UVA3_GAN, "wasserstein", penalty=10.0), set()),
    "ext-gan-noise-mnist": ("uva3", "mnist", gan(100, WIDE, NARROW), against(UVA3_GAN, "non_saturating", noise=0.1), set()),
    "ext-gan-dropout-mnist": ("uva3", "mnist", gan(100, WIDE, NARROW, dropout=0.3), against(UVA3_GAN, "non_saturating"), set()),
    **{f"ext-vae-svhn1083{ending}": ("vu4a", "svhn_colour", vae(mlp(300), 16), COLOUR_SVHN, set()) for ending in ("", "-luminance")},
    **{f"ext-vae-celeba32{ending}": ("vu4a", "celeba32", vae(mlp(300), 16), COLOUR_CELEBA, set()) for ending in ("", "-luminance")},
    "ref-vae-bmnist": ("burda", "binarized_mnist", vae(mlp([200, 200], "tanh"), 50), BURDA, set()),
    "ref-iwae5-bmnist": ("burda", "binarized_mnist", vae(mlp([200, 200], "tanh"), 50), {**BURDA, "objective": IWAE_5}, set()),
    "ref-iwae50-bmnist": (
        "burda",
        "binarized_mnist",
        vae(mlp([200, 200], "tanh"), 50),
        {**BURDA, "objective": {**IWAE_5, "samples": 50}},
        set(),
    ),
    "ref-vae-warmup-bmnist": ("burda", "binarized_mnist", vae(mlp([200, 200], "tanh"), 50), elbo(BURDA, warm_up_epochs=12), set()),
    "ref-pythae-vae-bmnist": (
        *("burda", "binarized_mnist", vae(mlp(400), 40)),
        *(schedule(1e-4, 100, 500, learning_rate_drops={"epochs": [200, 350], "factor": 0.631}), set()),
    ),
    "uva3-gan-mnist-saturating": (
        *("uva3", "mnist", gan(100, {**WIDE, "norm_place": "after_activation"}, NARROW)),
        *(against(UVA3_GAN, "saturating"), set()),
    ),
    "uva3-gan-mnist-saturating-early": (
        *("uva3", "mnist", gan(100, {**WIDE, "norm_place": "after_activation"}, NARROW)),
        *(against({**UVA3_GAN, **BEGINNING}, "saturating"), set()),
    ),
    "vu4a-gan-mnist-unit-range": (
        *("vu4a", "mnist", {**gan(128, NARROW, NARROW), "real_range": "unit"}),
        *(against(VU4A_GAN, "saturating"), {1, 25, 50}),
    ),
    "ext-gan-1ch-500-mnist": ("vu4a", "mnist", gan(128, NARROW, NARROW), against({**VU4A_GAN, "epochs": 500}, "saturating"), set()),
    **{
        f"ext-gan-rate{name}-mnist": (
            *("uva3", "mnist", gan(100, WIDE, NARROW)),
            against(schedule(rate, 64, 15, betas=[0.5, 0.999], on_non_finite="stop"), "non_saturating"),
            set(),
        )
        for name, rate in (("1e4", 1e-4), ("3e4", 3e-4), ("1e3", 1e-3), ("3e3", 3e-3), ("1e2", 1e-2))
    },
    **{
        f"ext-flow-{name}-mnist": (
            *("uva3", "mnist", {"family": "flow", "alpha": 1e-5, "flow": SMALL_FLOW, "dequantisation": noise}),
            *(schedule(0.001, 128, 20, {"kind": "nll"}, clip_norm=1.0, on_non_finite="stop"), set()),
        )
        for name, noise in (("nodeq", {"kind": "none"}), ("uniform", {"kind": "uniform"}), ("learned", LEARNED_NOISE))
    },
    # The audit's variants: a report's other reading, or a conjecture of its text.
    "lab1-vae-bmnist": ("lab1", "binarized_mnist", vae(mlp(400), 20), LAB1, {50}),
    "lab1-bernvae-bmnist": ("lab1", "binarized_mnist", vae(mlp(400), 20, latent="bernoulli"), {**LAB1, "objective": SCORE_FUNCTION}, set()),
    "vu4a-flowvae-mnist-gauss": ("vu4a", "mnist", vae(mlp([300, 300], LEAKY), 100, UNIT_GAUSSIAN, FLOW_PRIOR), VU4A_FLOW, {1, 25, 50}),
    # 16 latents, 784 pixels: a KL a pixel is 16 / 784 of a KL a latent.
    **{
        f"vu4a-vae-mnist-mse{name}": (
            *("vu4a", "mnist", vae(mlp(300), 16, UNIT_GAUSSIAN)),
            *({**VU4A, "objective": {"kind": "mean_squared_error", "kl_weight": weight}, "on_non_finite": end}, {50}),
        )
        # Without a KL nothing keeps the variances from 0.
        for name, weight, end in (("", 1.0, "error"), ("-kl-a-pixel", 0.020408163265306, "error"), ("-without-kl", 0.0, "stop"))
    },
    "ai3611-bernvae-mnist-as-printed": (
        *("ai3611", "mnist", vae(AI3611, 20, latent="bernoulli")),
        *({**SHORT, "objective": {**SCORE_FUNCTION, "estimator": "as_printed", "decay": None}}, {30}),
    ),
    "ai3611-vae-z1-kl1-mnist": ("ai3611", "mnist", vae(AI3611, 1), SHORT, {30}),
    **{
        f"ext-vae-l{samples}-b{batch}-mnist": ("lab1", "mnist", vae(mlp(400), 20), elbo(schedule(0.001, batch, 20), samples=samples), {20})
        for samples in (1, 10)
        for batch in (16, 100)
    },
    "ext-vae-warmup-mnist": ("lab1", "mnist", vae(mlp(400), 20), elbo(TWENTY, warm_up_epochs=10), {20}),
    "ext-vae-freebits-mnist": ("lab1", "mnist", vae(mlp(400), 20), elbo(TWENTY, free_nats_per_latent=0.5), {20}),
    **{
        f"ext-vae-{name}-mnist": ("lab1", "mnist", vae(mlp(400), 20, likelihood), TWENTY, {20})
        for name, likelihood in (
            ("learned-scale", {"kind": "gaussian", "scale": 0.1, "learn_scale": True, "dequantised": True}),
            ("cbernoulli", {"kind": "continuous_bernoulli", "dequantised": True}),
            ("dlogistic", {"kind": "discretised_logistic", "scale": 0.1, "learn_scale": True}),
        )
    },
    **{
        f"ext-bernvae-{name}-mnist": ("lab1", "mnist", vae(mlp(400), 20, latent="bernoulli"), {**LAB1, "objective": objective}, set())
        for name, objective in (
            ("gumbel", {"kind": "gumbel_softmax", "temperature": 0.5}),
            ("loo", {**SCORE_FUNCTION, "estimator": "leave_one_out", "samples": 2}),
        )
    },
    **{
        f"ext-iwae{name}-mnist": (
            *("davari", "mnist", vae(mlp(400), 20)),
            *(schedule(0.001, 20, 20, {"kind": "iwae", "samples": samples, "gradient": gradient}), {20}),
        )
        for name, samples, gradient in (
            *((f"-k{samples}", samples, "normalised_weights") for samples in (1, 5, 50)),
            ("5-dreg", 5, "doubly_reparameterised"),
        )
    },
    **{
        f"ext-{name}{tag}-mnist": ("vu4a", "mnist", vae(mlp([300, 300], LEAKY), 100, prior=prior), schedule(rate, 64, epochs), {50, epochs})
        for name, prior in (("flowvae", FLOW_PRIOR), ("vae-matched", STANDARD))
        for tag, rate, epochs in (("-120", 1e-3, 120), ("-lr3e4", 3e-4, 50), ("-lr3e4-120", 3e-4, 120))
    },
    **{
        f"ext-vae-rate{name}-mnist": ("uva3", "mnist", vae(mlp(500), 20), schedule(rate, 128, 15, on_non_finite="stop"), {15})
        for name, rate in (("1e4", 1e-4), ("3e4", 3e-4), ("1e3", 1e-3), ("3e3", 3e-3), ("1e2", 1e-2))
    },
    "ext-vae-deep-decoder-mnist": (
        *("uva3", "mnist", vae({**mlp([300, 300], LEAKY), "decoder_hidden": [460] * 4}, 100)),
        *(VU4A_FLOW, {50}),
    ),
}
# MNIST for the flow prior and its twins is resized to 32x32, for vu4a's GANs repeated to three channels too.
RESIZED = {"vu4a-flowvae-mnist", "vu4a-flowvae-mnist-logdet-times-d", "vu4a-flowvae-mnist-gauss", "ext-vae-deep-decoder-mnist"}
RESIZED |= {name for name in EXPECTED if name.startswith(("ext-flowvae", "ext-vae-matched")) and EXPECTED[name][1] == "mnist"}
REPEATED = {"vu4a-gan-mnist", "vu4a-gan-mnist-nonsat", "vu4a-gan-mnist-unit-range"}
LIKELIHOODS = [name for name in EXPECTED if EXPECTED[name][2]["family"] != "gan"]
# The reports' own splits; uva3's GANs train on the validation images too.
TRAINED = {"mnist": 55_000, "binarized_mnist": 50_000, "svhn": 65_000, "svhn_colour": 799, "celeba": 10_000, "celeba32": 10_000}


def test_every_variant_of_these_reports_is_looked_at(params: Params) -> None:
    reports = {report for report, *_ in EXPECTED.values()}
    found = {name for group in params.variants.values() for name, variant in group.items() if variant.report in reports}
    assert found == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_variants_have_their_reports_settings(name: str, preset: str, resolved: Resolved) -> None:
    report, dataset, model, training, snapshots = EXPECTED[name]
    configs = {key: config.model_dump() for key, config in resolved(preset).items() if key.startswith(f"{name}.")}
    train, evaluate = configs[f"{name}.train.json"], configs[f"{name}.evaluate.json"]
    shown = resolved(preset)["report.json"].variants[name].model_dump()

    assert (shown["report"], shown["dataset"], train["dataset"]) == (report, dataset, dataset)
    assert train["model"] == MODEL.validate_python(model).model_dump()
    listed = Training.model_validate({**training, "snapshot_epochs": train["training"]["snapshot_epochs"]})
    assert train["training"] == listed.model_dump()
    assert snapshots <= set(train["training"]["snapshot_epochs"])
    assert (shown["model"], shown["training"]) == (train["model"], train["training"])
    assert evaluate["model"] == train["model"]
    size, channels = 32 if name in RESIZED | REPEATED else None, 3 if name in REPEATED else None
    prepared = {"luminance": name.endswith("-luminance"), "size": size, "channels": channels, "binarisation": None}
    assert evaluate["images"] == shown["images"] == train["images"] == prepared
    assert train["declared_images"] == (60_000 if listed.held_out == "test" else TRAINED[dataset])


def sorted_shapes(weights: dict[str, tuple[int, ...]], part: str) -> list[tuple[int, ...]]:
    return sorted(shape for key, shape in weights.items() if key.startswith(part) and len(shape) > 1)


def mirror(encoder: list[int], decoder: list[int]) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Return the weights (outputs, inputs) of linear layers of these sizes."""
    first, second = (sorted(zip(sizes[1:], sizes, strict=False)) for sizes in (encoder, decoder))
    return first, second


# The layers of the GANs: tests/models/test_gan.py.
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_layers_are_those_of_the_reports(name: str, resolved: Resolved) -> None:
    _, dataset, model, *_ = EXPECTED[name]
    config = resolved("paper")[f"{name}.train.json"]
    weights = {key: tuple(value.shape) for key, value in build(config.model, config.shape).named_parameters()}
    pixels, hidden = 32 * 32 if name in RESIZED else PIXELS[dataset], model.get("network", model).get("hidden")

    if "learn_gain" in model.get("flow", {}):
        coupling = [(256, 392), (256, 256), (784, 256)] * 4
        noise = [(256, 784), (2 * 784, 256)] if model["dequantisation"]["kind"] == "learned" else []
        assert (sorted_shapes(weights, "flow"), sorted_shapes(weights, "dequantisation")) == (sorted(coupling), sorted(noise))
        return
    if model["family"] == "flow":
        # 784 values in two colours of a checkerboard; one network gives log-scale and shift of the other 392.
        assert sorted_shapes(weights, "flow") == sorted([(1024, 392), (1024, 1024), (784, 1024)] * 8)
    elif model["family"] == "classifier":
        assert sorted_shapes(weights, "network") == sorted([(512, 784), (10, 512)])
    elif model["family"] == "autoencoder":
        assert (sorted_shapes(weights, "encoder"), sorted_shapes(weights, "decoder")) == mirror([784, 400, 2], [2, 400, 784])
    elif model["network"]["kind"] == "mlp":
        # Means and log-variances: vu4a's 784-300-32 and 16-300-784; a Bernoulli latent has one logit.
        dim, outputs = model["latent"]["dim"], 1 if model["latent"]["kind"] == "bernoulli" else 2
        decoder = model["network"].get("decoder_hidden") or hidden[::-1]
        expected = mirror([pixels, *hidden, outputs * dim], [dim, *decoder, pixels])
        assert (sorted_shapes(weights, "encoder"), sorted_shapes(weights, "decoder")) == expected
    # vu4a: two networks a coupling, three couplings, 50-300-300-50 (the erratum corrected).
    prior = [(300, 50), (300, 300), (50, 300)] * 6 if model.get("prior") == FLOW_PRIOR else []
    assert sorted_shapes(weights, "prior") == sorted(prior)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("ai3611")])
def test_convolutions_are_those_of_ai3611(name: str, resolved: Resolved) -> None:
    config = resolved("paper")[f"{name}.train.json"]
    weights = {key: tuple(value.shape) for key, value in build(config.model, config.shape).named_parameters()}
    dim, outputs = config.model.latent.dim, 1 if "bern" in name else 2

    # conv(1, 32, 4, 2, 1), conv(32, 64, 4, 2, 1): 28-14-7; linear to 256; the decoder its mirror (a transposed kernel has inputs first).
    assert sorted_shapes(weights, "encoder") == sorted([(32, 1, 4, 4), (64, 32, 4, 4), (256, 3136), (outputs * dim, 256)])
    assert sorted_shapes(weights, "decoder") == sorted([(256, dim), (3136, 256), (64, 32, 4, 4), (32, 1, 4, 4)])


@pytest.mark.parametrize(("name", "size"), [("deconv", 4), ("deconv5", 5), ("nearest", 3), ("bilinear", 3)])
def test_convolutions_are_those_of_davari(name: str, size: int, resolved: Resolved) -> None:
    config = resolved("paper")[f"davari-vae-{name}-celeba.train.json"]
    weights = {key: tuple(value.shape) for key, value in build(config.model, config.shape).named_parameters()}
    channels = [3, 32, 64, 128, 256]
    pairs = list(zip(channels[1:], channels, strict=False))

    # 64 halved four times is 4: 256 x 4 x 4 features.
    assert sorted_shapes(weights, "encoder") == sorted([*((after, before, 4, 4) for after, before in pairs), (200, 4096)])
    upsampled = [(deep, shallow) if size > 3 else (shallow, deep) for deep, shallow in pairs]
    assert sorted_shapes(weights, "decoder") == sorted([*((*pair, size, size) for pair in upsampled), (4096, 100)])


def test_the_deep_decoder_has_as_many_weights_more_as_the_flow_prior_has(resolved: Resolved) -> None:
    def counted(name: str) -> int:
        config = resolved("paper")[f"{name}.train.json"]
        return sum(weights.numel() for weights in build(config.model, config.shape).parameters())

    assert counted("ext-vae-deep-decoder-mnist") == pytest.approx(counted("vu4a-flowvae-mnist"), rel=0.003)


def test_what_a_report_leaves_open_is_marked(params: Params) -> None:
    variants = {name: variant for group in params.variants.values() for name, variant in group.items()}

    def assumed(name: str, key: str) -> bool:
        return any(key == entry or key.startswith(f"{entry}.") for entry in variants[name].assumed)

    for name, (report, *_) in EXPECTED.items():
        if name.startswith(("uva3-vae", "lab1-", "vu4a-vae")):
            # vu4a prints optimiser, rate, batch and epochs; lab1 prints nothing; uva3 its epochs. Sizes of vu4a's layers are printed.
            assert report != "vu4a" or not assumed(name, "model.latent.dim")
            assert [assumed(name, f"training.{key}") for key in ("optimizer", "learning_rate", "batch_size", "epochs")] == {
                "vu4a": [False] * 4,
                "lab1": [True] * 4,
                "uva3": [True] * 3 + [False],
            }[report]
    assert assumed("uva3-vae-z20-mnist", "model.latent.dim") and not assumed("uva3-vae-z2-mnist", "model.latent.dim")
    assert assumed("vu4a-vae-mnist", "model.likelihood") and not assumed("vu4a-vae-mnist-gauss", "model.likelihood")
    # The report runs no flow; davari gives no sizes; of the classifier all but the width is printed.
    assert assumed("uva3-realnvp-mnist", "model.flow.couplings") and assumed("uva3-realnvp-mnist", "training.epochs")
    assert assumed("davari-vae-deconv-celeba", "model.network.channels") and not assumed("davari-vae-deconv-celeba", "training.betas")
    # What is compared is the report's own choice.
    assert not any(assumed(name, "model.network.upsampling.kind") for name in EXPECTED if name.startswith("davari"))
    assert assumed("lab1-classifier-mnist", "model.network.hidden")
    assert not any(assumed("lab1-classifier-mnist", key) for key in ("model.network.activation", "model.dropout"))
