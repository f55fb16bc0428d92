"""params.yaml and studies/*/study.yaml as plain values, whole or small, with one of them altered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from regen.params.schema import PresetFile

__all__ = ["DELETED", "PRESET", "ROOT", "VARIANT", "changed", "chosen", "files", "raw_params", "small_params", "write_params"]

ROOT = Path(__file__).parents[2]
DELETED = object()
SEEDS = {"default": [0]}
PRESET = {"preset": "quick", "root": ".", "file": "preset.yaml", "seeds": SEEDS}


def raw_params() -> Any:
    """Return params.yaml as plain values, and under `reports` the study.yaml of each report."""
    reports = {file.parent.name: YAML(typ="safe").load(file) for file in sorted((ROOT / "studies").glob("*/study.yaml"))}
    return {**YAML(typ="safe").load(ROOT / "params.yaml"), "reports": reports}


def write_params(folder: Path, values: Any) -> Path:
    """Write params.yaml, and what is under `reports` as the study.yaml of each report; return the path of params.yaml."""
    path, rest = folder / "params.yaml", {key: value for key, value in values.items() if key != "reports"}
    # JSON is YAML without anchors.
    path.write_text(json.dumps(rest).replace("NaN", ".nan"))
    for name, value in values.get("reports", {}).items():
        file = folder / "studies" / name / "study.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    return path


def small_params() -> Any:
    """Return the values with two of the variants and of the data sets, and no figures."""
    params = raw_params()
    for preset in params["presets"].values():
        for key in ("sources", "likelihood", "max_images", "max_steps", "samples"):
            preset[key] = {name: value for name, value in preset[key].items() if name in ("mnist", "svhn", "default")}
    for key in ("datasets", "features"):
        params[key] = {name: value for name, value in params[key].items() if name in ("mnist", "svhn", "default")}
    kept = {"mnist": "uva3-vae-z2-mnist", "svhn": "vu4a-vae-svhn"}
    params["variants"] = {group: {name: params["variants"][group][name]} for group, name in kept.items()}
    for source in params["reports"].values():
        source["figures"] = []
    params["probes"] = {}
    return params


def changed(path: str, value: Any, of: Callable[[], Any] = small_params) -> Any:
    """Return these values with one of them set, added or deleted; `path` has slashes between the keys."""
    params = node = of()
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    for part in parents:
        node = node[part]
    if value is DELETED:
        del node[last]
    else:
        node[last] = value
    return params


def chosen(preset: str) -> PresetFile:
    return PresetFile(preset=preset, root=".", file="preset.yaml", seeds=SEEDS)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


VARIANT = "variants/mnist/uva3-vae-z2-mnist"
