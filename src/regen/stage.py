"""How a DVC stage's script runs: positional arguments in, one clear line and an exit status out."""

import sys
from collections.abc import Callable
from typing import Any

from regen.common.errors import UserError

__all__ = ["run"]


def run(main: Callable[..., Any], *names: str) -> None:
    """Call `main` with the command line's positional arguments under these names.

    `seed` is a whole number from 0. A `UserError`, or the system refusing a file, ends as one line on standard error and exit status 1, a
    wrong command line as status 2, Ctrl-C as 130.
    """
    script, *values = sys.argv
    if len(values) != len(names) or not all(value.isdecimal() for name, value in zip(names, values, strict=True) if name == "seed"):
        print(f"error: usage: python {script} {' '.join(name.upper() for name in names)}", file=sys.stderr)
        sys.exit(2)
    try:
        main(**dict(zip(names, values, strict=True)))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(
            f"error: {error.filename or script}: expected a usable file, got '{error.strerror or error}'; mend that and run again",
            file=sys.stderr,
        )
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"interrupted: {script} {' '.join(values)}; run 'dvc repro' to continue", file=sys.stderr)
        sys.exit(130)
