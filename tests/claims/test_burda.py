"""The claims of burda: what decides them, and what is said while a run is missing."""

from typing import Any

import pytest
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


def test_what_the_paper_prints_is_reproduced_and_never_firm_after_121_epochs(written: Written) -> None:
    for variant in PRINTED:
        trained(written, variant, gap={VAE: 5.0, IWAE_5: 7.0, IWAE_50: 9.0}[variant])
    trained(written, WARM_UP, active=21)
    found = rows(written)
    assert {name: (row["outcome"], row["strength"]) for name, row in found.items()} == {
        f"burda-{number}": ("reproduced", "firm" if number == 1 else "indicative") for number in range(1, 10)
    }
    for name in set(found) - {"burda-1"}:
        assert "121 of 3,280 epochs" in found[name]["sentence"]
        assert "a schedule of 121 of the paper's 3,280 epochs" in found[name]["reasons"]
    assert max(len(row["sentence"].split()) for row in found.values()) <= 30
    assert {one["name"]: one["value"] for one in found["burda-2"]["numbers"]}["iwae_50"] == pytest.approx(87.11)


def test_a_run_that_is_missing_is_named_and_decides_nothing(written: Written) -> None:
    for number, row in enumerate(rows(written).values(), 1):
        if number > 1:
            assert (row["outcome"], row["strength"]) == ("undecided", "none")
            assert VAE in row["sentence"] or WARM_UP in row["sentence"]
            assert row["decides"]
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


@pytest.mark.parametrize(("least", "expected"), [(0.1, True), (0.05, None), (0.02, False)])
def test_groups_are_apart_by_a_factor_of_three_to_ten(written: Written, least: float, expected: bool | None) -> None:
    trained(written, VAE, least=least)
    [part, *_] = judged(checks_of(STUDIES / "burda")["burda-6"], written.results).parts
    assert part.holds is expected
