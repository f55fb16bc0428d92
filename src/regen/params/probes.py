"""The probes of params.yaml: which variants each looks at, and its sizes in every preset."""

from collections.abc import Callable, Collection, Mapping
from typing import Generic, NamedTuple, TypeVar

from regen.config.base import Config, Name
from regen.config.model import AutoEncoder, Conv, Gan, Model, Vae
from regen.config.probes import (
    CodeFit,
    EarlyGradients,
    EstimatorVariance,
    FineTuning,
    GradientVariance,
    LinearProbe,
    Midpoints,
    PriorCost,
    Reshape,
    SingleLatents,
    Upsamplings,
)

__all__ = ["Probe", "Probes"]

Sizes = TypeVar("Sizes", bound=Config)


class Needs(NamedTuple):
    """How many variants a probe looks at, which ones it can look at, and these in words."""

    variants: int
    fits: Callable[[Model], bool]
    what: str


def _vae(model: Model) -> bool:
    return isinstance(model, Vae)


def _gaussian(model: Model) -> bool:
    return isinstance(model, Vae) and model.latent.kind == "gaussian"


NEEDS = {
    "linear_probe": Needs(1, _vae, "a VAE"),
    "fine_tuning": Needs(1, _vae, "a VAE"),
    "code_fit": Needs(1, lambda model: isinstance(model, AutoEncoder), "an auto-encoder"),
    "estimator_variance": Needs(1, lambda model: _vae(model) and not _gaussian(model), "a VAE with Bernoulli latents"),
    "gradient_variance": Needs(1, _gaussian, "a VAE with Gaussian latents"),
    "early_gradients": Needs(1, lambda model: isinstance(model, Gan) and model.output == "probability", "a GAN with probabilities"),
    "prior_cost": Needs(0, lambda model: False, "no variant"),
    "reshape": Needs(1, lambda model: isinstance(model, Gan), "a GAN"),
    "midpoints": Needs(2, _vae, "a VAE"),
    "single_latents": Needs(1, _gaussian, "a VAE with Gaussian latents"),
    "upsamplings": Needs(3, lambda model: isinstance(model, Vae) and isinstance(model.network, Conv), "a convolutional VAE"),
}


class Probe(Config, Generic[Sizes]):
    """The variants that a probe looks at, in its order, and a preset's settings."""

    variants: list[Name]
    presets: dict[Name, Sizes]


class Probes(Config):
    """Every probe that there is; one that is not named is not configured."""

    linear_probe: Probe[LinearProbe] | None = None
    fine_tuning: Probe[FineTuning] | None = None
    code_fit: Probe[CodeFit] | None = None
    estimator_variance: Probe[EstimatorVariance] | None = None
    gradient_variance: Probe[GradientVariance] | None = None
    early_gradients: Probe[EarlyGradients] | None = None
    prior_cost: Probe[PriorCost] | None = None
    reshape: Probe[Reshape] | None = None
    midpoints: Probe[Midpoints] | None = None
    single_latents: Probe[SingleLatents] | None = None
    upsamplings: Probe[Upsamplings] | None = None

    def named(self) -> dict[str, Probe]:
        """Return the probes that are configured, by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: probe for name, probe in found.items() if probe is not None}

    def check(self, variants: Mapping[str, Model], presets: Collection[str]) -> None:
        """Refuse variants that do not exist or that a probe can say nothing of, and presets without settings.

        Raises
        ------
        ValueError
            Key, value and what is allowed.
        """
        for name, probe in self.named().items():
            if unknown := [variant for variant in probe.variants if variant not in variants]:
                raise ValueError(f"probes.{name}.variants: unknown variant '{unknown[0]}'; allowed: names under 'variants'")
            needs = NEEDS[name]
            if len(probe.variants) != needs.variants:
                raise ValueError(f"probes.{name}.variants = {probe.variants}: allowed: {needs.variants} of them, each {needs.what}")
            if wrong := [variant for variant in probe.variants if not needs.fits(variants[variant])]:
                raise ValueError(f"probes.{name}.variants: '{wrong[0]}' is of family '{variants[wrong[0]].family}'; allowed: {needs.what}")
            if set(probe.presets) != set(presets):
                raise ValueError(f"probes.{name}.presets = {sorted(probe.presets)}: allowed: settings for each of {', '.join(presets)}")
