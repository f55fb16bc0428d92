"""The claims of burda: what decides them, and what is said while a run is missing."""

from typing import Any

import pytest
from support.worked import about, answers, row_of
from support.written import Written

from regen.claims.judge import checks_of, judge, judged
from regen.claims.study import STUDIES

VAE, IWAE_5, IWAE_50, WARM_UP = "ref-vae-bmnist", "ref-iwae5-bmnist", "ref-iwae50-bmnist", "ref-vae-warmup-bmnist"
PRINTED = {VAE: 88.71, IWAE_5: 87.63, IWAE_50: 87.10}
ACTIVE = {VAE: 19, IWAE_5: 22, IWAE_50: 24}


def trained(written: Written, variant: str, shift: float = 0.0, active: int | None = None, least: float = 0.5, gap: float = 1.0) -> None:
    """Write three runs of 121 epochs: -log p(x) is 0.25 nats lower with all samples, on fewer images."""
    written.card("binarized_mnist")
    count = ACTIVE.get(variant, 20) if active is None else active
    for seed in range(3):
        nats = PRINTED.get(variant, 88.0) + shift + 0.01 * seed
        written.history(variant, seed, val_neg_elbo_nats=[nats + 5] * 121)
        written.metrics(variant, seed, nll_nats=nats + 0.25, importance_samples=500, active_units=count + seed * 0.01, ess_mean=50.0 - gap)
        bounds = {(1, 1000): gap - 3 + 0.01 * seed, (500, 1000): 0.25 - 3, (5000, 1000): -3.0, (500, 10000): 0.25}
        written.details(
            variant,
            seed,
            likelihood=[{"importance_samples": k, "n_images": n, "nll_nats": nats + more} for (k, n), more in bounds.items()],
            latents=[{"variance_of_means": least if latent < count else 0.009} for latent in range(50)],
            splits=[{"split": split, "neg_elbo_nats": nats + more} for split, more in (("train", 0.0), ("test", 3.5), ("validation", 4.0))],
        )


def rows(written: Written) -> dict[str, Any]:
    return {row["id"]: row for row in judge(written.config, written.root)["claims"] if row["report"] == "burda"}


def test_what_the_paper_prints_is_reproduced_but_its_gap_and_never_firm_after_121_epochs(written: Written) -> None:
    for variant in PRINTED:
        trained(written, variant, gap={VAE: 5.0, IWAE_5: 7.0, IWAE_50: 9.0}[variant])
    trained(written, WARM_UP, active=21)
    found = rows(written)
    assert {name: (row["outcome"], row["strength"]) for name, row in found.items()} == {
        f"burda-{number}": ("undecided" if number == 7 else "reproduced", "firm" if number == 1 else "indicative")
        for number in range(1, 10)
    }
    for name in set(found) - {"burda-1"}:
        assert "121 of 3,280 epochs" in found[name]["sentence"]
        assert any(reason.startswith("a schedule of 121 of the paper's 3,280 epochs") for reason in found[name]["reasons"])
    assert max(len(row["sentence"].split()) for row in found.values()) <= 30
    assert {one["name"]: one["value"] for one in found["burda-2"]["numbers"]}["iwae_50"] == pytest.approx(87.11)


def test_a_run_that_is_missing_is_named_and_decides_nothing(written: Written) -> None:
    for number, row in enumerate(rows(written).values(), 1):
        if number > 1:
            assert (row["outcome"], row["strength"]) == ("undecided", "none")
            assert VAE in row["sentence"] or WARM_UP in row["sentence"]
            assert row["decides"] or number in (2, 7)  # what decides these no run gives: the notes say what would
    trained(written, VAE)
    trained(written, IWAE_5)
    found = rows(written)
    for name in ("burda-2", "burda-3", "burda-4", "burda-5"):
        assert found[name]["outcome"] == "partly" and IWAE_50 in found[name]["sentence"]


@pytest.mark.parametrize(("shift", "expected"), [(0.4, True), (0.6, None), (1.5, None), (-0.4, True), (-0.6, None)])
def test_a_likelihood_is_the_printed_one_within_half_a_nat_and_a_short_training_refutes_none(
    written: Written, shift: float, expected: bool | None
) -> None:
    trained(written, VAE, shift)
    [part, *_] = judged(checks_of(STUDIES / "burda")["burda-2"], written.results).parts
    assert part.holds is expected
    # An open question says why, in place of an error that it has not.
    told = "a shorter training than the paper's refutes none of its numbers" in rows(written)["burda-2"]["reasons"]
    assert told is (expected is None)


def test_groups_are_not_those_of_the_cut_where_active_latents_lie_below_the_gap(written: Written) -> None:
    trained(written, VAE)
    for seed in range(3):
        written.metrics(VAE, seed, active_units=20)
    row = row_of(written, "burda-6")
    assert answers(row) == [True, None] and row["numbers"]["vae_below"] == pytest.approx(1.0)


@pytest.mark.parametrize(("least", "expected"), [(0.1, True), (0.05, None), (0.02, False)])
def test_groups_are_apart_by_a_factor_of_three_to_ten(written: Written, least: float, expected: bool | None) -> None:
    trained(written, VAE, least=least)
    [part, *_] = judged(checks_of(STUDIES / "burda")["burda-6"], written.results).parts
    assert part.holds is expected


@pytest.mark.parametrize(
    ("vae", "iwae_5", "iwae_50", "holds", "outcome"),
    [
        # Nats by which test and validation images are worse than training images: below 0.79 they are not much worse; more proves nothing.
        ((1.65, 1.6), (1.7, 1.9), (3.0, 4.0), [None] * 6, "undecided"),
        ((1.8, 1.56), (0.83, 0.77), (2.0, 3.0), [None, None, None, False, None, None], "not reproduced"),
        ((0.5, 2.0), (2.0, -2.0), (-2.0, 0.5), [False, None, None, False, False, False], "not reproduced"),
    ],
)
def test_a_gap_of_the_bound_can_be_too_small_for_much_overfitting_and_never_large_enough(
    written: Written, vae: Any, iwae_5: Any, iwae_50: Any, holds: Any, outcome: str
) -> None:
    found = {VAE: vae, IWAE_5: iwae_5, IWAE_50: iwae_50}
    for variant, (test, validation) in found.items():
        for seed in range(3):
            nats = {"train": 90.0, "test": 90 + test + 0.01 * (seed - 1), "validation": 90 + validation}
            rows = [{"split": split, "neg_elbo_nats": loss, "recon_nats": 150 - loss} for split, loss in nats.items()]
            written.details(variant, seed, splits=rows)
            written.history(variant, seed, val_neg_elbo_nats=[90.0] * 121)
    row = row_of(written, "burda-7")
    assert (answers(row), row["outcome"]) == (holds, outcome)
    assert row["numbers"].pop("trained") == "121 of 3,280 epochs"
    gaps = {"vae": vae, "iwae_5": iwae_5, "iwae_50": iwae_50}
    sets = enumerate(("test", "validation"))
    assert row["numbers"] == pytest.approx({f"{name}_{split}": gap[place] for place, split in sets for name, gap in gaps.items()})


@pytest.mark.parametrize(
    ("iwae_5", "iwae_50", "holds", "outcome"),
    [
        # The VAE's bound of one sample lies 5 nats below that of 5,000; 0.1 apart the ends are 0.25 away.
        (7.0, 9.0, [True, True], "reproduced"),
        (7.0, 4.0, [True, False], "partly"),
        (5.2, 4.0, [None, False], "not reproduced"),
    ],
)
def test_posteriors_fit_less_well_by_the_gap_between_bounds_of_the_same_images(
    written: Written, iwae_5: float, iwae_50: float, holds: Any, outcome: str
) -> None:
    gaps = {VAE: 5.0, IWAE_5: iwae_5, IWAE_50: iwae_50}
    for variant, gap in gaps.items():
        for seed, nats in enumerate(about(gap, 0.0 if variant == VAE else 0.1)):
            # Of more images, of which fewer samples were drawn, and between other numbers of samples the gap is the other way round.
            bounds = {(1, 1000): 90 + nats, (500, 1000): 80 + 2 * nats, (5000, 1000): 90.0, (1, 10000): 100.0, (500, 10000): 90 + nats}
            rows = [{"importance_samples": k, "n_images": images, "nll_nats": bound} for (k, images), bound in bounds.items()]
            written.details(variant, seed, likelihood=rows)
            written.metrics(variant, seed, ess_mean=10 * gap, nll_nats=90.0)
            written.history(variant, seed, val_neg_elbo_nats=[90.0] * 121)
    row = row_of(written, "burda-8")
    assert (answers(row), row["outcome"]) == (holds, outcome)
    assert row["numbers"].pop("trained") == "121 of 3,280 epochs"
    numbers = dict(zip(("vae", "iwae_5", "iwae_50"), gaps.values(), strict=True))
    assert row["numbers"] == pytest.approx({**numbers, **{f"ess_{name}": 10 * gap for name, gap in numbers.items()}})


@pytest.mark.parametrize(
    ("nats", "units", "holds", "outcome"),
    [
        # Without a warm-up it has 88 nats and 20 active latents; 0.1 apart the ends are 0.25 away.
        (87.0, 22.0, [True, True], "reproduced"),
        (87.0, 18.0, [True, False], "partly"),
        (89.0, 22.0, [False, True], "partly"),
        (89.0, 18.0, [False, False], "not reproduced"),
        (87.8, 20.2, [None, None], "undecided"),
    ],
)
def test_a_warm_up_helps_by_a_lower_likelihood_in_nats_and_more_active_latents(
    written: Written, nats: float, units: float, holds: Any, outcome: str
) -> None:
    for variant, found, active, apart in ((WARM_UP, nats, units, 0.1), (VAE, 88.0, 20.0, 0.0)):
        for seed, (loss, count) in enumerate(zip(about(found, apart), about(active, apart), strict=True)):
            # More samples, drawn of fewer images, take 2 nats off the warm one and 1 off the other.
            more = 2.0 if variant == WARM_UP else 1.0
            rows = [{"importance_samples": k, "n_images": 10, "nll_nats": bound} for k, bound in ((500, 50.0), (5000, 50 - more))]
            written.details(variant, seed, likelihood=rows)
            written.metrics(variant, seed, nll_nats=loss + more, importance_samples=500, active_units=count, ess_mean=count - 40)
            written.history(variant, seed, val_neg_elbo_nats=[176 - found] * 121)
    row = row_of(written, "burda-9")
    assert (answers(row), row["outcome"]) == (holds, outcome)
    assert row["numbers"].pop("trained") == "121 of 3,280 epochs"
    assert row["numbers"] == pytest.approx({"warm": nats, "plain": 88.0, "units_warm": units, "units_plain": 20.0})
