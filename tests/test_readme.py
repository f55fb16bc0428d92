"""The README's numbers are the report's."""

import json
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REPORT = ROOT / "reports/paper"


def test_the_verdicts_are_counted() -> None:
    verdicts = Counter(claim["verdict"] for claim in json.loads((REPORT / "claims.json").read_text(encoding="utf-8")))
    said = re.search(r"Of (\d+) claims (\d+) are reproduced, (\d+) partly and (\d+) not; (\d+) are open, and (\d+) are not judged", README)
    assert said is not None
    total, *counts = map(int, said.groups())
    assert counts == [verdicts[name] for name in ("reproduced", "partly", "not reproduced", "open", "not judged")]
    assert total == verdicts.total()


def test_what_came_out_stands_in_the_report() -> None:
    section = README.partition("## What came out")[2].partition("## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| ")][2:]
    numbers = [number for row in rows for number in re.findall(r"-?\d[\d,]*\.\d+", row[1])]
    report = (REPORT / "report.md").read_text(encoding="utf-8")
    assert len(rows) == 4 and len(numbers) == 11
    assert [number for number in numbers if not re.search(rf"(?<![\d.,]){re.escape(number)}(?!\d)", report)] == []
