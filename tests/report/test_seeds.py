"""What a seed changes: from files of several seeds, written by hand."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from forms import Page, both, of, only, tables
from measured import alone, measure

from regen.params.schema import ReportConfig

ReportOf = Callable[..., ReportConfig]
VAE, OTHER = "lab1-vae-mnist", "lab1-vae-z2-mnist"
ELBO, NLL, DISTANCE = ("-ELBO, {} (nats)", "-log p(x), {} (nats)", "Frechet distance, {}")


def judged(root: Path, name: str, seed: int, distance: float) -> None:
    path = root / f"results/quick/{name}/{seed}/quality.json"
    path.write_text(json.dumps({"frechet_classifier_distance": distance, "sampler": "finite"}))


def shown(config: ReportConfig, root: Path) -> list[list[list[str]]]:
    """Return the table in Markdown and in HTML."""
    text, page = both(config, root)
    found: list[Any] = [of(tables(text), ELBO.format("mean")), of(Page(page).tables, ELBO.format("mean"))]
    assert found[0] == found[1]
    return found[0]


def test_variants_of_several_seeds_have_mean_and_range(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(alone(report_config("quick", seeds=3)), VAE, OTHER)
    for seed, (elbo, nll, distance) in enumerate(((101.5, 99.25, 180.0), (100.5, 98.75, 175.5), (102.5, 99.0, 184.5))):
        measure(tmp_path, config, VAE, {"neg_elbo_nats": elbo, "nll_nats": nll, "nll_kind": "unnormalised"}, seed=seed)
        judged(tmp_path, VAE, seed, distance)
    # One seed says nothing of seeds.
    measure(tmp_path, config, OTHER, {"neg_elbo_nats": 150.0})
    (table,) = shown(config, tmp_path)
    headings = [form.format(which) for form in (ELBO, NLL, DISTANCE) for which in ("mean", "apart by")]
    assert table == [["variant", "seeds", *headings], [VAE, "3", "101.50", "2.00", "99.00", "0.50", "180.0", "9.0"]]


def test_what_one_seed_alone_has_is_left_empty(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(alone(report_config("quick", seeds=2)), VAE)
    for seed, elbo in enumerate((101.5, 100.5)):
        measure(tmp_path, config, VAE, {"neg_elbo_nats": elbo}, seed=seed)
    judged(tmp_path, VAE, 1, 175.5)
    (table,) = shown(config, tmp_path)
    assert table == [["variant", "seeds", ELBO.format("mean"), ELBO.format("apart by")], [VAE, "2", "101.00", "1.00"]]


def test_without_a_second_seed_there_is_no_section(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(alone(report_config("quick")), VAE)
    measure(tmp_path, config, VAE, {"neg_elbo_nats": 101.5})
    assert shown(config, tmp_path) == [] and "What a seed changes" not in both(config, tmp_path)[0]


def test_verdicts_of_one_seed_are_counted_beside_it(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(report_config("quick", seeds=2), VAE)
    rows = (("a", "partly", 1), ("b", "reproduced", 2), ("c", "not reproduced", 1), ("d", "not judged", 1), ("e", "open", 0))
    claims = [{"id": name, "report": "lab1", "verdict": verdict, "seeds": seeds, "statement": name} for name, verdict, seeds in rows]
    (tmp_path / "reports/quick").mkdir(parents=True)
    (tmp_path / "reports/quick/claims.json").write_text(json.dumps(claims))
    said = "3 claims have a verdict. 2 of these rest on one seed: see [what a seed changes](#seeds)."
    for seed in range(2):
        measure(tmp_path, config, VAE, {"neg_elbo_nats": 101.5 + seed}, seed=seed)
        assert (said in both(config, tmp_path)[0]) == (seed == 1)


def test_how_often_no_difference_passes_for_one_is_told(report_config: ReportOf, tmp_path: Path) -> None:
    config = only(alone(report_config("quick", seeds=2)), VAE)
    for seed in range(2):
        measure(tmp_path, config, VAE, {"neg_elbo_nats": 101.5 + seed}, seed=seed)
    # Student's t beyond 1 in closed form: 1/2 - arctan(1) / pi with one degree of freedom, 1/2 - 1 / (2 sqrt(3)) with two.
    two, three = 0.5 - math.atan(1) / math.pi, 0.5 - 1 / (2 * math.sqrt(3))
    said = f"Of variants that do not differ, half would pass with one seed, {two:.0%} with two and {three:.0%} with three".replace(
        "%", " %"
    )
    assert said in both(config, tmp_path)[0]
