"""Trainings whose loss jumped: what their last weights are worth depends on when they stopped."""

from itertools import pairwise

from regen.report.document import Block, Code, Listing, Paragraph, Text
from regen.report.reading import Results
from regen.results import quantity_of

__all__ = ["jumps"]

JUMP = 0.1
"""Rise of the training loss from one epoch to the next, over its size, from which on it is a jump."""

LAST = 10
"""Epochs at the end whose spread is told."""


def jumps(results: Results, names: list[str]) -> list[Block]:
    """Return which trainings jumped, when, and how far the last epochs lie apart; nothing where none did.

    The players of a GAN have no loss that should fall.
    """
    items = results.each(names, lambda name: _jumps(results, name))
    head = f"Trainings whose loss rose by more than {100 * JUMP:g} % from one epoch to the next:"
    return [Paragraph(head), Listing(items)] if items else []


def _jumps(results: Results, name: str) -> list[Text]:
    found: list[Text] = []
    for seed, history in results.histories(name).items():
        quantity = quantity_of([history])
        if quantity is None:
            continue
        train, validation = (history[f"{split}_{quantity.column}"].tolist() for split in ("train", "val"))
        rises = [
            f"{before:,.1f} to {after:,.1f} {quantity.unit} in epoch {epoch}"
            for epoch, (before, after) in enumerate(pairwise(train), 2)
            if after - before > JUMP * abs(before)
        ]
        if rises:
            last = validation[-LAST:]
            spread = (
                f"In the last {len(last)} epochs validation lies between {min(last):,.1f} and {max(last):,.1f}, at the end {last[-1]:,.1f}."
            )
            found.append([Code(name), f", seed {seed}: {', '.join(rises)}. {spread}"])
    return found
