"""Which GPUs a stage sees: whole ones, or a share of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

__all__ = ["Gpus"]

ENOUGH = 1e-9
"""Shares are sums of fractions such as 0.1: compare them with this slack."""


class Gpus:
    """The GPUs of one worker process, by the names that CUDA_VISIBLE_DEVICES takes.

    dask only counts: of two GPUs with 0.4 free each it gives away 0.8. A stage that finds no GPU with enough free waits for one.
    """

    def __init__(self, total: float) -> None:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        names = [str(number) for number in range(round(total))] if visible is None else [name for name in visible.split(",") if name]
        self._free = dict.fromkeys(names, 1.0)
        self._changed = Condition()

    def _find(self, share: float) -> dict[str, float] | None:
        """Return what to take of which GPU: the fullest that has enough left, or as many whole ones as asked for."""
        if share <= 1:
            fitting = [name for name, free in self._free.items() if free >= share - ENOUGH]
            return {min(fitting, key=lambda name: self._free[name]): share} if fitting else None
        whole = [name for name, free in self._free.items() if free >= 1 - ENOUGH]
        return dict.fromkeys(whole[: round(share)], 1.0) if len(whole) >= round(share) else None

    @contextmanager
    def share(self, share: float) -> Iterator[str]:
        """Yield the value of CUDA_VISIBLE_DEVICES for a stage that asked for this many GPUs; nothing is visible to one that asked for none.

        Raises
        ------
        ValueError
            If this worker could never give that many.
        """
        if not share:
            yield ""
            return
        if share > len(self._free):
            raise ValueError(f"expected {share:g} GPUs, got {len(self._free)} in CUDA_VISIBLE_DEVICES of the worker")
        with self._changed:
            self._changed.wait_for(lambda: self._find(share) is not None)
            taken = self._find(share) or {}
            for name, amount in taken.items():
                self._free[name] -= amount
        try:
            yield ",".join(taken)
        finally:
            with self._changed:
                for name, amount in taken.items():
                    self._free[name] += amount
                self._changed.notify_all()
