"""Sentences that the report repeats: what a table shows, and how it was measured."""

__all__ = [
    "ABOVE",
    "APPEARANCE",
    "CHECKS",
    "CLASSES",
    "DISTANCES",
    "KINDS",
    "LATENTS",
    "PATHS",
    "PRIOR",
    "PROTOCOL",
    "SHAPES",
    "WITHOUT_RESULT",
]

SHAPES = {"reproduced": "\u2714\ufe0e", "not reproduced": "\u2718\ufe0e", "partly": "\u25d0", "not judged": "\u2013", "open": "\u25cb"}
"""A shape for every verdict, so that none is told by its colour alone."""

WITHOUT_RESULT = "no result"

KINDS = {
    "probability": "a probability of the images' discrete values",
    "density": "a density; D log 256 is added, so that it is per 8-bit level, and it does not compare with -ELBO",
    "unnormalised": "a Bernoulli cross-entropy on grey values, which is no likelihood: it compares with nothing outside this table",
}
"""What -log p(x) of each kind is."""

PROTOCOL = (
    "Every row of a table: the same test images, prepared in the same way, and the mean over n of them of -log (1/K sum of K importance "
    "weights), with latents drawn from q(z given x). K = 1 is a flow, exact at one uniform dequantisation. Intervals are 95 % bootstrap "
    "intervals over images; seeds are averaged. Where n is not all test images they are a random choice, the same for every row. "
    "The estimate lies above -log p(x) in the mean."
)

ABOVE = (
    "The estimate at the protocol's largest K minus a second estimate on the same images; the intervals do not cover this, and annealed "
    "importance sampling lies above -log p(x) itself:"
)

CHECKS = (
    "The importance weights above come from q. These estimates do not: a sum over all states of binary latents or over a grid of one or "
    "two Gaussian ones, which is exact, and annealed importance sampling from the prior. Where the protocol's value lies above them, q "
    "misses latents that explain the image."
)

PRIOR = (
    "log p(x) estimated as the log of the mean of p(x given z) over L draws from the prior, on {n_images:,.0f} test images. The bias is of "
    "-log p(x), the variance over independent estimates."
)

LATENTS = (
    "On the test images. KL(q(z given x), p(z)) is the information that q carries about which image it was, I(x; z), at most log n, and "
    "the distance of the mean of all q from the prior. Both are estimated at draws of their own: where they do not add up to it, a few "
    "draws decide. A latent is active where the variance of its posterior mean over images is 0.01 or more. Collapsed: no active latent, "
    "or less than 0.1 nats of information."
)

DISTANCES = (
    "A decoder gives its means; draws from its likelihood stand beside them. "
    "The distance to the nearest training image is over that of a test image: near 0 means copies. "
    "The floor is what the data set's own training images reach."
)

APPEARANCE = (
    "What the same images show. Sharpness is the variance of the Laplacian. The period-2 energy is over that of the test images. "
    "2x2 blockiness is 1 for images enlarged twofold by repeating pixels."
)

CLASSES = "Classes are the network's; confident: of whose class it is surer than of the worst tenth of the test images."

PATHS = (
    "Ten points between pairs of generated images. The length is the way through the features over the distance of its ends, "
    "the largest step its share of the way: 0.111 if all are even."
)
