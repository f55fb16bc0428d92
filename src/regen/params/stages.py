"""Whether the pipeline's files have the stages of every data set; what lacks one is never run, and no report would say why."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from regen.common.errors import UserError
from regen.params.schema import Params, PresetFile

__all__ = ["check_stages"]

PARTS = ("train", "evaluate", "quality", "draw")
"""Stages that exist once a variant, in a file each."""


def check_stages(params: Params, chosen: PresetFile, root: Path) -> None:
    """Refuse a data set that has variants and no stages, or stages of other variants, seeds or images.

    `root` is the repository's; the files are those beside the preset's own. A file that is not there has no stages to look at.

    Raises
    ------
    UserError
        One line that names the file and what to add.
    """
    folder = (root / chosen.file).parent
    general = folder / "dvc.yaml"
    files = {part: folder / "pipeline" / part / "dvc.yaml" for part in PARTS}
    spaces = [stage for name, stage in _stages(general).items() if name.startswith("features")]
    named = {dataset for stage in spaces for dataset in stage.get("matrix", {}).get("dataset", [])}
    for dataset in params.variants:
        if spaces and dataset not in named:
            raise UserError(f"{general}: expected '{dataset}' in stages.features.matrix.dataset, got {', '.join(sorted(named))}; add it")
        for part, path in files.items():
            if path.exists():
                _check(path, f"{part}-{dataset}", dataset, chosen)


def _check(path: Path, name: str, dataset: str, chosen: PresetFile) -> None:
    stage = _stages(path).get(name)
    line = f"add the line of another data set with the name '{dataset}', and its seeds, ${{seeds.{chosen.seeds_key(dataset)}}}"
    if stage is None:
        raise UserError(f"{path}: expected a stage '{name}', got none; {line} (CONTRIBUTING.md)")
    seeds = f"${{seeds.{chosen.seeds_key(dataset)}}}"
    matrix, deps = stage.get("matrix", {}), stage.get("deps", [])
    first = [f"{seeds[:-1]}[0]}}"]
    read = [dep for dep in deps if dep.startswith(("data/", "features/"))]
    if matrix.get("variant") != f"${{variants.{dataset}}}":
        found = f"variants {matrix.get('variant')}"
    elif matrix.get("seed") not in (seeds, first):
        found = f"seeds {matrix.get('seed')}"
    elif not read or any(dep.rpartition("/")[2] != dataset for dep in read):
        found = f"images of {', '.join(read) or 'no data set'}"
    else:
        return
    raise UserError(f"{path}: expected variants, seeds and images of '{dataset}' in stage '{name}', got {found}; {line}")


def _stages(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        return dict(content["stages"])
    except (YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: expected stages in YAML, got '{' '.join(str(error).split())}'; mend the file") from error
