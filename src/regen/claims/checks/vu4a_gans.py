"""Claims of vu4a about its GANs."""

from math import log
from statistics import fmean

from regen.claims.evidence import Evidence, Missing
from regen.claims.finding import Finding, Number, Verdict, from_parts, mean, signed, text
from regen.claims.measures import deviation, finding, frechet, joined, noted, ordered, percent, slope
from regen.claims.registry import check
from regen.claims.values import at_epoch, finite

LOSSES = {"saturating": "vu4a-gan-mnist", "non-saturating": "vu4a-gan-mnist-nonsat"}


@check("vu4a-9")
def both_losses_fall(evidence: Evidence) -> Finding:
    """Sign of the linear trend of both epoch means, under the saturating and the non-saturating loss."""
    parts, numbers = [], []
    for loss, variant in LOSSES.items():
        for player in ("generator", "discriminator"):
            columns = evidence.column(variant, f"train_{player}_nats")
            trend = mean({seed: slope(values) for seed, values in columns.items()})
            parts.append((trend < 0, f"{loss} loss, the {player}'s falls, a trend of {signed(trend)} nats an epoch"))
            numbers.append(Number(f"trend of the {player}'s loss, {loss}", trend, "nats an epoch"))
    return finding(parts, numbers)


@check("vu4a-10")
def gan_mnist_images(evidence: Evidence) -> Finding:
    """Not improving: FCD(50) at least 0.9 FCD(1). Not MNIST: FCD(50) above half of the untrained generator's."""
    return _unlike(evidence, "vu4a-gan-mnist", "MNIST")


@check("vu4a-19")
def gan_svhn_images(evidence: Evidence) -> Finding:
    """Not improving: FCD(50) at least 0.9 FCD(1). Not SVHN: FCD(50) above half of the untrained generator's."""
    return _unlike(evidence, "vu4a-gan-svhn", "SVHN")


def _unlike(evidence: Evidence, variant: str, data: str) -> Finding:
    before, first, last = (mean(frechet(evidence, variant, images)) for images in ("before training", "epoch 1", "epoch 50"))
    parts = [
        (last >= 0.9 * first, f"not improving, FCD {text(last)} at epoch 50 is at least 0.9 of {text(first)} at epoch 1"),
        (last > 0.5 * before, f"not like {data}, it is above half of {text(before)} before training"),
    ]
    numbers = [Number("FCD before training", before), Number("FCD at epoch 1", first), Number("FCD at epoch 50", last)]

    def between() -> tuple[str, list[Number]]:
        middle, judged = mean(frechet(evidence, variant, "epoch 25")), {epoch: _accuracy(evidence, variant, epoch) for epoch in (25, 50)}
        sentence = (
            f"At epoch 25 it is {text(middle)}; from there to epoch 50 the discriminator's accuracy in training goes from "
            f"{percent(judged[25])} to {percent(judged[50])}."
        )
        shares = [Number(f"discriminator's accuracy in training, epoch {epoch}", 100 * share, "%") for epoch, share in judged.items()]
        return sentence, [Number("FCD at epoch 25", middle), *shares]

    return noted(finding(parts, numbers), between)


def _accuracy(evidence: Evidence, variant: str, epoch: int) -> float:
    """Return the discriminator's mean accuracy on training and generated images in an epoch, the mean over seeds."""
    return fmean(mean(at_epoch(evidence, variant, f"train_accuracy_{images}", epoch)) for images in ("real", "fake"))


@check("vu4a-11")
def gan_svhn_losses(evidence: Evidence) -> Finding:
    """Discriminator's loss at the end not below epoch 1, its last half flat within 10 %; non-saturating generator's below log 2 there."""
    numbers = []
    judged: dict[str, tuple[float, float, float]] = {}
    for loss, variant in (("saturating", "vu4a-gan-svhn"), ("non-saturating", "vu4a-gan-svhn-nonsat")):
        columns = evidence.column(variant, "train_discriminator_nats")
        first, last = (mean({seed: values[place] for seed, values in columns.items()}) for place in (0, -1))
        judged[loss] = (first, last, mean({seed: deviation(_last_half(values)) for seed, values in columns.items()}))
        numbers += [Number(f"discriminator's loss, epoch 1, {loss}", first, "nats")]
        numbers += [Number(f"discriminator's loss, last epoch, {loss}", last, "nats")]
        numbers += [Number(f"largest deviation from its mean in the last half, {loss}", 100 * judged[loss][2], "%")]
    generator = evidence.column("vu4a-gan-svhn-nonsat", "train_generator_nats")
    low = mean({seed: fmean(_last_half(values)) for seed, values in generator.items()})
    first, last, largest = judged["saturating"]
    parts = [
        (last >= first, f"the discriminator's loss rises, {text(last)} nats in the last epoch is not below {text(first)} in the first"),
        (largest <= 0.1, f"it stabilises, the last half stays within {percent(largest)} of its mean, at most 10 %"),
        (low < log(2), f"the non-saturating generator's loss is low, {text(low)} nats in the last half is below log 2"),
    ]
    return finding(parts, [*numbers, Number("generator's loss in the last half, non-saturating", low, "nats")])


def _last_half(values: list[float]) -> list[float]:
    return values[len(values) // 2 :]


@check("vu4a-13")
def dcgan_does_better(evidence: Evidence) -> Finding:
    """FCD of the DCGAN below the linear GAN's, and at least as many digits covered, at equal data and schedule."""
    models = {"linear GAN": "vu4a-gan-svhn", "DCGAN": "ext-dcgan-svhn"}
    linear, convolutional = ((name, frechet(evidence, variant)) for name, variant in models.items())
    before, digits = (mean(evidence.measure(variant, "samples", "digits_covered")) for variant in models.values())
    covered = (digits >= before, f"{digits:g} digits covered by the DCGAN, no fewer than {before:g}")
    counts = [Number("digits covered, linear GAN", before), Number("digits covered, DCGAN", digits)]
    return finding(*joined(ordered("FCD", convolutional, "below", linear), ([covered], counts)))


@check("vu4a-14")
def wrongly_reshaped(evidence: Evidence) -> Finding:
    """FCD of the same samples through the right and a wrong reshape, then that of the one-channel GAN; partly at most."""
    rows = {(row["images"], row["reshape"]): row for row in evidence.probe("reshape")["rows"]}
    right, wrong = (rows["samples", how]["frechet_classifier_distance"] for how in ("right", "wrong"))
    if right is None or wrong is None:
        raise Missing("the probe reshape has no distance of the samples")
    channels = {"three channels": "vu4a-gan-mnist", "one channel": "ext-gan-1ch-mnist"}
    three, one = ((name, frechet(evidence, variant)) for name, variant in channels.items())
    worse = (wrong > right, f"the wrong reshape makes the same samples look worse, FCD {text(wrong)} above {text(right)}")
    numbers = [Number("FCD, right reshape", right), Number("FCD, wrong reshape", wrong)]
    for (images, how), row in rows.items():
        numbers.append(Number(f"standard deviation over the channels, {images}, {how} reshape", row["channel_standard_deviation"]))
    parts, numbers = joined(([worse], numbers), ordered("FCD", one, "below", three))
    verdict, why = from_parts(parts)

    def resized() -> tuple[str, list[Number]]:
        large, small = map(evidence.size, channels.values())
        distance = finite(rows.get(("training images", "right"), {}), "frechet_classifier_distance")
        sentence = f"One channel also means {small}: real training images brought to {large} have FCD {text(distance)} themselves."
        return sentence, [Number(f"FCD, real training images at {large}", distance)]

    # The cause of the report's images is not measured, so that the claim as a whole is not shown.
    shown: Verdict = "partly" if verdict == "reproduced" else verdict
    return noted(Finding(shown, f"{why} Whether the report's images were reshaped so cannot be told from here.", numbers), resized)
