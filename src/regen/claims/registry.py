"""Which function checks which claim."""

import pkgutil
from collections.abc import Callable
from importlib import import_module

from regen.claims import checks
from regen.claims.evidence import Evidence
from regen.claims.finding import Finding

__all__ = ["Check", "check", "registered"]

Check = Callable[[Evidence], Finding]

CHECKS: dict[str, Check] = {}


def check(claim: str) -> Callable[[Check], Check]:
    """Register the decorated function as the check of a claim of ledger.yaml.

    Raises
    ------
    ValueError
        If the claim has a check.
    """

    def register(function: Check) -> Check:
        if claim in CHECKS:
            raise ValueError(f"{claim}: allowed: one check a claim")
        CHECKS[claim] = function
        return function

    return register


def registered() -> dict[str, Check]:
    """Return the claim -> its check, of every module in the package `checks`."""
    for module in pkgutil.iter_modules(checks.__path__):
        import_module(f"{checks.__name__}.{module.name}")
    return dict(CHECKS)
