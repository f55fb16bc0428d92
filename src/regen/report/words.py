"""Sentences that the report repeats: what a table shows, and how it was measured."""

__all__ = [
    "ABOVE",
    "APPEARANCE",
    "CHECKS",
    "CLASSES",
    "DISTANCES",
    "FEW_IMAGES",
    "FEW_WEIGHTS",
    "FIXED_SCALE",
    "KINDS",
    "LATENTS",
    "PATHS",
    "PRIOR",
    "PROTOCOL",
    "RESIZED",
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
    "intervals over images; seeds are averaged. They are of one value: two rows see the same images, so that their difference is known "
    "better than either; claims take it image by image. Where n is not all test images they are a random choice, the same for every row. "
    "The estimate lies above -log p(x) in the mean."
)

FIXED_SCALE = (
    "A Gaussian of a fixed standard deviation sigma of {scale:g} costs {bits:.3f} bits a dimension, 8 + log2(sigma sqrt(2 pi)), whatever "
    "its means are, where equal shares for all 256 levels cost 8: what a model adds to that is its squared error."
)

ABOVE = (
    "The estimate at the protocol's largest K minus a second estimate on the same images; the intervals do not cover this, and annealed "
    "importance sampling lies above -log p(x) itself:"
)

FEW_WEIGHTS = (
    "Estimates that rest on single draws: fewer than two effective samples at the largest K, in the mean over images. More draws would "
    "lower them further:"
)

FEW_IMAGES = (
    "The interval at the smallest K is more than three times as wide as at the largest: a few images with a very unlikely draw decide:"
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
    "draws decide. I(x; z) at its limit: within 0.2 nats of log n, the test images are told apart as well as so many can be, and what is "
    "said of q(z) is of these n images: KL(q(z), p(z)) is then little more than KL - log n, no measure of the prior's misfit. A latent is "
    "active where the variance of its posterior mean over images is 0.01 or more, in units of the latent: under a flow prior, whose "
    "latents have any scale, the count compares with no other. Collapsed: no active latent, or less than 0.1 nats of information."
)

DISTANCES = (
    "A decoder gives its means; draws from its likelihood stand beside them. "
    "The distance to the nearest training image is over that of a test image: near 0 means copies. "
    "Precision and density are high, too, where samples lie close together among the images, as blurred means do, and recall where they "
    "lie so far apart that their neighbourhoods hold everything, as noise does: neither is a sign of quality beside a large distance. "
    "The floor is what the data set's own training images reach."
)

RESIZED = (
    "Samples of another size are brought back to that of the data set; the floor at their size is of training images that go both ways. "
    "Of that size: "
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
