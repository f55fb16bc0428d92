"""The recipe for a report of one's own in CONTRIBUTING.md: its files, as they stand there, pass `configure` and are judged."""

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from altered import ROOT, chosen, small_params
from ruamel.yaml import YAML
from support.written import Written

from regen.claims.judge import judge
from regen.claims.reads import by_seed
from regen.claims.reported import read_reported
from regen.params.resolve import read_params, resolve

VARIANT = "mine-vae-z2-mnist"


@pytest.fixture
def mine(tmp_path: Path) -> tuple[Any, Path]:
    """Write the recipe's files below studies/mine; return params.yaml's values with its variant, and the folder."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("\n## Bring your own report\n")[2].partition("\n## ")[0]
    parts = re.split(r"   ```(?:yaml|python)\n(.*?)\n   ```\n", section, flags=re.DOTALL)
    folder, params = tmp_path / "studies/mine", small_params()
    folder.mkdir(parents=True)
    for before, block in zip(parts[::2], parts[1::2], strict=False):
        file = re.findall(r"`(studies/mine/[a-z]+\.(?:yaml|py)|params\.yaml)`", before)[-1]
        if file == "params.yaml":
            params["variants"]["mnist"] |= YAML(typ="safe").load(dedent(block))["mnist"]
        else:
            (tmp_path / file).write_text(dedent(block) + "\n")
    assert {path.name for path in folder.iterdir()} == {"study.yaml", "claims.yaml", "checks.py", "reported.yaml", "errata.yaml"}
    return params, folder


def judged(root: Path, loss: float) -> tuple[dict[str, Any], Written]:
    """Return what is said of the claims after a training that ends at this loss."""
    config: Any = resolve(read_params(root / "params.yaml"), chosen("paper"))["report.json"]
    written = Written(config, root)
    written.card("mnist")
    written.history(VARIANT, val_neg_elbo_nats=[*[300.0] * 35, *[loss] * 5])
    return judge(config, root, root / "studies"), written


@pytest.mark.parametrize("loss", [151.0, 190.0])
def test_the_recipe_is_a_whole_report(mine: tuple[Any, Path], configure: Callable[..., Path], tmp_path: Path, loss: float) -> None:
    configure(mine[0])
    found, written = judged(tmp_path, loss)
    [claim] = found["claims"]
    assert (claim["report"], claim["outcome"]) == ("mine", "reproduced" if loss < 150 * 1.05 else "not reproduced")
    assert f"{loss:.0f} nats" in claim["sentence"] and claim["figures"] == ["mine-figure-1"]
    assert [one["id"] for one in found["errata"]] == ["mine-1a"]
    [row] = read_reported(mine[1])
    assert [by_seed(written.results, reading) for reading in row.readings] == [{0: loss}]
    assert [figure.number for figure in written.config.reports["mine"].figures] == ["Figure 1"]


def test_title_and_one_claim_are_enough(mine: tuple[Any, Path], configure: Callable[..., Path], tmp_path: Path) -> None:
    params, folder = mine
    for name in ("reported.yaml", "errata.yaml"):
        (folder / name).unlink()
    (folder / "study.yaml").write_text("{title: Digits, author: Me, about: Digits.}")
    configure(params)
    assert [claim["outcome"] for claim in judged(tmp_path, 151.0)[0]["claims"]] == ["reproduced"]
