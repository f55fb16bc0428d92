"""Write results/<preset>/provenance.json: which commit, device and versions made committed evidence, and how long it took."""

from pathlib import Path

from regen.provenance import collect
from regen.stage import run


def main(preset: str) -> None:
    """Merge this machine's logs into the committed account."""
    collect(Path("logs", preset), Path("results", preset, "provenance.json"))


if __name__ == "__main__":
    run(main, "preset")
