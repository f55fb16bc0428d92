"""What a branch changes in the committed metrics, as a comment in Markdown: `python scripts/metrics_diff.py REVISION`.

`dvc metrics diff` shows every number; here the largest changes come first, and the comment stays short.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

MOST = 40
"""Rows of a comment."""


def files(revision: str) -> dict[str, dict[str, float]]:
    """Return the numbers of every metrics file that git has at a revision, by path."""
    listed = _git("ls-tree", "-r", "--name-only", revision, "results").splitlines()
    chosen = [path for path in listed if path.endswith(("/metrics.json", "/quality.json"))]
    return {path: _numbers(json.loads(_git("show", f"{revision}:{path}"))) for path in chosen}


def rows(before: dict[str, dict[str, float]], after: dict[str, dict[str, float]]) -> Iterator[tuple[float, str, str, float, float]]:
    """Yield (relative change, path, metric, old, new) of what both have and differs."""
    for path in sorted(before.keys() & after.keys()):
        for metric in sorted(before[path].keys() & after[path].keys()):
            old, new = before[path][metric], after[path][metric]
            if old != new:
                yield abs(new - old) / max(abs(old), abs(new)), path, metric, old, new


def comment(before: dict[str, dict[str, float]], after: dict[str, dict[str, float]]) -> str:
    """Return the comment: new and removed runs, then the changed numbers, the largest relative change first."""
    changed = sorted(rows(before, after), reverse=True)
    new, gone = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    lines = [
        "### Metrics",
        f"{len(changed)} numbers changed in {len({row[1] for row in changed})} files, {len(new)} files new, {len(gone)} removed.",
    ]
    if changed:
        lines += ["", "| file | metric | before | after | change |", "| --- | --- | --- | --- | --- |"]
        lines += [
            f"| {path.removeprefix('results/')} | {name} | {old:.6g} | {now:.6g} | {now - old:+.3g} |"
            for _, path, name, old, now in changed[:MOST]
        ]
    if len(changed) > MOST:
        lines.append(f"\nand {len(changed) - MOST} more: `dvc metrics diff` shows them.")
    for title, paths in (("New", new), ("Removed", gone)):
        if paths:
            lines.append(
                f"\n{title}: {', '.join(path.removeprefix('results/') for path in paths[:MOST])}{', ...' if len(paths) > MOST else ''}"
            )
    return "\n".join(lines)


def _numbers(table: dict[str, object]) -> dict[str, float]:
    return {key: float(value) for key, value in table.items() if isinstance(value, int | float) and not isinstance(value, bool)}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    print(comment(files(_git("merge-base", sys.argv[1], "HEAD").strip()), files("HEAD")))
