"""Say how a preset's files were made, from the logs of the stages that ran here: `python scripts/account.py PRESET`.

Writes reports/<preset>/made.html (git ignores it), results/<preset>/platform.json and, of dated evidence, provenance.json.
"""

import sys
from pathlib import Path

from regen.stage import run


def main(preset: str) -> None:
    """Do nothing if no stage has run since the last time."""
    logs, folder = Path("logs", preset), Path("reports", preset)
    page = folder / "made.html"
    if page.exists() and all(log.stat().st_mtime < page.stat().st_mtime for log in logs.rglob("*.json")):
        return
    from regen.common.files import write_text
    from regen.provenance import collect, collect_platforms
    from regen.report.made import made

    collect_platforms(logs, Path("results", preset, "platform.json"))
    # `quick` is made anew at will and needs no dates.
    if preset != "quick":
        collect(logs, Path("results", preset, "provenance.json"))
    write_text(page, made(preset, logs))


if __name__ == "__main__":
    run(main, "scripts/account.py", sys.argv[1:])
