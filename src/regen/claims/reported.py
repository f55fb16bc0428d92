"""Numbers that a source report prints, and the readings of this reproduction that they can be held against."""

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from regen.claims.study import read_entries
from regen.config.base import Config, Name, parse

__all__ = ["Reading", "Reported", "read_reported"]


class Reading(Config):
    """One way to read a reported number off the results.

    `of` names values, or values and the factors that they are summed with: columns of history.csv (`at`: the report's epoch, `min` or
    `last`), means over a split in details.json (`split`), or scalars of metrics.json (neither). `plus` is added; `per` divides by what an
    image has, in nats or bits. `without_one_over_k` leaves the 1/K out of an importance-sampled likelihood, as davari prints it;
    `most_samples` carries -log p(x) to the most samples that were drawn of any images.
    """

    label: str
    variant: Name
    of: Annotated[dict[str, float], Field(min_length=1), BeforeValidator(lambda of: {of: 1.0} if isinstance(of, str) else of)]
    at: Annotated[int, Field(ge=1)] | Literal["min", "last"] | None = None
    split: Literal["train", "validation", "test"] | None = None
    plus: float = 0.0
    per: Literal["dimension", "bits per dimension", "bits per position"] | None = None
    without_one_over_k: bool = False
    most_samples: bool = False

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.at is not None and self.split is not None:
            raise ValueError("allowed: 'at', 'split' or neither")
        if self.without_one_over_k and (self.at is not None or self.split is not None):
            raise ValueError("allowed with 'without_one_over_k': neither 'at' nor 'split'")
        if self.most_samples and (self.at is not None or self.split is not None or self.without_one_over_k or set(self.of) != {"nll_nats"}):
            raise ValueError("allowed with 'most_samples': of 'nll_nats' alone")
        return self

    def value(self, row: dict[str, float]) -> float:
        """Return the sum of a row's values by name."""
        return sum((factor * row[name] for name, factor in self.of.items()), self.plus)

    def parts(self, shape: list[int]) -> float:
        """Return what a value of an image of shape (C, H, W) is divided by."""
        channels, height, width = shape
        match self.per:
            case "dimension":
                return channels * height * width
            case "bits per dimension":
                return channels * height * width * math.log(2)
            case "bits per position":
                return height * width * math.log(2)
            case None:
                return 1


class Reported(Config):
    """A number as a source report prints it."""

    quantity: str
    unit: str
    value: float
    readings: list[Reading]


class _Ledger(Config):
    reported: list[Reported]


def read_reported(folder: Path) -> list[Reported]:
    """Return the numbers that a report prints.

    Raises
    ------
    UserError
        If reported.yaml is malformed.
    """
    file = folder / "reported.yaml"
    return parse(_Ledger, {"reported": read_entries(file)}, str(file)).reported
