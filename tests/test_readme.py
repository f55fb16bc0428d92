"""The README's numbers are the report's."""

import json
import re
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REPORT, RESULTS = ROOT / "reports/paper", ROOT / "results/paper"


def test_the_verdicts_are_counted() -> None:
    counts = read(REPORT / "claims.json")["counts"]
    said = re.search(
        r"Of (\d+) claims (\d+) are reproduced, (\d+) partly and (\d+) not; (\d+) are undecided, .*?(\d+) outcomes are firm",
        README,
        re.DOTALL,
    )
    assert said is not None
    outcomes = [counts["outcome"][name] for name in ("reproduced", "partly", "not reproduced", "undecided")]
    assert list(map(int, said.groups())) == [counts["claims"], *outcomes, counts["strength"]["firm"]]


def test_what_came_out_is_in_the_results_of_the_variants_that_its_rows_name() -> None:
    section = README.partition("## What came out")[2].partition("## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| ")][2:]
    said = [re.findall(r"−?\d(?:[\d,]*\d)?(?:\.\d+)?", row[1]) for row in rows]
    named = [re.findall(r"\b(?:uva3|vu4a|ext|ref)-[a-z0-9-]+", row[3]) for row in rows]
    losses = pd.concat([pd.read_csv(path)["train_neg_elbo_nats"] for path in run_files("uva3-vae-z20-mnist", "history.csv")])
    lowest = {row["name"]: row["value"] for row in claim("vu4a-6")["numbers"]}
    floor = read(RESULTS / "features/mnist.json")["floor"][0]["frechet_classifier_distance"]
    gans = ["uva3-gan-mnist-saturating", "uva3-gan-mnist", "ext-wgangp-mnist", "ext-gan-noise-mnist", "ext-gan-dropout-mnist"]
    distances = [fmean(read(path)["frechet_classifier_distance"] for path in run_files(name, "quality.json")) for name in gans]
    assert said == [
        [f"{losses.loc[row].mean():.1f}" for row in (0, 4, 39)],
        [f"{lowest['lowest']:,.1f}", f"{lowest['faulty']:,.0f}".replace("-", "−")],
        [*(f"{distance:.0f}" for distance in distances), f"{floor:.1f}"],
        [f"{carried(name):.2f}" for name in ("ref-iwae5-bmnist", "ref-iwae50-bmnist")],
    ]
    assert named == [
        ["uva3-vae-z20-mnist"],
        ["vu4a-flowvae-mnist", "vu4a-flowvae-mnist-logdet-times-d"],
        gans,
        ["ref-iwae5-bmnist", "ref-iwae50-bmnist"],
    ]


def carried(variant: str) -> float:
    """Return the mean over seeds of -log p(x) at K = 500 on all images, plus the step to 5,000 on 1,000 of them."""
    runs = []
    for path in run_files(variant, "details.json"):
        at = {(row["importance_samples"], row["n_images"]): row["nll_nats"] for row in read(path)["likelihood"]}
        runs.append(at[500, 10000] + at[5000, 1000] - at[500, 1000])
    return fmean(runs)


def claim(name: str) -> Any:
    return next(row for row in read(REPORT / "claims.json")["claims"] if row["id"] == name)


def run_files(variant: str, file: str) -> list[Path]:
    return sorted((RESULTS / variant).glob(f"*/{file}"))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_first_screen_has_the_numbers_of_the_findings() -> None:
    found = (ROOT / "reports/paper/report.md").read_text(encoding="utf-8").partition("## Every claim")[0]
    bullets = [line for line in README.partition("```")[0].splitlines() if line.startswith("- ")]
    numbers = [number for line in bullets for number in re.findall(r"[0-9][0-9,]*", line)]
    assert len(bullets) == 3 and len(numbers) >= 6
    assert not [number for number in numbers if number.rstrip(",") not in re.findall(r"[0-9][0-9,]*[0-9]|[0-9]", found)]
