"""A classifier that begins with an encoder's weights against one from scratch: what is equal in both, and what decides."""

from types import SimpleNamespace

import pytest
import torch
from stand_ins import described, subject

from regen.common.errors import UserError
from regen.config.base import parse
from regen.config.model import Vae
from regen.config.probes import FineTuning
from regen.evaluation.probes import fine_tuning as module
from regen.evaluation.probes.fine_tuning import classifier, fine_tuning, tuned
from regen.evaluation.probes.subject import Subject
from regen.images.images import Images
from regen.models.build import build
from regen.models.networks import mlp

VAE = {
    "family": "vae",
    "network": {"kind": "mlp", "hidden": [6], "activation": "relu"},
    "latent": {"kind": "gaussian", "dim": 2},
    "prior": {"kind": "standard"},
    "likelihood": {"kind": "bernoulli"},
}


def images(count: int, seed: int) -> Images:
    """Return images (N, 1, 2, 2) of three classes, each with a bright pixel of its own."""
    labels = torch.arange(count) % 3
    pixels = torch.randint(0, 60, (count, 4), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    pixels[torch.arange(count), labels] += 190
    return described(pixels.view(-1, 1, 2, 2), labels)


@pytest.fixture
def given() -> Subject:
    config = parse(Vae, VAE, "test")
    torch.manual_seed(0)
    model = build(config, [1, 2, 2])
    return subject({"train": images(60, 0), "test": images(45, 1)}, model=model, config=SimpleNamespace(model=config, shape=[1, 2, 2]))


def test_both_starts_differ_in_what_the_encoder_has_alone(given: Subject) -> None:
    made = []
    for pretrained in (True, False):
        torch.manual_seed(3)
        made.append(classifier(given, 3, pretrained))
    trained, scratch = ([layer.state_dict() for layer in network] for network in made)
    encoder = [layer.state_dict() for layer in given.model.encoder.network]
    assert torch.equal(trained[0]["weight"], encoder[0]["weight"]) and not torch.equal(scratch[0]["weight"], encoder[0]["weight"])
    assert torch.equal(trained[-1]["weight"], scratch[-1]["weight"]) and trained[-1]["weight"].shape == (3, 6)


def test_every_start_sees_the_same_batches_for_as_many_steps(given: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[torch.Tensor]] = []

    class Seen(torch.nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                seen[-1].append(x.detach().clone())
            out: torch.Tensor = super().forward(x.flatten(1))
            return out

    def watched(subject: Subject, classes: int, pretrained: bool) -> torch.nn.Sequential:
        seen.append([])
        return Seen(*classifier(subject, classes, pretrained))

    monkeypatch.setattr(module, "classifier", watched)
    monkeypatch.setattr(module, "BATCH", 4)
    found = fine_tuning(FineTuning(labels=[9], draws=2, steps=[2, 5]), [given], 0)
    assert [len(batches) for batches in seen] == [5] * 4 and all(len(x) == 4 for batches in seen for x in batches)
    for first, second in ((0, 1), (2, 3)):
        assert all(torch.equal(x, y) for x, y in zip(seen[first], seen[second], strict=True))
    assert not all(torch.equal(x, y) for x, y in zip(seen[0], seen[2], strict=True))
    assert [(row["start"], row["labels"], row["steps"], row["draws"]) for row in found["rows"]] == [
        (start, 9, steps, 2) for steps in (2, 5) for start in ("encoder's weights", "from scratch")
    ]
    for comparison in found["comparisons"]:
        both = [row["accuracy"] for row in found["rows"] if row["steps"] == comparison["steps"]]
        assert comparison["accuracy_difference"] == pytest.approx(both[0] - both[1])


def test_a_network_learns_what_can_be_told_apart() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), *mlp([4, 8, 3], "relu"))
    first, last = tuned(network, images(60, 0), images(45, 1), [1, 400], 0)
    assert first < 0.9 and last == 1


def test_an_encoder_whose_units_are_dead_is_no_start(given: Subject) -> None:
    with torch.no_grad():
        given.model.encoder.network[0].bias.fill_(-100)
    found = fine_tuning(FineTuning(labels=[30], draws=2, steps=[400]), [given], 0)
    accuracies = {row["start"]: row["accuracy"] for row in found["rows"]}
    # One answer for all images of three classes.
    assert accuracies["encoder's weights"] == pytest.approx(1 / 3) and accuracies["from scratch"] > 0.6


def test_too_few_labels_are_one_line(given: Subject) -> None:
    with pytest.raises(UserError, match=r"^fine_tuning: .*; change probes.fine_tuning in params.yaml$"):
        fine_tuning(FineTuning(labels=[7], draws=2, steps=[1]), [given], 0)
