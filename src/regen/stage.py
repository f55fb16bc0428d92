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
    system refusing a file, ends as one line on standard error and exit status 1, a wrong command line as status 2, Ctrl-C as 130.
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
    except KeyboardInterrupt:
        print(f"interrupted: {program} {' '.join(values)}; run the same command to continue", file=sys.stderr)
        sys.exit(130)
