"""The folders below studies/, one a source report; study.yaml says what the report is and what is shown of it."""

import math
import re
from pathlib import Path

from regen.common.errors import UserError
from regen.config.base import Positive, parse
from regen.params.reading import read_yaml
from regen.params.schema import SourceReport

__all__ = ["STUDY", "TAKEN", "Study", "folders", "read_reports"]

STUDY = "study.yaml"

TAKEN = ("errata", "how", "index", "lessons", "look", "models", "use")
"""Pages of the site beside those of the reports, `<report>.html`."""


class Study(SourceReport):
    """The whole of study.yaml. `order`: the report's place among the others; those without one come last, by name."""

    year: int | None = None
    notes: list[str] = []
    order: Positive | None = None


def folders(studies: Path) -> dict[str, Path]:
    """Return the report -> its folder, by name.

    A folder with nothing but compiled Python is no report: git leaves it behind when another branch is checked out.

    Raises
    ------
    UserError
        If there is no such folder, or the name of one is no report's.
    """
    if not studies.is_dir():
        raise UserError(f"{studies}: expected a folder a report, got no such folder; restore it with 'git checkout {studies}'")
    visible = [path for path in sorted(studies.iterdir()) if path.is_dir() and path.name[0] not in "._"]
    found = {folder.name: folder for folder in visible if {path.name for path in folder.iterdir()} - {"__pycache__"}}
    if wrong := [folder for name, folder in found.items() if name in TAKEN or not re.fullmatch("[a-z0-9]+", name)]:
        allowed = f"small letters and digits, not a page of the site ({', '.join(TAKEN)})"
        raise UserError(f"{wrong[0]}: allowed as the name of a report: {allowed}; rename the folder")
    return found


def read_reports(studies: Path) -> dict[str, SourceReport]:
    """Return what every report is and shows, in the order in which they are shown.

    Raises
    ------
    UserError
        One line that names the file, the key, the value and what is allowed.
    """
    found = {}
    for name, folder in folders(studies).items():
        file = folder / STUDY
        if not file.exists():
            raise UserError(
                f"{file}: expected title, author and about of the report '{name}', got no such file; write it or remove {folder}"
            )
        found[name] = parse(Study, read_yaml(file), str(file))
    ordered = sorted(found.items(), key=lambda one: (one[1].order or math.inf, one[0]))
    return {name: SourceReport(**{key: getattr(study, key) for key in SourceReport.model_fields}) for name, study in ordered}
