"""Whether an encoder is good for pretraining: a classifier that begins with its weights against one from scratch (uva3, section 4)."""

import math
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from regen.common.determinism import derive_seed
from regen.config.probes import FineTuning
from regen.evaluation.probes.linear_probe import balanced
from regen.evaluation.probes.subject import Subject
from regen.images.batches import to_unit_interval
from regen.images.images import Images
from regen.models.networks import encoder_network
from regen.training.adam import Adam

__all__ = ["classifier", "fine_tuning", "tuned"]

STARTS = ("encoder's weights", "from scratch")
BATCH, RATE = 50, 0.001
"""Images a step (fewer if fewer are labelled), and Adam's rate."""


def fine_tuning(settings: FineTuning, subjects: list[Subject], seed: int) -> dict[str, Any]:
    """Return the test accuracy of one network trained on few labels from either start, after each number of steps.

    For a draw of labels both starts have the same labelled images, batches and last layer, which no encoder has; they differ in the other
    layers alone. `comparisons` are of the encoder's weights minus from scratch, draw by draw.
    """
    (subject,) = subjects
    train, test = subject.prepared("train"), subject.prepared("test")
    rows, comparisons = [], []
    for labels in settings.labels:
        found: dict[str, list[list[float]]] = {start: [] for start in STARTS}
        for draw in range(settings.draws):
            own = derive_seed(seed, "labelled", labels, draw)
            known = train.take(balanced(train.labels, labels, own, "fine_tuning"))
            for start in STARTS:
                torch.manual_seed(derive_seed(own, "network"))
                network = classifier(subject, int(train.labels.max()) + 1, pretrained=start == STARTS[0])
                found[start].append(tuned(network, known, test, settings.steps, derive_seed(own, "batches")))
        accuracies = {start: torch.tensor(values, dtype=torch.float64) for start, values in found.items()}
        difference = accuracies[STARTS[0]] - accuracies[STARTS[1]]
        for index, steps in enumerate(settings.steps):
            facts = {"labels": labels, "steps": steps, "draws": settings.draws}
            rows += [{"start": start, **facts, **_mean("accuracy", values[:, index])} for start, values in accuracies.items()]
            comparisons.append({**facts, **_mean("accuracy_difference", difference[:, index])})
    return {"n_images": len(test), "batch_size": BATCH, "learning_rate": RATE, "rows": rows, "comparisons": comparisons}


def classifier(subject: Subject, classes: int, pretrained: bool) -> nn.Sequential:
    """Return the variant's encoder network with a last layer for classes, newly drawn; pretrained, its other layers are the encoder's."""
    network = encoder_network(subject.config.model.network, subject.config.shape, classes).to(subject.device)  # type: ignore[union-attr]
    if pretrained:
        for layer, trained in zip(list(network)[:-1], list(subject.model.encoder.network)[:-1], strict=True):
            layer.load_state_dict(trained.state_dict())
    return network


def tuned(network: nn.Module, known: Images, test: Images, steps: list[int], seed: int) -> list[float]:
    """Train a network on labelled images; return its test accuracy after each number of steps."""
    optimizer = Adam(network.parameters(), RATE, (0.9, 0.999), 1e-8)
    generator = torch.Generator().manual_seed(seed)
    size, order = min(BATCH, len(known)), torch.empty(0, dtype=torch.int64)
    found = []
    for step in range(1, max(steps) + 1):
        if len(order) < size:
            order = torch.randperm(len(known), generator=generator)
        batch, order = known.take(order[:size].to(known.images.device)), order[size:]
        network.train()
        optimizer.zero_grad()
        cross_entropy(network(to_unit_interval(batch.images)), batch.labels).backward()
        optimizer.step()
        if step in steps:
            found.append(_accuracy(network, test))
    return found


@torch.no_grad()
def _accuracy(network: nn.Module, test: Images) -> float:
    network.eval()
    right = [network(to_unit_interval(block.images)).argmax(1) == block.labels for block in _blocks(test)]
    return torch.cat(right).double().mean().item()


def _blocks(images: Images) -> list[Images]:
    return [images.take(slice(first, first + 1000)) for first in range(0, len(images), 1000)]


def _mean(name: str, values: torch.Tensor) -> dict[str, float]:
    return {name: values.mean().item(), "standard_error": values.std().item() / math.sqrt(len(values))}
