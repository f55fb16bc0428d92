"""Checks of vu4a's claims about its GANs on results whose verdict is known by construction."""

from collections.abc import Sequence

import pytest
from written import Written, numbers

from regen.claims.evidence import Missing


def players(written: Written, variant: str, generator: Sequence[float], discriminator: Sequence[float]) -> None:
    written.history(variant, train_generator_nats=generator, train_discriminator_nats=discriminator)


def test_vu4a_9_signs_of_four_trends(written: Written) -> None:
    down, up = [5.0, 3.0, 4.0, 1.0], [1.0, 4.0, 3.0, 5.0]
    for saturating, other, verdict in (
        ((down, down), (down, down), "reproduced"),
        ((down, down), (up, down), "partly"),
        ((up, up), (up, up), "not reproduced"),
    ):
        players(written, "vu4a-gan-mnist", *saturating)
        players(written, "vu4a-gan-mnist-nonsat", *other)
        found = written.find("vu4a-9")
        assert found.verdict == verdict
    # Least squares through 1, 4, 3, 5: sum of (x - 1.5)(y - 3.25) = 5.5 over 5.
    assert numbers(found)["trend of the generator's loss, saturating"] == pytest.approx(1.1)


@pytest.mark.parametrize(("claim", "variant"), [("vu4a-10", "vu4a-gan-mnist"), ("vu4a-19", "vu4a-gan-svhn")])
@pytest.mark.parametrize(
    ("distances", "verdict"),
    [((1000, 600, 540), "reproduced"), ((1000, 600, 530), "partly"), ((1000, 500, 490), "partly"), ((1000, 500, 100), "not reproduced")],
)
def test_vu4a_10_and_19(written: Written, claim: str, variant: str, distances: tuple[float, ...], verdict: str) -> None:
    before, first, last = distances
    written.frechet(variant, before_training=before, epoch_1=first, epoch_50=last)
    assert written.find(claim).verdict == verdict


def test_vu4a_10_says_what_came_between_and_how_the_discriminator_went_on(written: Written) -> None:
    written.frechet("vu4a-gan-mnist", before_training=1000, epoch_1=500, epoch_25=90, epoch_50=100)
    written.history("vu4a-gan-mnist", train_accuracy_real=[0.5] * 25 + [0.8] * 25, train_accuracy_fake=[0.7] * 25 + [0.9] * 25)
    found = written.find("vu4a-10")
    assert found.verdict == "not reproduced"
    assert "At epoch 25 it is 90.0;" in found.why and "from 60.0 % to 85.0 %" in found.why
    assert numbers(found)["discriminator's accuracy in training, epoch 50"] == pytest.approx(85)


@pytest.mark.parametrize(
    ("discriminator", "generator", "verdict"),
    [
        ([0.5, 0.8, 1.0, 1.05], [2.0, 2.0, 0.6, 0.7], "reproduced"),
        ([0.5, 0.8, 1.0, 1.05], [2.0, 2.0, 0.7, 0.7], "partly"),  # log 2 is 0.693
        ([1.5, 0.8, 1.0, 1.3], [2.0, 2.0, 0.9, 0.9], "not reproduced"),  # 13 % from the mean of the last half
    ],
)
def test_vu4a_11(written: Written, discriminator: list[float], generator: list[float], verdict: str) -> None:
    players(written, "vu4a-gan-svhn", [1.0] * 4, discriminator)
    players(written, "vu4a-gan-svhn-nonsat", generator, [1.0] * 4)
    assert written.find("vu4a-11").verdict == verdict


@pytest.mark.parametrize(("distance", "digits", "verdict"), [(50, 10, "reproduced"), (50, 8, "partly"), (500, 8, "not reproduced")])
def test_vu4a_13(written: Written, distance: float, digits: float, verdict: str) -> None:
    written.rows("vu4a-gan-svhn", {"samples": {"frechet_classifier_distance": 100, "digits_covered": 9}})
    written.rows("ext-dcgan-svhn", {"samples": {"frechet_classifier_distance": distance, "digits_covered": digits}})
    assert written.find("vu4a-13").verdict == verdict


@pytest.mark.parametrize(("wrong", "one", "verdict"), [(300, 80, "partly"), (300, 120, "partly"), (50, 120, "not reproduced")])
def test_vu4a_14(written: Written, wrong: float, one: float, verdict: str) -> None:
    rows = [
        {"images": images, "reshape": how, "frechet_classifier_distance": value, "channel_standard_deviation": 0.1}
        for images, how, value in (("samples", "right", 100), ("samples", "wrong", wrong), ("training images", "right", 33.25))
    ]
    written.probe("reshape", rows=rows)
    written.frechet("vu4a-gan-mnist", samples=100)
    written.frechet("ext-gan-1ch-mnist", samples=one)
    found = written.find("vu4a-14")
    assert found.verdict == verdict
    assert numbers(found)["standard deviation over the channels, training images, right reshape"] == 0.1
    # What the report plotted is not known, so both parts together show the claim partly.
    assert found.why.count(": yes.") == (wrong > 100) + (one < 100)
    assert "cannot be told from here. One channel also means 28x28: real training images brought to 32x32 have FCD 33.2 " in found.why
    assert numbers(found)["FCD, real training images at 32x32"] == 33.25


def test_vu4a_14_without_real_images_says_as_much_as_is_known(written: Written) -> None:
    row = {"images": "samples", "frechet_classifier_distance": 100, "channel_standard_deviation": 0.1}
    written.probe("reshape", rows=[{**row, "reshape": "right"}, {**row, "reshape": "wrong", "frechet_classifier_distance": 300}])
    written.frechet("vu4a-gan-mnist", samples=100)
    written.frechet("ext-gan-1ch-mnist", samples=80)
    found = written.find("vu4a-14")
    assert found.verdict == "partly" and found.why.endswith("cannot be told from here.")


def test_vu4a_14_without_a_distance_is_missing(written: Written) -> None:
    row = {"images": "samples", "frechet_classifier_distance": None}
    written.probe("reshape", rows=[{**row, "reshape": "right"}, {**row, "reshape": "wrong"}])
    with pytest.raises(Missing, match="reshape"):
        written.find("vu4a-14")
