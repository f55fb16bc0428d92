"""A preset's resolved configuration: as `configure` wrote it, or from params.yaml and studies/ where it has not run, as in a new clone."""

from functools import cache
from pathlib import Path
from typing import TypeVar

from regen.common.errors import UserError
from regen.config.base import Config, load
from regen.params.reading import read_yaml
from regen.params.resolve import read_params, read_preset, resolve

__all__ = ["configured", "fresh"]

AnyConfig = TypeVar("AnyConfig", bound=Config)


def configured(kind: type[AnyConfig], root: Path, preset: str, name: str) -> AnyConfig:
    """Return the configuration `name`, such as `report.json`, of a preset of the repository at `root`.

    configs/ comes first: it is what the results were made with, whatever params.yaml and studies/ say since.

    Raises
    ------
    UserError
        If the preset is unknown, or neither has such a configuration.
    """
    path = root / "configs" / preset / name
    if path.exists():
        return load(kind, path)
    return fresh(kind, root, preset, name)


def fresh(kind: type[AnyConfig], root: Path, preset: str, name: str) -> AnyConfig:
    """Return the configuration `name` of a preset as params.yaml and studies/ say now; raises as `configured` does."""
    resolved = _resolved(root, preset)
    if not isinstance(found := resolved.get(name), kind):
        raise UserError(f"params.yaml: expected what {name} of preset {preset} is made of, got nothing of that name")
    return found


@cache
def _resolved(root: Path, preset: str) -> dict[str, Config]:
    params = read_params(root / "params.yaml")
    files = [root / "preset.yaml", *sorted(root.glob("*/preset.yaml"))]
    presets = {str(read_yaml(path).get("preset")): path for path in files}
    if preset not in presets:
        raise UserError(f"preset = '{preset}': unknown preset; allowed: {', '.join(presets)}")
    return resolve(params, read_preset(presets[preset], params))
