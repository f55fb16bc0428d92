"""What a model may be: its family, and the independent choices within it."""

from typing import Annotated, Literal

from pydantic import Field

from regen.config.base import Config, Positive, PositiveFloat

__all__ = [
    "Activation",
    "AutoEncoder",
    "Bernoulli",
    "Bilinear",
    "Classifier",
    "ContinuousBernoulli",
    "Conv",
    "ConvEncoder",
    "DiscretisedLogistic",
    "Dropout",
    "Encoder",
    "Gan",
    "Gaussian",
    "Latent",
    "LearnedDequantisation",
    "Likelihood",
    "Mlp",
    "MlpEncoder",
    "Model",
    "Nearest",
    "Network",
    "NoDequantisation",
    "PixelFlow",
    "Prior",
    "RealNvp",
    "Regressor",
    "Standard",
    "Transposed",
    "UniformDequantisation",
    "Vae",
]

Activation = Literal["relu", "tanh", "leaky_relu_0.01", "leaky_relu_0.2"]
Hidden = Annotated[list[Positive], Field(min_length=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]


class MlpEncoder(Config):
    """Linear layers: sizes as an encoder runs them, from the image on. Batch normalisation stands before the activation or after it."""

    kind: Literal["mlp"]
    hidden: Hidden
    activation: Activation
    batch_norm: bool = False
    norm_place: Literal["before_activation", "after_activation"] = "before_activation"


class Mlp(MlpEncoder):
    """The same with a decoder or generator: its mirror, or layers of its own sizes, from the latents on."""

    decoder_hidden: Hidden | None = None

    def decoder_sizes(self) -> list[int]:
        """Return the sizes of the decoder's hidden layers, from the latents on."""
        return self.decoder_hidden or self.hidden[::-1]


class Transposed(Config):
    """Transposed convolution of stride 2 with a square kernel."""

    kind: Literal["transposed"]
    kernel: Annotated[int, Field(ge=2)]


class Nearest(Config):
    """Nearest-neighbour upsampling by 2, then a 3x3 convolution."""

    kind: Literal["nearest"]


class Bilinear(Config):
    """Bilinear upsampling by 2, then a 3x3 convolution."""

    kind: Literal["bilinear"]


class ConvEncoder(Config):
    """4x4 convolutions of stride 2, then linear layers; `first_norm: false` leaves the first convolution without normalisation."""

    kind: Literal["conv"]
    channels: Hidden
    hidden: list[Positive]
    activation: Activation
    batch_norm: bool
    first_norm: bool = True


class Conv(ConvEncoder):
    """The same with a mirror as decoder, its upsampling a choice."""

    decoder_activation: Activation
    upsampling: Annotated[Transposed | Nearest | Bilinear, Field(discriminator="kind")]


Encoder = Annotated[MlpEncoder | ConvEncoder, Field(discriminator="kind")]
Network = Annotated[Mlp | Conv, Field(discriminator="kind")]


class Latent(Config):
    """Posterior family q(z | x) and the number of latent dimensions."""

    kind: Literal["gaussian", "bernoulli"]
    dim: Positive


class Standard(Config):
    """N(0, I) for Gaussian latents, independent Bernoulli(1/2) for Bernoulli latents."""

    kind: Literal["standard"]


class RealNvp(Config):
    """Couplings, each followed by a reversal; log-scale and shift from one network a coupling or from one each.

    One coupling alone would leave half of the values as they are. A log-scale is bounded by 1, or by a gain a dimension that is learned.
    """

    kind: Literal["realnvp"]
    couplings: Annotated[int, Field(ge=2)]
    networks: Literal["one", "one_each"]
    hidden: Hidden
    activation: Activation
    learn_gain: bool = False


Prior = Annotated[Standard | RealNvp, Field(discriminator="kind")]


class Bernoulli(Config):
    """p(x | z) = Bernoulli(logits); on grey values an unnormalised cross-entropy."""

    kind: Literal["bernoulli"]


class ContinuousBernoulli(Config):
    """p(x | z) = continuous Bernoulli(logits), a density on [0, 1] (Loaiza-Ganem and Cunningham, 2019).

    `dequantised`: the probability of the 256 levels that is the density's integral over a level's width, by uniform noise.
    """

    kind: Literal["continuous_bernoulli"]
    dequantised: bool = False


class Gaussian(Config):
    """p(x | z) = N(sigmoid(logits), scale^2) on values in [0, 1]; a learned scale is one number for all pixels; `dequantised` as above."""

    kind: Literal["gaussian"]
    scale: PositiveFloat
    learn_scale: bool = False
    dequantised: bool = False


class DiscretisedLogistic(Config):
    """p(x | z) of the 256 levels k / 255: a logistic at sigmoid(logits), integrated over each level's bin."""

    kind: Literal["discretised_logistic"]
    scale: PositiveFloat
    learn_scale: bool = False


Likelihood = Annotated[Bernoulli | ContinuousBernoulli | Gaussian | DiscretisedLogistic, Field(discriminator="kind")]


class Vae(Config):
    """A latent-variable model: q(z | x), p(z), p(x | z)."""

    family: Literal["vae"]
    network: Network
    latent: Latent
    prior: Prior
    likelihood: Likelihood


class NoDequantisation(Config):
    """The middle of each level, always: a density at 256 points a dimension, and no probability of anything."""

    kind: Literal["none"]


class UniformDequantisation(Config):
    """Uniform noise within each level."""

    kind: Literal["uniform"]


class LearnedDequantisation(Config):
    """Noise from a Gaussian that a network makes of the image, through a sigmoid, trained with the flow."""

    kind: Literal["learned"]
    hidden: Hidden
    activation: Activation


Dequantisation = Annotated[NoDequantisation | UniformDequantisation | LearnedDequantisation, Field(discriminator="kind")]


class PixelFlow(Config):
    """A normalising flow on dequantised, logit-transformed pixels; `alpha` keeps the logit finite."""

    family: Literal["flow"]
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    flow: RealNvp
    dequantisation: Dequantisation = UniformDequantisation(kind="uniform")


class AutoEncoder(Config):
    """A deterministic auto-encoder, and a Gaussian mixture that is fitted to its training codes."""

    family: Literal["autoencoder"]
    network: Network
    latent_dim: Positive
    likelihood: Likelihood
    components: Positive


class Gan(Config):
    """A generator of images in [-1, 1] from N(0, I), and a discriminator with dropout behind its activations.

    A discriminator gives the probability that an image is real, or a score without bounds (a critic). It sees real images in [-1, 1], the
    range of the generator, or in [0, 1], half of it (`real_range: unit`).
    """

    family: Literal["gan"]
    latent_dim: Positive
    generator: Network
    discriminator: Encoder
    dropout: Dropout = 0.0
    output: Literal["probability", "score"]
    real_range: Literal["symmetric", "unit"] = "symmetric"


class Classifier(Config):
    """p(class | x), with dropout behind the activations."""

    family: Literal["classifier"]
    network: Encoder
    dropout: Dropout
    classes: Annotated[int, Field(ge=2)]


class Regressor(Config):
    """An image's factors, with dropout behind the activations."""

    family: Literal["regressor"]
    network: Encoder
    dropout: Dropout
    factors: Positive


Model = Annotated[Vae | PixelFlow | AutoEncoder | Gan | Classifier | Regressor, Field(discriminator="family")]
