"""Charts that the lessons draw: each point is a number of the results, or of a formula that is computed here in another way."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from drawn import kinds, numbers, points
from made_up import seeds
from support.written import Written

from regen.report.lessons import DRAWN, Shown
from regen.report.pictures import Thumbnail

VAE, IWAE = "davari-vae-deconv-celeba", "davari-iwae5-deconv-celeba"
MATCHED, FLOW, FAULTY = "ext-vae-matched-mnist", "vu4a-flowvae-mnist", "vu4a-flowvae-mnist-logdet-times-d"


def shown(written: Written, picture: str, pictures: Any = None) -> Shown:
    # No drawing asks for verdicts, and one alone for pictures.
    return DRAWN[picture](written.results, pictures, cast(Any, None))


def bounds(**by_samples: float) -> list[dict[str, Any]]:
    """Return rows of the likelihood's table: `k5=90.0`, -log p(x) with five samples."""
    return [{"importance_samples": int(name[1:]), "nll_nats": nats} for name, nats in by_samples.items()]


def test_both_models_have_every_bound(written: Written) -> None:
    written.details("ext-vae-deconv-short-celeba", likelihood=bounds(k1=100.0, k5=90.0))
    written.details(IWAE, likelihood=bounds(k1=120.0, k5=91.0))
    found = kinds(shown(written, "bounds").charts)
    assert found == {"VAE": {1: 100.0, 5: 90.0}, "IWAE of 5 samples": {1: 120.0, 5: 91.0}}


def test_without_its_1_over_k_the_mean_over_seeds_is_log_k_too_low(written: Written) -> None:
    three = Written(seeds(written.config, VAE), written.root)
    for seed, more in enumerate((-1.0, -2.0, 3.0)):
        three.details(VAE, seed, likelihood=bounds(k1=100.0 + more, k5=90.0 + more))
    found = kinds(shown(three, "missing_k").charts)
    assert found["with 1/K"] == {1: 100.0, 5: 90.0}
    # log 5 = 1.6094
    assert found["1/K left out"] == {1: 100.0, 5: pytest.approx(90.0 - 1.6094, abs=1e-4)}


def test_the_gap_of_the_bound_is_that_to_the_exact_value_smallest_first(written: Written) -> None:
    def run(name: str, bound: float, nats: float, estimate: str, difference: float, *more: dict[str, Any]) -> None:
        image = {"nll_nats_low": nats - 1, "nll_nats_high": nats + 1, "bits_per_dim": 0.2, "n_images": 40, "importance_samples": 50}
        written.metrics(name, neg_elbo_nats=bound, nll_nats=nats, nll_kind="unnormalised", **image)
        check = {"estimate": estimate, "n_images": 20, "difference_nats": difference, "difference_standard_error_nats": 0.1}
        written.details(name, checks=[check], likelihood=list(more))

    # 500 samples take 2 nats off, the quadrature 3 more: 130 - (120 - 2 - 3).
    rows = [{"importance_samples": k, "n_images": 40, "nll_nats": nats} for k, nats in ((50, 120.0), (500, 118.0))]
    run("uva3-vae-z2-mnist", 130.0, 120.0, "quadrature", 3.0, *rows)
    # 105 - (100 - 3)
    run("ai3611-bernvae-mnist", 105.0, 100.0, "enumeration", 3.0)
    # Annealing is no exact value.
    run("uva3-vae-z20-mnist", 110.0, 100.0, "annealed importance sampling", 1.0)
    (chart,) = shown(written, "bound_gap").charts
    titles = {name: written.config.variants[name].title for name in ("ai3611-bernvae-mnist", "uva3-vae-z2-mnist")}
    assert points(chart, "label", "value", "text") == [
        (titles["ai3611-bernvae-mnist"], 8.0, "8.0"),
        (titles["uva3-vae-z2-mnist"], 15.0, "15.0"),
    ]


def test_the_last_loss_stands_between_the_floor_and_the_mean_image(written: Written) -> None:
    expected = set()
    for label, dataset, size, loss in (("MNIST", "mnist", [1, 32, 32], 40.0), ("SVHN", "svhn", [3, 32, 32], 400.0)):
        floor = {"size": size, "split": "validation", "floor_nats": loss / 2, "mean_image_nats": 3 * loss}
        written.card(dataset, [floor])
        written.history(f"vu4a-flowvae-{dataset}", val_neg_elbo_nats=[2 * loss, loss])
        expected |= {(label, "entropy floor", loss / 2), (label, "loss", loss), (label, "loss of the mean image", 3 * loss)}
    (chart,) = shown(written, "floors").charts
    assert set(points(chart, "label", "kind", "value")) == expected


def test_each_prior_has_its_own_distance_and_samples(written: Written) -> None:
    written.frechet(MATCHED, 186.6)
    written.frechet(FLOW, 88.4)
    pictures = SimpleNamespace(thumbnail=lambda name, title: Thumbnail(name, 1, 1, title))
    found = {thumbnail.source: (thumbnail.description, caption) for thumbnail, caption in shown(written, "priors", pictures).pair}
    assert {name: numbers(caption) for name, (_, caption) in found.items()} == {MATCHED: ["187"], FLOW: ["88"]}
    assert all(("Gaussian" in text) == (name == MATCHED) for name, texts in found.items() for text in texts)


def test_the_lowest_losses_are_drawn_of_the_objective_with_the_fault_and_of_the_bound_without(written: Written) -> None:
    written.history(FLOW, train_neg_elbo_nats=[150.0, 144.5, 145.0])
    written.history(FAULTY, train_objective_nats=[-100.0, -14705.0, -14000.0], train_neg_elbo_nats=[150.0, 145.0, 144.0])
    (chart,) = shown(written, "log_determinant").charts
    assert points(chart, "label", "value", "text") == [("correct", 144.5, "144"), ("with the fault", -14705.0, "−14,705")]


def test_draws_of_the_prior_that_were_not_reached_have_their_closed_form_alone(written: Written) -> None:
    rows = [
        {"latents": latents, "samples_needed": measured, "samples_needed_closed_form": closed}
        for latents, measured, closed in ((2, 32, 23.6), (20, None, 1e7))
    ]
    written.probe("prior_cost", rows=rows)
    assert kinds(shown(written, "prior_cost").charts) == {"measured": {2: 32}, "closed form": {2: 23.6, 20: 1e7}}


def test_the_gradients_are_those_of_the_two_losses_by_the_logit(written: Written) -> None:
    saturating, other = (list(curve.items()) for curve in kinds(shown(written, "gradients").charts).values())
    for curve, loss in ((saturating, lambda d: (1 - d).log()), (other, lambda d: d.log())):
        share = torch.tensor([x for x, _ in curve], dtype=torch.float64)
        logits = torch.logit(share).requires_grad_()
        (slopes,) = torch.autograd.grad(loss(torch.sigmoid(logits)).sum(), logits)
        assert [y for _, y in curve] == pytest.approx(slopes.abs().tolist(), rel=1e-9)
    # From where every generated image is found out to where the discriminator is deceived.
    assert saturating[0][0] < 0.01 and saturating[-1][0] > 0.99


def test_rate_and_distortion_are_of_the_weights_alone_by_rising_rate(written: Written) -> None:
    for name, kl, recon in (("kl10", 0.5, 180.0), ("kl1", 4.0, 150.0), ("kl05", 5.0, 151.0)):
        # What comes before the last five epochs does not count.
        kls, recons = ([99.0, *[value - 1] * 2, value, *[value + 1] * 2] for value in (kl, recon))
        written.history(f"ai3611-vae-z1-{name}-mnist", val_kl_nats=kls, val_recon_nats=recons)
    # Noise, a second latent or a longer schedule is another difference.
    for name in ("ai3611-vae-z1-noise01-mnist", "ai3611-vae-z2-mnist", "uva3-vae-z2-mnist", "ai3611-vae-z1-mnist"):
        written.history(name, val_kl_nats=[7.0] * 5, val_recon_nats=[100.0] * 5)
    (chart,) = shown(written, "rate_distortion").charts
    assert points(chart, "x", "y", "weight") == [(0.5, 180.0, 10.0), (4.0, 150.0, 1.0), (5.0, 151.0, 0.5)]
    assert [numbers(name) for (name,) in points(chart, "name")] == [["10"], ["1"], ["0.5"]]


def test_positions_are_written_as_often_as_torch_writes_them(written: Written) -> None:
    found = kinds(shown(written, "overlap").charts)
    assert len(found) == 3
    for kernel, (kind, curve) in zip((3, 4, 5), found.items(), strict=True):
        assert numbers(kind) == [str(kernel)]
        written_on = torch.nn.functional.conv_transpose1d(torch.ones(1, 1, 20), torch.ones(1, 1, kernel), stride=2).flatten().tolist()
        # Far from the ends, where even positions stay even.
        assert [curve[position] for position in range(12)] == written_on[10:22]
    # Only a kernel that the stride divides covers evenly.
    assert [len(set(curve.values())) for curve in found.values()] == [2, 1, 2]
