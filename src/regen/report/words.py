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
    "KNOWN",
    "LATENTS",
    "PATHS",
    "PRIOR",
    "PROTOCOL",
    "RESIZED",
    "SHAPES",
    "VERDICTS",
    "WITHOUT_RESULT",
]

SHAPES = {"reproduced": "\u2714\ufe0e", "not reproduced": "\u2718\ufe0e", "partly": "\u25d0", "not judged": "\u2013", "open": "\u25cb"}
"""A shape for every verdict, so that none is told by its colour alone."""

VERDICTS = (
    "Of each claim, what was asked of the results, and after it whether that holds: yes or no. Reproduced: all of it holds. Partly: some "
    "of it. Not reproduced: none. Not judged: images or epochs are fewer than the report's. Open: it needs runs that are not made here. "
    "FCD is the Frechet distance to test images in the features of a classifier of the data set; near 0 is best. The floor of a loss is "
    "the entropy of the images, their cross-entropy with themselves. A matched pair differs in its prior alone. Period-2 energy is of "
    "patterns that repeat every two pixels, as a checkerboard does."
)

WITHOUT_RESULT = "no result"

KINDS = {
    "probability": "that of a probability of the images' discrete values",
    "density": "that of a density; D log 256 is added, so that it is per 8-bit level, and it does not compare with -ELBO",
    "unnormalised": "a Bernoulli cross-entropy on grey values, which is no likelihood: it compares with nothing outside this table",
}
"""What -log p(x) of each kind is."""

KNOWN = "Read: seen in the source that is named. Recalled: from memory, to be checked before it is cited."

PROTOCOL = (
    "Every row of a table: the same test images, prepared in the same way, and the mean over n of them of -log (1/K sum of K importance "
    "weights), with latents drawn from q(z given x). K = 1 is a flow, whose density is exact: with one draw of the noise that makes the "
    "levels continuous it bounds -log p(x) from above in the mean. Where K was raised further, on fewer images, a column has the step on "
    "these same images. Intervals are 95 % bootstrap intervals over images; seeds are averaged. They are of one value: two rows see the "
    "same images, so that their difference is known better than either; claims take it image by image. Where n is not all test images "
    "they are a random choice, the same for every row. The estimate lies above -log p(x) in the mean."
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
    "two Gaussian ones, exact but for its step and what lies beyond its ends, and annealed importance sampling from the prior. Where the "
    "protocol's value lies above them, q misses latents that explain the image."
)

PRIOR = (
    "log p(x) estimated as the log of the mean of p(x given z) over L draws from the prior, on {n_images:,.0f} test images. The bias is of "
    "-log p(x), the variance over independent estimates."
)

LATENTS = (
    "On the test images. The mean of KL(q(z given x), p(z)) is the sum of two parts: I(x; z), the information that q carries about which "
    "image it was, at most log n, and KL(q(z), p(z)) of the mean q(z) of all q from the prior. Each is estimated at draws of its own: "
    "where they do not add up, the estimate of the second is of few draws and not to be trusted. I(x; z) at its limit: within 0.2 nats of "
    "log n, the test images are told apart as well as so many can be, and what is said of q(z) is of these n images: KL(q(z), p(z)) is "
    "then little more than KL - log n, no measure of the prior's misfit. A latent is active where the variance of its posterior mean over "
    "images is 0.01 or more, in units of the latent: under a flow prior, whose latents have any scale, the count compares with no other. "
    "Collapsed: no active latent, or less than 0.1 nats of information."
)

DISTANCES = (
    "Of a decoder, `samples` are its means; `draws` are drawn from its likelihood. "
    "The distance to the nearest training image is over that of a test image: near 0 means copies. "
    "Precision and density are high, too, where samples lie close together among the images, as blurred means do, and recall where they "
    "lie so far apart that their neighbourhoods hold everything, as noise does: neither is a sign of quality beside a large distance. "
    "The floor is what the data set's own training images reach."
)

RESIZED = (
    "Samples of another size are brought to that of the data set before they are measured, and compare with each other alone. Their floor "
    "is of training images that were brought to that size and back. Of that size: "
)

APPEARANCE = (
    "What the same images show. Sharpness is the variance of the Laplacian. The period-2 energy is over that of the test images. "
    "2x2 blockiness is 1 for images enlarged twofold by repeating pixels."
)

CLASSES = (
    "Classes are the network's. Confident: the share of the images whose confidence is above that of the least confident tenth of the test "
    "images."
)

PATHS = (
    "Ten points between pairs of generated images. The length is the way through the features over the distance of its ends, "
    "the largest step its share of the way: 0.111 if all are even."
)
