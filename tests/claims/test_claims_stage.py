"""stages/claims.py, run as the pipeline runs it in a folder of its own."""

import json
import runpy
import sys
from pathlib import Path

import pytest
from written import Written

from regen.claims.ledger import read_ledger
from regen.common.files import write_json
from regen.params.schema import ReportConfig

STAGE = Path(__file__).parents[2] / "stages/__main__.py"


def run(folder: Path, config: ReportConfig, monkeypatch: pytest.MonkeyPatch) -> bytes:
    write_json(folder / "configs/paper/report.json", config.model_dump())
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["stages", "claims", "paper"])
    runpy.run_path(str(STAGE), run_name="__main__")
    return (folder / "reports/paper/claims.json").read_bytes()


def test_every_claim_stands_in_the_file_in_order(paper: ReportConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written(paper, tmp_path)
    written.card("mnist")
    for seed in (0, 1, 2):
        losses = [100.0, *[10.0] * 49]
        written.history("vu4a-flowvae-mnist", seed, train_neg_elbo_nats=losses, val_neg_elbo_nats=losses)
    made = run(tmp_path, paper, monkeypatch)
    rows = json.loads(made)
    assert [row["id"] for row in rows] == [claim.id for claim in read_ledger()]
    judged = {row["id"]: row["verdict"] for row in rows if row["verdict"] not in ("not judged", "open")}
    assert judged == {"vu4a-5": "reproduced"}
    assert str(tmp_path).encode() not in made
    assert run(tmp_path, paper, monkeypatch) == made


def test_what_params_yaml_lacks_is_left_out_or_not_judged(paper: ReportConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variants = {name: variant for name, variant in paper.variants.items() if name != "ext-dcgan-svhn"}
    reports = {name: report for name, report in paper.reports.items() if name != "lab1"}
    rows = {
        row["id"]: row
        for row in json.loads(run(tmp_path, paper.model_copy(update={"variants": variants, "reports": reports}), monkeypatch))
    }
    assert "vu4a-1" in rows and not any(name.startswith("lab1") for name in rows)
    assert (rows["vu4a-13"]["verdict"], rows["vu4a-13"]["why"]) == ("not judged", "Missing: ext-dcgan-svhn is not in params.yaml.")
