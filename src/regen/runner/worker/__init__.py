"""What a worker of dask.distributed does with a stage.

This folder and warm.py travel to every worker as one file whose name holds its hash, so a worker needs the pinned environment but no
clone. Only the standard library and distributed are imported here, and every import of one another is relative: there the package has
another name.
"""

from .environment import check
from .task import end, leave, run

__all__ = ["check", "end", "leave", "run"]
