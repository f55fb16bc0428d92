"""How a report was made, as a page of its own: what varies from run to run and is in no tracked file."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from regen.common.errors import UserError
from regen.common.files import read_json

__all__ = ["made"]

SHARED = ("commit", "device", "threads", "processor", "system")
"""Facts of a stage that are usually the same for all of them."""

Stage = dict[str, Any]


def made(preset: str, logs: Path) -> str:
    """Return the page of the side files below `logs`, such as logs/<preset>/<variant>/<seed>/train.json; without any it says so.

    Raises
    ------
    UserError
        If a side file is malformed.
    """
    stages = [_read(log, logs) for log in sorted(logs.rglob("*.json"))]
    started = sorted(stage["started"] for stage in stages if stage.get("started"))
    versions = [(name, version) for stage in stages for name, version in (stage.get("versions") or {}).items()]
    environment = Environment(loader=PackageLoader("regen.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("made.html.j2").render(
        preset=preset,
        stages=stages,
        seconds=sum(stage.get("seconds") or 0 for stage in stages),
        started=started,
        facts=[(fact, *row) for fact in SHARED for row in _counts(stage[fact] for stage in stages if stage.get(fact) is not None)],
        versions=sorted((name, version, count) for (name, version), count in Counter(versions).items()),
    )


def _counts(values: Iterable[Any]) -> list[tuple[str, int]]:
    return list(Counter(map(str, values)).items())


def _read(log: Path, logs: Path) -> Stage:
    facts = read_json(log)
    if not isinstance(facts, dict):
        raise UserError(f"{log}: expected an object, got another form; delete it")
    head, changes, _ = str(facts.get("commit") or "").partition("+changes")
    return {**facts, "stage": log.stem, "of": str(log.parent.relative_to(logs)), "short_commit": head[:12] + changes}
