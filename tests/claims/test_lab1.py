"""Claims of lab1 on made-up results: answers, outcomes and numbers worked out by hand."""

from typing import Any

import pytest
from support.worked import Seeds, about, answers, measures, row_of
from support.written import Written

VAE, BINARISED, VAE_TWO, AUTO_ENCODER = "lab1-vae-mnist", "lab1-vae-bmnist", "lab1-vae-z2-mnist", "lab1-aegmm-mnist"
FCD = "frechet_classifier_distance"


@pytest.mark.parametrize(
    ("grey", "binarised", "holds", "outcome"),
    [
        # Real images have a sharpness of 0.5, binarised ones 0.8; 0.01 apart the ends are 0.025 away.
        (0.3, 0.6, [True, True], "reproduced"),
        (0.3, 0.9, [True, False], "partly"),
        (0.6, 0.6, [False, True], "partly"),
        (0.6, 0.9, [False, False], "not reproduced"),
        (0.48, 0.82, [None, None], "undecided"),
    ],
)
def test_means_are_blurred_if_less_sharp_than_real_images_of_their_own_kind(
    written: Written, grey: float, binarised: float, holds: Any, outcome: str
) -> None:
    for variant, sharp, real in ((VAE, grey, 0.5), (BINARISED, binarised, 0.8)):
        rows: dict[str, Seeds] = {
            "samples": about(sharp, 0.01),
            "test images": real,
            "draws": 2 * real - sharp,
            "binarised test images": 1.0,
        }
        measures(written, variant, {images: {"laplacian_variance": value, "mean_confidence": 0.9} for images, value in rows.items()})
    row = row_of(written, "lab1-3")
    assert (answers(row), row["outcome"]) == (holds, outcome)
    assert row["numbers"] == pytest.approx({"share": 200 * grey, "binarised": 125 * binarised})


@pytest.mark.parametrize(
    ("distance", "gap", "holds", "outcome"),
    [
        # The auto-encoder from one Gaussian has a distance of 100, and is 10 nats worse on validation than on training images.
        (80.0, 4.0, [True, True], "reproduced"),
        (120.0, 4.0, [False, True], "partly"),
        (80.0, 14.0, [True, False], "partly"),
        (120.0, 14.0, [False, False], "not reproduced"),
        # 10 and 1 apart the ends are 25 and 2.5 away.
        (about(80.0, 10.0), about(8.0, 1.0), [None, None], "undecided"),
    ],
)
def test_a_latent_space_is_better_organised_by_one_gaussian_and_overfits_less_by_the_gap_between_sets(
    written: Written, distance: Any, gap: Any, holds: Any, outcome: str
) -> None:
    measures(written, VAE_TWO, {"samples": {FCD: distance}})
    measures(written, VAE, {"samples": {FCD: 1.0}})
    # From its mixture the auto-encoder is nearer than any VAE, from N(0, I) farther.
    others = {"samples": {FCD: 10.0}, "codes from N(0, I)": {FCD: 900.0}}
    measures(written, AUTO_ENCODER, {"codes from one Gaussian": {FCD: 100.0}, **others})
    # The VAE reconstructs worse than the auto-encoder does, in both sets, and its test images and -ELBO have other gaps.
    for variant, train, more in ((VAE_TWO, 150.0, gap), (AUTO_ENCODER, 120.0, 10.0)):
        for seed in range(3):
            worse = more[seed] if isinstance(more, tuple) else more
            recon = {"train": train, "validation": train + worse, "test": train + 20 - worse}
            rows = [{"split": split, "recon_nats": nats, "neg_elbo_nats": 300 - nats} for split, nats in recon.items()]
            written.details(variant, seed, splits=rows)
    row = row_of(written, "lab1-4")
    assert (answers(row), row["outcome"]) == (holds, outcome)
    gaps = [100 - (distance[seed] if isinstance(distance, tuple) else distance) for seed in range(3)]
    assert row["numbers"].pop("by_seed") == ", ".join(f"{one:+.0f}" for one in gaps).replace("-", "−")
    middle, apart = (one[1] if isinstance(one, tuple) else one for one in (distance, gap))
    assert row["numbers"] == pytest.approx({"vae": middle, "auto_encoder": 100.0, "gap_vae": apart, "gap_auto_encoder": 10.0})
