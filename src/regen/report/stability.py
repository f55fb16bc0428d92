"""Trainings whose loss jumped, and how far apart the last epochs of validation lie."""

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
    head = f"Trainings whose loss, a mean over the epoch, rose by more than {100 * JUMP:g} % from one epoch to the next:"
    return [Paragraph(head), Listing(items)] if items else []


def _jumps(results: Results, name: str) -> list[Text]:
    found: list[Text] = []
    for seed, history in results.histories(name).items():
        quantity = quantity_of([history])
        if quantity is None:
            continue
        train, validation = (history[f"{split}_{quantity.column}"].tolist() for split in ("train", "val"))
        rises = [
            f"{before:,{quantity.form}} to {after:,{quantity.form}} {quantity.unit} in epoch {epoch}"
            for epoch, (before, after) in enumerate(pairwise(train), 2)
            # What is not finite is no smaller than anything, and jumped.
            if not after - before <= JUMP * abs(before)
        ]
        if rises:
            last = validation[-LAST:]
            low, high, end = (f"{value:,{quantity.form}}" for value in (min(last), max(last), last[-1]))
            spread = f"In the last {len(last)} epochs validation lies between {low} and {high}, at the end {end}."
            found.append([Code(name), f", seed {seed}: {', '.join(rises)}. {spread}"])
    return found
