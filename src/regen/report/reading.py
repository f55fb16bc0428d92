"""Results as the report reads them: what is missing or malformed costs its own place alone, which then says so."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from regen.common.errors import UserError
from regen.common.files import read_json
from regen.params.schema import ReportConfig
from regen.report.document import Notice
from regen.results import details, grouped, histories, metrics, quality, quality_details

__all__ = ["MALFORMED", "Results"]

MALFORMED = (UserError, OSError, KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)
"""What a file of another form than expected leads to."""

S = TypeVar("S")
T = TypeVar("T")
Read = Callable[[Path, ReportConfig, str], dict[int, Any]]


class Results:
    """The results below `root`; what could not be read is kept until `notices` tells it."""

    def __init__(self, config: ReportConfig, root: Path) -> None:
        self.config = config
        self.root = root
        self._read: dict[tuple[Read, str], tuple[dict[int, Any], list[str]]] = {}
        self._problems: list[str] = []

    def attempt(self, where: str, make: Callable[[], T], otherwise: Any) -> T:
        """Return what `make` returns; where something is malformed, note it and return `otherwise`."""
        try:
            return make()
        except MALFORMED as error:
            self.note(str(error) if isinstance(error, UserError) else f"{where}: {_said(error)}")
            empty: T = otherwise
            return empty

    def note(self, problem: str) -> None:
        """Keep one line for the next `notices`, with the command of this preset where it names one."""
        if self.config.preset == "paper":
            problem = problem.replace("'dvc repro'", "'make paper'")
        self._problems.append(problem.replace(f"{self.root}/", ""))

    def notices(self) -> list[Notice]:
        """Return what was not to be read since the last call."""
        problems, self._problems = dict.fromkeys(self._problems), []
        return [Notice("Missing.", f"{problem}{'' if problem.endswith('.') else '.'}") for problem in problems]

    def file(self, path: str) -> Any:
        """Return the values of a JSON file below the root; None, noted, where there is none."""
        return self.attempt(path, lambda: read_json(self.root / path), None)

    def _seeds(self, read: Read, name: str) -> dict[int, Any]:
        """Return the seed -> what `read` finds, seed by seed: a file that is malformed hides no other."""
        if (read, name) not in self._read:
            outer, self._problems = self._problems, []
            found: dict[int, Any] = {}
            for seed in self.config.variants[name].seeds:
                found |= self.attempt(
                    f"results/{self.config.preset}/{name}/{seed}", partial(read, self.root, self._one(name, seed), name), {}
                )
            self._read[read, name] = (found, self._problems)
            self._problems = outer
        found, problems = self._read[read, name]
        self._problems += problems
        return found

    def _one(self, name: str, seed: int) -> ReportConfig:
        variant = self.config.variants[name].model_copy(update={"seeds": [seed]})
        return self.config.model_copy(update={"variants": {name: variant}})

    def metrics(self, name: str) -> list[dict[str, Any]]:
        """Return the scalars of every seed that has them."""
        return list(self._seeds(metrics, name).values())

    def histories(self, name: str) -> dict[int, pd.DataFrame]:
        """Return the seed -> one row an epoch, of every seed that was trained."""
        return self._seeds(histories, name)

    def quality(self, name: str) -> list[dict[str, Any]]:
        """Return the scalars of the samples of every seed that has them."""
        return list(self._seeds(quality, name).values())

    def quality_details(self, name: str) -> list[dict[str, Any]]:
        """Return the tables of the samples of every seed that has them."""
        return list(self._seeds(quality_details, name).values())

    def rows(self, name: str, table: str, *keys: str) -> list[dict[str, Any]]:
        """Return the rows of a table of details.json, each the mean over its seeds, told apart by the values under `keys`."""
        runs = self._seeds(details, name).values()
        return self.attempt(f"results/{self.config.preset}/{name}: details.json: {table}", lambda: grouped(runs, table, *keys), [])

    def each(self, items: Iterable[S], make: Callable[[S], list[T]], where: Callable[[S], str] | None = None) -> list[T]:
        """Return what `make` returns of every item, one after the other; items are variants unless `where` says what they are."""
        named = where or (lambda name: f"results/{self.config.preset}/{name}")
        return [made for item in items for made in self.attempt(named(item), partial(make, item), [])]


def _said(error: BaseException) -> str:
    """Say in one line what was expected and not there."""
    if isinstance(error, KeyError):
        return f"expected a value under {error}, got none"
    return f"expected another form, got '{' '.join(str(error).split())}'"
