"""How a stage or a script runs: positional arguments in, one clear line and an exit status out."""

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

from regen.common.errors import UserError

__all__ = ["run"]


def run(main: Callable[..., Any], program: str, values: Sequence[str]) -> None:
    """Call `main` with positional arguments, as texts.

    `program` is what stands behind `python` on the command line. An argument named `seed` is a whole number from 0. A `UserError`, or the
    system refusing a file or memory, ends as one line on standard error and exit status 1, a wrong command line as status 2, Ctrl-C as 130.
    """
    names = list(inspect.signature(main).parameters)
    if len(values) != len(names) or not all(value.isdecimal() for name, value in zip(names, values, strict=True) if name == "seed"):
        print(f"error: usage: python {program} {' '.join(name.upper() for name in names)}", file=sys.stderr)
        sys.exit(2)
    try:
        main(*values)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(
            f"error: {error.filename or program}: expected a usable file, got '{error.strerror or error}'; mend that and run again",
            file=sys.stderr,
        )
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        if not _no_memory(error):
            raise
        reason = " ".join(str(error).split()) or "out of memory"
        advice = "free memory, run fewer stages side by side (make JOBS=1), or lower memory_mb, the batch size or the images in params.yaml"
        print(f"error: {program} {' '.join(values)}: expected memory, got '{reason}'; {advice}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"interrupted: {program} {' '.join(values)}; run the same command to continue", file=sys.stderr)
        sys.exit(130)


def _no_memory(error: MemoryError | RuntimeError) -> bool:
    """Return whether an allocation was refused: torch says so on a processor by a plain RuntimeError, on a GPU by a kind of its own."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(said in str(error).lower() for said in ("allocate memory", "out of memory", "not enough memory"))
    )
