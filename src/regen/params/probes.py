"""The probes of params.yaml: which variants each looks at, and its sizes in every preset."""

from collections.abc import Collection
from typing import Generic, TypeVar

from regen.config.base import Config, Name
from regen.config.probes import (
    CodeFit,
    EarlyGradients,
    EstimatorVariance,
    LinearProbe,
    Midpoints,
    PriorCost,
    Reshape,
    SingleLatents,
)

__all__ = ["Probe", "Probes"]

Sizes = TypeVar("Sizes", bound=Config)


class Probe(Config, Generic[Sizes]):
    """The variants that a probe looks at, in its order, and a preset's settings."""

    variants: list[Name]
    presets: dict[Name, Sizes]


class Probes(Config):
    """Every probe that there is; one that is not named is not configured."""

    linear_probe: Probe[LinearProbe] | None = None
    code_fit: Probe[CodeFit] | None = None
    estimator_variance: Probe[EstimatorVariance] | None = None
    early_gradients: Probe[EarlyGradients] | None = None
    prior_cost: Probe[PriorCost] | None = None
    reshape: Probe[Reshape] | None = None
    midpoints: Probe[Midpoints] | None = None
    single_latents: Probe[SingleLatents] | None = None

    def named(self) -> dict[str, Probe]:
        """Return the probes that are configured, by name."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: probe for name, probe in found.items() if probe is not None}

    def check(self, variants: Collection[str], presets: Collection[str]) -> None:
        """Refuse variants that do not exist and presets without settings.

        Raises
        ------
        ValueError
            Key, value and what is allowed.
        """
        for name, probe in self.named().items():
            if unknown := [variant for variant in probe.variants if variant not in variants]:
                raise ValueError(f"probes.{name}.variants: unknown variant '{unknown[0]}'; allowed: names under 'variants'")
            if set(probe.presets) != set(presets):
                raise ValueError(f"probes.{name}.presets = {sorted(probe.presets)}: allowed: settings for each of {', '.join(presets)}")
