"""The findings of the front page: told where the numbers carry the sentence, dropped where one number changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drawn import numbers, points
from made_up import GAN, REMEDIES, claim, claims_file, details, official, samples, seeds, whole_config, write
from support.written import Written

from regen.params.schema import Params, ReportConfig
from regen.report.findings import Finding, findings
from regen.report.pictures import Pictures
from regen.report.verdicts import Verdicts

NOISE, WASSERSTEIN, DROPOUT = REMEDIES
FLOW, MATCHED, FAULTY = "vu4a-flowvae-mnist", "ext-vae-matched-mnist", "vu4a-flowvae-mnist-logdet-times-d"
FACES, PLOTTED = "davari-vae-deconv-celeba", "vu4a-gan-mnist"


@pytest.fixture(scope="module")
def config(params: Params) -> ReportConfig:
    return official(whole_config(params, "quick"))


def probe(right: float, wrong: float) -> dict[str, Any]:
    rows = [
        {"images": "samples", "reshape": how, "frechet_classifier_distance": value} for how, value in (("right", right), ("wrong", wrong))
    ]
    return {"rows": rows, "variants": [PLOTTED]}


def unchecked(nll: float) -> dict[str, Any]:
    """Return metrics of a likelihood that no second estimate confirms."""
    image = {"nll_nats_low": nll, "nll_nats_high": nll, "bits_per_dim": 0.2, "importance_samples": 50, "n_images": 40}
    return {"nll_nats": nll, "nll_kind": "none", **image}


def likelihood(written: Written, name: str, gap: float, estimate: str = "quadrature", error: float = 0.1) -> None:
    metrics = {
        "nll_nats": 140.0,
        "nll_nats_low": 139.0,
        "nll_nats_high": 141.0,
        "bits_per_dim": 0.2,
        "importance_samples": 50,
        "n_images": 40,
    }
    check = {"estimate": estimate, "n_images": 100, "difference_nats": gap, "difference_standard_error_nats": error}
    written.metrics(name, **metrics, nll_kind="unnormalised")
    written.details(name, **details(140.0, checks=[check]))


def remedy(written: Written, name: str, before: float, distance: float, ones: int = 10) -> None:
    """Write the distances of a GAN's samples at the report's step before the last, and at the end."""
    written.rows(name, {"step 111,000": samples(before), "samples": samples(distance, ones)})


@pytest.fixture
def written(tmp_path: Path, config: ReportConfig) -> Written:
    """Return results that carry every finding."""
    written = Written(config, tmp_path)
    for name, before, distance, ones in (
        *((GAN, 42.7, 65.4, 25), (NOISE, 26.6, 37.7, 22)),
        *((WASSERSTEIN, 45.7, 36.0, 10), (DROPOUT, 16.7, 11.1, 10)),
    ):
        remedy(written, name, before, distance, ones)
    written.rows(PLOTTED, {"epoch 1": samples(1107.8), "epoch 50": samples(207.3), "samples": samples(207.3)})
    written.json("probes/reshape.json", probe(207.3, 1203.6))
    for name, distance, nll in ((MATCHED, 186.6, 141.1), (FLOW, 88.4, 140.1)):
        written.history(name, train_neg_elbo_nats=[150.0, 144.4])
        written.rows(name, {"samples": samples(distance)})
        written.metrics(name, **unchecked(nll))
        written.details(name)
    written.history(FAULTY, train_objective_nats=[-100.0, -14705.0], train_neg_elbo_nats=[150.0, 145.0])
    for name, gap in (("ai3611-vae-z1-mnist", 4.1), ("uva3-vae-z2-mnist", 2.6), ("ai3611-vae-z1-kl01-mnist", 7.0)):
        likelihood(written, name, gap)
    likelihood(written, "uva3-vae-z20-bmnist", 0.5, "annealed importance sampling")
    written.metrics(FACES, bits_per_dim=0.751)
    written.history(FACES, train_neg_elbo_nats=[1.0] * 10)
    claims = [claim("davari-8", reported={"nll_nats": 7133, "bits_per_pixel": 2.51}), claim("uva3-7")]
    write(tmp_path / "reports/quick/claims.json", claims_file(claims, []))
    return written


def found_in(written: Written) -> list[Finding]:
    return findings(written.results, Pictures(written.root, "quick", written.root / "site"), Verdicts(written.root, "quick"))


def told(written: Written) -> dict[str, str]:
    return {one.link.partition("#")[2]: f"{one.title} {one.text}" for one in found_in(written)}


def in_order(expected: str, text: str) -> bool:
    """Say whether these numbers stand in a text in this order, whatever is between."""
    rest = iter(numbers(text))
    return all(number in rest for number in expected.split())


def test_every_finding_has_its_numbers(written: Written) -> None:
    found = told(written)
    expected = {
        # Distances before and at the end without a remedy, with noise, Wasserstein and dropout; the share of ones of the same.
        "uva3-7": "43 65 27 38 46 36 17 11 22 20 10 10",
        # The distance after the first epoch, after the last, and misread.
        "vu4a-10": "1,108 207 1,204",
        # Distances of the Gaussian and the flow prior, recall of the flow and the Gaussian, the difference of the likelihoods.
        "vu4a-8": "187 88 0.50 0.50 1.0",
        # Enumeration and quadrature, and what annealed importance sampling finds at the least.
        "likelihoods": "3 7 500 0.5",
        "vu4a-6": "144 −14,705",
        # Printed, and run again for ten epochs of the two hundred.
        "davari-8": "2.51 0.84 10 200 0.75",
    }
    assert list(found) == list(expected)
    assert "lower" in found["vu4a-8"]
    assert found["vu4a-10"].startswith("Run again")
    # So has the GAN with the report's own loss, where it has run.
    remedy(written, "uva3-gan-mnist-saturating", 19.9, 20.7)
    assert in_order("43 65 27 38 46 36 17 11 20 21 22 20 10 10", told(written)["uva3-7"])
    # The one remedy that is nearest at both moments stands in front, the one that is nearer at one of them alone is marked.
    assert "dropout" in found["uva3-7"].partition(".")[0]
    assert [part.rpartition(" with ")[2].split(" (")[0] for part in found["uva3-7"].split(" alone)")[:-1]] == ["the Wasserstein loss"]
    assert "binarised MNIST" in found["likelihoods"] and "at least 0.5" in found["likelihoods"]
    assert all(in_order(numbers_of, found[link]) for link, numbers_of in expected.items()), found


@pytest.mark.parametrize(
    ("differences", "settled"),
    # How much lower the flow prior's is; three seeds, Student's 4.303: 1.0 +- 0.25 nats, and 1.0 +- 9.9.
    [((1.0, 0.9, 1.1), True), ((-1.0, -0.9, -1.1), True), ((1.0, 5.0, -3.0), False)],
)
def test_a_difference_of_likelihoods_that_the_seeds_do_not_settle_says_of_how_many_seeds_it_is(
    differences: tuple[float, ...], settled: bool, written: Written
) -> None:
    assert "one seed" in told(written)["vu4a-8"]
    for seed, difference in enumerate(differences):
        for name, nll in ((MATCHED, 141.0), (FLOW, 141.0 - difference)):
            written.metrics(name, seed, **unchecked(nll))
    found = told(Written(seeds(written.config, MATCHED, FLOW), written.root))["vu4a-8"]
    assert numbers(found)[-1] == "1.0" and ("three seeds" in found) == (not settled)
    assert ("lower" in found) == (differences[0] > 0)


CHANGES: dict[str, Callable[[Written], None]] = {
    # Dropout the nearest at the end alone.
    "uva3-7": lambda written: remedy(written, DROPOUT, 26.7, 11.1),
    "vu4a-10": lambda written: written.json("probes/reshape.json", probe(207.3, 400.0)),
    "vu4a-8": lambda written: written.rows(FLOW, {"samples": samples(187.0)}),
    "likelihoods": lambda written: likelihood(written, "uva3-vae-z2-mnist", 0.4),
    "vu4a-6": lambda written: written.history(FAULTY, train_objective_nats=[3.0], train_neg_elbo_nats=[3.0]),
    "davari-8": lambda written: write(
        written.root / "reports/quick/claims.json", claims_file([claim("davari-8", reported={"nll_nats": 7133, "bits_per_pixel": 2.6})], [])
    ),
}


@pytest.mark.parametrize("link", CHANGES)
def test_a_finding_whose_number_no_longer_carries_it_is_dropped(link: str, written: Written) -> None:
    before = told(written)
    CHANGES[link](written)
    assert {name: text for name, text in before.items() if name != link} == told(written)


@pytest.mark.parametrize(("flow", "said"), [(0.5, "equal"), (0.502, "equal"), (0.46, "lower"), (0.54, "higher")])
def test_recall_is_higher_or_lower_only_where_its_two_digits_show_it(flow: float, said: str, written: Written) -> None:
    written.rows(FLOW, {"samples": {**samples(88.4), "recall": flow}})
    text = told(written)["vu4a-8"]
    recall, _, likelihood = text.partition(f"{flow:.2f} against 0.50")
    assert likelihood and [word for word in ("equal", "lower", "higher") if word in recall.split(";")[-1]] == [said]


def test_half_a_sentence_is_dropped_too(written: Written) -> None:
    before = told(written)
    # Less than twice its error of 0.3 nats.
    likelihood(written, "uva3-vae-z20-bmnist", 0.5, "annealed importance sampling", error=0.3)
    remedy(written, GAN, 42.7, 65.4)
    after = told(written)
    # What the annealed estimate or the share of ones carried stood at the end; all that is before it stays.
    for link in ("likelihoods", "uva3-7"):
        assert before[link].startswith(after[link].rstrip(".")) and len(after[link]) < len(before[link])
    assert numbers(after["uva3-7"])[-8:] == ["43", "65", "27", "38", "46", "36", "17", "11"]


def test_a_gap_to_an_annealed_estimate_is_a_row_of_its_own_that_says_at_least(written: Written) -> None:
    (chart,) = (one.chart for one in found_in(written) if "latents" in one.title)
    assert chart is not None
    rows: dict[str, str] = dict(points(chart, "label", "text"))
    ((name, said),) = ((label, text) for label, text in rows.items() if "binarised MNIST" in label)
    assert name.startswith("20 latents") and said == "at least 0.5 nats"
    assert rows == {"1 latent": "4.1 nats", "1 latent, KL × 0.1": "7.0 nats", "2 latents": "2.6 nats", name: said}


def test_nothing_is_told_of_results_that_are_not_there_or_of_stand_ins(written: Written, tmp_path: Path) -> None:
    write(tmp_path / "empty/reports/quick/claims.json", claims_file([claim("uva3-7")], []))
    assert told(Written(written.config, tmp_path / "empty")) == {}
    standins = {name: one.model_copy(update={"data_source": "stand-in"}) for name, one in written.config.variants.items()}
    assert told(Written(written.config.model_copy(update={"variants": standins}), written.root)) == {}
