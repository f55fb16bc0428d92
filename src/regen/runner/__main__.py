"""`python -m regen.runner [OPTION ...] [TARGET ...]`: reproduce a DVC pipeline side by side; `--help` lists the options."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .cluster import Cluster
from .cores import cores
from .driver import drive, told
from .errors import RunnerError
from .local import Local
from .plan import plan
from .pool import Pool
from .preview import graph, preview
from .progress import Progress

__all__ = ["main"]


def whole(text: str) -> int:
    """Return a number of jobs, a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise RunnerError(f"--jobs {text}: expected a whole number from 1")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command line."""
    made = argparse.ArgumentParser(prog="python -m regen.runner", description="Reproduce the stages of a DVC pipeline side by side.")
    made.add_argument("--jobs", metavar="N", help="commands at once (default: the processor cores that it may use)")
    made.add_argument("--verbose", action="store_true", help="show the whole log of every stage")
    made.add_argument("--dry", action="store_true", help="only list what would run, by kind of stage")
    made.add_argument("--graph", action="store_true", help="only draw the graph of the pipeline, by sorts of stages, as Mermaid text")
    made.add_argument("--without", metavar="FOLDER", action="append", default=[], help="leave DVC's files below it unread, for speed")
    made.add_argument("--cluster", metavar="ADDRESS|FILE", help="run on the workers of a dask scheduler; docs/cluster.md")
    for name, what in (("ca-file", "of the authority"), ("cert", "of this machine"), ("key", "of that certificate")):
        made.add_argument(f"--tls-{name}", metavar="FILE", help=f"for tls://: the file {what} (default: dask's configuration)")
    made.add_argument("targets", metavar="TARGET", nargs="*", help="what to reproduce, as for `dvc repro` (default: dvc.yaml)")
    return made


def reproduce(arguments: argparse.Namespace) -> int:
    """Return the exit status of what the command line asks for."""
    jobs = cores() if arguments.jobs is None else whole(arguments.jobs)
    made = plan(arguments.targets, lambda line: print(line, file=sys.stderr), arguments.without)
    if arguments.graph:
        print("\n".join(graph(made)))
        return 0
    if arguments.dry:
        print("\n".join(preview(made)))
        return 0
    progress = Progress(len(made.stages), arguments.verbose)
    pool: Pool = Local(jobs, made.folder / "logs", made.preload)
    if arguments.cluster:
        tls = arguments.tls_ca_file, arguments.tls_cert, arguments.tls_key
        pool = Cluster(arguments.cluster, pool, Path(made.repo.root_dir), made.preload, tls, progress.say)
    return drive(made, pool, progress)


def interrupt(*_: object) -> NoReturn:
    """End what is not yet running any stage."""
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, 1 for what failed, 2 for a wrong command line, 130 if interrupted."""
    # DVC sets its loggers up when it is imported. Its bars would write over the runner's.
    importlib.import_module("dvc")
    logging.getLogger("dvc").setLevel(logging.WARNING)
    logging.getLogger("dvc.progress").setLevel(logging.CRITICAL)
    try:
        with told(interrupt):
            return reproduce(parser().parse_args(argv))
    except RunnerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'the disk'}: {error.strerror or error}; mend that and run again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: what is done is kept; run the same command to continue", file=sys.stderr)
        return 130


def let_go() -> None:
    """Drop what a closed terminal or pipe cannot take any more: else Python ends with a status of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    status = main()
    let_go()
    sys.exit(status)
