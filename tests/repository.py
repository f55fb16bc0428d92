"""Copies of the repository, whole or reduced to a few small variants of one report, for tests of the whole pipeline."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from support.environment import clean_environment

__all__ = ["ROOT", "VARIANTS", "Copy", "reduced"]

ROOT = Path(__file__).parents[1]
COPIED = (
    ".dvcignore",
    ".gitignore",
    "docs",
    "dvc.yaml",
    "params.yaml",
    "pipeline",
    "preset.yaml",
    "requirements.lock",
    "scripts",
    "src",
    "stages",
    "studies",
)
VARIANTS = ("uva3-vae-z2-mnist", "uva3-vae-z20-mnist")


def reduced(root: Path, names: tuple[str, ...] = VARIANTS) -> dict[str, Any]:
    """Write a params.yaml with a few small variants and small feature networks of 8 steps, what dvc.yaml names, and the study of uva3.

    Returns the values of params.yaml.
    """
    params: dict[str, Any] = YAML(typ="safe").load(ROOT / "params.yaml")
    variants = {name: params["variants"]["mnist"][name] for name in names}
    for variant in variants.values():
        for network in {"network", "generator", "discriminator", "flow"} & variant["model"].keys():
            variant["model"][network]["hidden"] = [16]
    params["variants"] = {**{group: {} for group in params["variants"]}, "mnist": variants}
    params["probes"] = {}
    for features in params["features"].values():
        features["network"] |= {"channels": [4], "hidden": [8]}
    quick = params["presets"]["quick"]
    quick |= {
        "max_images": {"default": {"train": 256, "validation": 64, "test": 32}},
        "max_steps": {"default": 8},
        "samples": {"default": 40},
    }
    quick["likelihood"] = {"default": [{"importance_samples": [1, 5], "n_images": None}]}
    quick["checks"] |= {"n_images": 8, "sum_over": 1024, "prior_samples": 1000}
    params["presets"] = {"quick": quick}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    _reduce_studies(root / "studies", names)
    return params


def _reduce_studies(studies: Path, names: tuple[str, ...]) -> None:
    """Leave the study of uva3 alone, and of the variants that it names these."""
    shutil.rmtree(studies, ignore_errors=True)
    folder = studies / "uva3"
    shutil.copytree(ROOT / "studies/uva3", folder, ignore=shutil.ignore_patterns("__pycache__"))
    files = {name: YAML(typ="safe").load(folder / f"{name}.yaml") for name in ("study", "claims", "reported", "errata")}
    files["study"]["figures"] = [figure for figure in files["study"]["figures"] if set(figure["variants"]) <= set(names)]
    for claim in files["claims"]:
        claim |= {key: [name for name in claim.get(key, []) if name in names] for key in ("variants", "decides")}
    for row in files["reported"]:
        row["readings"] = [reading for reading in row["readings"] if reading["variant"] in names]
    for erratum in files["errata"]:
        erratum["claims"] = [name for name in erratum.get("claims", []) if name.startswith("uva3-")]
    for name, values in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values))


class Copy:
    """A repository of its own that runs its own source: a few variants, reduced, or with `names` None all as they are."""

    def __init__(self, root: Path, names: tuple[str, ...] | None = VARIANTS) -> None:
        self.root = root / "repository"
        self.root.mkdir(parents=True)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "dvc.lock"))
            else:
                shutil.copyfile(ROOT / name, self.root / name)
        self.environment = clean_environment(root, self.root / "src")
        if names is None:
            self.params = YAML(typ="safe").load(self.root / "params.yaml")
        else:
            # Probes are of variants that are not here.
            shutil.rmtree(self.root / "pipeline/probe")
            self.params = reduced(self.root, names)
        self.call("git", "init", "-q")
        self.call("dvc", "init", "-q")
        (self.root / ".dvc/config").write_bytes((ROOT / ".dvc/config").read_bytes())
        assert self.call(sys.executable, "-c", "import regen; print(regen.__file__)").startswith(str(self.root))

    def call(self, *command: str) -> str:
        """Return the output of a command that must succeed."""
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def repro(self, *targets: str) -> tuple[set[str], str]:
        """Return the stages that `dvc repro` ran, and all that it said."""
        said = self.call("dvc", "repro", *targets)
        return set(re.findall(r"Running stage '([^']+)'", said)), said

    def set_params(self, params: dict[str, Any]) -> None:
        (self.root / "params.yaml").write_text(yaml.safe_dump(params))

    def lock(self) -> dict[str, Any]:
        """Return what the locks of all parts of the pipeline say, by stage."""
        locks = [self.root / "dvc.lock", *self.root.glob("pipeline/*/dvc.lock")]
        return {name: stage for lock in locks for name, stage in yaml.safe_load(lock.read_text())["stages"].items()}

    def files(self, *folders: str) -> dict[str, bytes]:
        paths = [path for folder in folders for path in (self.root / folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in paths}

    def outputs(self) -> dict[str, bytes]:
        """Return every file that DVC tracks as an output."""
        paths = [out["path"] for stage in self.lock().values() for out in stage["outs"]]
        assert all((self.root / path).exists() for path in paths)
        return {path: (self.root / path).read_bytes() for path in paths if (self.root / path).is_file()} | self.files(*paths)
