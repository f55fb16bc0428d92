"""How near the ways to upsample are to each other, worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from stand_ins import described, subject

from regen.config.probes import Upsamplings
from regen.evaluation.probes.subject import Subject
from regen.evaluation.probes.upsamplings import ENLARGEMENTS, operator_distances, upsamplings


def test_enlargements_keep_the_mean_and_their_distances_are_those_of_a_ramp_by_hand() -> None:
    x = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).expand(1, 1, 2, 2)
    near, smooth, zeros = (ENLARGEMENTS[name](x)[0, 0].numpy() for name in ("nearest", "bilinear", "transposed"))
    np.testing.assert_allclose(near, [[0, 0, 1, 1]] * 4)
    np.testing.assert_allclose(smooth, [[0, 0.25, 0.75, 1]] * 4)
    np.testing.assert_allclose(zeros, [[0, 0, 4, 0], [0, 0, 0, 0]] * 2)
    found = operator_distances(x)
    for (one, other), value in found.items():
        difference = ENLARGEMENTS[one](x) - ENLARGEMENTS[other](x)
        assert value == pytest.approx(difference.square().mean().sqrt().item())
        assert ENLARGEMENTS[one](x).mean() == pytest.approx(0.5)
    assert found["nearest", "bilinear"] == pytest.approx((2 * 0.25**2 / 4) ** 0.5)
    assert found["nearest", "bilinear"] < min(found["transposed", "nearest"], found["transposed", "bilinear"])


PIXELS = SimpleNamespace(features=lambda images: images.flatten(1).float() / 255, probabilities=lambda features: None)


def test_samples_are_compared_pair_by_pair() -> None:
    def of(kind: str, level: float) -> Subject:
        noise = torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(int(100 * level)))
        model = SimpleNamespace(latents=lambda count: torch.zeros(count, 1), images=lambda z: (level + 0.2 * noise)[: len(z)])
        network = SimpleNamespace(upsampling=SimpleNamespace(kind=kind))
        config = SimpleNamespace(n_samples=40, seed=0, first_seed=0, model=SimpleNamespace(network=network))
        pixels = torch.arange(32, dtype=torch.uint8).view(2, 1, 4, 4)
        return subject({"test": described(pixels)}, model=model, config=config, reference=SimpleNamespace(space=PIXELS))

    found = upsamplings(Upsamplings(), [of("transposed", 0.1), of("nearest", 0.5), of("bilinear", 0.55)], 0)
    rows = {(row["first"], row["second"]): row for row in found["rows"]}
    assert set(rows) == {("transposed", "nearest"), ("transposed", "bilinear"), ("nearest", "bilinear")}
    for measure in ("frechet_classifier_distance", "kernel_classifier_distance"):
        assert rows["nearest", "bilinear"][measure] < min(rows["transposed", other][measure] for other in ("nearest", "bilinear"))
    assert (found["n_images"], found["n_samples"], len(found["operators"])) == (2, 40, 3)
