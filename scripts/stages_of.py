"""Print the addresses of all stages of some variants, for the runner or dvc: `python scripts/stages_of.py PRESET VARIANT ...`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from regen.common.errors import UserError
from regen.common.presets import pipeline_of
from regen.params.configured import fresh
from regen.params.schema import ReportConfig
from regen.params.stages import PARTS


def addresses(root: Path, preset: str, variants: Sequence[str], kinds: Sequence[str] = PARTS) -> Iterator[str]:
    """Yield the stages of every seed; pictures are drawn of the first.

    Raises
    ------
    UserError
        If a variant is not in params.yaml.
    """
    config = fresh(ReportConfig, root, preset, "report.json")
    for name in variants:
        if name not in config.variants:
            raise UserError(f"VARIANT = '{name}': unknown variant; params.yaml has {len(config.variants)} of them, under 'variants'")
        variant = config.variants[name]
        for kind in kinds:
            for seed in variant.seeds[:1] if kind == "draw" else variant.seeds:
                yield f"{pipeline_of(preset, kind)}:{kind}-{variant.dataset}@{name}-{seed}"


if __name__ == "__main__":
    try:
        print(" ".join(addresses(Path(), sys.argv[1], sys.argv[2:])))
    except UserError as error:
        sys.exit(f"error: {error}")
