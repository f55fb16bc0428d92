"""A variant's configuration in one line, as the reports write it."""

import math
from collections.abc import Callable
from typing import Any

from regen.params.schema import ReportedVariant

__all__ = ["settings_line"]


def settings_line(variant: ReportedVariant) -> str:
    """Return model, objective and schedule of a variant."""
    model = variant.model
    parts = [*FAMILIES[model.family](model, variant.shape), *_objective(variant.training.objective), *_images(variant), _schedule(variant)]
    return "; ".join(part for part in parts if part)


def _network(network: Any, shape: list[int], codes: int) -> str:
    hidden = "-".join(map(str, network.hidden))
    if network.kind == "mlp":
        decoder = f"{codes}-{'-'.join(map(str, network.decoder_sizes()))}-{math.prod(shape)}" if network.decoder_hidden else "its mirror"
        return f"mlp {math.prod(shape)}-{hidden}-{codes} and {decoder}, {network.activation}{_norm(network)}"
    layers = f"{'-'.join(map(str, [shape[0], *network.channels]))} channels{f', then {hidden}' if hidden else ''}"
    out = "1 code" if codes == 1 else f"{codes} codes"
    upsampling = f"{network.upsampling.kind} upsampling"
    if network.upsampling.kind == "transposed":
        upsampling = f"{network.upsampling.kernel}x{network.upsampling.kernel} transposed convolutions"
    same = network.activation == network.decoder_activation
    activation = network.activation if same else f"{network.activation}, decoder {network.decoder_activation}"
    return f"conv {layers}, {out} and its mirror with {upsampling}{_norm(network)}, {activation}"


def _norm(network: Any) -> str:
    if not network.batch_norm:
        return ""
    place = " behind it" if getattr(network, "norm_place", "before_activation") == "after_activation" else ""
    return f", batch normalisation{place}" + ("" if getattr(network, "first_norm", True) else " but behind the first")


def _likelihood(likelihood: Any) -> str:
    name = likelihood.kind.replace("_", " ")
    scale, dequantised = "", ", dequantised" if getattr(likelihood, "dequantised", False) else ""
    if hasattr(likelihood, "scale"):
        scale = f", scale {'learned from ' if likelihood.learn_scale else ''}{likelihood.scale:g}"
    return f"{name} likelihood{scale}{dequantised}"


def _realnvp(flow: Any) -> str:
    networks = "one network a coupling" if flow.networks == "one" else "two networks a coupling"
    gain = ", gain learned" if flow.learn_gain else ""
    return f"RealNVP, {flow.couplings} couplings, {networks}, {'-'.join(map(str, flow.hidden))} {flow.activation}{gain}"


def _vae(model: Any, shape: list[int]) -> list[str]:
    latent = "" if model.latent.kind == "gaussian" else f"{model.latent.kind} latents"
    prior = "" if model.prior.kind == "standard" else f"prior {_realnvp(model.prior)}"
    return [_network(model.network, shape, model.latent.dim), latent, prior, _likelihood(model.likelihood)]


def _flow(model: Any, shape: list[int]) -> list[str]:
    noise = model.dequantisation
    words = {"none": "no dequantisation", "uniform": "uniform dequantisation", "learned": "learned dequantisation"}[noise.kind]
    hidden = f" ({'-'.join(map(str, noise.hidden))} {noise.activation})" if noise.kind == "learned" else ""
    return [f"{words}{hidden}, logit with alpha {model.alpha:g}", f"{_realnvp(model.flow)}, in checkerboard order"]


def _autoencoder(model: Any, shape: list[int]) -> list[str]:
    return [_network(model.network, shape, model.latent_dim), _likelihood(model.likelihood), f"mixture of {model.components} Gaussians"]


def _encoder(network: Any, shape: list[int], out: int) -> str:
    if network.kind == "mlp":
        return f"mlp {'-'.join(map(str, [math.prod(shape), *network.hidden, out]))}, {network.activation}{_norm(network)}"
    hidden = f", then {'-'.join(map(str, network.hidden))}" if network.hidden else ""
    return f"conv {'-'.join(map(str, [shape[0], *network.channels]))} channels{hidden}, {out} out, {network.activation}{_norm(network)}"


def _generator(network: Any, shape: list[int], latents: int) -> str:
    if network.kind == "mlp":
        sizes = "-".join(map(str, [latents, *network.decoder_sizes(), math.prod(shape)]))
        return f"mlp {sizes}, {network.activation}{_norm(network)}, tanh"
    hidden = f", then {'-'.join(map(str, reversed(network.hidden)))}" if network.hidden else ""
    channels = "-".join(map(str, [*reversed(network.channels), shape[0]]))
    kernel = f"{network.upsampling.kernel}x{network.upsampling.kernel} " if network.upsampling.kind == "transposed" else ""
    upsampling = f"{kernel}{network.upsampling.kind}"
    return f"{latents} latents{hidden}, conv {channels} channels, {upsampling}, {network.decoder_activation}{_norm(network)}, tanh"


def _gan(model: Any, shape: list[int]) -> list[str]:
    dropout = f", dropout {model.dropout:g}" if model.dropout else ""
    judge = "discriminator" if model.output == "probability" else "critic"
    return [
        f"generator {_generator(model.generator, shape, model.latent_dim)}",
        f"{judge} {_encoder(model.discriminator, shape, 1)}{dropout}",
        "" if model.real_range == "symmetric" else "real images in [0, 1]",
    ]


def _classifier(model: Any, shape: list[int]) -> list[str]:
    return [f"{_encoder(model.network, shape, model.classes)}, dropout {model.dropout:g}"]


FAMILIES: dict[str, Callable[[Any, list[int]], list[str]]] = {
    "vae": _vae,
    "flow": _flow,
    "autoencoder": _autoencoder,
    "gan": _gan,
    "classifier": _classifier,
}


def _objective(objective: Any) -> list[str]:
    """Describe what is minimised where the family does not say it."""
    match objective.kind:
        case "elbo":
            return [
                "" if objective.samples == 1 else f"{objective.samples} samples of q an image",
                "" if objective.kl_weight == 1 else f"KL weight {objective.kl_weight:g}",
                "" if objective.warm_up_epochs is None else f"KL weight rising from 0 over {objective.warm_up_epochs} epochs",
                "" if objective.free_nats_per_latent is None else f"free bits, {objective.free_nats_per_latent:g} nats per latent",
                "log-determinant counted once a latent (a fault, on purpose)" if objective.log_det_times_dim else "",
            ]
        case "iwae":
            samples = f"{objective.samples} sample{'s' * (objective.samples != 1)}"
            return [f"IWAE bound, {samples}, gradient: {objective.gradient.replace('_', ' ')}"]
        case "mean_squared_error":
            weight = "" if objective.kl_weight == 1 else f"{objective.kl_weight:g} times "
            return [f"squared error a pixel + {weight}KL a latent"]
        case "gumbel_softmax":
            return [f"Gumbel-softmax, temperature {objective.temperature:g}"]
        case "score_function":
            samples = "" if objective.samples == 1 else f" of {objective.samples} samples"
            decay = ", average of all earlier steps" if objective.decay is None else f", decay {objective.decay:g}"
            decay = "" if objective.decay == _default(objective, "decay") else decay
            return [f"score-function gradient, {objective.estimator.replace('_', ' ')}{samples}{decay}"]
        case "adversarial":
            penalty = "" if objective.gradient_penalty is None else f", gradient penalty {objective.gradient_penalty:g}"
            return [
                f"{objective.loss.replace('_', '-')} loss{penalty}",
                "" if objective.instance_noise is None else f"instance noise of {objective.instance_noise:g}",
            ]
        case _:
            return []


def _schedule(variant: ReportedVariant) -> str:
    """Describe the optimiser, as far as it is not the usual one, and how long it runs."""
    training, limit, drops = variant.training, variant.max_steps, variant.training.learning_rate_drops
    parts = [
        f"{training.optimizer} {training.learning_rate:g}",
        "" if drops is None else f"times {drops.factor:g} after epochs {' and '.join(map(str, drops.epochs))}",
        "" if training.betas == _default(training, "betas") else f"betas {training.betas[0]:g} and {training.betas[1]:g}",
        "" if training.epsilon == _default(training, "epsilon") else f"epsilon {training.epsilon:g}",
        f"batch {training.batch_size}",
        f"{training.epochs} epochs"
        + ("" if training.learning_rate_stages is None else f" in {training.learning_rate_stages} stages of falling rate")
        + ("" if limit is None else f", cut to at most {limit:,} steps"),
        "" if training.held_out == "validation" else "the validation images trained on too",
        "" if training.clip_norm is None else f"gradient norm at most {training.clip_norm:g}",
        "" if training.on_non_finite == "error" else "ends where a number is not finite",
    ]
    return ", ".join(part for part in parts if part)


def _default(section: Any, key: str) -> Any:
    return type(section).model_fields[key].default


def _images(variant: ReportedVariant) -> list[str]:
    """Describe what is done to the images."""
    images, noise = variant.images, variant.training.noise
    return [
        "luminance alone, in all channels" if images.luminance else "",
        "" if images.size is None else f"images resized to {images.size}x{images.size}",
        "" if images.channels is None else f"repeated to {images.channels} channels",
        "" if images.binarisation is None else f"images binarised ({images.binarisation.replace('_', ' ')})",
        "" if noise is None else f"white noise of {noise.scale:g} on the input, {noise.targets} targets",
    ]
