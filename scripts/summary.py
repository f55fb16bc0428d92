"""What a run of CI came to, in Markdown: `python scripts/summary.py LOG`. Needs nothing but Python.

The lines by which `make verify` and `.ci/run` say how it went, the table of differences, and how many claims have which outcome.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

SAID = re.compile(r"(verify \w+: |lock check: |error: |\d+ passed|.* so far$|all of it took |=+ .*(passed|failed))")


def summary(log: str, judged: dict[str, dict[str, Any]]) -> str:
    """Return the summary of a log and of each preset's claims.json."""
    lines = [line.rstrip() for line in log.splitlines()]
    said = [line for line in lines if SAID.match(line)]
    table = [line for line in lines if line.startswith("| ")]
    parts = ["## What the run says", "```", *(said or ["nothing: it ended before anything was checked"]), "```"]
    if table:
        parts += ["## Differences", *table]
    counts = {preset: found["counts"]["outcome"] for preset, found in judged.items()}
    outcomes = list(dict.fromkeys(outcome for count in counts.values() for outcome in count))
    parts += ["## Outcomes of the claims, as committed", f"| preset | {' | '.join(outcomes)} |", "| --- " * (len(outcomes) + 1) + "|"]
    parts += [f"| {preset} | {' | '.join(str(count[outcome]) for outcome in outcomes)} |" for preset, count in counts.items()]
    return "\n".join(parts)


if __name__ == "__main__":
    judged = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path("reports").glob("*/claims.json"))}
    log = Path(sys.argv[1])
    print(summary(log.read_text(encoding="utf-8", errors="replace") if log.exists() else "", judged))
