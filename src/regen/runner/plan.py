"""What is to be reproduced, in which order, and what each stage waits for."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .errors import RunnerError
from .locks import check
from .needs import Needs
from .rwlocks import forget_the_dead

__all__ = ["Plan", "plan"]


@dataclass(frozen=True)
class Plan:
    """Stages in DVC's order, each after all that it depends on; what each needs, and those of them that it waits for.

    DVC's order is another one in each process. `defined` has all stages of the repository as its files have them.
    """

    repo: Any
    stages: list[Any]
    needs: dict[Any, Needs]
    upstream: dict[Any, set[Any]]
    defined: list[Any]

    @property
    def preload(self) -> list[str]:
        """The modules to import beforehand for any of the stages, each once."""
        return list(dict.fromkeys(module for stage in self.stages for module in self.needs[stage].preload))

    @property
    def folder(self) -> Path:
        """Where the runner keeps what it remembers, inside DVC's own folder for temporary files."""
        return Path(self.repo.tmp_dir, "runner")

    @cached_property
    def order(self) -> dict[Any, int]:
        """The place of each stage in the files that define them."""
        return {stage: number for number, stage in enumerate(self.defined)}


def plan(targets: Sequence[str], tell: Callable[[str], None], without: Sequence[str] = ()) -> Plan:
    """Return the plan for targets as `dvc repro` takes them, their upstream stages included; `dvc.yaml` if there are none.

    DVC's files below the folders `without` are not read: that takes time where they are pipelines of their own. `tell` gets a line of
    whatever was mended. A `RunnerError` says what has to be mended.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import SCMError

    try:
        repo = Repo(_wait_for_lock=True)
        # What DVC would only ask for later.
        assert repo.scm is not None
    except SCMError as error:
        raise RunnerError(
            f"{os.getcwd()}: expected a git repository, which DVC needs, got none; clone the project, or run 'git init' here"
        ) from error
    except DvcException as error:
        raise RunnerError(one_line(error)) from error
    forget_the_dead(Path(repo.tmp_dir))
    with repo.lock:
        try:
            return collected(repo, targets, without)
        except RunnerError:
            raise
        except Exception as error:
            # Only where DVC cannot read its files are the locks looked at: reading all twice takes seconds.
            if check(lock_files(repo), tell):
                repo._reset()
                return collected(repo, targets, without)
            if isinstance(error, DvcException):
                raise RunnerError(one_line(error)) from error
            raise


def collected(repo: Any, targets: Sequence[str], without: Sequence[str]) -> Plan:
    """Return the plan for targets, as `Repo.reproduce` makes it."""
    from dvc.dvcfile import PROJECT_FILE
    from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro

    pass_over(repo, {os.path.abspath(folder) for folder in without})
    graph = get_active_graph(repo.index.graph)
    stages = plan_repro(graph, collect_stages(repo, list(targets) or [PROJECT_FILE]))
    needs = {stage: Needs.of(stage) for stage in stages}
    upstream = {stage: set(graph.successors(stage)) for stage in stages}
    return Plan(repo, stages, needs, upstream, list(repo.index.stages))


def pass_over(repo: Any, folders: set[str]) -> None:
    """Let DVC find no files below some folders."""
    walk = repo.dvcignore.walk

    def walk_the_others(fs: Any, top: str, **options: Any) -> Iterator[tuple[str, list[str], list[str]]]:
        for folder, inner, files in walk(fs, top, **options):
            inner[:] = [name for name in inner if os.path.join(folder, name) not in folders]
            yield folder, inner, files

    repo.dvcignore.walk = walk_the_others


def one_line(error: Exception) -> str:
    """Return what DVC says of an error, in one line."""
    return " ".join(str(error).split())


def lock_files(repo: Any) -> list[Path]:
    """Return the lock files of a repository, from where the command was given."""
    walk = repo.dvcignore.walk(repo.fs, repo.root_dir)
    return sorted(Path(os.path.relpath(os.path.join(folder, "dvc.lock"))) for folder, _, files in walk if "dvc.lock" in files)
