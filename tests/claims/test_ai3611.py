"""Claims of ai3611 on made-up results: answers, outcomes and numbers worked out by hand."""

from typing import Any

import pytest
from support.worked import about, answers, history, row_of
from support.written import Written

ONE, TWO, NOISED, MORE_NOISE = "ai3611-vae-z1-mnist", "ai3611-vae-z2-mnist", "ai3611-vae-z1-noise-mnist", "ai3611-vae-z1-noise01-mnist"


@pytest.mark.parametrize(
    ("two", "holds", "outcome"),
    [
        # One latent has 160 nats; 1 apart the ends are 2.5 away.
        (157.0, True, "reproduced"),
        (158.0, None, "undecided"),
        (163.0, False, "not reproduced"),
    ],
)
def test_two_latents_are_held_against_one_over_the_last_epochs_that_both_have(
    written: Written, two: float, holds: bool | None, outcome: str
) -> None:
    # Before its last five of 40 epochs, after these, in training and by -ELBO it is the other way round.
    back = 320 - two
    history(written, ONE, val_recon_nats=[160.0] * 40, train_recon_nats=[160.0] * 40, val_neg_elbo_nats=[160.0] * 40)
    history(
        written,
        TWO,
        val_recon_nats=[back] * 35 + [about(two, 1.0)] * 5 + [back] * 20,
        train_recon_nats=[back] * 60,
        val_neg_elbo_nats=[back] * 60,
    )
    row = row_of(written, "ai3611-1")
    assert (answers(row), row["outcome"]) == ([holds], outcome)
    assert row["numbers"] == pytest.approx({"one": 160.0, "two": two})


@pytest.mark.parametrize(
    ("noised", "apart", "holds", "outcome", "error"),
    [
        # Without noise it is 200: less than 2 % is little, more than 5 % is not, and less of it is better.
        (196.4, 0.1, [True, True], "reproduced", "beyond the error"),
        (203.6, 0.1, [True, False], "partly", "beyond the error"),
        (195.6, 0.1, [None, True], "partly", "beyond the error"),
        (209.6, 0.1, [None, False], "not reproduced", "beyond the error"),
        (189.6, 0.1, [False, True], "partly", "beyond the error"),
        (210.4, 0.1, [False, False], "not reproduced", "beyond the error"),
        # 0.5 apart the ends are 1.2 away.
        (199.0, 0.5, [True, None], "partly", "within the error"),
    ],
)
def test_noise_changes_little_either_way_and_helps_only_downwards_over_equal_epochs(
    written: Written, noised: float, apart: float, holds: Any, outcome: str, error: str
) -> None:
    # 30 epochs with noise, 100 without, whose loss falls on to 150.
    # -ELBO goes the other way.
    history(written, ONE, val_recon_nats=[300.0] * 25 + [200.0] * 5 + [150.0] * 70, val_neg_elbo_nats=[180.0] * 100)
    history(written, NOISED, val_recon_nats=[150.0] * 25 + [about(noised, apart)] * 5, val_neg_elbo_nats=[400 - noised] * 30)
    history(written, MORE_NOISE, val_recon_nats=[150.0] * 25 + [240.0] * 5)
    row = row_of(written, "ai3611-2")
    assert (answers(row), row["outcome"]) == (holds, outcome)
    assert row["numbers"].pop("error") == error
    numbers = {"change": (noised - 200) / 2, "noised": noised, "clean": 200.0, "change_more": 20.0}
    assert row["numbers"] == pytest.approx(numbers)
