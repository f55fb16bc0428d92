"""What things are called for a reader: data, families, abbreviations, and numbers with the digits that their uncertainty leaves."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from regen.params.schema import ReportedVariant

__all__ = ["ABBREVIATIONS", "DATASETS", "counted", "data_label", "duration", "explained", "family_label", "rounded", "size_label", "spread"]

DATASETS = {
    "mnist": "MNIST",
    "binarized_mnist": "binarised MNIST",
    "svhn": "SVHN",
    "svhn_colour": "SVHN in colour",
    "celeba": "CelebA",
    "celeba32": "CelebA",
}
SOURCES = {"official": "", "grey": " (grey crops)", "subset": " (subset)", "stand-in": " (stand-in)"}
FAMILIES = {"vae": "VAE", "flow": "flow", "autoencoder": "auto-encoder", "gan": "GAN", "classifier": "classifier"}

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

ABBREVIATIONS = {
    "VAE": "variational auto-encoder",
    "IWAE": "importance-weighted auto-encoder",
    "GAN": "generative adversarial network",
    "DCGAN": "deep convolutional generative adversarial network",
    "ELBO": "evidence lower bound on log p(x)",
    "KL": "Kullback-Leibler divergence",
    "MLP": "multi-layer perceptron",
    "RealNVP": "real-valued non-volume-preserving flow",
    "AIS": "annealed importance sampling",
    "nats": "unit of information with the natural logarithm: 1 nat is 1.44 bits",
}
"""Explained in a tooltip at their first use in a block of text."""


def counted(number: int) -> str:
    """Return a number as a word, from eleven on in digits."""
    return WORDS[number] if number < len(WORDS) else str(number)


def explained(text: str) -> Markup:
    """Return text as HTML in which each abbreviation has its tooltip once."""
    words = str(Markup.escape(text)).split(" ")
    seen: set[str] = set()
    for index, word in enumerate(words):
        bare = word.strip(".,;:()'").removesuffix("s") if word.strip(".,;:()'") not in ABBREVIATIONS else word.strip(".,;:()'")
        bare = bare.removeprefix("-").split("'")[0].split("&#39;")[0]
        if bare in ABBREVIATIONS and bare not in seen:
            seen.add(bare)
            words[index] = word.replace(bare, f'<abbr title="{ABBREVIATIONS[bare]}">{bare}</abbr>', 1)
    return Markup(" ".join(words))


def family_label(variant: ReportedVariant) -> str:
    """Name the family of a variant's model."""
    return FAMILIES[variant.model.family]


def data_label(variant: ReportedVariant) -> str:
    """Name a variant's data set and where its images are from."""
    return DATASETS.get(variant.dataset, variant.dataset) + SOURCES.get(variant.data_source, "")


def size_label(variant: ReportedVariant) -> str:
    """Name the size of a variant's images."""
    return f"{variant.shape[-2]}×{variant.shape[-1]}"


def rounded(value: float, error: float) -> str:
    """Write a number to the first digit of its error, and one more where that digit is 1, with three decimals at most.

    What three decimals do not show has two significant digits, below 0.0001 times a power of ten.
    """
    if not math.isfinite(value):
        return "not finite"
    small = 0 < abs(value) < 0.01
    if not error > 0:
        return _small(value) if small else f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
    leading = math.floor(math.log10(error))
    digits = -leading + (error / 10**leading < 2)
    if small and digits > 3:
        return _small(value)
    return f"{round(value, digits) + 0.0:,.{min(max(digits, 0), 3)}f}"


def _small(value: float) -> str:
    """Write a number with two significant digits, below 0.0001 times a power of ten."""
    if abs(value) >= 1e-4:
        return f"{value:.2g}"
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}×10{str(int(power)).translate(SUPERSCRIPTS)}"


def spread(values: Sequence[float]) -> tuple[str, str]:
    """Return the mean of several seeds with as many digits as they agree in, and their range; of one seed no range."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return (f"{mean:,.0f}" if abs(mean) >= 10 else f"{mean:.2g}"), ""
    error = max(values) - min(values)
    return rounded(mean, error / 2), f"{rounded(min(values), error / 2)} to {rounded(max(values), error / 2)}"


def duration(seconds: float) -> str:
    """Write a time as minutes or hours."""
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
