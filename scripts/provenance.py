"""Write results/<preset>/platform.json and, of dated evidence, provenance.json, from the logs of the stages that ran here."""

import sys
from pathlib import Path

from regen.provenance import collect, collect_platforms
from regen.stage import run


def main(preset: str) -> None:
    """Merge this machine's logs into the committed accounts; `quick` is made anew at will and needs no dates."""
    collect_platforms(Path("logs", preset), Path("results", preset, "platform.json"))
    if preset != "quick":
        collect(Path("logs", preset), Path("results", preset, "provenance.json"))


if __name__ == "__main__":
    run(main, "scripts/provenance.py", sys.argv[1:])
