"""What one tracked run shows, read from the files that the pipeline wrote."""

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field

from regen.config.base import Config, parse
from regen.config.schema import ReportConfig, ReportedVariant
from regen.config.variant import Model
from regen.errors import UserError
from regen.files import checksum, read_json

__all__ = ["DataCard", "SideFile", "TrackedRun", "describe_experiment", "read_runs"]

_FAMILIES = {Model: "vae"}


class DataCard(Config):
    """The parts of a data card that are shown by name."""

    model_config = ConfigDict(extra="allow")
    dataset: str
    source: str
    data_source: str
    description: str


class Figure(Config):
    """An entry of reports/<preset>/figures/<report>.json: a PNG and the variants that it shows."""

    model_config = ConfigDict(extra="ignore")
    file: str
    title: str
    caption: str
    variants: list[str]


class SideFile(Config):
    """When (with time zone), for how many seconds and on what a stage ran; DVC and git ignore the file, so it may be absent."""

    model_config = ConfigDict(extra="ignore")
    started: Annotated[AwareDatetime, Field(strict=False)]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    device: str | None = None
    processor: str | None = None
    system: str | None = None
    commit: str | None = None
    versions: dict[str, str] = {}


@dataclass(frozen=True)
class TrackedRun:
    """Everything that one run shows; metrics are (name, value, epoch), artifacts are keyed by their path in the run."""

    variant: str
    seed: int
    dataset: str
    tags: dict[str, str]
    params: dict[str, Any]
    metrics: list[tuple[str, float, int]]
    artifacts: dict[str, Path]
    card: DataCard
    side: dict[str, SideFile]

    @cached_property
    def digest(self) -> str:
        """Hash of everything but the side files: the same wherever the same results are."""
        contents = {name: checksum(path, "sha256") for name, path in self.artifacts.items()}
        return _digest([self.dataset, self.tags, self.params, self.metrics, contents, self.card.model_dump()])

    @cached_property
    def full_digest(self) -> str:
        """Hash of everything, the side files included."""
        return _digest([self.digest, {stage: side.model_dump() for stage, side in self.side.items()}])


def read_runs(root: Path, config: ReportConfig) -> list[TrackedRun]:
    """Return a run for each variant and seed that was evaluated, sorted.

    Raises
    ------
    UserError
        If a file is missing or malformed.
    """
    results = root / "results" / config.preset
    return [_read_run(root, config, name, seed) for name in sorted(config.variants) for seed in _seeds(results / name)]


def describe_experiment(config: ReportConfig, card: DataCard) -> str:
    """Return in Markdown what the runs on one data set were made from and what they compare."""
    data = f"Preset **{config.preset}**. Data: {card.dataset}, source {card.source} ({card.data_source}): {card.description}."
    variants = [(name, variant) for name, variant in config.variants.items() if variant.dataset == card.dataset]
    compared = [f"- {name} ({variant.report}): {variant.title}" for name, variant in variants]
    return "\n\n".join([data, "Compares, with one run a seed:", "\n".join(compared)])


def _seeds(folder: Path) -> list[int]:
    """Return the seeds of a variant that were evaluated."""
    return sorted(int(path.parent.name) for path in folder.glob("*/metrics.json") if path.parent.name.isdecimal())


def _read_run(root: Path, config: ReportConfig, name: str, seed: int) -> TrackedRun:
    variant, results = config.variants[name], root / "results" / config.preset / name / str(seed)
    scalars = _read_scalars(results / "metrics.json")
    numbers = {key: float(value) for key, value in scalars.items() if isinstance(value, int | float) and not isinstance(value, bool)}
    texts = {key: str(value) for key, value in scalars.items() if value is not None and key not in numbers}
    figures = _read_figures(root / "reports" / config.preset / "figures" / variant.report, name)
    tables = [path for path in (results / f for f in ("metrics.json", "history.csv", "details.json")) if path.exists()]
    card = root / "results" / config.preset / "data" / f"{variant.dataset}.json"
    return TrackedRun(
        variant=name,
        seed=seed,
        dataset=variant.dataset,
        tags={**texts, **_tags(config, name, seed), "mlflow.note.content": _describe_run(config, variant, figures)},
        params=_flatten({**variant.model.model_dump(), **variant.training.model_dump(), "max_steps": variant.max_steps}),
        # At epoch 0 MLflow draws a lone value as a bar, elsewhere as a curve of one point.
        metrics=[*_read_history(results / "history.csv"), *((key, value, 0) for key, value in numbers.items())],
        artifacts={path.name: path for path in tables} | {f"figures/{path.name}": path for path in figures},
        card=parse(DataCard, read_json(card), str(card)),
        side=_read_side_files(root / "logs" / config.preset / name / str(seed)),
    )


def _read_history(path: Path) -> list[tuple[str, float, int]]:
    """Return (metric, value, epoch) of every filled cell."""
    metrics = []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, strict=True):
                epoch = int(row.pop("epoch"))
                row.pop("step", None)
                metrics += [(name, float(cell), epoch) for name, cell in row.items() if cell != ""]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        expected = "expected a table with a column 'epoch' and numbers or empty cells"
        raise UserError(f"{path}: {expected}, got '{error}'; delete it and run 'dvc repro'") from error
    return metrics


def _read_scalars(path: Path) -> dict[str, Any]:
    scalars = read_json(path)
    if not isinstance(scalars, dict) or any(isinstance(value, list | dict) for value in scalars.values()):
        raise UserError(f"{path}: expected one flat object of numbers and texts, got nested values; delete it and run 'dvc repro'")
    return scalars


def _read_figures(folder: Path, variant: str) -> dict[Path, Figure]:
    """Return the figures of a report that show a variant; none if the report has no figures yet."""
    index = folder.with_suffix(".json")
    listed = read_json(index) if index.exists() else []
    if not isinstance(listed, list):
        raise UserError(f"{index}: expected a list of figures, got a {type(listed).__name__}; delete it and run 'dvc repro'")
    figures = [parse(Figure, entry, f"{index}: entry {number}") for number, entry in enumerate(listed, 1)]
    shown = {folder / figure.file: figure for figure in figures if variant in figure.variants}
    if missing := [path for path in shown if not path.is_file()]:
        raise UserError(f"{missing[0]}: expected the figure that {index.name} lists, got nothing there; run 'dvc repro' to make it")
    return shown


def _read_side_files(folder: Path) -> dict[str, SideFile]:
    paths = {stage: folder / f"{stage}.json" for stage in ("train", "evaluate")}
    return {stage: parse(SideFile, read_json(path), str(path)) for stage, path in paths.items() if path.exists()}


def _tags(config: ReportConfig, name: str, seed: int) -> dict[str, str]:
    variant = config.variants[name]
    return {
        "report": variant.report,
        "dataset": variant.dataset,
        "family": _FAMILIES[type(variant.model)],
        "variant": name,
        "seed": str(seed),
        "preset": config.preset,
        "data_source": variant.data_source,
        "title": variant.title,
        "assumed": ", ".join(variant.assumed) or "nothing",
    }


def _describe_run(config: ReportConfig, variant: ReportedVariant, figures: dict[Path, Figure]) -> str:
    """Return in Markdown what the run is and what its figures show."""
    report = config.reports[variant.report]
    lines = [f"{variant.title}, of '{report.title}' ({report.author}).", ""]
    lines += [f"- figures/{path.name}: {figure.title}. {figure.caption}" for path, figure in figures.items()]
    return "\n".join(lines).strip()


def _flatten(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {'latent.dim': 20, ...} of {'latent': {'dim': 20}, ...}."""
    flat: dict[str, Any] = {}
    for key, value in section.items():
        flat.update(_flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
