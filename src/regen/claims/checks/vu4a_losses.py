"""Claims of vu4a about the losses of its auto-encoders."""

from typing import Any

from regen.claims.evidence import Evidence
from regen.claims.finding import Finding, Number, mean, text
from regen.claims.measures import Part, finding, joined, noted, ordered, percent, share_reached, within
from regen.claims.registry import check
from regen.claims.reported import read_reported
from regen.claims.values import read

VAE, FLOW, FAULTY, MATCHED = (
    "vu4a-vae-mnist",
    "vu4a-flowvae-mnist",
    "vu4a-flowvae-mnist-logdet-times-d",
    "ext-vae-matched-mnist",
)
VAE_SVHN, FLOW_SVHN = "vu4a-vae-svhn", "vu4a-flowvae-svhn"
TRAIN, VALIDATION = 0.00849, 0.00855
FLOOR = 1830.0
"""Entropy floor of the summed cross-entropy in nats, measured on 1,083 real SVHN images: those of the report are not known."""
SPLITS = {"training": "train", "validation": "val"}


@check("vu4a-1")
def mnist_loss(evidence: Evidence) -> Finding:
    """Try the readings of reported.yaml: training loss of the last epoch and lowest validation loss both within 10 % of those printed."""
    readings = {row.value: row.readings for row in read_reported() if row.report == "vu4a"}
    numbers, far = [], {}
    for of_training, of_validation in zip(readings[TRAIN], readings[VALIDATION], strict=True):
        label, train, validation = of_training.label, read(evidence, of_training), read(evidence, of_validation)
        numbers += [Number(f"{label}, training", train), Number(f"{label}, lowest in validation", validation)]
        far[label] = (abs(train / TRAIN - 1), abs(validation / VALIDATION - 1), train, validation)
    nearest = min(far, key=lambda label: max(far[label][:2]))
    *_, train, validation = far[nearest]
    both = [label for label, (of_train, of_validation, *_) in far.items() if max(of_train, of_validation) <= 0.1]
    printed = f"printed numbers ({TRAIN} in training, the lowest in validation {VALIDATION})"
    count = f"Of {len(far)} readings of the loss {len(both) or 'none'} {'give' if len(both) > 1 else 'gives'} both {printed} within 10 %"
    why = (
        f"{count}. The nearest, {nearest}, gives {text(train)} and {text(validation)}. A model trained on the squared error "
        "a pixel itself, in which the KL has another weight, was not run."
    )
    return Finding("reproduced" if both else "not reproduced", why, numbers)


@check("vu4a-2")
def svhn_loss(evidence: Evidence) -> Finding:
    """Compare the lowest loss minus the images' own entropy floor with the report's 81 (training) and 82 (validation) nats, within 20 %."""
    parts: list[Part] = []
    numbers: list[Number] = []
    for split, reported in (("training", 1911.26), ("validation", 1911.91)):
        lowest = mean({seed: min(losses) for seed, losses in evidence.column(VAE_SVHN, f"{SPLITS[split]}_neg_elbo_nats").items()})
        floor = evidence.floor(VAE_SVHN, "train" if split == "training" else "validation")["floor_nats"]
        excess, printed = lowest - floor, reported - FLOOR
        parts.append((within(excess, printed, 0.2), f"{split}, {text(excess)} nats above the floor within 20 % of {text(printed)}"))
        numbers += [Number(f"lowest loss, {split}", lowest, "nats"), Number(f"entropy floor, {split}", floor, "nats")]
        numbers += [Number(f"above the floor, {split}", excess, "nats"), Number(f"above the floor, {split}, report", printed, "nats")]
    return finding(parts, numbers)


@check("vu4a-3")
def svhn_by_epoch_20(evidence: Evidence) -> Finding:
    """Share of the drop from the end of epoch 1 to the minimum that is reached by epoch 20, training and validation: above one half."""
    return _fallen(evidence, VAE_SVHN, 20)


@check("vu4a-5")
def flow_mnist_by_epoch_10(evidence: Evidence) -> Finding:
    """Share of the drop from the end of epoch 1 that is reached by epoch 10, training and validation: above one half."""
    return _fallen(evidence, FLOW, 10)


def _fallen(evidence: Evidence, variant: str, epoch: int) -> Finding:
    shares = _shares(evidence, variant, epoch)
    parts = [(share > 0.5, f"{split}, {percent(share)} of the drop by epoch {epoch}, more than half") for split, share in shares.items()]
    return finding(parts, [Number(f"share of the drop by epoch {epoch}, {split}", 100 * share, "%") for split, share in shares.items()])


def _shares(evidence: Evidence, variant: str, epoch: int) -> dict[str, float]:
    columns = {split: evidence.column(variant, f"{short}_neg_elbo_nats") for split, short in SPLITS.items()}
    return {split: mean({seed: share_reached(losses, epoch) for seed, losses in runs.items()}) for split, runs in columns.items()}


@check("vu4a-6")
def negative_loss(evidence: Evidence) -> Finding:
    """Lowest loss of any epoch: of the correct model, and of the one that counts the log-determinant once per latent dimension."""
    runs = [evidence.column(FLOW, f"{short}_neg_elbo_nats") for short in SPLITS.values()]
    correct = min(min(losses) for run in runs for losses in run.values())
    faulty = min(min(losses) for losses in evidence.column(FAULTY, "train_objective_nats").values())
    numbers = [Number("lowest loss, correct model", correct, "nats"), Number("lowest loss, faulty model", faulty, "nats")]
    if correct < 0:
        return Finding("reproduced", f"The loss of the correct model becomes negative: {text(correct)} nats at its lowest.", numbers)
    never = f"The loss of the correct model is never negative: {text(correct)} nats at its lowest"
    explained = f"it falls to {text(faulty)} nats: such a fault could explain the report's" if faulty < 0 else f"it is {text(faulty)} nats"
    why = f"{never}. With a fault made on purpose, the log-determinant counted once per latent dimension, {explained}."

    def cause() -> tuple[str, list[Number]]:
        reached, possible, once = _log_determinant(evidence)
        rightly = mean({seed: losses[-1] for seed, losses in runs[0].items()})
        # At the bound the scales do not depend on the latents.
        adapts = ": the flow scales the latents by constants, to which the encoder adapts" if reached > 0.99 * possible else ""
        sentence = (
            f"In the last epoch the faulty model's log-determinant is {text(reached)} nats of the {text(possible)} that the bounded "
            f"log-scales allow. With it counted once the -ELBO in training is {text(once)} nats, beside {text(rightly)} of the correct "
            f"model{adapts}."
        )
        return sentence, [
            Number("log-determinant in the last epoch, faulty model", reached, "nats"),
            Number("the most that it can be", possible, "nats"),
            Number("-ELBO in the last epoch, training, faulty model", once, "nats"),
            Number("-ELBO in the last epoch, training, correct model", rightly, "nats"),
        ]

    return noted(Finding("not reproduced", why, numbers), cause)


def _log_determinant(evidence: Evidence) -> tuple[float, float, float]:
    """Return the faulty model's log-determinant in its last epoch and the largest possible, and its -ELBO counted once, in nats.

    The faulty objective is the -ELBO less d - 1 more log-determinants. A coupling scales half of d latents by exp(tanh(.)).
    """
    model: Any = evidence.variant(FAULTY).model
    latents = model.latent.dim
    objective, once = (evidence.column(FAULTY, f"train_{name}_nats") for name in ("objective", "neg_elbo"))
    reached = mean({seed: (once[seed][-1] - losses[-1]) / (latents - 1) for seed, losses in objective.items()})
    return reached, model.prior.couplings * latents / 2, mean({seed: losses[-1] for seed, losses in once.items()})


@check("vu4a-7")
def flow_svhn_converges(evidence: Evidence) -> Finding:
    """At least 95 % of the drop from epoch 1 by epoch 4, training and validation; a final gap below 1 % of the training loss."""
    shares = _shares(evidence, FLOW_SVHN, 4)
    train, validation = (evidence.column(FLOW_SVHN, f"{short}_neg_elbo_nats") for short in SPLITS.values())
    gap = mean({seed: validation[seed][-1] / losses[-1] - 1 for seed, losses in train.items()})
    parts = [(share >= 0.95, f"{split}, {percent(share)} of the drop by epoch 4, at least 95 %") for split, share in shares.items()]
    parts.append((abs(gap) < 0.01, f"validation differs from training by {percent(gap)} in the last epoch, less than 1 %"))
    numbers = [Number(f"share of the drop by epoch 4, {split}", 100 * share, "%") for split, share in shares.items()]
    return finding(parts, [*numbers, Number("gap of the last epoch, validation over training", 100 * gap, "%")])


@check("vu4a-15")
def flow_loss_is_higher(evidence: Evidence) -> Finding:
    """Negative ELBO of the same test images: the flow prior's above that of the Gaussian prior with the same networks."""
    flow, gaussian = (evidence.value(variant, "neg_elbo_nats") for variant in (FLOW, MATCHED))
    parts, numbers = ordered("negative ELBO of the same images", ("flow prior", flow), "above", ("Gaussian prior", gaussian), "nats")

    def confounded() -> tuple[str, list[Number]]:
        sentences, found = [], []
        for name, variant in (("flow prior", FLOW), ("Gaussian prior", VAE)):
            loss, size = mean(evidence.value(variant, "neg_elbo_nats")), evidence.size(variant)
            excess = loss - evidence.floor(variant, "test")["floor_nats"]
            sentences.append(f"{text(loss)} nats at {size}, {text(excess)} above the images' own floor, with the {name}")
            found += [Number(f"negative ELBO, {name} as reported", loss, "nats")]
            found += [Number(f"negative ELBO above the floor, {name} as reported", excess, "nats")]
        return f"The report's own pair differs in its images: run again it gives {' and '.join(sentences)}.", found

    return noted(finding(parts, numbers), confounded)


@check("vu4a-17")
def svhn_trains_worse(evidence: Evidence) -> Finding:
    """(loss - floor) / (mean image's loss - floor) on the test images: SVHN's above MNIST's."""
    shares: dict[str, dict[int, float]] = {}
    numbers: list[Number] = []
    for name, variant in (("MNIST", FLOW), ("SVHN", FLOW_SVHN)):
        floor, losses = evidence.floor(variant, "test"), evidence.value(variant, "neg_elbo_nats")
        lowest, highest = floor["floor_nats"], floor["mean_image_nats"]
        shares[name] = {seed: (loss - lowest) / (highest - lowest) for seed, loss in losses.items()}
        numbers += [Number(f"-ELBO, {name}", mean(losses), "nats"), Number(f"entropy floor, {name}", lowest, "nats")]
        numbers.append(Number(f"loss of the mean image, {name}", highest, "nats"))
    what = "share of the way from the entropy floor to the mean image's loss"
    worse = ordered(what, ("SVHN", shares["SVHN"]), "above", ("MNIST", shares["MNIST"]))
    return finding(*joined(worse, ([], numbers)))
