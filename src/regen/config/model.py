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
    "Likelihood",
    "Mlp",
    "Model",
    "Nearest",
    "Network",
    "PixelFlow",
    "Prior",
    "RealNvp",
    "Regressor",
    "Standard",
    "Transposed",
    "Vae",
]

Activation = Literal["relu", "tanh", "leaky_relu_0.01", "leaky_relu_0.2"]
Hidden = Annotated[list[Positive], Field(min_length=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]


class Mlp(Config):
    """Linear layers: sizes as an encoder runs them, from the image on; a decoder or generator is the mirror."""

    kind: Literal["mlp"]
    hidden: Hidden
    activation: Activation
    batch_norm: bool = False


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


Encoder = Annotated[Mlp | ConvEncoder, Field(discriminator="kind")]
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

    One coupling alone would leave half of the values as they are.
    """

    kind: Literal["realnvp"]
    couplings: Annotated[int, Field(ge=2)]
    networks: Literal["one", "one_each"]
    hidden: Hidden
    activation: Activation


Prior = Annotated[Standard | RealNvp, Field(discriminator="kind")]


class Bernoulli(Config):
    """p(x | z) = Bernoulli(logits); on grey values an unnormalised cross-entropy."""

    kind: Literal["bernoulli"]


class ContinuousBernoulli(Config):
    """p(x | z) = continuous Bernoulli(logits), a density on [0, 1] (Loaiza-Ganem and Cunningham, 2019)."""

    kind: Literal["continuous_bernoulli"]


class Gaussian(Config):
    """p(x | z) = N(sigmoid(logits), scale^2) on values in [0, 1]; a learned scale is one number for all pixels."""

    kind: Literal["gaussian"]
    scale: PositiveFloat
    learn_scale: bool = False


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


class PixelFlow(Config):
    """A normalising flow on dequantised, logit-transformed pixels; `alpha` keeps the logit finite."""

    family: Literal["flow"]
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    flow: RealNvp


class AutoEncoder(Config):
    """A deterministic auto-encoder, and a Gaussian mixture that is fitted to its training codes."""

    family: Literal["autoencoder"]
    network: Network
    latent_dim: Positive
    likelihood: Likelihood
    components: Positive


class Gan(Config):
    """A generator of images in [-1, 1] from N(0, I), and a discriminator with dropout behind its activations.

    A discriminator gives the probability that an image is real, or a score without bounds (a critic).
    """

    family: Literal["gan"]
    latent_dim: Positive
    generator: Network
    discriminator: Encoder
    dropout: Dropout = 0.0
    output: Literal["probability", "score"]


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
