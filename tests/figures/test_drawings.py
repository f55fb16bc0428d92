"""Which figures a model gets follows from what it can do, and their texts are true of it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from regen.config.base import parse
from regen.figures.pictures import drawings
from regen.figures.pictures.drawings import AT_SNAPSHOTS, DRAWINGS, Drawn, Trained
from regen.figures.pictures.images import neighbours
from regen.figures.style import apply_style
from regen.images.images import Images
from regen.models.build import build
from regen.params.figures import DrawConfig, possible

NETWORK = {"kind": "mlp", "hidden": [4], "activation": "relu"}
BERNOULLI = {"kind": "bernoulli"}
GAUSSIAN = {"kind": "gaussian", "scale": 1.0}
STANDARD = {"kind": "standard"}
REALNVP = {"kind": "realnvp", "couplings": 2, "networks": "one", "hidden": [4], "activation": "relu"}
FLOW = {"family": "flow", "alpha": 0.05, "flow": REALNVP}
CLASSIFIER = {"family": "classifier", "network": NETWORK, "dropout": 0.5, "classes": 2}
TITLES = ["before training", "epoch 2"]


def vae(latent: str, dim: int, prior: dict[str, Any] = STANDARD, likelihood: dict[str, Any] = BERNOULLI) -> dict[str, Any]:
    latents = {"kind": latent, "dim": dim}
    return {"family": "vae", "network": NETWORK, "latent": latents, "prior": prior, "likelihood": likelihood}


def autoencoder(codes: int) -> dict[str, Any]:
    return {"family": "autoencoder", "network": NETWORK, "latent_dim": codes, "likelihood": BERNOULLI, "components": 3}


def gan(latents: int) -> dict[str, Any]:
    return {"family": "gan", "latent_dim": latents, "generator": NETWORK, "discriminator": NETWORK, "output": "probability"}


def trained(
    model: dict[str, Any],
    shape: tuple[int, int, int] = (1, 4, 4),
    snapshots: bool = True,
    labels: torch.Tensor | None = None,
) -> Trained:
    """Return an untrained model of these settings as one that has two snapshots, with 15 test images."""
    values = {"variant": "a-model", "dataset": "mnist", "seed": 0, "images": {}, "max_steps": None, "shape": list(shape), "points": 11}
    values |= {"held_out": "validation"}
    config = parse(DrawConfig, {**values, "model": model, "pictures": [], "threads": 1}, "test")
    torch.manual_seed(0)
    final, *others = (build(config.model, config.shape).eval() for _ in range(1 + len(TITLES)))
    pixels = torch.randint(0, 256, (15, *shape), generator=torch.Generator().manual_seed(1), dtype=torch.int16).to(torch.uint8)
    return Trained(
        config=config,
        final=final,
        snapshots=dict(zip(TITLES, others, strict=True)) if snapshots else {},
        test=Images(pixels, torch.arange(15) % 10 if labels is None else labels),
        train=lambda: Images(pixels.flip(0), torch.arange(15)),
    )


def drawn(one: Trained) -> dict[str, Drawn]:
    """Return everything that can be drawn of a model, by kind."""
    kinds = [kind for kind in possible(one.config.model, one.config.shape[0]) if one.snapshots or kind not in AT_SNAPSHOTS]
    found = {str(kind): DRAWINGS[kind](one) for kind in kinds}
    assert all(drawing.title and "a-model" in drawing.caption and drawing.description for drawing in found.values())
    return found


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        (vae("gaussian", 1), ["means", "draws", "final", "reconstructions", "line", "quantile_line", "interpolation", "nearest_training"]),
        (
            vae("gaussian", 2),
            ["means", "draws", "final", "reconstructions", "manifold", "square", "interpolation", "latents_by_class", "nearest_training"],
        ),
        (
            vae("gaussian", 3),
            ["means", "draws", "final", "reconstructions", "traversal", "interpolation", "latents_by_class", "nearest_training"],
        ),
        # Bernoulli latents have neither a line nor a plane nor anything between, and a learned prior no quantiles that are known.
        (vae("bernoulli", 1), ["means", "draws", "final", "reconstructions", "nearest_training"]),
        (vae("bernoulli", 2), ["means", "draws", "final", "reconstructions", "latents_by_class", "nearest_training"]),
        (vae("bernoulli", 3), ["means", "draws", "final", "reconstructions", "latents_by_class", "nearest_training"]),
        (
            vae("gaussian", 2, prior=REALNVP),
            ["means", "draws", "final", "reconstructions", "interpolation", "latents_by_class", "nearest_training"],
        ),
        (
            vae("gaussian", 4, prior=REALNVP),
            ["means", "draws", "final", "reconstructions", "interpolation", "latents_by_class", "nearest_training"],
        ),
        (
            vae("gaussian", 3, likelihood=GAUSSIAN),
            ["means", "final", "reconstructions", "traversal", "interpolation", "latents_by_class", "nearest_training"],
        ),
        (FLOW, ["samples", "final", "interpolation", "nearest_training"]),
        (autoencoder(2), ["samples", "final", "reconstructions", "interpolation", "codes", "nearest_training"]),
        (autoencoder(3), ["samples", "final", "reconstructions", "interpolation", "nearest_training"]),
        (gan(1), ["samples", "final", "interpolation", "traversal", "nearest_training"]),
        (gan(5), ["samples", "final", "interpolation", "traversal", "nearest_training"]),
        (CLASSIFIER, []),
    ],
)
def test_a_model_gets_the_figures_that_it_can_have(model: dict[str, Any], kinds: list[str]) -> None:
    assert list(drawn(trained(model))) == kinds


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        (vae("gaussian", 1), ["final", "line", "quantile_line", "interpolation", "nearest_training"]),
        (vae("gaussian", 2), ["final", "manifold", "square", "interpolation", "latents_by_class", "nearest_training"]),
        (vae("bernoulli", 2), ["final", "latents_by_class", "nearest_training"]),
        (FLOW, ["samples", "final", "interpolation", "nearest_training"]),
        (autoencoder(2), ["samples", "final", "interpolation", "codes", "nearest_training"]),
        (gan(5), ["samples", "final", "interpolation", "traversal", "nearest_training"]),
        (CLASSIFIER, []),
    ],
)
def test_without_snapshots_the_final_model_is_still_drawn(model: dict[str, Any], kinds: list[str]) -> None:
    assert list(drawn(trained(model, snapshots=False))) == kinds


def test_colour_images_are_not_drawn_from_bernoulli_pixels() -> None:
    kinds = ["means", "final", "reconstructions", "traversal", "interpolation", "latents_by_class", "nearest_training"]
    assert list(drawn(trained(vae("gaussian", 3), shape=(3, 4, 4)))) == kinds


@pytest.mark.parametrize(("size", "count"), [(32, 25), (64, 16)])
def test_of_large_images_fewer_are_drawn(size: int, count: int) -> None:
    one = trained(gan(2), shape=(3, size, size))
    for drawing in (drawings.generated(one), drawings.final(one)):
        side = round(count**0.5)
        assert str(count) in drawing.caption and f" {count} generated images" in drawing.description
        assert np.asarray(drawing.figure.axes[0].images[0].get_array()).shape == (side * (size + 1) - 1, side * (size + 1) - 1, 3)


@pytest.mark.parametrize("model", [vae("gaussian", 3), FLOW, gan(5)])
def test_samples_after_training_are_of_the_final_model(model: dict[str, Any]) -> None:
    one = trained(model)
    one.snapshots["epoch 2"].load_state_dict(one.final.state_dict())
    over = drawings.means(one) if model["family"] == "vae" else drawings.generated(one)
    shown = [np.asarray(drawing.figure.axes[-1].images[0].get_array()) for drawing in (over, drawings.final(one))]
    assert np.array_equal(*shown) and titles(drawings.final(one).figure) == ["after training"]


@pytest.mark.parametrize(
    ("model", "where"),
    [
        (vae("gaussian", 3), "at the mean of q"),
        (vae("bernoulli", 3), "at the likelier value of every latent"),
        (autoencoder(3), "at the code"),
    ],
)
def test_reconstructions_say_what_was_decoded(model: dict[str, Any], where: str) -> None:
    one = drawn(trained(model))["reconstructions"]

    assert titles(one.figure) == ["test images", *TITLES]
    assert f"(decoder mean {where})" in one.caption
    # Twelve of the 15 test images, 4 pixels and a gap each.
    assert [np.asarray(axes.images[0].get_array()).shape for axes in one.figure.axes] == [(4, 12 * 5 - 1)] * 3


def test_bernoulli_latents_are_decoded_where_they_are_zero_or_one() -> None:
    one = trained(vae("bernoulli", 2))
    seen: list[torch.Tensor] = []
    for model in one.snapshots.values():
        model.decoder.register_forward_hook(lambda module, given, result: seen.append(given[0]))
    drawings.reconstructed(one)

    x = one.test.images[:12].float() / 255
    for z, model in zip(seen, one.snapshots.values(), strict=True):
        assert torch.equal(z, (model.encoder.network(x) > 0).float())


@pytest.mark.parametrize(("prior", "same"), [(STANDARD, "the same latents"), (REALNVP, "the same noise")])
def test_samples_say_what_the_snapshots_share(prior: dict[str, Any], same: str) -> None:
    found = drawn(trained(vae("gaussian", 4, prior=prior)))

    assert titles(found["means"].figure) == titles(found["draws"].figure) == TITLES
    assert f"{same} at every snapshot" in found["means"].caption
    assert all(title in found["means"].description for title in TITLES)


@pytest.mark.parametrize("model", [FLOW, gan(5)])
def test_images_without_a_decoder_come_from_the_same_noise_at_every_snapshot(model: dict[str, Any]) -> None:
    one = trained(model)
    one.snapshots["epoch 2"].load_state_dict(one.snapshots["before training"].state_dict())
    same = drawings.generated(one)
    first, second = (np.asarray(axes.images[0].get_array()) for axes in same.figure.axes)

    assert titles(same.figure) == TITLES and np.array_equal(first, second)
    # 25 images of 4 x 4 in five rows, no two alike.
    images = {first[5 * row : 5 * row + 4, 5 * column : 5 * column + 4].tobytes() for row in range(5) for column in range(5)}
    assert first.shape == (24, 24) and len(images) == 25
    torch.manual_seed(77)
    again = drawings.generated(one)
    assert np.array_equal(np.asarray(again.figure.axes[0].images[0].get_array()), first)


class Paint(torch.nn.Module):
    """A decoder whose images have the first code as their grey."""

    def forward(self, z: torch.Tensor) -> Any:
        return SimpleNamespace(mean=z[:, :1, None, None].expand(-1, 1, 4, 4))


def test_an_auto_encoder_is_sampled_from_three_distributions_of_codes() -> None:
    one = trained(autoencoder(2))
    one.final.decoder = Paint()
    # All but points: the one Gaussian at a quarter, the mixture's components at a half and at three quarters.
    for fitted, means in ((one.final.gaussian, [0.25]), (one.final.mixture, [0.5, 0.75, 0.75])):
        fitted.means.copy_(torch.tensor(means)[:, None].expand(-1, 2))
        fitted.covariances.mul_(1e-12)
    figure = drawn(one)["samples"].figure
    greys = [np.unique(np.asarray(axes.images[0].get_array())[::5, ::5].round(4)).tolist() for axes in figure.axes]

    assert titles(figure) == ["N(0, I)", "one Gaussian", "mixture"]
    assert greys[1:] == [[0.25], [0.5, 0.75]]
    # Of 25 standard normal values about half are below 0 and drawn black, 4 above 1 and drawn white; none repeats between.
    assert {0, 1} <= set(greys[0]) and len(greys[0]) > 5


def test_codes_are_those_of_the_first_test_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "CODES", 12)
    one = trained(autoencoder(2))
    found = drawn(one)["codes"]
    points = [point for group in found.figure.axes[0].collections for point in np.asarray(group.get_offsets()).tolist()]

    with torch.no_grad():
        expected = one.final.encoder(one.test.images[:12].float() / 255).numpy()
    assert np.array(sorted(points)) == pytest.approx(np.array(sorted(expected.tolist())))
    assert found.caption.startswith("Codes of 12 test images by a-model, coloured by class;")
    # Three components, two ellipses each.
    assert "ellipses for 3 components" in found.description and len(found.figure.axes[0].patches) == 6


def test_codes_of_images_without_classes_are_drawn_too() -> None:
    found = drawn(trained(autoencoder(2), labels=torch.zeros(15, 0)))["codes"]
    (points,) = [group for group in found.figure.axes[0].collections if isinstance(group, PathCollection)]
    assert len(np.asarray(points.get_offsets())) == 15 and "class" not in found.caption


@pytest.mark.parametrize(("latents", "said"), [(12, "the 3 of 12"), (2, "the 2 of 2")])
def test_a_traversal_says_how_many_latents_there_are(latents: int, said: str) -> None:
    one = drawn(trained(gan(latents)))["traversal"]
    rows = 4 * int(said.split()[1])

    assert f"{said} that change the image most" in one.caption and "from -3 to 3" in one.caption
    assert f"{rows} rows" in one.description and len(one.figure.axes[0].get_yticks()) == rows


def test_paths_are_of_the_final_model() -> None:
    one = trained(gan(5))
    for model in one.snapshots.values():
        model.generator = None
    found = {"interpolation": drawings.interpolated(one), "traversal": drawings.traversed(one)}
    assert "after training" in found["interpolation"].caption
    assert found["interpolation"].description.startswith("Three panels of two rows of 11 images")
    # Images of 4 x 4 and a gap of 1.
    shapes = [np.asarray(axes.images[0].get_array()).shape for axes in found["interpolation"].figure.axes]
    assert shapes == [(2 * 5 - 1, 11 * 5 - 1)] * 3


def test_latents_by_class_are_the_posterior_means_and_of_many_their_principal_components() -> None:
    for latents in (2, 5):
        one = trained(vae("gaussian", latents))
        drawing = drawn(one)["latents_by_class"]
        with torch.no_grad():
            means = one.final.encoder(one.test.images.float() / 255).mean.double()
        if latents > 2:
            _, _, directions = np.linalg.svd(means.numpy() - means.numpy().mean(0))
            means = torch.from_numpy((means.numpy() - means.numpy().mean(0)) @ directions[:2].T)
        found = {int(points.get_label()): np.asarray(points.get_offsets()) for points in drawing.figure.axes[0].collections}
        assert set(found) == set(range(10))
        for label, points in found.items():
            np.testing.assert_allclose(np.abs(points), means[one.test.labels == label].abs().numpy(), rtol=1e-4, atol=1e-6)
        assert ("all 5 latents" in drawing.caption) == (latents > 2)


def test_traversals_start_at_draws_from_the_prior_that_are_the_same_every_time() -> None:
    one = trained(vae("gaussian", 400))
    seen: list[torch.Tensor] = []
    one.final.decoder.register_forward_hook(lambda module, given, result: seen.append(given[0]))
    for seed in (1, 2):
        torch.manual_seed(seed)
        drawings.traversed(one)
    # Three latents of three samples, nine values each.
    first, second = (z.view(3, 3, 9, 400) for z in seen if len(z) == 3 * 3 * 9)
    assert torch.equal(first, second)
    starts = first.median(2).values.median(0).values
    # 1,200 values of N(0, 1): four standard errors of their mean and deviation.
    assert abs(starts.mean().item()) < 4 / 1200**0.5 and abs(starts.std().item() - 1) < 4 / 2400**0.5
    assert (starts[0] != starts[1]).all() and (starts[1] != starts[2]).all()


def test_the_nearest_training_images_stand_below_a_sample() -> None:
    others = torch.randint(0, 256, (20, 1, 4, 4), generator=torch.Generator().manual_seed(2), dtype=torch.int16).to(torch.uint8)
    images = others[[7, 3]].clone()
    images[1, 0, 0, 0] ^= 1
    apply_style()
    figure = neighbours(images, others)
    distances = np.linalg.norm((images[:, None].double() - others.double()).flatten(2).numpy(), axis=2)
    expected = others[torch.from_numpy(distances.argsort(1, kind="stable")[:, :3])]
    assert expected[0, 0].equal(others[7]) and expected[1, 0].equal(others[3])
    rows = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    for place, row in enumerate(rows):
        for column in range(2):
            shown = images[column, 0] if place == 0 else expected[column, place - 1, 0]
            np.testing.assert_allclose(row[:, 5 * column : 5 * column + 4], shown.numpy() / 255, atol=1e-6)
