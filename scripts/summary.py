"""What a run of CI came to, in Markdown: `python scripts/summary.py LOG`. Needs nothing but Python.

The lines by which `make verify` and `.ci/run` say how it went, the table of differences, and how many claims have which verdict.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

SAID = re.compile(r"(verify \w+: |lock check: |error: |\d+ passed|.* so far$|all of it took |=+ .*(passed|failed))")


def summary(log: str, claims: dict[str, list[dict[str, str]]]) -> str:
    """Return the summary of a log and of the claims of each preset."""
    lines = [line.rstrip() for line in log.splitlines()]
    said = [line for line in lines if SAID.match(line)]
    table = [line for line in lines if line.startswith("| ")]
    parts = ["## What the run says", "```", *(said or ["nothing: it ended before anything was checked"]), "```"]
    if table:
        parts += ["## Differences", *table]
    counts = {preset: Counter(claim["verdict"] for claim in judged) for preset, judged in claims.items()}
    verdicts = sorted({verdict for count in counts.values() for verdict in count})
    parts += ["## Verdicts, as committed", f"| preset | {' | '.join(verdicts)} |", "| --- " * (len(verdicts) + 1) + "|"]
    parts += [f"| {preset} | {' | '.join(str(count[verdict]) for verdict in verdicts)} |" for preset, count in counts.items()]
    return "\n".join(parts)


if __name__ == "__main__":
    judged = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path("reports").glob("*/claims.json"))}
    log = Path(sys.argv[1])
    print(summary(log.read_text(encoding="utf-8", errors="replace") if log.exists() else "", judged))
