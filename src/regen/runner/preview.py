"""What a run would do, without doing it; and the graph of what there is."""

from collections import Counter
from typing import Any

from .durations import kind
from .plan import Plan
from .record import ran_here
from .tables import Table

__all__ = ["graph", "preview"]


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


def graph(plan: Plan) -> list[str]:
    """Return the pipeline's graph by sorts of stages, in Mermaid's language: as many as one can read, where stages are too many."""
    import networkx

    edges = {(_sort(other), _sort(stage)) for stage in plan.stages for other in plan.upstream[stage]}
    # What follows from other edges says nothing more.
    kept = set(networkx.transitive_reduction(networkx.DiGraph((first, second) for first, second in edges if first != second)).edges)
    sorts = list(dict.fromkeys(_sort(stage) for stage in plan.defined if stage in plan.upstream))
    return ["flowchart TD", *(f"  {first} --> {second}" for first in sorts for second in sorts if (first, second) in kept)]


def _sort(stage: Any) -> str:
    """Return what a stage's name begins with: `train` of `train-mnist@uva3-vae-z2-mnist-0`."""
    return str(stage.name).partition("@")[0].partition("-")[0]
