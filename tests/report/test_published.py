"""What is published, beside the likelihoods of the same data and kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from forms import only
from judged import shown
from measured import Row, alone, changed, likelihood, measure, section, titled

from regen import report as package
from regen.params.schema import Params, ReportConfig
from regen.report.published import read_published

ReportOf = Callable[..., ReportConfig]

PUBLISHED: list[Row] = yaml.safe_load(Path(package.__path__[0], "published.yaml").read_text())


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("mnist", "uva3-realnvp-mnist"),
        ("binarized_mnist", "ref-vae-bmnist"),
        ("svhn", "vu4a-vae-svhn"),
        ("celeba", "davari-vae-deconv-celeba"),
    ],
)
def test_what_is_published_stands_with_its_protocol(dataset: str, name: str, report_config: ReportOf, tmp_path: Path) -> None:
    config = changed(alone(report_config("quick")), name, data_source="official")
    measure(tmp_path, config, name, likelihood(90, nll_kind="probability"))
    own, published = titled(config, tmp_path)[f"{dataset} (official), probability"]

    assert own[1][0] == name and published[0] == ["model", "nats", "bits a dimension", "protocol", "source"]
    expected = [row for row in PUBLISHED if row["dataset"] == dataset and "neg_elbo_nats" not in row]
    assert len(published[1:]) == len(expected) > 0
    for (model, nats, bits, protocol, source), row in zip(published[1:], expected, strict=True):
        assert (model, protocol, source) == (row["model"], row["protocol"], f"{row['source']} ({row['known']})")
        # No digit is lost, and nothing is converted.
        assert (nats, bits) == (f"{row['nll_nats']:.2f}" if "nll_nats" in row else "", f"{row['bits_per_dim']:.3f}" if not nats else "")
        assert float(nats or bits) == row.get("nll_nats", row.get("bits_per_dim"))
    text, page = section(config, tmp_path)
    assert "Published, each under its own protocol. Read: " in text and "<p>Published, each under its own protocol. Read: " in page
    assert f'aria-label="Published likelihoods on {dataset}"' in page


def test_the_published_numbers_are_these(params: Params) -> None:
    assert {row["dataset"] for row in PUBLISHED} == set(params.datasets)
    # Burda et al. (2016), table 1, one stochastic layer, on fixed and on fresh binarisations; others as their sources print them.
    numbers = [88.71, 87.63, 87.10, 89.78, 87.85, 86.82, 85.79, 86.76, 85.54, 1.85, 1.93, 1.078, 1.043, 1.020, 1.92, 2.39, 3.02]
    # Jang et al. (2017), table 1, score function; Mnih and Gregor (2014), NVIL with 200 units: bounds, not likelihoods.
    numbers += [112.2, 113.1]
    assert [one.value for one in read_published()] == numbers
    assert [one.model_dump(exclude_none=True) for one in read_published()] == PUBLISHED
    assert {row["beside"]["variant"] for row in PUBLISHED if "beside" in row} <= {
        name for group in params.variants.values() for name in group
    }
    # What was binarised anew at every visit is no comparison, and says so.
    assert {row["nll_nats"] for row in PUBLISHED if "no comparison" in row["protocol"]} == {86.76, 85.54}


def test_the_nearest_variant_is_held_against_a_published_number(report_config: ReportOf, tmp_path: Path) -> None:
    config = alone(report_config("paper", seeds=2))
    for seed, nll in enumerate((92.75, 92.25)):
        few = [
            likelihood(value, importance_samples=k, n_images=1000)
            for k, value in zip((1, 5, 50, 500, 2000, 5000), range(96, 90, -1), strict=True)
        ]
        scalars = likelihood(nll, importance_samples=500, nll_kind="probability")
        measure(tmp_path, config, "ref-vae-bmnist", scalars, seed, likelihood=[*few, likelihood(nll, importance_samples=500)])
    measure(tmp_path, config, "uva3-realnvp-mnist", likelihood(975.0, importance_samples=1, nll_kind="probability", bits_per_dim=1.75))
    measure(tmp_path, config, "lab1-bernvae-mnist", likelihood(119.0, neg_elbo_nats=126.0))
    rows = shown(config, tmp_path, "above it by")[0]
    assert [(row["variant"], row["quantity"], row["here"], row["published"], row["above it by"]) for row in rows] == [
        # 92.5 at the headline's K of 500, and on 1,000 images 2 less at the published one of 5,000.
        ("ref-vae-bmnist", "-log p(x) (nats)", "90.50", "88.71", "1.79"),
        ("uva3-realnvp-mnist", "bits a dimension", "1.750", "1.850", "-0.100"),
        ("uva3-realnvp-mnist", "bits a dimension", "1.750", "1.930", "-0.180"),
        ("lab1-bernvae-mnist", "-ELBO (nats)", "126.00", "112.20", "13.80"),
    ]
    assert (
        rows[0]["measured at"] == "K = 500, n = 10,000; the step from K = 500 to 5,000, n = 1,000"
        and rows[1]["measured at"] == "K = 1, n = 10,000"
    )
    # The ELBO is of one draw from q.
    assert rows[3]["measured at"] == "n = 10,000"
    assert rows[0]["what differs"].startswith("121 of 3,280 epochs; ")
    # Nothing is held against a number of other data.
    other = changed(config, "ref-vae-bmnist", data_source="stand-in")
    assert "ref-vae-bmnist" not in [row["variant"] for row in shown(other, tmp_path, "above it by")[0]]


@pytest.mark.parametrize(
    ("name", "changes", "kind"),
    [
        ("ref-vae-bmnist", {"data_source": "stand-in"}, "probability"),
        ("vu4a-vae-svhn", {"data_source": "grey"}, "probability"),
        ("davari-vae-deconv-celeba", {"data_source": "subset"}, "probability"),
        ("uva3-realnvp-mnist", {"data_source": "official"}, "density"),
        ("lab1-vae-mnist", {"data_source": "official"}, "unnormalised"),
        ("uva3-realnvp-mnist", {"data_source": "official", "images": {"size": 32}}, "probability"),
        ("uva3-realnvp-mnist", {"data_source": "official", "images": {"binarisation": "fixed"}}, "probability"),
    ],
)
def test_nothing_published_stands_beside_other_data_or_another_kind(
    name: str, changes: dict[str, Any], kind: str, report_config: ReportOf, tmp_path: Path
) -> None:
    config = changed(only(alone(report_config("quick")), name), name, **changes)
    measure(tmp_path, config, name, likelihood(90, nll_kind=kind))
    ((title, found),) = titled(config, tmp_path).items()
    assert title.endswith(kind) and len(found) == 1
    assert all("Published" not in form for form in section(config, tmp_path))
