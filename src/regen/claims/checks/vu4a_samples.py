"""Claims of vu4a about what its auto-encoders generate, and about the two priors."""

from collections.abc import Sequence
from functools import partial

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding, Number, mean, text
from regen.claims.measures import Measured, finding, frechet, gathered, joined, likelihoods_ordered, ordered
from regen.claims.registry import check

PAIRS = {"MNIST": ("vu4a-flowvae-mnist", "ext-vae-matched-mnist"), "SVHN": ("vu4a-flowvae-svhn", "ext-vae-matched-svhn")}
"""Flow prior and Gaussian prior with the same networks, latents, rate and images."""

REPORTED = {"MNIST": ("vu4a-flowvae-mnist", "vu4a-vae-mnist"), "SVHN": ("vu4a-flowvae-svhn", "vu4a-vae-svhn")}
"""Flow prior and Gaussian prior as the report compares them: other networks, latents and rates, on MNIST other images too."""

NAMES = {
    "vu4a-vae-mnist": "the Gaussian prior on MNIST",
    "vu4a-vae-svhn": "the Gaussian prior on SVHN",
    "vu4a-flowvae-mnist": "the flow prior on MNIST",
    "vu4a-flowvae-svhn": "the flow prior on SVHN",
}
BETTER = [
    ("vu4a-vae-mnist", "vu4a-vae-svhn"),
    ("vu4a-vae-mnist", "vu4a-flowvae-mnist"),
    ("vu4a-vae-svhn", "vu4a-flowvae-svhn"),
    ("vu4a-flowvae-mnist", "vu4a-flowvae-svhn"),
]
"""The order of the four that vu4a-12 claims: clearer first."""


def _settled(evidence: Evidence, variant: str, moments: Sequence[str], what: str) -> Measured:
    """Measure whether a Frechet distance falls between two moments, and then by less than 10 % of that fall."""
    distances = [mean(frechet(evidence, variant, images)) for images in moments]
    first, second = distances[0] - distances[1], distances[1] - distances[2]
    then = f"by {text(second)}, less than 10 % of it" if second >= 0 else f"not at all (it rises by {text(-second)})"
    holds = first > 0 and second < 0.1 * first
    numbers = [Number(f"FCD, {images}", distance) for images, distance in zip(moments, distances, strict=True)]
    return [(holds, f"{what}, the distance falls by {text(first)} first and then {then}")], numbers


@check("vu4a-4")
def decoded_images_improve(evidence: Evidence) -> Finding:
    """FCD of samples and of reconstructions: the drop from epoch 25 to 50 below 10 % of the drop from epoch 0 to 25."""
    moments = ("before training", "epoch 25", "epoch 50")
    return gathered(
        partial(_settled, evidence, "vu4a-vae-svhn", moments, "samples"),
        partial(_settled, evidence, "vu4a-vae-svhn", tuple(f"reconstructions, {moment}" for moment in moments), "reconstructions"),
    )


@check("vu4a-8")
def flow_prior_is_worse(evidence: Evidence) -> Finding:
    """NLL and FCD of the flow prior above those of the Gaussian prior in the matched pairs; the report's own pairs are shown."""
    matched = [partial(_matched, evidence, data) for data in PAIRS]
    return gathered(*matched, *(partial(_confounded, evidence, data) for data in REPORTED))


def _matched(evidence: Evidence, data: str) -> Measured:
    flow, gaussian = PAIRS[data]
    named = (("flow prior", flow), ("Gaussian prior", gaussian))
    likelihoods = likelihoods_ordered(evidence, f"NLL, matched pair on {data}", named[0], "above", named[1])
    distances = [(name, frechet(evidence, variant)) for name, variant in named]
    return joined(
        likelihoods,
        ordered(f"FCD, matched pair on {data}", distances[0], "above", distances[1]),
    )


def _confounded(evidence: Evidence, data: str) -> Measured:
    numbers = []
    for name, variant in zip(("flow prior", "Gaussian prior"), REPORTED[data], strict=True):
        excess = mean(evidence.value(variant, "neg_elbo_nats")) - evidence.floor(variant, "test")["floor_nats"]
        numbers.append(Number(f"-ELBO above the floor, {name} as reported, {data}", excess, "nats"))
    return [], numbers


@check("vu4a-12")
def interpolations_in_order(evidence: Evidence) -> Finding:
    """Mean confidence of the classifier along straight latent paths, and the largest step's share of the way: the four in order."""
    return gathered(*(partial(_clearer, evidence, better, worse) for better, worse in BETTER))


def _clearer(evidence: Evidence, better: str, worse: str) -> Measured:
    confidence, step = (
        [(NAMES[variant], evidence.path(variant, "linear", key)) for variant in (better, worse)]
        for key in ("mean_confidence", "largest_step")
    )
    return joined(
        ordered("confidence along the paths", confidence[0], "above", confidence[1]),
        ordered("largest step of the paths", step[0], "below", step[1]),
    )


@check("vu4a-16")
def flow_mnist_samples(evidence: Evidence) -> Finding:
    """FCD at epochs 1, 25 and 50: the second drop below 10 % of the first; variance of the Laplacian of samples below real images'."""
    variant = "vu4a-flowvae-mnist"
    settled = _settled(evidence, variant, ("epoch 1", "epoch 25", "epoch 50"), "from epoch 1 to 25 to 50")
    samples, real = (evidence.measure(variant, images, "laplacian_variance") for images in ("samples", "test images"))
    return finding(*joined(settled, ordered("variance of the Laplacian", ("samples", samples), "below", ("real images", real))))


@check("vu4a-18")
def flow_svhn_samples(evidence: Evidence) -> Finding:
    """FCD at epochs 25 and 50 below epoch 1; more samples than before training above the confidence of the worst 10 % of real images."""
    variant = "vu4a-flowvae-svhn"
    moments = ("before training", "epoch 1", "epoch 25", "epoch 50")
    distances = {images: frechet(evidence, variant, images) for images in moments}
    first = ("epoch 1", distances["epoch 1"])
    better = [ordered("FCD", (images, distances[images]), "below", first) for images in moments[2:]]
    samples, before = (evidence.measure(variant, images, "confident_share") for images in ("samples", moments[0]))
    what = "share of samples as clear to the classifier as 90 % of the real images"
    clear = ordered(what, ("after training", samples), "above", (moments[0], before))
    return finding(*joined(*better, clear, ([], [Number(f"FCD, {moments[0]}", mean(distances[moments[0]]))])))
