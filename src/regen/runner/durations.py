"""What stages took before, and what follows from it: how long is left, and which chains are the longest."""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

__all__ = ["expected", "kind", "left", "ranks"]


def kind(address: str) -> str:
    """Return what a stage's address says before the `@` of a matrix."""
    return address.partition("@")[0]


def expected(addresses: Iterable[str], before: Mapping[str, Any]) -> dict[str, float]:
    """Return the seconds that each stage is expected to take: as before, else as its kind, else as any; empty where nothing is known."""
    known = {address: float(seconds) for address, seconds in before.items() if isinstance(seconds, int | float)}
    if not known:
        return {}
    kinds: dict[str, list[float]] = {}
    for address, seconds in known.items():
        kinds.setdefault(kind(address), []).append(seconds)
    everything = fmean(known.values())
    means = {name: fmean(seconds) for name, seconds in kinds.items()}
    return {address: known.get(address, means.get(kind(address), everything)) for address in addresses}


def ranks(order: list[Any], upstream: Mapping[Any, set[Any]], seconds: Mapping[Any, float]) -> dict[Any, float]:
    """Return, for each stage, the seconds of the longest chain that starts with it. `order` has every stage after those it depends on."""
    longest: dict[Any, float] = dict.fromkeys(order, 0.0)
    for stage in reversed(order):
        longest[stage] += seconds[stage]
        for other in upstream[stage]:
            longest[other] = max(longest[other], longest[stage])
    return longest


def left(remaining: Mapping[Any, float], chains: Mapping[Any, float], slots: int) -> float:
    """Return the seconds that are left: those of the longest remaining chain, or of all that remains over the slots if that is more."""
    return max([sum(remaining.values()) / slots, *(chains[stage] for stage in remaining)]) if remaining else 0.0
