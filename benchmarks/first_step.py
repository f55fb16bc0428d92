"""Run a stage's script until its first optimiser step is done: `python first_step.py SCRIPT ARGUMENTS` prints when it got where."""

import json
import os
import runpy
import sys
import time

__all__ = ["main"]


def main() -> None:
    """Print the monotonic clock's time at each point as JSON, and end the process right after the step."""
    # Imports in the stage's own order, one by one to time them: each would come anyway.
    marks = {"interpreter": time.monotonic()}
    import regen  # noqa: F401

    import torch  # noqa: F401, isort: skip

    marks["torch"] = time.monotonic()
    from regen.training.adam import Adam

    adam_step = Adam.step

    def step_and_stop(self: Adam) -> None:
        adam_step(self)
        marks["other imports, images, model, step"] = time.monotonic()
        print(json.dumps(marks), flush=True)
        os._exit(0)

    Adam.step = step_and_stop  # type: ignore[method-assign]
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
