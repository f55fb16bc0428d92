"""What the literature printed, and the variants that stand beside it."""

from functools import cache
from importlib.resources import files
from typing import Self

import yaml
from pydantic import model_validator

from regen.config.base import Config, Name, Positive, PositiveFloat, parse

__all__ = ["QUANTITIES", "Published", "read_published"]

QUANTITIES = {"nll_nats": "-log p(x) (nats)", "bits_per_dim": "bits per dimension", "neg_elbo_nats": "-ELBO (nats)"}
"""What may be published, by its name in metrics.json."""


class Counterpart(Config):
    """The variant nearest to a published model; `epochs` of theirs if another number, and what else differs."""

    variant: Name
    epochs: Positive | None = None
    differs: str


class Published(Config):
    """One number from the literature, a likelihood or -ELBO, with its protocol and where it was read."""

    dataset: Name
    model: str
    nll_nats: PositiveFloat | None = None
    bits_per_dim: PositiveFloat | None = None
    neg_elbo_nats: PositiveFloat | None = None
    protocol: str
    source: str
    beside: Counterpart | None = None

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if [self.nll_nats, self.bits_per_dim, self.neg_elbo_nats].count(None) != 2:
            raise ValueError(f"{self.model}: expected one of {', '.join(QUANTITIES)}")
        return self

    @property
    def label(self) -> str:
        """What the number is, with its unit."""
        return QUANTITIES[self.quantity]

    @property
    def quantity(self) -> str:
        """Name of the number in metrics.json."""
        return next(name for name in QUANTITIES if getattr(self, name) is not None)

    @property
    def value(self) -> float:
        """The number, in the unit of its quantity."""
        number: float = getattr(self, self.quantity)
        return number


class _Literature(Config):
    published: list[Published]


@cache
def read_published() -> list[Published]:
    """Read published.yaml."""
    source = files("regen.report") / "published.yaml"
    return parse(_Literature, {"published": yaml.safe_load(source.read_text(encoding="utf-8"))}, "published.yaml").published
