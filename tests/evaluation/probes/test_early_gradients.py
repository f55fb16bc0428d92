import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from sklearn.metrics import roc_auc_score
from stand_ins import described, subject
from torch import nn

from regen.common.files import read_tensors
from regen.config.base import parse
from regen.config.probes import EarlyGradients
from regen.config.variant import TrainConfig
from regen.evaluation.probes.early_gradients import area_under_curve, early_gradients, step_measures
from regen.images.images import Images
from regen.params.schema import Params
from regen.training.loop import train


class Line(nn.Module):
    """G(z) = w z of one number, D of logit a x + b: every gradient is known."""

    output = "probability"

    def __init__(self, w: float, a: float, b: float) -> None:
        super().__init__()
        self.generator = nn.Linear(1, 1, bias=False)
        self.discriminator = nn.Linear(1, 1)
        for parameter, value in zip(self.parameters(), (w, a, b), strict=True):
            nn.init.constant_(parameter, value)

    def latents(self, count: int) -> torch.Tensor:
        return torch.randn(count, 1)

    def seen(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x - 1


def test_measures_of_a_line() -> None:
    w, a, b = 0.7, -2.0, 1.5
    x = torch.tensor([[0.1], [0.9], [0.6]])
    torch.manual_seed(4)
    z = torch.randn(3, 1).flatten().tolist()
    line = Line(w, a, b)
    torch.manual_seed(4)
    found = step_measures(line, x)  # type: ignore[arg-type]
    fake = [1 / (1 + math.exp(-(a * w * one + b))) for one in z]
    real = [1 / (1 + math.exp(-(a * (2 * one - 1) + b))) for one in (0.1, 0.9, 0.6)]
    assert found["probability_fake"] == pytest.approx(sum(fake) / 3, rel=1e-5)
    assert found["probability_real"] == pytest.approx(sum(real) / 3, rel=1e-5)
    assert found["accuracy_real"] == pytest.approx(sum(p > 0.5 for p in real) / 3)
    assert found["accuracy_fake"] == pytest.approx(sum(p <= 0.5 for p in fake) / 3)
    # d log(1 - D) / dw = -D a z and d(-log D) / dw = -(1 - D) a z (errata uva3 6).
    saturating = sum(-p * a * one for p, one in zip(fake, z, strict=True)) / 3
    non_saturating = sum(-(1 - p) * a * one for p, one in zip(fake, z, strict=True)) / 3
    assert found["saturating_gradient_norm"] == pytest.approx(abs(saturating), rel=1e-4)
    assert found["non_saturating_gradient_norm"] == pytest.approx(abs(non_saturating), rel=1e-4)


def test_a_discriminator_that_is_sure_leaves_no_saturating_gradient() -> None:
    torch.manual_seed(0)
    # D is the same everywhere, so the ratio is D / (1 - D).
    found = step_measures(Line(0.0, 1.0, -12.0), torch.rand(50, 1))  # type: ignore[arg-type]
    assert found["saturating_gradient_norm"] / found["non_saturating_gradient_norm"] == pytest.approx(math.exp(-12), rel=1e-3)


def probed(notes: list[dict[str, int]], models: list[nn.Module]) -> dict[str, Any]:
    images = described(torch.arange(50, dtype=torch.uint8).view(50, 1))
    given = subject({"train": images}, snapshots=list(zip(models, notes, strict=True)), config=SimpleNamespace(batch_size=8))
    return early_gradients(EarlyGradients(batches=3), [given], 1)


def test_steps_that_fall_together_are_one_row_and_all_rows_have_the_same_draws() -> None:
    steps = [(0, 0), (1, 0), (3, 2), (10, 2), (30, 5)]
    models: list[nn.Module] = [Line(0.5, 1.0, 0.0) for _ in steps[:4]] + [Line(0.5, 1.0, 1.0)]
    found = probed([{"report_step": report, "step": step} for report, step in steps], models)
    assert (found["batches"], found["batch_size"]) == (3, 8)
    assert [(row.pop("step"), row.pop("run_step")) for row in found["rows"]] == [(0, 0), (3, 2), (30, 5)]
    first, second, third = found["rows"]
    assert first == second != third


def tiny_gan(variant: str, **training: Any) -> TrainConfig:
    network = {"kind": "mlp", "hidden": [6], "activation": "leaky_relu_0.2"}
    model = {"family": "gan", "latent_dim": 3, "generator": {**network, "batch_norm": True}, "discriminator": network}
    settings = {"objective": {"kind": "adversarial", "loss": "non_saturating"}, "optimizer": "adam", "learning_rate": 0.01, "batch_size": 8}
    fixed = {"dataset": "mnist", "shape": [1, 2, 2], "images": {}, "declared_images": 40, "max_steps": None}
    compute = {"threads": 1, "device": "cpu", "checkpoint_minutes": 10}
    config = {"variant": variant, "model": {**model, "output": "probability"}, "training": {**settings, **training}, "compute": compute}
    return parse(TrainConfig, {**config, **fixed}, "test")


def test_a_shorter_run_of_another_name_begins_with_the_same_weights(tmp_path: Path) -> None:
    pixels = torch.randint(0, 256, (60, 1, 2, 2), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    both = described(pixels)
    images: dict[str, Images] = {"train": both.take(slice(40)), "validation": both.take(slice(40, None))}
    train(tiny_gan("whole", epochs=4, snapshot_steps=[7, 20]), 3, images, tmp_path / "whole", torch.device("cpu"))
    train(tiny_gan("beginning", epochs=2, snapshot_steps=[1, 7]), 3, images, tmp_path / "beginning", torch.device("cpu"))
    one, other = (read_tensors(tmp_path / name / "step-000007.safetensors")[0] for name in ("whole", "beginning"))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_area_under_the_curve_is_scikit_learns() -> None:
    real, fake = torch.tensor([2.0, 0.5, 0.5, -1.0]), torch.tensor([0.5, -2.0, 1.0])
    labels = [1] * 4 + [0] * 3
    assert area_under_curve(real, fake) == pytest.approx(roc_auc_score(labels, torch.cat([real, fake]).tolist()))
    assert area_under_curve(fake - 9, real) == 0 and area_under_curve(real, fake - 9) == 1


@pytest.mark.parametrize("name", ["uva3-gan-mnist", "uva3-gan-mnist-saturating"])
def test_the_early_variant_is_the_beginning_of_the_other(params: Params, name: str) -> None:
    whole, beginning = (params.variants["mnist"][variant] for variant in (name, f"{name}-early"))
    assert (beginning.model, beginning.images, beginning.assumed) == (whole.model, whole.images, whole.assumed)
    changed = {"epochs": whole.training.epochs, "snapshot_steps": whole.training.snapshot_steps}
    assert beginning.training.model_copy(update=changed) == whole.training
    assert whole.training.learning_rate_stages is None
    assert max(beginning.training.snapshot_steps) == 2000 <= beginning.training.steps(60000)
