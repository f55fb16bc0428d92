"""What one tracked run shows, read from the files that the pipeline wrote."""

import colorsys
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import AwareDatetime, ConfigDict, Field

from regen.common.errors import UserError
from regen.common.files import checksum, read_json
from regen.config.base import Config, parse
from regen.config.model import Model
from regen.params.schema import ReportConfig, ReportedVariant
from regen.provenance import describes
from regen.results import Results

__all__ = ["DataCard", "SideFile", "TrackedRun", "describe_experiment", "read_runs"]


TABLES = ("metrics.json", "history.csv", "details.json", "quality.json", "quality_details.json")
"""What the pipeline writes about a variant and seed; each is an artifact of its run."""


class DataCard(Config):
    """The parts of a data card that are shown by name."""

    model_config = ConfigDict(extra="allow")
    dataset: str
    source: str
    data_source: str
    description: str


class Figure(Config):
    """An entry of an index.json below reports/<preset>/figures/: a PNG with its texts."""

    model_config = ConfigDict(extra="ignore")
    file: str
    title: str
    caption: str


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
    outputs: dict[str, str] = {}


@dataclass(frozen=True)
class TrackedRun:
    """Everything that one run shows; metrics are (name, value, epoch), artifacts are keyed by their path in the run.

    `weights` need not exist; `model` and `shape` (C, H, W) say what they are of.
    """

    variant: str
    seed: int
    dataset: str
    tags: dict[str, str]
    params: dict[str, Any]
    metrics: list[tuple[str, float, int]]
    artifacts: dict[str, Path]
    card: DataCard
    side: dict[str, SideFile]
    model: Model
    shape: list[int]
    weights: Path

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
    results = Results(config, root)
    return [_read_run(results, name, seed) for name in sorted(config.variants) for seed in results.metrics(name)]


def describe_experiment(config: ReportConfig, runs: Sequence[TrackedRun], links: str) -> str:
    """Return in Markdown the data of the runs on one data set, links to its views, its variants; a list shows the first words."""
    card = runs[0].card
    data = f"Preset {config.preset}, {card.data_source} data: {card.description}."
    rows = [f"| {name} | {config.variants[name].title} |" for name in dict.fromkeys(run.variant for run in runs)]
    return "\n\n".join([data, f"Views: {links}.", "\n".join(["| variant | model |", "| --- | --- |", *rows])])


def _read_run(results: Results, name: str, seed: int) -> TrackedRun:
    config, root = results.config, results.root
    variant, folder = config.variants[name], root / "results" / config.preset / name / str(seed)
    history, scalars = results.histories(name).get(seed), {**results.quality(name).get(seed, {}), **results.metrics(name)[seed]}
    numbers = {key: float(value) for key, value in scalars.items() if isinstance(value, int | float) and not isinstance(value, bool)}
    texts = {key: str(value) for key, value in scalars.items() if value is not None and key not in numbers}
    figures = _read_figures(root / "reports" / config.preset / "figures", name)
    tables = [path for path in (folder / name for name in TABLES) if path.exists()]
    card = root / "results" / config.preset / "data" / f"{variant.dataset}.json"
    return TrackedRun(
        variant=name,
        seed=seed,
        dataset=variant.dataset,
        tags={**texts, **_tags(config, name, seed), "mlflow.note.content": _describe_run(config, variant, figures)},
        params=_flatten(
            {
                **variant.model.model_dump(),
                **variant.training.model_dump(),
                "images": variant.images.model_dump(),
                "max_steps": variant.max_steps,
            }
        ),
        # At epoch 0 MLflow draws a lone value as a bar, elsewhere as a curve of one point.
        metrics=[*((key, value, 0) for key, value in numbers.items()), *(() if history is None else _curves(history))],
        artifacts={path.name: path for path in tables} | {f"figures/{path.name}": path for path in figures},
        card=parse(DataCard, read_json(card), str(card)),
        side=_read_side_files(root, config.preset, f"{name}/{seed}"),
        model=variant.model,
        shape=variant.shape,
        weights=root / "models" / config.preset / name / str(seed) / "final.safetensors",
    )


def _curves(history: pd.DataFrame) -> list[tuple[str, float, int]]:
    """Return (metric, value, epoch) of every filled cell."""
    columns = [name for name in history if name not in ("epoch", "step")]
    cells = ((str(name), float(row[name]), int(row["epoch"])) for row in history.to_dict("records") for name in columns)
    return [cell for cell in cells if not math.isnan(cell[1])]


def _read_figures(folder: Path, variant: str) -> dict[Path, Figure]:
    """Return the pictures of a variant; none if nothing was drawn yet."""
    folder = folder / variant
    index = folder / "index.json"
    listed = read_json(index) if index.exists() else []
    if not isinstance(listed, list):
        raise UserError(f"{index}: expected a list of figures, got a {type(listed).__name__}; delete it and run 'dvc repro'")
    entries = enumerate(listed, 1)
    shown = {folder / figure.file: figure for figure in (parse(Figure, entry, f"{index}: entry {number}") for number, entry in entries)}
    if missing := [path for path in shown if not path.is_file()]:
        raise UserError(f"{missing[0]}: expected the figure that {index.name} lists, got nothing there; run 'dvc repro' to make it")
    return shown


def _read_side_files(root: Path, preset: str, run: str) -> dict[str, SideFile]:
    """Return how a run's stages ran, of those side files that describe the results that are here.

    What has no side file here, as in a fresh clone, is looked up in the committed account of dated evidence.
    """
    account = root / "results" / preset / "provenance.json"
    entries = read_json(account) if account.exists() else {}
    found: dict[str, SideFile] = {}
    for stage in ("train", "evaluate", "quality"):
        log = root / "logs" / preset / run / f"{stage}.json"
        told = [(log, read_json(log))] if log.exists() else []
        told += [(account, entries[f"{run}/{stage}"])] if f"{run}/{stage}" in entries else []
        sides = [parse(SideFile, facts, str(path)) for path, facts in told]
        if side := next((side for side in sides if describes(side.model_dump(), root)), None):
            found[stage] = side
    return found


def _tags(config: ReportConfig, name: str, seed: int) -> dict[str, str]:
    variant = config.variants[name]
    return {
        "report": variant.report,
        "dataset": variant.dataset,
        "family": variant.model.family,
        "variant": name,
        "seed": str(seed),
        "preset": config.preset,
        "data_source": variant.data_source,
        "title": variant.title,
        "assumed": ", ".join(variant.assumed) or "nothing",
        "mlflow.source.name": "stages train",
        "mlflow.source.type": "LOCAL",
        "mlflow.runColor": _colour(name),
    }


def _colour(variant: str) -> str:
    """Return a variant's colour in charts: the same for all seeds in every store, where MLflow would take one at random."""
    number = int(hashlib.sha256(variant.encode()).hexdigest(), 16)
    red, green, blue = colorsys.hls_to_rgb(number % 360 / 360, (0.32, 0.45, 0.58)[number // 360 % 3], 0.7)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


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
