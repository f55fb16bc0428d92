"""params.yaml -> one resolved JSON a variant and purpose, so that a change reruns only what it concerns."""

from pathlib import Path

import yaml

from regen.config.base import Config, parse
from regen.config.schema import DataConfig, Params, Preset, ReportConfig, ReportedVariant, Variant
from regen.config.variant import EvaluateConfig, TrainConfig
from regen.errors import UserError

__all__ = ["read_params", "resolve"]


def read_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises
    ------
    UserError
        One line that names the key, the value and what is allowed.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected a readable file, got '{error}'; restore it with 'git checkout {path}'") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: expected YAML, got '{' '.join(str(error).split())}'; mend the line") from error
    params = parse(Params, raw, str(path))
    names = [name for variants in params.variants.values() for name in variants]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{path}: variants: '{twice[0]}' stands under two data sets; allowed: each name once")
    return params


def resolve(params: Params, preset_name: str) -> dict[str, Config]:
    """Return the resolved configurations of a preset by file name.

    Raises
    ------
    UserError
        If the preset is unknown.
    """
    if preset_name not in params.presets:
        raise UserError(f"preset.yaml: preset = '{preset_name}': unknown preset; allowed: {', '.join(params.presets)}")
    preset = params.presets[preset_name]
    resolved: dict[str, Config] = {f"{name}.data.json": _data(params, preset, name) for name in params.datasets}
    for dataset, variants in params.variants.items():
        for name, variant in variants.items():
            resolved[f"{name}.train.json"] = _train(params, preset, dataset, name, variant)
            resolved[f"{name}.evaluate.json"] = _evaluate(params, preset, dataset, name, variant)
    resolved["report.json"] = _report(params, preset_name)
    return resolved


def _data(params: Params, preset: Preset, name: str) -> DataConfig:
    dataset, source = params.datasets[name], preset.sources[name]
    return DataConfig(
        dataset=name,
        source=source,
        status=dataset.sources[source].status,
        files=dataset.sources[source].files,
        shape=dataset.shape,
        values=dataset.values,
        split=dataset.split,
        max_images=preset.max_images,
        seed=params.seed,
    )


def _train(params: Params, preset: Preset, dataset: str, name: str, variant: Variant) -> TrainConfig:
    return TrainConfig(
        variant=name,
        dataset=dataset,
        shape=params.datasets[dataset].shape,
        model=variant.model,
        training=variant.training,
        max_steps=preset.max_steps,
        compute=params.compute,
    )


def _evaluate(params: Params, preset: Preset, dataset: str, name: str, variant: Variant) -> EvaluateConfig:
    return EvaluateConfig(
        variant=name,
        dataset=dataset,
        data_source=params.datasets[dataset].sources[preset.sources[dataset]].status,
        shape=params.datasets[dataset].shape,
        values=params.datasets[dataset].values,
        model=variant.model,
        likelihood=preset.likelihood[dataset],
        seed=params.seed,
        threads=params.compute.threads,
        device=params.compute.device,
    )


def _report(params: Params, preset_name: str) -> ReportConfig:
    preset = params.presets[preset_name]
    return ReportConfig(
        preset=preset_name,
        threads=params.compute.threads,
        reports=params.reports,
        shapes={name: dataset.shape for name, dataset in params.datasets.items()},
        variants={
            name: ReportedVariant(
                report=variant.report,
                dataset=dataset,
                data_source=params.datasets[dataset].sources[preset.sources[dataset]].status,
                title=variant.title,
                assumed=variant.assumed,
                figures=variant.figures,
                model=variant.model,
                training=variant.training,
                max_steps=preset.max_steps,
                likelihood=preset.likelihood[dataset],
            )
            for dataset, variants in params.variants.items()
            for name, variant in variants.items()
        },
    )
