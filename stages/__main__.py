"""Run a stage of the pipeline: `python stages NAME ARGUMENT ...`, the arguments of the `main` of stages/NAME.py.

A stage runs the code of the work tree in which it stands, whatever is installed: a copied tree with a copied environment runs its own.
"""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    # In place of this folder, where a package of anybody's could be shadowed.
    sys.path[:] = [str(HERE.parent / "src"), *(path for path in sys.path if Path(path).resolve() != HERE)]
    import regen

    if not Path(regen.__file__).resolve().is_relative_to(HERE.parent):
        sys.exit(f"error: {HERE}: expected to run this work tree's own code, got {Path(regen.__file__).parent}; unset PYTHONPATH")
    from regen.stage import run

    stages = {path.stem: path for path in sorted(HERE.glob("*.py")) if path != Path(__file__).resolve()}
    if len(sys.argv) < 2 or sys.argv[1] not in stages:
        print(f"error: usage: python stages NAME ARGUMENT ..., where NAME is one of {', '.join(stages)}", file=sys.stderr)
        sys.exit(2)
    name = sys.argv[1]
    run(runpy.run_path(str(stages[name]))["main"], f"stages {name}", sys.argv[2:])
