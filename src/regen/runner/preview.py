"""What a run would do, without doing it."""

from collections import Counter
from typing import Any

from .durations import kind
from .plan import Plan
from .record import ran_here
from .tables import Table

__all__ = ["preview"]


def preview(plan: Plan) -> list[str]:
    """Return lines that say how many stages of each kind would run: those that changed, and those that wait for one of these."""
    record, changed, behind = Table(plan.folder / "ran.json"), Counter[str](), Counter[str]()
    affected, noted = set[Any](), dict[str, Any]()
    with plan.repo.lock:
        for stage in plan.stages:
            name = kind(stage.addressing)
            if stage.changed() or not ran_here(stage, record, noted):
                changed[name] += 1
            elif plan.upstream[stage] & affected:
                behind[name] += 1
            else:
                continue
            affected.add(stage)
        record.update(noted)
    kinds = list(dict.fromkeys(kind(stage.addressing) for stage in plan.defined if stage in affected))
    if not kinds:
        return ["nothing to do: everything is up to date"]
    width = max(map(len, kinds))
    lines = [f"{'stages':{width}}  to run  if their inputs change"]
    lines += [f"{name:{width}}  {changed[name] or '-':>6}  {behind[name] or '-':>22}" for name in kinds]
    return [*lines, f"{'all':{width}}  {changed.total():>6}  {behind.total():>22}   of {len(plan.stages)}"]
