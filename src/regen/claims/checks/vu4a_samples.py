"""Claims of vu4a about what its auto-encoders generate, and about the two priors."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding, Number, difference, mean, text
from regen.claims.measures import (
    Measured,
    Named,
    finding,
    frechet,
    gathered,
    joined,
    likelihoods_ordered,
    noted,
    of_common,
    ordered,
    tied,
)
from regen.claims.registry import check
from regen.claims.values import shared

PAIRS = {"MNIST": ("vu4a-flowvae-mnist", "ext-vae-matched-mnist"), "SVHN": ("vu4a-flowvae-svhn", "ext-vae-matched-svhn")}
"""Flow prior and Gaussian prior with the same networks, latents, rate and images."""

REPORTED = {"MNIST": ("vu4a-flowvae-mnist", "vu4a-vae-mnist"), "SVHN": ("vu4a-flowvae-svhn", "vu4a-vae-svhn")}
"""Flow prior and Gaussian prior as the report compares them: other networks, latents and rates, on MNIST other images too."""

NAMES = {
    "vu4a-vae-mnist": ("Gaussian prior", "MNIST"),
    "vu4a-vae-svhn": ("Gaussian prior", "SVHN"),
    "vu4a-flowvae-mnist": ("flow prior", "MNIST"),
    "vu4a-flowvae-svhn": ("flow prior", "SVHN"),
}
BETTER = [
    ("vu4a-vae-mnist", "vu4a-vae-svhn"),
    ("vu4a-vae-mnist", "vu4a-flowvae-mnist"),
    ("vu4a-vae-svhn", "vu4a-flowvae-svhn"),
    ("vu4a-flowvae-mnist", "vu4a-flowvae-svhn"),
]
"""The order of the four that vu4a-12 claims, clearer first: pairs of one prior or of one data set."""


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
    """Order the classifier's confidence along straight latent paths over that of real images, within a data set the largest step too."""
    within = [(better, worse) for better, worse in BETTER if NAMES[better][1] == NAMES[worse][1]]
    orders = [*(partial(_clearer, evidence, *pair) for pair in BETTER), *(partial(_steadier, evidence, *pair) for pair in within)]
    return noted(gathered(*orders), partial(_of_matched_pair, evidence))


def _of_matched_pair(evidence: Evidence) -> tuple[str, list[Number]]:
    """Tell the same measures of the pair on MNIST that differs in its prior alone."""
    numbers = []
    for what, measure in (("confidence", _share_of_real), ("largest step", _largest_step)):
        flow, gaussian = map(mean, shared(*(measure(evidence, variant) for variant in PAIRS["MNIST"])))
        numbers += [Number(f"{what}, matched pair on MNIST, {prior}", value) for prior, value in (("Gaussian", gaussian), ("flow", flow))]
    clear, flow_clear, step, flow_step = (text(float(number.value or 0)) for number in numbers)
    sentence = (
        "The models of the two priors differ in networks, latents and rates too, and on MNIST in the size of the images. In the matched "
        f"pair on MNIST the confidence is {clear} with the Gaussian prior and {flow_clear} with the flow prior, the largest step {step} "
        f"and {flow_step}; this decides nothing."
    )
    return sentence, numbers


def _clearer(evidence: Evidence, better: str, worse: str) -> Measured:
    shares = [(variant, _share_of_real(evidence, variant)) for variant in (better, worse)]
    return _ranked("confidence along the paths over that of real images", shares[0], "above", shares[1])


def _share_of_real(evidence: Evidence, variant: str) -> dict[int, float]:
    """Return the confidence along the paths over that of real images: the classifiers of two data sets are not as sure of these."""
    along, real = shared(evidence.path(variant, "linear", "mean_confidence"), evidence.measure(variant, "test images", "mean_confidence"))
    return {seed: along[seed] / real[seed] for seed in along}


def _steadier(evidence: Evidence, better: str, worse: str) -> Measured:
    # Steps in the features of two classifiers do not compare.
    steps = [(variant, _largest_step(evidence, variant)) for variant in (better, worse)]
    return _ranked("largest step of the paths", steps[0], "below", steps[1])


def _largest_step(evidence: Evidence, variant: str) -> dict[int, float]:
    return evidence.path(variant, "linear", "largest_step")


def _ranked(what: str, a: Named, relation: Literal["above", "below"], b: Named) -> Measured:
    """Measure the order of two variants as `ordered` does, in fewer words; one seed does not order what is `tied`."""
    first, second = shared(a[1], b[1])
    ahead = difference(first, second) if relation == "above" else difference(second, first)
    values = mean(first), mean(second)
    if ahead.standard_error is None:
        tie = tied(first, second)
        holds, beside = ahead.holds and not tie, f"one seed{', no more than a tie' if tie else ''}"
    else:
        holds, beside = ahead.holds, ahead.apart()
    beside += of_common(a[1], b[1])
    (prior, data), (other_prior, other_data) = NAMES[a[0]], NAMES[b[0]]
    order = f"{data}, {prior} {relation} {other_prior}" if data == other_data else f"{prior}, {data} {relation} {other_data}"
    words = f"{what}, {order}, {text(values[0])} against {text(values[1])} ({beside})"
    numbers = [Number(f"{what}, {' on '.join(NAMES[name])}", value) for (name, _), value in zip((a, b), values, strict=True)]
    return [(holds, words)], numbers


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
