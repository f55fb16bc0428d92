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

    import torch  # isort: skip

    marks["torch"] = time.monotonic()
    import torch._inductor.config  # noqa: F401

    marks["torch._dynamo (deterministic mode, optimiser)"] = time.monotonic()
    from torch.optim.optimizer import register_optimizer_step_post_hook

    def stop(*_: object) -> None:
        marks["other imports, images, model, step"] = time.monotonic()
        print(json.dumps(marks), flush=True)
        os._exit(0)

    register_optimizer_step_post_hook(stop)
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
