"""params.yaml and studies/ -> one resolved JSON a variant and purpose, so that a change reruns only what it concerns."""

import re
from pathlib import Path

from regen.common.errors import UserError
from regen.config.base import Config, parse
from regen.config.features import FeaturesConfig, QualityConfig
from regen.config.probes import ProbeConfig, ProbedVariant
from regen.config.variant import EvaluateConfig, TrainConfig
from regen.params.figures import DrawConfig, listed
from regen.params.probes import Probe
from regen.params.reading import read_yaml
from regen.params.reports import STUDY, read_reports
from regen.params.schema import DataConfig, Params, Preset, PresetFile, ReportConfig, ReportedVariant, SourceConfig, Variant

__all__ = ["read_params", "read_preset", "resolve"]


def read_params(path: Path) -> Params:
    """Read and check params.yaml and what studies/ beside it says of the reports.

    Raises
    ------
    UserError
        One line that names the file, the key, the value and what is allowed.
    """
    values, studies = read_yaml(path), path.parent / "studies"
    if isinstance(values, dict):
        if "reports" in values:
            raise UserError(f"{path}: reports: unknown key; a report is described in {studies}/<report>/{STUDY}, move it there")
        values = {**values, "reports": read_reports(studies)}
    try:
        params = parse(Params, values, str(path))
    except UserError as error:
        raise UserError(_in_its_study(str(error), path, studies)) from None
    names = [name for variants in params.variants.values() for name in variants]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{path}: variants: '{twice[0]}' stands under two data sets; allowed: each name once")
    return params


def _in_its_study(line: str, path: Path, studies: Path) -> str:
    """Name study.yaml and the key there where a line is about a report."""
    return re.sub(rf"^{re.escape(str(path))}: reports\.([a-z0-9]+)\.", lambda found: f"{studies / found[1] / STUDY}: ", line)


def read_preset(path: Path, params: Params) -> PresetFile:
    """Read and check preset.yaml.

    Raises
    ------
    UserError
        One line that names the key, the value and what is allowed.
    """
    chosen = parse(PresetFile, read_yaml(path), str(path))
    if chosen.preset not in params.presets:
        raise UserError(f"{path}: preset = '{chosen.preset}': unknown preset; allowed: {', '.join(params.presets)}")
    if unknown := sorted(set(chosen.seeds) - {*params.datasets, "default"}):
        raise UserError(f"{path}: seeds.{unknown[0]}: unknown data set; allowed: {', '.join(params.datasets)}, default")
    if missing := [dataset for dataset in params.variants if chosen.seeds_key(dataset) not in chosen.seeds]:
        raise UserError(
            f"{path}: seeds = {chosen.seeds}: allowed: a list for each data set that has variants, or a default; {missing[0]} has none"
        )
    for dataset, seeds in chosen.seeds.items():
        if len(set(seeds)) < len(seeds):
            raise UserError(f"{path}: seeds.{dataset} = {seeds}: allowed: each seed once")
    return chosen


def resolve(params: Params, chosen: PresetFile) -> dict[str, Config]:
    """Return the resolved configurations of a preset by file name."""
    preset = params.presets[chosen.preset]
    resolved: dict[str, Config] = {}
    for name in params.datasets:
        resolved[f"{name}.source.json"] = _source(params, preset, name)
        resolved[f"{name}.data.json"] = _data(params, preset, name)
        resolved[f"{name}.features.json"] = _features(params, preset, name)
    for dataset, variants in params.variants.items():
        for name, variant in variants.items():
            resolved[f"{name}.train.json"] = _train(params, preset, dataset, name, variant)
            resolved[f"{name}.evaluate.json"] = _evaluate(params, preset, dataset, name, variant)
            resolved[f"{name}.quality.json"] = _quality(params, preset, dataset, name, variant)
            resolved[f"{name}.draw.json"] = _draw(params, chosen, dataset, name, variant)
    for name, probe in params.probes.named().items():
        resolved[f"{name}.probe.json"] = _probe(params, preset, chosen, probe)
    resolved["report.json"] = _report(params, preset, chosen)
    return resolved


def _source(params: Params, preset: Preset, name: str) -> SourceConfig:
    sources = params.datasets[name].sources
    chosen = preset.source(name, sources)
    assert chosen is not None
    return SourceConfig(dataset=name, kind=params.kind(name), source=chosen, status=sources[chosen].status, files=sources[chosen].files)


def _data(params: Params, preset: Preset, name: str) -> DataConfig:
    dataset = params.datasets[name]
    return DataConfig(
        **_source(params, preset, name).model_dump(),
        shape=dataset.shape,
        values=dataset.values,
        classes=dataset.classes,
        fit=dataset.fit,
        split=dataset.split,
        max_images=preset.images_of(name),
        preparations=list(dict.fromkeys(variant.images for variant in params.variants.get(name, {}).values())),
        seed=params.seed,
    )


def _train(params: Params, preset: Preset, dataset: str, name: str, variant: Variant) -> TrainConfig:
    return TrainConfig(
        variant=name,
        dataset=dataset,
        shape=variant.images.shape(params.datasets[dataset].shape),
        images=variant.images,
        model=variant.model,
        training=variant.training,
        declared_images=params.datasets[dataset].split.trained(variant.training),
        max_steps=preset.steps_of(dataset, name),
        compute=params.compute,
    )


def _evaluate(params: Params, preset: Preset, dataset: str, name: str, variant: Variant) -> EvaluateConfig:
    return EvaluateConfig(
        variant=name,
        dataset=dataset,
        data_source=_source(params, preset, dataset).status,
        shape=variant.images.shape(params.datasets[dataset].shape),
        values=variant.images.values(params.datasets[dataset].values),
        images=variant.images,
        model=variant.model,
        likelihood=preset.likelihood_of(dataset),
        checks=preset.checks,
        run_checks=variant.checks,
        memory_mb=params.memory_mb,
        seed=params.seed,
        threads=params.compute.threads,
        device=params.compute.device,
    )


def _features(params: Params, preset: Preset, name: str) -> FeaturesConfig:
    network = params.network(name)
    labels = network.labels or name
    return FeaturesConfig(
        labels=labels,
        images=network.images,
        network=network.network,
        dropout=network.dropout,
        schedule=network.schedule,
        dataset=name,
        data_source=_source(params, preset, name).status,
        shape=params.datasets[name].shape,
        classes=params.datasets[labels].classes,
        n_samples=preset.samples_of(name),
        max_steps=preset.steps_of(name),
        compute=params.compute,
        seed=params.seed,
    )


def _quality(params: Params, preset: Preset, dataset: str, name: str, variant: Variant) -> QualityConfig:
    return QualityConfig(
        variant=name,
        dataset=dataset,
        data_source=_source(params, preset, dataset).status,
        shape=variant.images.shape(params.datasets[dataset].shape),
        values=variant.images.values(params.datasets[dataset].values),
        images=variant.images,
        held_out=variant.training.held_out,
        model=variant.model,
        n_samples=preset.samples_of(dataset),
        seed=params.seed,
        threads=params.compute.threads,
        device=params.compute.device,
    )


def _draw(params: Params, chosen: PresetFile, dataset: str, name: str, variant: Variant) -> DrawConfig:
    shape = variant.images.shape(params.datasets[dataset].shape)
    shown = [figure for report in params.reports.values() for figure in report.figures]
    pictures, points = listed(shown, name, variant.model, shape[0])
    if variant.pictures is not None:
        asked = {kind for figure in shown if name in figure.variants for kind in figure.pictures}
        pictures = [kind for kind in pictures if kind in asked or kind in variant.pictures]
    return DrawConfig(
        variant=name,
        dataset=dataset,
        seed=chosen.seeds_of(dataset)[0],
        shape=shape,
        images=variant.images,
        held_out=variant.training.held_out,
        model=variant.model,
        max_steps=params.presets[chosen.preset].steps_of(dataset, name),
        pictures=pictures,
        points=points,
        threads=params.compute.threads,
    )


def _probe(params: Params, preset: Preset, chosen: PresetFile, probe: Probe) -> ProbeConfig:
    datasets = {name: dataset for dataset, variants in params.variants.items() for name in variants}
    probed = []
    for name in probe.variants:
        dataset = datasets[name]
        variant = params.variants[dataset][name]
        judged = _quality(params, preset, dataset, name, variant).model_dump()
        probed.append(ProbedVariant(**judged, first_seed=chosen.seeds_of(dataset)[0], batch_size=variant.training.batch_size))
    return ProbeConfig(
        settings=probe.presets[chosen.preset],
        variants=probed,
        data_source=probed[0].data_source if probed else None,
        seed=params.seed,
        threads=params.compute.threads,
        device=params.compute.device,
    )


def _report(params: Params, preset: Preset, chosen: PresetFile) -> ReportConfig:
    return ReportConfig(
        preset=chosen.preset,
        threads=params.compute.threads,
        reports=params.reports,
        variants={
            name: ReportedVariant(
                report=variant.report,
                dataset=dataset,
                seeds=chosen.seeds_of(dataset),
                data_source=_source(params, preset, dataset).status,
                title=variant.title,
                assumed=variant.assumed,
                shape=variant.images.shape(params.datasets[dataset].shape),
                images=variant.images,
                model=variant.model,
                training=variant.training,
                max_steps=preset.steps_of(dataset, name),
                likelihood=preset.likelihood_of(dataset),
            )
            for dataset, variants in params.variants.items()
            for name, variant in variants.items()
        },
    )
