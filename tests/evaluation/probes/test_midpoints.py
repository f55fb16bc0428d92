import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from stand_ins import described, subject
from torch.distributions import Bernoulli, Independent, Normal

from regen.common.errors import UserError
from regen.config.probes import Midpoints
from regen.evaluation.probes.midpoints import midpoints, reconstruction_errors


def pixels(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 1, 2, 2), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def flat(x: torch.Tensor) -> Independent:
    """Return the pixels themselves as latents."""
    return Independent(Normal(x.flatten(1), torch.ones(len(x), 4)), 1)


def referee(answer: float) -> Any:
    """Return a model that answers every image with the same grey."""

    def decoder(z: torch.Tensor) -> Independent:
        return Independent(Bernoulli(probs=torch.full((len(z), 1, 2, 2), answer), validate_args=False), 3, validate_args=False)

    return SimpleNamespace(encoder=flat, decoder=decoder)


def run(decode: Any, answer: float = 0.5, pairs: int = 10, images: int = 30) -> dict[str, Any]:
    first = subject({"test": described(pixels(images))}, model=SimpleNamespace(encoder=flat, images=decode))
    return midpoints(Midpoints(pairs=pairs), [first, subject(model=referee(answer))], 0)


def test_errors_are_the_closed_forms() -> None:
    x = torch.tensor([[[[0.0, 1.0], [0.5, 0.25]]]])
    found = {name: value.item() for name, value in reconstruction_errors(referee(0.25), x).items()}
    assert found["mse_per_pixel"] == pytest.approx((0.0625 + 0.5625 + 0.0625 + 0) / 4)
    nats = -sum(value * math.log(0.25) + (1 - value) * math.log(0.75) for value in (0, 1, 0.5, 0.25))
    own = math.log(2) - 0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    assert found["cross_entropy_nats"] == pytest.approx(nats, rel=1e-5)
    assert found["excess_nats"] == pytest.approx(nats - own, rel=1e-5)


def test_where_the_latents_are_the_pixels_nothing_is_gained() -> None:
    found = run(lambda z: z.unflatten(1, (1, 2, 2)))
    assert (found["pairs"], found["n_images"], len(found["comparisons"])) == (10, 20, 6)
    assert all((row["mean_difference"], row["share_lower"], row["standard_error"]) == (0, 0, 0) for row in found["comparisons"])
    rows = {row["images"]: row for row in found["rows"]}
    assert rows["end images"] == {**rows["decoded ends"], "images": "end images"}
    # Every grey value costs log 2 under a coin.
    assert all(row["cross_entropy_nats"] == pytest.approx(4 * math.log(2), rel=1e-5) for row in found["rows"])


def test_a_decoder_that_ends_on_the_manifold_is_lower_in_every_pair() -> None:
    # Whatever the code, its image is the referee's own answer.
    found = run(lambda z: torch.full((len(z), 1, 2, 2), 0.5))
    against = {(row["against"], row["measure"]): row for row in found["comparisons"]}
    real = against["pixel midpoints", "mse_per_pixel"]
    assert real["share_lower"] == 1 and real["mean_difference"] < 0 < real["standard_error"]
    assert real["mean_difference"] == pytest.approx(
        -next(row["mse_per_pixel"] for row in found["rows"] if row["images"] == "pixel midpoints")
    )
    assert against["pixel midpoints of decoded ends", "mse_per_pixel"]["mean_difference"] == 0
    assert next(row["mse_per_pixel"] for row in found["rows"] if row["images"] == "latent midpoints") == 0


def test_pixel_midpoints_are_of_pairs_of_the_drawn_images() -> None:
    x = pixels(30).float().flatten(1) / 255
    found = run(lambda z: z.unflatten(1, (1, 2, 2)), pairs=100)
    assert found["pairs"] == 15
    ends = next(row for row in found["rows"] if row["images"] == "end images")
    assert ends["mse_per_pixel"] == pytest.approx((x - 0.5).square().mean().item(), rel=1e-5)


def test_too_few_images_are_one_line() -> None:
    with pytest.raises(UserError, match=r"^midpoints: expected at least 4 test images, got 3; choose a larger source in params.yaml$"):
        run(lambda z: z.unflatten(1, (1, 2, 2)), images=3)
