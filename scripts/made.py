"""Write reports/<preset>/made.html and made.md: versions, device, commit and time of every stage; git ignores them."""

import sys
from pathlib import Path

from regen.common.files import write_text
from regen.report.html import html
from regen.report.made import made
from regen.report.markdown import markdown
from regen.stage import run


def main(preset: str) -> None:
    """Show this machine's side files, after DVC has made the report."""
    folder = Path("reports", preset)
    document = made(preset, Path("logs", preset))
    write_text(folder / "made.md", markdown(document))
    write_text(folder / "made.html", html(document, folder))


if __name__ == "__main__":
    run(main, "scripts/made.py", sys.argv[1:])
