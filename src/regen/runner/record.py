"""Which stages ran on this machine. Outputs that come with the repository are no proof: a clone that never ran anything runs everything."""

import hashlib
import json
import os
from typing import Any

from .tables import Table

__all__ = ["fingerprint", "ran_here"]


def fingerprint(stage: Any) -> str:
    """Return a hash of what a stage's lock entry says: its command, and the hashes of its dependencies and outputs."""
    sides = [sorted((str(item.def_path), item.hash_info.value) for item in items) for items in (stage.deps, stage.outs)]
    return hashlib.sha256(json.dumps([stage.cmd, *sides], sort_keys=True, default=str).encode()).hexdigest()


def ran_here(stage: Any, record: Table, noted: dict[str, Any]) -> bool:
    """Say whether a stage that DVC takes as up to date has been run, or fetched on purpose, on this machine.

    True without a look at the record if an output lies in DVC's cache: git has none of those. Else the record, or DVC's run cache, has to
    have the stage with the hashes that it has now. `record` and `noted` hold fingerprints by address; what the run cache knows is noted.
    """
    from dvc.stage.cache import _get_cache_hash
    from dvc.stage.serialize import to_single_stage_lockfile

    if not stage.cmd or stage.frozen or not stage.outs or any(out.use_cache for out in stage.outs):
        return True
    known = noted.get(stage.addressing, record.entries.get(stage.addressing))
    if known == (now := fingerprint(stage)):
        return True
    # The name under which DVC keeps a stage that has run with these dependencies.
    key = _get_cache_hash(to_single_stage_lockfile(stage), key=True)
    if cached := os.path.isdir(stage.repo.stage_cache._get_cache_dir(key)):
        noted[stage.addressing] = now
    return cached
