"""Likelihoods in one room: the estimates that stand in front, and which differences are resolved; against sums by hand and numpy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import PLANE, VAE, details, seeds
from support.written import Written

from regen.report.likelihoods import Likelihood, held_against, likelihoods, pairs
from regen.results import Results

METRICS = {"nll_nats_low": 99.0, "nll_nats_high": 101.0, "bits_per_dim": 0.2, "importance_samples": 50, "n_images": 40}


def run(written: Written, name: str, nll: float, seed: int = 0, kind: str = "unnormalised", **more: Any) -> None:
    written.metrics(name, seed, **METRICS, nll_nats=nll, nll_kind=kind, neg_elbo_nats=nll + 5)
    written.details(name, seed, **details(nll, **more))


CHECK = {"estimate": "quadrature", "n_images": 100, "difference_nats": 3.0, "difference_standard_error_nats": 0.5}


def test_the_second_estimate_stands_in_front_after_the_step_to_the_most_samples(written: Written) -> None:
    annealed = {**CHECK, "estimate": "annealed importance sampling", "difference_nats": 1.0}
    run(written, PLANE, 100.0, checks=[{"estimate": "importance sampling", "n_images": 100}, annealed, CHECK])
    run(written, VAE, 98.0)
    found = likelihoods(written.results)
    # 100 at K = 50, 2 less at K = 500 on the same images, 3 less by the quadrature; what is exact goes before what is annealed.
    one = found[PLANE]
    assert (one.by, one.step, one.most_samples, one.exact, one.best) == ("quadrature", -2.0, 500, 95.0, 95.0)
    assert one.bits == pytest.approx(0.2 * 95 / 100) and one.error == pytest.approx(np.hypot(1 / 1.96, 0.5))
    assert (found[VAE].exact, found[VAE].best) == (None, 96.0)


def test_seeds_are_averaged(written: Written) -> None:
    for seed, nll in enumerate((100.0, 101.0, 103.0)):
        run(written, PLANE, nll, seed, checks=[CHECK])
    one = likelihoods(Results(seeds(written.config, PLANE), written.root))[PLANE]
    assert one.value == pytest.approx(304 / 3)
    assert one.exact_error == pytest.approx(0.5 / np.sqrt(3))


def model(name: str, values: np.ndarray, of_seeds: list[float], exact_error: float = 0.0) -> Likelihood:
    mean, n = float(np.mean(of_seeds)), len(values)
    return Likelihood(name, "probability", mean, mean - 1, mean + 1, 0.002, n, 0.0, 500, "", None, exact_error, 0, values.tolist())


def test_a_difference_is_resolved_image_by_image_beyond_what_seeds_and_estimates_add(written: Written) -> None:
    generator = np.random.default_rng(3)
    hard = generator.normal(100, 20, 400)
    first, second = hard + generator.normal(0, 0.5, 400), hard + 1 + generator.normal(0, 0.5, 400)
    both = [model(VAE, second, [101.0]), model(PLANE, first, [100.0])]
    run(written, VAE, 101.0)
    run(written, PLANE, 100.0)
    # One seed each and no other variant's spread: no error over seeds is known, and nothing is resolved.
    (pair,) = pairs(written.results, both)
    assert (pair.better, pair.worse, pair.difference, pair.half, pair.resolved) == (PLANE, VAE, 1.0, None, False)
    # Three seeds each, a nat apart in the same order but for 0.1: differences 1.0, 0.9, 1.1, Student's 4.303 with two degrees of freedom.
    # Images differ by 20 nats, the models on each image by half a nat: paired, one nat is far beyond the error.
    for seed, nll in ((1, 101.0), (2, 102.0)):
        run(written, PLANE, nll, seed)
        run(written, VAE, nll + (0.9 if seed == 1 else 1.1), seed)
    three = Results(seeds(written.config, PLANE, VAE), written.root)
    (pair,) = pairs(three, both)
    images = 1.96 * np.std(second - first, ddof=1) / 20
    assert pair.resolved and pair.half == pytest.approx(np.hypot(images, 4.3027 * 0.1 / np.sqrt(3)), rel=1e-4)
    (again,) = pairs(three, [both[0], model(PLANE, first, [100.0], exact_error=0.6)])
    assert not again.resolved and again.half == pytest.approx(np.hypot(pair.half, 1.96 * 0.6), rel=1e-4)


def test_the_error_over_seeds_is_that_of_exact_values_where_both_have_them(written: Written) -> None:
    images = np.full(400, 100.0)
    both = [model(VAE, images + 1, [101.0]), model(PLANE, images, [100.0])]
    # By importance sampling the three differences are 1.0, 0.9 and 1.1, by quadrature 1.0, 0.7 and 1.3.
    for seed, (sampled, exact) in enumerate(((1.0, 1.0), (0.9, 0.7), (1.1, 1.3))):
        run(written, PLANE, 100.0, seed, checks=[{**CHECK, "nll_nats": 97.0}])
        run(written, VAE, 100.0 + sampled, seed, checks=[{**CHECK, "nll_nats": 97.0 + exact}])
    (pair,) = pairs(Results(seeds(written.config, PLANE, VAE), written.root), both)
    assert pair.half == pytest.approx(4.3027 * 0.3 / np.sqrt(3), rel=1e-4)


def test_one_draw_of_noise_is_compared_with_one_draw_whatever_more_draws_say(written: Written) -> None:
    def flow(name: str, *by_draws: tuple[int, float]) -> None:
        """Write three seeds of a flow, each a nat above the one before, with these values of the first; intervals of two nats."""
        for seed in range(3):
            rows = [
                {"importance_samples": k, "n_images": 40, "nll_nats": nll + seed, "nll_nats_low": nll - 2, "nll_nats_high": nll + 2}
                for k, nll in by_draws
            ]
            last = {"nll_nats": rows[-1]["nll_nats"], "importance_samples": rows[-1]["importance_samples"], "nll_kind": "probability"}
            written.metrics(name, seed, **{**METRICS, **last})
            written.details(name, seed, likelihood=rows, per_image=[{"importance_samples": 1, "n_images": 40, "nll_nats": [0.0] * 40}])

    flow(PLANE, (1, 100.0))
    flow(VAE, (1, 110.0), (50, 95.0))
    results = Results(seeds(written.config, PLANE, VAE), written.root)
    (pair,) = pairs(results, list(likelihoods(results).values()))
    # With fifty draws the second lies 5 nats lower, with one 10 nats higher; the seeds differ alike, the images by 2 nats at 95 % each.
    assert (pair.better, pair.worse, pair.difference, pair.samples) == (PLANE, VAE, 10.0, 1)
    assert pair.resolved and pair.half == pytest.approx(np.hypot(2, 2))
    # Two with many draws keep theirs; without a row of one draw nothing is compared.
    flow(PLANE, (1, 100.0), (50, 96.0))
    results = Results(seeds(written.config, PLANE, VAE), written.root)
    (pair,) = pairs(results, list(likelihoods(results).values()))
    assert (pair.better, pair.difference, pair.samples) == (VAE, 1.0, 0)
    flow(PLANE, (1, 100.0))
    flow(VAE, (50, 95.0))
    results = Results(seeds(written.config, PLANE, VAE), written.root)
    assert pairs(results, list(likelihoods(results).values())) == []


def test_published_numbers_stand_beside_the_same_data_and_kind_alone(params: Any, tmp_path: Path) -> None:
    from made_up import official, whole_config

    written = Written(official(whole_config(params, "quick")), tmp_path)
    run(written, "ref-vae-bmnist", 92.5, kind="probability")
    run(written, "uva3-realnvp-mnist", 970.0, kind="unnormalised")
    results = written.results
    rows = held_against(results, likelihoods(results))
    assert [(row["variant"], row["here"], row["published"].value) for row in rows] == [("ref-vae-bmnist", 90.5, 89.93)]
    assert rows[0]["differs"].startswith("121 of 3,280 epochs; ")
    standins = Results(whole_config(params, "quick"), tmp_path)
    assert held_against(standins, likelihoods(standins)) == []
