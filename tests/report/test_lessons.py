"""Charts that the lessons draw of their own: each point is a number of the results."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from support.written import Written

from regen.params.schema import ReportConfig
from regen.report.lessons import DRAWN

VAE, IWAE = "davari-vae-deconv-celeba", "davari-iwae5-deconv-celeba"


def points(written: Written, picture: str, *keys: str) -> set[tuple[Any, ...]]:
    # Neither drawing asks for pictures or verdicts.
    (chart,) = DRAWN[picture](written.results, cast(Any, None), cast(Any, None)).charts
    return {tuple(row[key] for key in keys) for row in rows(chart.spec)}


def rows(spec: Any) -> list[dict[str, Any]]:
    """Return the rows of a specification, wherever its data stand."""
    if isinstance(spec, list):
        return [row for one in spec for row in rows(one)]
    if not isinstance(spec, dict):
        return []
    own = spec.get("data", {}).get("values", []) if isinstance(spec.get("data"), dict) else []
    return [*own, *(row for key, one in spec.items() if key != "data" for row in rows(one))]


def test_both_models_have_every_bound(report_config: Callable[[str], ReportConfig], tmp_path: Path) -> None:
    written = Written(report_config("paper"), tmp_path)
    written.details(VAE, likelihood=[{"importance_samples": 1, "nll_nats": 100.0}, {"importance_samples": 5, "nll_nats": 90.0}])
    written.details(IWAE, likelihood=[{"importance_samples": 1, "nll_nats": 120.0}, {"importance_samples": 5, "nll_nats": 91.0}])
    found = points(written, "bounds", "kind", "x", "y")
    assert found == {("VAE", 1, 100.0), ("VAE", 5, 90.0), ("IWAE of 5 samples", 1, 120.0), ("IWAE of 5 samples", 5, 91.0)}


def test_the_last_loss_stands_between_the_floor_and_the_mean_image(report_config: Callable[[str], ReportConfig], tmp_path: Path) -> None:
    written = Written(report_config("paper"), tmp_path)
    expected = set()
    for label, dataset, size, loss in (("MNIST", "mnist", [1, 32, 32], 40.0), ("SVHN", "svhn", [3, 32, 32], 400.0)):
        floor = {"size": size, "split": "validation", "floor_nats": loss / 2, "mean_image_nats": 3 * loss}
        written.card(dataset, [floor])
        written.history(f"vu4a-flowvae-{dataset}", val_neg_elbo_nats=[2 * loss, loss])
        expected |= {(label, "entropy floor", loss / 2), (label, "loss", loss), (label, "loss of the mean image", 3 * loss)}
    assert points(written, "floors", "label", "kind", "value") == expected
