"""Choices of a GAN that do not go together, or not with its images, are refused in one clear line, and only they are."""

from typing import Any

import pytest
from combinations import CONV, ELBO, VAE, Bad, Good, changed, refusal, variant

from regen.config.base import parse
from regen.params.schema import Params

MLP = VAE["network"]
CONV_DISCRIMINATOR = {"kind": "conv", "channels": [4, 8], "hidden": [], "activation": "relu", "batch_norm": True, "first_norm": False}
GAN = {"family": "gan", "latent_dim": 3, "generator": MLP, "discriminator": MLP, "output": "probability"}
CRITIC = {**GAN, "output": "score"}
SATURATING, NON_SATURATING = ({"kind": "adversarial", "loss": loss} for loss in ("saturating", "non_saturating"))
WASSERSTEIN = {"kind": "adversarial", "loss": "wasserstein", "gradient_penalty": 10.0}

GOOD: dict[str, Good] = {
    "saturating": ("grey", variant(GAN, SATURATING)),
    "non-saturating": ("grey", variant({**GAN, "dropout": 0.3}, {**NON_SATURATING, "instance_noise": 0.1})),
    "wasserstein": ("grey", variant(CRITIC, WASSERSTEIN)),
    "convolutions": ("grey", variant({**GAN, "generator": CONV, "discriminator": CONV_DISCRIMINATOR}, SATURATING)),
    "three channels": ("grey", variant(GAN, SATURATING, size=32, channels=3)),
    "colour": ("colour", variant(GAN, SATURATING)),
    "vae": ("grey", variant(VAE, ELBO)),
    "batches of one image": ("grey", {**variant(GAN, SATURATING), "training": {**variant(GAN, SATURATING)["training"], "batch_size": 1}}),
}

BAD: dict[str, Bad] = {
    **{
        f"a score with the loss {name}": (
            *(name, {"model.output": "score"}),
            ["model.output = 'score'", f"allowed with loss '{name.replace('-', '_')}': 'probability'"],
        )
        for name in ("saturating", "non-saturating")
    },
    "a probability with Wasserstein": (
        *("wasserstein", {"model.output": "probability"}),
        ["model.output = 'probability'", "allowed with loss 'wasserstein': 'score'"],
    ),
    "batch normalisation in a critic with a penalty of single images": (
        *("wasserstein", {"model.discriminator": {**MLP, "batch_norm": True}}),
        ["model.discriminator.batch_norm = true", "allowed with loss 'wasserstein': false"],
    ),
    **{
        f"batches of one image normalised in the {part}": (
            *("saturating", {f"model.{part}": {**MLP, "batch_norm": True}, "training.batch_size": 1}),
            ["training.batch_size = 1", f"allowed with model.{part}.batch_norm = true: from 2"],
        )
        for part in ("generator", "discriminator")
    },
    "an unknown output": ("saturating", {"model.output": "logit"}, ['model.output = "logit"', "'probability' or 'score'"]),
    **{
        f"a gradient penalty with the loss {name}": (
            *(name, {"training.objective.gradient_penalty": 5.0}),
            ["gradient_penalty = 5.0", f"allowed with loss '{name.replace('-', '_')}': none"],
        )
        for name in ("saturating", "non-saturating")
    },
    "Wasserstein without a gradient penalty": (
        *("wasserstein", {"training.objective": {"kind": "adversarial", "loss": "wasserstein"}}),
        ["gradient_penalty = None", "allowed with loss 'wasserstein': a number"],
    ),
    "a gradient penalty of zero": (
        *("wasserstein", {"training.objective.gradient_penalty": 0.0}),
        ["gradient_penalty = 0.0", "greater than 0"],
    ),
    "instance noise of zero": ("saturating", {"training.objective.instance_noise": 0.0}, ["instance_noise = 0.0", "greater than 0"]),
    "certain dropout": ("saturating", {"model.dropout": 1.0}, ["model.dropout = 1.0", "less than 1"]),
    "an unknown loss": (
        *("saturating", {"training.objective.loss": "hinge"}),
        ['training.objective.loss = "hinge"', "'saturating', 'non_saturating' or 'wasserstein'"],
    ),
    "channels on images of three channels": (
        *("colour", {"images.channels": 3}),
        ["images.channels = 3", "allowed on images of 3 channels: null"],
    ),
    # 28, 14, 7: a third halving has no whole size.
    "a generator that cannot be halved": (
        *("convolutions", {"model.generator.channels": [4, 8, 16]}),
        ["model.generator.channels = [4, 8, 16]", "28x28"],
    ),
    "a discriminator that cannot be halved": (
        *("convolutions", {"model.discriminator.channels": [4, 8, 16]}),
        ["model.discriminator.channels = [4, 8, 16]", "28x28"],
    ),
    "a discriminator that upsamples": (
        *("convolutions", {"model.discriminator": CONV}),
        ["model.discriminator.decoder_activation", "unknown key"],
    ),
    "an adversarial VAE": (
        *("vae", {"training.objective": SATURATING}),
        ["training.objective.kind = 'adversarial'", "allowed with gaussian latents: elbo, iwae"],
    ),
    "the elbo of a GAN": (
        *("saturating", {"training.objective": ELBO}),
        ["training.objective.kind = 'elbo'", "'gan'", ": adversarial"],
    ),
    "noise on the images of a GAN": (
        *("saturating", {"training.noise": {"scale": 0.1, "targets": "clean"}}),
        ["training.noise", "'elbo' only", "'adversarial'"],
    ),
    "checks of a likelihood of a GAN": (
        *("saturating", {"checks": ["annealed"]}),
        ["checks = ['annealed']", "allowed with family 'gan': none", "no latents"],
    ),
    # Two training images in batches of 8, 2 epochs.
    "a snapshot beyond the run": (
        *("saturating", {"training.snapshot_steps": [0, 3]}),
        ["training.snapshot_steps = [0, 3]", "allowed: no more than the run's 2 steps"],
    ),
    # Two training images and two for validation in batches of 2, 2 epochs.
    "a snapshot beyond the run on both splits": (
        *("saturating", {"training.snapshot_steps": [5], "training.batch_size": 2, "training.held_out": "test"}),
        ["training.snapshot_steps = [5]", "allowed: no more than the run's 4 steps"],
    ),
    "snapshots that fall": ("saturating", {"training.snapshot_steps": [2, 1]}, ["snapshot_steps = [2, 1]", "allowed: rising"]),
    "a snapshot twice": ("saturating", {"training.snapshot_steps": [1, 1]}, ["snapshot_steps = [1, 1]", "allowed: rising"]),
    "a snapshot before the run": (
        *("saturating", {"training.snapshot_steps": [-1]}),
        ["snapshot_steps.0 = -1", "greater than or equal to 0"],
    ),
    "training images held out": (
        *("saturating", {"training.held_out": "train"}),
        ['training.held_out = "train"', "'validation' or 'test'"],
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_gan_that_fits_is_accepted(name: str) -> None:
    dataset, values = GOOD[name]
    accepted = parse(Params, changed(GOOD[name], {}), "params.yaml").variants[dataset]["tested"]
    assert accepted.training.objective.kind == values["training"]["objective"]["kind"]


@pytest.mark.parametrize("name", BAD)
def test_a_gan_that_does_not_fit_is_one_clear_line(name: str) -> None:
    good, changes, said = BAD[name]
    line = refusal(changed(GOOD[good], changes))
    assert line.startswith(f"params.yaml: variants.{GOOD[good][0]}.tested") and "allowed" in line and "\n" not in line
    assert [text for text in said if text not in line] == []


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("wasserstein", {"training.objective.instance_noise": 0.1, "model.dropout": 0.5}),
        ("convolutions", {"images.size": 32, "model.generator.channels": [4, 8, 16], "model.discriminator.channels": [4, 8, 16, 32]}),
        ("saturating", {"training.snapshot_steps": [0, 1, 2]}),
        ("saturating", {"training.snapshot_steps": [0, 4], "training.batch_size": 2, "training.held_out": "test"}),
        ("three channels", {"images.binarisation": "fixed"}),
    ],
)
def test_the_same_changes_to_a_gan_are_accepted_where_they_fit(name: str, changes: dict[str, Any]) -> None:
    accepted = parse(Params, changed(GOOD[name], changes), "params.yaml").model_dump()["variants"]["grey"]["tested"]
    for path, expected in changes.items():
        value = accepted
        for key in path.split("."):
            value = value[key]
        assert value == expected
